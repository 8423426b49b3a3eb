//! This node's [`Percolator`]: read from the database before the first article, then brought up to
//! date before each by the events that name changed alerts, which cannot be skipped. A node that
//! matches nothing holds nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono_tz::Tz;
use tokio::sync::RwLock;

use super::percolate::{Article, Frequencies, Percolator};
use super::queries::{self, Saved};
use crate::app::App;
use crate::db::Db;
use crate::outbox;
use crate::search;
use crate::search::query::Parsed;
use crate::search::query::parse;
use crate::search::query::reading::Reading;
use crate::search::schema::Entry;

/// Alerts read at a time.
const LOAD: u64 = 5_000;
/// Accounts looked up at a time.
const HANDLES: usize = 1_000;
/// Newest articles whose letters are counted, so that queries are filed under rare ones.
const SAMPLE: u64 = 1_000;
/// What was filed by too few articles is filed anew after this many times as many.
const OUTGROWN: usize = 4;
/// So many other events may pass before their newest id is remembered.
const REMEMBER: i64 = 1_000;

/// The alerts of all readers, ready to be matched.
#[derive(Default)]
pub struct Watch {
    state: Arc<RwLock<Option<State>>>,
}

struct State {
    percolator: Percolator,
    /// The last event that it knows.
    cursor: i64,
    sampled: usize,
    /// Articles since it was filed.
    matched: AtomicUsize,
}

impl Watch {
    /// The active alerts that an article matches, as they are now, in order.
    pub async fn matches(&self, app: &App, entry: Entry) -> anyhow::Result<Vec<i64>> {
        self.follow(app).await?;
        let state = self.state.clone().read_owned().await;
        let found = crate::blocking::run(move || {
            let state = state.as_ref()?;
            if state.percolator.is_empty() {
                return None;
            }
            state.matched.fetch_add(1, Ordering::Relaxed);
            Some(state.percolator.matches(&Article::new(&entry)))
        });
        Ok(found.await?.unwrap_or_default())
    }

    /// How many alerts are held in memory.
    pub async fn count(&self) -> usize {
        self.state.read().await.as_ref().map_or(0, |state| state.percolator.len())
    }

    async fn follow(&self, app: &App) -> anyhow::Result<()> {
        if let Some(state) = self.state.read().await.as_ref().filter(|state| !state.is_outgrown()) {
            let (changed, newest) = outbox::changed_alerts(app.db.read(), state.cursor).await?;
            if changed.is_empty() && newest - state.cursor < REMEMBER {
                return Ok(());
            }
        }
        let mut locked = self.state.write().await;
        // Taken out meanwhile: what is broken off half-way is loaded anew.
        let state = match locked.take().filter(|state| !state.is_outgrown()) {
            Some(state) => state.caught_up(app).await?,
            None => State::load(app).await?,
        };
        *locked = Some(state);
        Ok(())
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl State {
    async fn load(app: &App) -> anyhow::Result<Self> {
        let db = &app.db;
        let started = Instant::now();
        // Read first: what changes while we load is loaded again from here.
        let cursor = outbox::latest(db.read()).await?;
        let (frequencies, sampled) = frequencies(db).await?;
        let mut percolator = Percolator::new(frequencies);
        let mut last = 0;
        loop {
            let saved = queries::saved_after(db.read(), last, LOAD).await?;
            let Some(newest) = saved.last() else { break };
            last = newest.id;
            percolator = fill(app, percolator, saved).await?;
        }
        if !percolator.is_empty() {
            tracing::info!("{} alerts loaded in {:.1?}", percolator.len(), started.elapsed());
        }
        Ok(Self { percolator, cursor, sampled, matched: AtomicUsize::new(0) })
    }

    async fn caught_up(mut self, app: &App) -> anyhow::Result<Self> {
        let db = &app.db;
        let (changed, newest) = outbox::changed_alerts(db.read(), self.cursor).await?;
        for ids in changed.chunks(LOAD as usize) {
            let saved = queries::saved(db.read(), ids).await?;
            ids.iter().for_each(|id| self.percolator.remove(*id));
            self.percolator = fill(app, self.percolator, saved).await?;
        }
        self.cursor = newest;
        Ok(self)
    }

    /// Filed when there were hardly any articles to tell rare letters by.
    fn is_outgrown(&self) -> bool {
        let matched = self.matched.load(Ordering::Relaxed);
        self.sampled < SAMPLE as usize && matched > OUTGROWN * self.sampled.max(25)
    }
}

async fn fill(app: &App, mut percolator: Percolator, saved: Vec<Saved>) -> anyhow::Result<Percolator> {
    let synonyms = app.synonyms.clone();
    let mut parsed = crate::blocking::run(move || {
        let parse = |row: Saved| {
            let mut parsed = read(&row.query, &row.timezone).parsed;
            parsed.expand(&synonyms);
            (row.id, parsed)
        };
        saved.into_iter().map(parse).collect::<Vec<(i64, Parsed)>>()
    })
    .await?;
    let handles: HashSet<&str> = parsed.iter().flat_map(|(_, query)| query.handles()).collect();
    let mut accounts = HashMap::new();
    for asked in Vec::from_iter(handles).chunks(HANDLES) {
        let found = search::queries::bearers(app.db.read(), &asked.iter().copied().collect()).await?;
        accounts.extend(found.into_iter().map(|(asked, account)| (asked, account.id)));
    }
    parsed.iter_mut().for_each(|(_, query)| query.resolve(&accounts));
    let filled = crate::blocking::run(move || {
        parsed.iter().for_each(|(id, query)| percolator.insert(*id, query));
        percolator
    });
    Ok(filled.await?)
}

/// A query as its reader's search reads it.
pub fn read(query: &str, timezone: &str) -> Reading {
    parse::read(query, timezone.parse().unwrap_or(Tz::UTC))
}

async fn frequencies(db: &Db) -> anyhow::Result<(Frequencies, usize)> {
    let ids = queries::newest_articles(db.read(), SAMPLE).await?;
    let mut frequencies = Frequencies::default();
    for ids in ids.chunks(100) {
        let rows = search::queries::published(db.read(), ids).await?;
        frequencies = crate::blocking::run(move || {
            rows.into_iter().for_each(|row| frequencies.count(&Article::new(&row.into_entry())));
            frequencies
        })
        .await?;
    }
    Ok((frequencies, ids.len()))
}
