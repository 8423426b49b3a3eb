//! Makes this node's suggestions from the database and keeps them up by events.
//!
//! A new or changed title is in within about a second. Sorting all titles anew takes seconds, so
//! they are a base that is made again after many changes, or some hours, and a small part beside it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::dictionary::{Dictionary, NAMES, TITLES};
use super::near::{Vocabulary, VocabularyBuilder};
use super::queries::{self, AccountRow, TitleRow};
use super::{Base, Kind, Known, Term};
use crate::app::App;
use crate::clock::Timestamp;
use crate::outbox::{self, Event};
use crate::search::insight::{day_of, queries as insight};
use crate::text::fold;

/// How often other nodes' changes are looked for, and how long changes gather.
const POLL: Duration = Duration::from_secs(1);
/// Between attempts after a failure.
const RETRY: Duration = Duration::from_secs(10);
/// The base is made anew after so long, so that what is new counts as new and queries come in,
const OLD: Duration = Duration::from_secs(6 * 3600);
/// or after so many changes, but not more often than this.
const CHANGES: usize = 4_000;
const YOUNG: Duration = Duration::from_secs(600);
/// Titles beside the base at most; the newest stay.
const FRESH: usize = 10_000;
/// Events read at a time.
const READ: u64 = 2_000;
/// Tags and queries at most; the most frequent stay.
const TERMS: usize = 50_000;
/// Queries count when so many readers asked them in so many days; so many of them are read.
const ASKED_TIMES: i64 = 3;
const ASKED_DAYS: i64 = 30;
const ASKED_MOST: u64 = 20_000;
/// A title moves up this much for each doubling of its readers.
const READERS: i64 = 24 * 3600 * 1000;

