//! Full-text search over published articles, Chinese first.
//!
//! The index is a cache of the database: any of it can be thrown away and rebuilt. The parts, in
//! the order a text meets them:
//!
//! - [`follower`]: reads events and keeps this node's index up to date; builds it anew.
//! - [`schema`]: the fields of the index, and how an article is laid out over them.
//! - [`grams`]: bigrams with their places, in a form of our own inside tantivy's segments.
//! - [`index`]: the directory on disk: open, write, commit with the follower's cursor, swap; [`faults`]
//!   lets a search live through files that are cut short.
//! - [`view`]: the index as one search sees it.
//! - [`query`]: what the reader typed, understood and planned; [`docs`]: sets of articles.
//! - [`rank`]: runs a search, tier by tier and by [`batch`], with [`score`], [`collect`] (what goes on a page),
//!   [`tally`] (counts, by [`months`] too) and [`place`] (order); [`rerank`] has a closer look at the best, [`sketch`]
//!   knows what says the same, [`budget`] says when to stop, [`hands`] shares the work out.
//! - [`snippet`]: what to show of an article, from its own text, with marks; [`passage`] cuts it.
//! - [`wanted`]: a search as an address has it; [`turns`]: who may search now.
//! - [`find`]: all of that for one request, with the rows of the database; [`pages`] and [`api`]
//!   show it, with the help of [`explain`] (how the query was read) and [`facets`] (what the answer
//!   holds).
//! - [`suggest`]: what a reader may be typing, or may have meant; [`synonyms`]: words that mean the same.
//! - [`related`]: what tells of the same things as an article.
//! - [`insight`]: what readers look for, counted by day.

pub mod api;
mod batch;
mod budget;
mod collect;
mod docs;
pub mod explain;
pub mod facets;
mod faults;
pub mod find;
pub mod follower;
pub mod grams;
mod hands;
pub mod index;
pub mod insight;
mod months;
pub mod pages;
pub mod passage;
mod place;
pub mod queries;
pub mod query;
pub mod rank;
pub mod related;
mod rerank;
pub mod schema;
pub mod score;
pub mod sketch;
pub mod snippet;
pub mod suggest;
pub mod synonyms;
mod tally;
mod trap;
pub mod turns;
pub mod view;
pub mod wanted;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use self::index::{Shelf, Volume};
use self::rank::{Answer, Request};
use self::turns::Turns;
use crate::config::Config;
use crate::error::Error;

/// An index that was found whole is not doubted again before this because a search failed.
const TRUST: Duration = Duration::from_secs(60);
/// When those may come back who asked while there is no index.
const LATER: Duration = Duration::from_secs(5);

/// This node's search: its index and how far that has come.
pub struct Search {
    shelf: Arc<Shelf>,
    state: watch::Sender<State>,
    turns: Turns,
    doubts: Mutex<Doubts>,
}

/// Is the live index what was written?
#[derive(Debug, Default)]
struct Doubts {
    /// The index that gave reason to ask.
    about: Option<String>,
    /// When the last doubt proved to be unfounded.
    cleared: Option<Instant>,
}

/// How far this node's index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not opened yet.
    Closed,
    /// Being built for the first time, or because the one there was could not be read.
    Building,
    /// There are events that it does not know yet.
    Behind,
    /// It knew everything when it looked last, a moment ago.
    CaughtUp,
}

impl Search {
    /// Search with its indexes in the data folder; nothing is opened yet.
    pub fn of(config: &Config) -> Search {
        Search {
            shelf: Arc::new(Shelf::with_memory(config.data.join("index"), config.index_memory)),
            state: watch::Sender::new(State::Closed),
            turns: Turns::new(config.searches_at_once, config.searches_waiting),
            doubts: Mutex::default(),
        }
    }

    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// The indexes on disk.
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Who may search now.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Runs a request against this node's index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while there is no index that can answer, [`Error::Busy`] where too many ask.
    pub async fn ask(&self, request: Request) -> Result<Answer, Error> {
        let unavailable = || Error::Unavailable { retry_after: LATER };
        let turn = self.turns.take().await?;
        let volume = self.shelf.live().ok_or_else(unavailable)?;
        let asked = volume.clone();
        let answer = crate::blocking::run(move || {
            // Kept by the search itself: it goes on when whoever asked has gone.
            let _turn = turn;
            asked.search(&request)
        });
        match answer.await {
            Ok(Ok(answer)) if volume.is_hurt() => {
                self.doubt(&volume);
                Ok(Answer { partial: true, ..answer })
            }
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::error!("a search failed: {error}");
                self.doubt_again(&volume);
                Err(unavailable())
            }
            Err(panic) => {
                tracing::error!("a search ended badly: {panic}");
                self.doubt_again(&volume);
                Err(unavailable())
            }
        }
    }

    /// The follower shall look whether this index is damaged, and build it anew then.
    pub fn doubt(&self, volume: &Volume) {
        self.doubts.lock().expect("no panic under this lock").about = Some(volume.name());
    }

    /// The same, unless it was found to be whole a moment ago: then a search failed for other reasons.
    fn doubt_again(&self, volume: &Volume) {
        let cleared = self.doubts.lock().expect("no panic under this lock").cleared;
        if cleared.is_none_or(|cleared| cleared.elapsed() > TRUST) {
            self.doubt(volume);
        }
    }

    fn is_doubted(&self, volume: &Volume) -> bool {
        let doubts = self.doubts.lock().expect("no panic under this lock");
        doubts.about.as_ref().is_some_and(|about| *about == volume.name())
    }

    /// Its files were read through, and are `whole` or not.
    fn settle_doubt(&self, whole: bool) {
        let cleared = whole.then(Instant::now);
        *self.doubts.lock().expect("no panic under this lock") = Doubts { about: None, cleared };
    }

    fn enter(&self, state: State) {
        self.state.send_if_modified(|now| std::mem::replace(now, state) != state);
    }
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("state", &self.state()).finish_non_exhaustive()
    }
}
