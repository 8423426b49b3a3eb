//! The reader of events that keeps this node's index up to date.
//!
//! Events are read in order after the cursor in the last commit's payload; what they name is loaded
//! from the database as it is now, put into the index or taken out of it, and committed with the new
//! cursor. Doing an event twice changes nothing, so a crash at any moment loses and doubles nothing.

mod rebuild;
mod rounds;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

pub use self::rebuild::rebuild;
use self::rounds::Rounds;
pub use self::rounds::check;
use super::index::{IndexError, Progress, Shelf, Volume, Writer, WriterSize};
use super::queries::{self, Published};
use super::{Search, State};
use crate::app::App;
use crate::outbox::{self, Event, Recorded};
use crate::text::segment;

/// How soon another node's changes are noticed.
const POLL: Duration = Duration::from_millis(200);
/// Changes of this process are noticed at once; those that come together are done together.
const GATHER: Duration = Duration::from_millis(15);
/// Events read at a time. A read that is full means a backlog.
const READ: u64 = 2_000;
/// Events of one commit at most.
const COMMIT: usize = 20_000;
/// Articles loaded at a time.
const LOAD: usize = 500;
/// A writer without work is closed after so long; its memory and lock are free then.
const IDLE: Duration = Duration::from_secs(30);
/// Between attempts after a failure; twice as long after each that follows, up to the longest.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(15);