/// Follows until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let followed = tokio::select! {
            followed = follow(&app) => followed,
            () = stop.cancelled() => return,
        };
        if let Err(error) = followed {
            tracing::error!("keeping suggestions up to date failed, trying again: {error:#}");
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn follow(app: &App) -> anyhow::Result<()> {
    let mut follower = Follower::start(app).await?;
    loop {
        tokio::time::sleep(POLL).await;
        follower.step(app).await?;
    }
}

/// Makes everything as the database is now. For tests and the first moment of a node.
pub async fn load(app: &App) -> anyhow::Result<()> {
    Follower::start(app).await.map(drop)
}

struct Follower {
    cursor: i64,
    made: Instant,
    base: Arc<Base>,
    accounts: Arc<Dictionary<i64>>,
    /// By id: when it was published, and its title.
    fresh: HashMap<i64, (i64, String)>,
    replaced: HashSet<i64>,
}

impl Follower {
    async fn start(app: &App) -> anyhow::Result<Follower> {
        let started = Instant::now();
        // Read first: what changes while we read comes again as an event.
        let cursor = outbox::latest(app.db.read()).await?;
        let accounts = queries::accounts(app.db.read()).await?;
        let titles = queries::titles(app.db.read(), app.config.suggest_titles as usize).await?;
        let reads = queries::reads(app.db.read()).await?;
        let since = day_of(app.clock.now()) - ASKED_DAYS;
        let asked = insight::frequent(app.db.read(), since, ASKED_TIMES, ASKED_MOST).await?;
        let asked: Vec<(String, u64)> =
            asked.into_iter().map(|row| (row.shown, row.searches.unsigned_abs())).collect();
        let (accounts, base) = crate::blocking::run(move || {
            let base = make_base(&accounts, titles, &reads, asked);
            (name_dictionary(accounts), base)
        })
        .await?;
        let follower = Follower {
            cursor,
            made: Instant::now(),
            base: Arc::new(base),
            accounts: Arc::new(accounts),
            fresh: HashMap::new(),
            replaced: HashSet::new(),
        };
        follower.publish(app, Dictionary::default());
        let known = app.suggest.known();
        tracing::debug!(
            "suggestions made: {} titles, {:.1} MB, {:.1?}",
            known.titles(),
            known.bytes() as f64 / 1e6,
            started.elapsed()
        );
        Ok(follower)
    }

    fn publish(&self, app: &App, fresh: Dictionary<i64>) {
        app.suggest.replace(Known {
            base: self.base.clone(),
            accounts: self.accounts.clone(),
            fresh,
            replaced: self.replaced.clone(),
        });
    }

    async fn step(&mut self, app: &App) -> anyhow::Result<()> {
        let age = self.made.elapsed();
        if age > OLD || (age > YOUNG && self.replaced.len() > CHANGES) {
            *self = Follower::start(app).await?;
        }
        let (mut articles, mut accounts, mut any) = (BTreeSet::new(), false, false);
        loop {
            let events = outbox::after(app.db.read(), self.cursor, READ).await?;
            let Some(last) = events.last() else { break };
            (self.cursor, any) = (last.id, true);
            for recorded in events {
                match recorded.event {
                    Event::ArticlePublished { article_id, .. }
                    | Event::ArticleRevised { article_id, .. }
                    | Event::ArticleWithdrawn { article_id, .. } => drop(articles.insert(article_id)),
                    Event::AccountChanged { .. } => accounts = true,
                    Event::CollectionChanged { .. }
                    | Event::PushCreated { .. }
                    | Event::AlertChanged { .. } => {}
                }
            }
        }
        if !any {
            return Ok(());
        }
        if accounts {
            let rows = queries::accounts(app.db.read()).await?;
            self.accounts = Arc::new(crate::blocking::run(move || name_dictionary(rows)).await?);
        }
        let ids: Vec<i64> = articles.into_iter().collect();
        // After a large import the base is made anew soon; until then its newest are known.
        let ids = &ids[ids.len().saturating_sub(FRESH)..];
        self.take(ids, queries::titles_of(app.db.read(), ids).await?);
        let fresh = self.fresh_dictionary().await?;
        self.publish(app, fresh);
        Ok(())
    }

    fn take(&mut self, ids: &[i64], rows: Vec<TitleRow>) {
        for id in ids {
            self.fresh.remove(id);
            self.replaced.insert(*id);
        }
        self.fresh.extend(rows.into_iter().map(|row| (row.id, (moment(&row).0, row.title))));
        if self.fresh.len() > FRESH {
            let mut moments: Vec<i64> = self.fresh.values().map(|(at, _)| *at).collect();
            let cut = moments.len() - FRESH;
            let (_, oldest, _) = moments.select_nth_unstable(cut);
            let oldest = *oldest;
            self.fresh.retain(|_, (at, _)| *at >= oldest);
        }
    }

    async fn fresh_dictionary(&self) -> anyhow::Result<Dictionary<i64>> {
        let mut fresh: Vec<(i64, i64, String)> =
            self.fresh.iter().map(|(id, (at, title))| (*at, *id, title.clone())).collect();
        Ok(crate::blocking::run(move || {
            fresh.sort_unstable_by(|one, other| other.cmp(one));
            title_dictionary(fresh.into_iter().map(|(_, id, title)| (title, id)))
        })
        .await?)
    }
}

fn moment(row: &TitleRow) -> Timestamp {
    row.published_at.unwrap_or_default()
}

/// Accounts by name and handle.
pub fn name_dictionary(rows: Vec<AccountRow>) -> Dictionary<i64> {
    Dictionary::new(rows.into_iter().map(|row| (vec![row.name, row.handle], row.id)), NAMES)
}

/// Titles, the best first; of equal ones the first is kept.
pub fn title_dictionary(titles: impl Iterator<Item = (String, i64)>) -> Dictionary<i64> {
    let mut seen = HashSet::new();
    let titles = titles.filter(|(title, _)| seen.insert(fold::letters(title)));
    Dictionary::new(titles.map(|(title, id)| (vec![title], id)), TITLES)
}

fn make_base(
    accounts: &[AccountRow],
    mut titles: Vec<TitleRow>,
    reads: &HashMap<i64, i64>,
    asked: Vec<(String, u64)>,
) -> Base {
    let terms = terms(&titles, asked);
    let score = |row: &TitleRow| {
        let readers = reads.get(&row.id).copied().unwrap_or(0).unsigned_abs();
        moment(row).0 + i64::from((readers + 1).ilog2()) * READERS
    };
    titles.sort_by_cached_key(|row| std::cmp::Reverse((score(row), row.id)));
    let mut words = VocabularyBuilder::default();
    accounts.iter().for_each(|row| words.name(&row.name, 1_000));
    terms.iter().for_each(|(term, weight)| words.name(&term.text, *weight));
    titles.iter().for_each(|row| words.title(&row.title));
    let vocabulary: Vocabulary = words.finish();
    let terms = Dictionary::new(terms.into_iter().map(|(term, _)| (vec![term.text.clone()], term)), NAMES);
    Base { terms, titles: title_dictionary(titles.into_iter().map(|row| (row.title, row.id))), vocabulary }
}

/// Tags and queries with how often they occur, the most frequent first.
fn terms(titles: &[TitleRow], asked: Vec<(String, u64)>) -> Vec<(Term, u64)> {
    let mut counted: HashMap<String, (Term, u64)> = HashMap::new();
    let tags = titles.iter().flat_map(|row| &row.tags.0).map(|tag| (tag.as_str(), 1, Kind::Tag));
    let asked = asked.iter().map(|(query, count)| (query.as_str(), *count, Kind::Query));
    for (text, count, kind) in tags.chain(asked) {
        let letters = fold::letters(text);
        if letters.is_empty() {
            continue;
        }
        let term = || (Term { text: text.to_owned(), kind }, 0);
        counted.entry(letters).or_insert_with(term).1 += count;
    }
    let mut terms: Vec<(Term, u64)> = counted.into_values().collect();
    terms.sort_by(|one, other| (other.1, &one.0.text).cmp(&(one.1, &other.0.text)));
    terms.truncate(TERMS);
    terms
}
