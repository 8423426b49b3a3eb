//! Full-text search over published articles, Chinese first.
//!
//! The index is a cache of the database: any of it can be thrown away and rebuilt. The parts, in
//! the order a text meets them:
//!
//! - [`follower`]: reads events and keeps this node's index up to date; builds it anew.
//! - [`schema`]: the fields of the index, and how an article is laid out over them.
//! - [`grams`]: bigrams with their places, in a form of our own inside tantivy's segments.
//! - [`index`]: the directory on disk: open, write, commit with the follower's cursor, swap.
//! - [`view`]: the index as one search sees it.
//! - [`query`]: what the reader typed, understood and planned; [`docs`]: sets of articles.
//! - [`rank`]: runs a search, tier by tier, with [`score`], [`collect`] (what goes on a page), [`tally`]
//!   (counts, by [`months`] too) and [`place`] (order); [`rerank`] has a closer look at the best, [`sketch`] knows what
//!   says the same, [`budget`] says when to stop, [`hands`] shares the work out.
//! - [`snippet`]: what to show of an article, from its own text, with marks; [`passage`] cuts it.
//! - [`wanted`]: a search as an address has it.
//! - [`find`]: all of that for one request, with the rows of the database; [`pages`] and [`api`]
//!   show it, with the help of [`explain`] (how the query was read) and [`facets`] (what the answer
//!   holds).
//! - [`suggest`]: what a reader may be typing, or may have meant; [`synonyms`]: words that mean the same.
//! - [`insight`]: what readers look for, counted by day.

pub mod api;
mod budget;
mod collect;
mod docs;
pub mod explain;
pub mod facets;
pub mod find;
pub mod follower;
pub mod grams;
mod hands;
pub mod index;
pub mod insight;
mod months;
pub mod pages;
pub mod passage;
pub mod place;
pub mod queries;
pub mod query;
pub mod rank;
mod rerank;
pub mod schema;
pub mod score;
pub mod sketch;
pub mod snippet;
pub mod suggest;
pub mod synonyms;
mod tally;
mod trap;
pub mod view;
pub mod wanted;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use self::index::Shelf;
use self::rank::{Answer, Request};
use crate::error::Error;

/// This node's search: its index and how far that has come.
pub struct Search {
    shelf: Arc<Shelf>,
    state: watch::Sender<State>,
    /// Searches run on threads of their own, so many at a time; the others wait their turn.
    turns: Semaphore,
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
    /// Search with its indexes in the folder `root`; nothing is opened yet.
    pub fn at(root: impl Into<PathBuf>) -> Search {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Search {
            shelf: Arc::new(Shelf::at(root)),
            state: watch::Sender::new(State::Closed),
            turns: Semaphore::new(cores * 2),
        }
    }

    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// The indexes on disk.
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Runs a request against this node's index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while there is no index to ask.
    pub async fn ask(&self, request: Request) -> Result<Answer, Error> {
        let Some(volume) = self.shelf.live() else {
            return Err(Error::Unavailable { retry_after: Duration::from_secs(5) });
        };
        let _turn = self.turns.acquire().await.map_err(anyhow::Error::from)?;
        let answer = crate::blocking::run(move || volume.search(&request)).await;
        Ok(answer.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?)
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