/// Follows until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut pause = RETRY;
    while !stop.is_cancelled() {
        let started = Instant::now();
        let followed = tokio::select! {
            followed = follow(&app, &stop) => followed,
            // What was under way is not committed and will be done again.
            () = stop.cancelled() => return,
        };
        if let Err(error) = followed {
            tracing::error!("following into the search index failed, trying again: {error:#}");
            app.search.enter(State::Behind);
            if error.downcast_ref().is_some_and(IndexError::is_damage)
                && let Some(volume) = app.search.shelf().live()
            {
                app.search.doubt(&volume);
            }
            // A full disk fails every attempt; each costs work.
            pause = if started.elapsed() > LONGEST_RETRY { RETRY } else { (pause * 2).min(LONGEST_RETRY) };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn follow(app: &App, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut changes = app.db.changes();
    // The dictionary takes a moment to load; the first reader who searches shall not wait for it.
    crate::blocking::run(segment::load);
    let mut follower = Follower::open(app).await?;
    let mut last_work = Instant::now();
    let mut rounds = Rounds::begin();
    while !stop.is_cancelled() {
        rounds.go(app, &follower.volume).await;
        match follower.step(app).await? {
            Step::Done { .. } => last_work = Instant::now(),
            Step::Nothing | Step::Elsewhere => {
                if last_work.elapsed() > IDLE {
                    follower.rest().await?;
                }
                tokio::select! {
                    changed = changes.changed() => {
                        changed.context("the database is closed")?;
                        tokio::time::sleep(GATHER).await;
                    }
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    }
    Ok(())
}

/// Brings the index up to date and returns the number of events done. For commands and tests; where
/// another process is writing the index, that one is left to do it.
pub async fn catch_up(app: &App) -> anyhow::Result<usize> {
    let mut follower = Follower::open(app).await?;
    let start = follower.done;
    while matches!(follower.step(app).await?, Step::Done { .. }) {}
    let done = follower.done - start;
    follower.rest().await?;
    Ok(done)
}

/// Merges the small segments that many commits left, so that the index is as small and as fast as it
/// gets. For the end of bulk work.
pub async fn settle(app: &App) -> anyhow::Result<()> {
    Follower::open(app).await?.settle().await
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Some events are in.
    Done {
        backlog: bool,
    },
    Nothing,
    /// Another process is writing this index.
    Elsewhere,
}

struct Follower {
    volume: Arc<Volume>,
    writer: Option<(Writer, WriterSize)>,
    /// The last event that is committed.
    cursor: i64,
    /// Events done.
    done: usize,
}

impl Follower {
    /// Opens this node's index, or builds it where there is none that can be used.
    async fn open(app: &App) -> anyhow::Result<Follower> {
        let opened = match Follower::open_or_keep(app).await? {
            Ok(volume) if !rebuild::belongs(app, &volume).await? => {
                Err(IndexError::Damaged("it was made from another database".into()))
            }
            opened => opened,
        };
        let volume = match opened {
            Ok(volume) => volume,
            Err(
                error @ (IndexError::Missing
                | IndexError::OldSchema
                | IndexError::Damaged(_)
                | IndexError::Io(_)),
            ) => {
                if !matches!(error, IndexError::Missing) {
                    tracing::warn!("building the search index anew: {error}");
                }
                app.search.enter(State::Building);
                let started = Instant::now();
                let volume = rebuild(app, |_, _| {}).await?;
                tracing::info!(
                    "search index built: {} articles in {:.1?}",
                    volume.count(),
                    started.elapsed()
                );
                volume
            }
            Err(error) => return Err(error.into()),
        };
        tidy(app.search.shelf().clone()).await;
        let progress = volume.progress()?;
        Ok(Follower::with(volume, None, progress.cursor))
    }

    /// The live index as it is, if there is no doubt about it; else what is on disk, every file read.
    async fn open_or_keep(app: &App) -> anyhow::Result<Result<Arc<Volume>, IndexError>> {
        let shelf = app.search.shelf().clone();
        let live = shelf.live();
        let doubted = live.as_ref().is_some_and(|volume| app.search.is_doubted(volume));
        if let Some(volume) = live.filter(|_| !doubted)
            && shelf.current()?.is_some_and(|name| name == volume.name())
        {
            return Ok(Ok(volume));
        }
        let opened = blocking_index(move || shelf.open()).await?;
        if doubted {
            app.search.settle_doubt(opened.is_ok());
        }
        Ok(opened)
    }

    fn with(volume: Arc<Volume>, writer: Option<(Writer, WriterSize)>, cursor: i64) -> Follower {
        Follower { volume, writer, cursor, done: 0 }
    }

    /// Looks for a new index to go over to, or a reason to doubt this one, then does the next events.
    async fn step(&mut self, app: &App) -> anyhow::Result<Step> {
        let current = app.search.shelf().current()?;
        if current.is_none_or(|name| name != self.volume.name()) || app.search.is_doubted(&self.volume) {
            self.writer = None;
            *self = Follower { done: self.done, ..Follower::open(app).await? };
        }
        let step = self.catch_up_once(app).await?;
        match step {
            Step::Done { backlog: true } | Step::Elsewhere => app.search.enter(State::Behind),
            Step::Done { backlog: false } => {}
            Step::Nothing => app.search.enter(State::CaughtUp),
        }
        Ok(step)
    }

    /// Reads events and commits what follows from them; up to [`COMMIT`] of them.
    async fn catch_up_once(&mut self, app: &App) -> anyhow::Result<Step> {
        let mut events = outbox::after(app.db.read(), self.cursor, READ).await?;
        if events.is_empty() {
            return Ok(Step::Nothing);
        }
        let backlog = events.len() as u64 == READ;
        let Some((mut writer, size)) = self.take_writer(backlog).await? else {
            self.see_others_work()?;
            return Ok(Step::Elsewhere);
        };
        if self.see_others_work()? {
            events = outbox::after(app.db.read(), self.cursor, READ).await?;
        }
        let (mut progress, mut done, mut news) = (self.volume.progress()?, 0, Vec::new());
        while let Some(last) = events.last() {
            progress = Progress { cursor: last.id, at: last.created_at.0 };
            let last_id = last.id;
            done += events.len();
            let more = events.len() as u64 == READ && done < COMMIT;
            writer = apply(app, writer, &events).await?;
            news.extend(events.iter().filter_map(|recorded| recorded.event.new_article()));
            events = if more { outbox::after(app.db.read(), last_id, READ).await? } else { Vec::new() };
        }
        // An error up to here drops the writer, and with it what was not committed.
        self.writer = Some((commit(writer, progress).await?, size));
        self.cursor = progress.cursor;
        self.done += done;
        app.related.expect(&news);
        Ok(Step::Done { backlog })
    }

    /// A writer that is large enough, or none where another process has it.
    async fn take_writer(&mut self, backlog: bool) -> anyhow::Result<Option<(Writer, WriterSize)>> {
        let size = if backlog { WriterSize::Bulk } else { WriterSize::Small };
        if let Some((writer, present)) = self.writer.take() {
            if present == WriterSize::Bulk || present == size {
                return Ok(Some((writer, present)));
            }
            blocking(move || writer.finish()).await?;
        }
        let volume = self.volume.clone();
        match blocking_index(move || volume.writer(size)).await? {
            Ok(writer) => Ok(Some((writer, size))),
            Err(IndexError::Locked) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves on to where another process has brought the index; true if it has.
    fn see_others_work(&mut self) -> anyhow::Result<bool> {
        let cursor = self.volume.progress()?.cursor;
        let moved = cursor != self.cursor;
        if moved {
            self.volume.reload()?;
            self.cursor = cursor;
        }
        Ok(moved)
    }

    /// Merges what many commits left, and closes the writer.
    async fn settle(&mut self) -> anyhow::Result<()> {
        if let Some((mut writer, size)) = self.take_writer(true).await? {
            writer = blocking(move || {
                writer.settle()?;
                Ok(writer)
            })
            .await?;
            self.writer = Some((writer, size));
        }
        self.rest().await
    }

    /// Closes the writer.
    async fn rest(&mut self) -> anyhow::Result<()> {
        match self.writer.take() {
            Some((writer, _)) => blocking(move || writer.finish()).await,
            None => Ok(()),
        }
    }
}

/// Puts into the index what the events name, as the database has it now.
async fn apply(app: &App, mut writer: Writer, events: &[Recorded]) -> anyhow::Result<Writer> {
    let (mut articles, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for recorded in events {
        match recorded.event {
            Event::ArticlePublished { article_id, .. }
            | Event::ArticleRevised { article_id, .. }
            | Event::ArticleWithdrawn { article_id, .. } => drop(articles.insert(article_id)),
            Event::AccountChanged { account_id } => drop(accounts.insert(account_id)),
            Event::CollectionChanged { .. } | Event::PushCreated { .. } | Event::AlertChanged { .. } => {}
        }
    }
    let articles: Vec<i64> = articles.into_iter().collect();
    for ids in articles.chunks(LOAD) {
        writer = refresh(app, writer, ids.to_vec()).await?;
    }
    for account in accounts {
        let mut last = 0;
        loop {
            let ids = queries::articles_of(app.db.read(), account, last, LOAD as u64).await?;
            let Some(newest) = ids.last() else { break };
            last = *newest;
            writer = refresh(app, writer, ids).await?;
        }
    }
    Ok(writer)
}

/// Puts the given articles into the index, or takes them out if they are not to be seen.
async fn refresh(app: &App, writer: Writer, ids: Vec<i64>) -> anyhow::Result<Writer> {
    let rows = queries::published(app.db.read(), &ids).await?;
    blocking(move || {
        let mut rows: HashMap<i64, Published> = rows.into_iter().map(|row| (row.id, row)).collect();
        for id in ids {
            match rows.remove(&id) {
                Some(row) => writer.upsert(&row.into_entry())?,
                None => writer.delete(id),
            }
        }
        Ok(writer)
    })
    .await
}

async fn commit(mut writer: Writer, progress: Progress) -> anyhow::Result<Writer> {
    blocking(move || {
        writer.commit(progress)?;
        Ok(writer)
    })
    .await
}

/// Old indexes are only in the way; that they cannot be removed stops nothing.
pub async fn tidy(shelf: Arc<Shelf>) {
    if let Err(error) = blocking(move || shelf.tidy()).await {
        tracing::warn!("removing old search indexes failed: {error:#}");
    }
}

/// Runs work on files and processor on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> anyhow::Result<T> {
    Ok(blocking_index(work).await??)
}

async fn blocking_index<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> anyhow::Result<Result<T, IndexError>> {
    Ok(crate::blocking::run(work).await?)
}

impl Search {
    /// Why this node should not be sent searches yet.
    pub fn not_ready(&self) -> Option<&'static str> {
        match self.state() {
            State::CaughtUp => None,
            State::Closed => Some("the search index is not open yet"),
            State::Building => Some("the search index is being built"),
            State::Behind => Some("the search index is catching up"),
        }
    }
}
