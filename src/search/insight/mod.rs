//! What readers look for, and what they do not find: counts by day and query, for operators and
//! publishers, and for suggestions.
//!
//! Nobody can be told from the counts: no user, session or address is kept. Counts gather in memory
//! and are written in batches, so no search waits for the database. One reader who asks the same
//! thing ten times counts once a day on a node (a keyed hash in memory tells, which is forgotten with
//! the day). Rare queries are forgotten after a week, all of them after 90 days, and what looks like
//! an address or a number of a person is not counted at all.

pub mod pages;
pub mod queries;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, QueryFilter,
};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::auth::Client;
use crate::clock::Timestamp;
use crate::db::entities::{search_click, search_query};
use crate::search::find::Found;
use crate::search::wanted::Wanted;
use crate::text::fold;

/// Counts are written so often.
const WRITE: Duration = Duration::from_secs(30);
/// Queries that wait to be written at most; in a flood others are not counted.
const WAITING: usize = 10_000;
/// Askers remembered at most.
const ASKERS: usize = 200_000;
/// Letters of a query that is counted.
const LETTERS: usize = 40;
/// Results whose opening is counted.
pub const RANKS: u32 = 20;
/// Days that counts are kept, and that rare ones are; and what is rare.
const KEPT: i64 = 90;
const RARE_KEPT: i64 = 7;
const RARE: i64 = 3;

/// Counts of this node that are not written yet.
#[derive(Debug, Default)]
pub struct Insight {
    counts: Mutex<Counts>,
    key: RandomState,
}

#[derive(Debug, Default)]
struct Counts {
    queries: HashMap<QueryKey, QueryCount>,
    /// By day, account and rank.
    clicks: HashMap<(i64, i64, u32), i64>,
    /// Who asked what today, as hashes.
    askers: HashSet<u64>,
    today: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct QueryKey {
    day: i64,
    account: i64,
    query: String,
}

#[derive(Debug, Default)]
struct QueryCount {
    shown: String,
    searches: i64,
    empty: i64,
    clicks: i64,
}

/// Days since 1970 in UTC.
pub fn day_of(moment: Timestamp) -> i64 {
    moment.0.div_euclid(24 * 3600 * 1000)
}

impl Insight {
    /// Counts a search within an account, or the whole site, that found so many articles.
    pub fn searched(&self, now: Timestamp, client: &Client, account: Option<i64>, query: &str, total: usize) {
        let Some(key) = key(now, account, query) else { return };
        let asker = self.key.hash_one((client.network(), &client.user_agent, &key));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.is_new(key.day, asker) {
            return;
        }
        let Some(count) = counts.of(key) else { return };
        if count.shown.is_empty() {
            count.shown = query.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        count.searches += 1;
        count.empty += i64::from(total == 0);
    }

    /// Counts that a result was opened; ranks beyond [`RANKS`] are not.
    pub fn clicked(&self, now: Timestamp, client: &Client, account: Option<i64>, query: &str, rank: u32) {
        let Some(key) = key(now, account, query).filter(|_| (1..=RANKS).contains(&rank)) else { return };
        let asker = self.key.hash_one((client.network(), &client.user_agent, &key, rank));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.is_new(key.day, asker) {
            return;
        }
        let rank = (key.day, key.account, rank);
        if let Some(count) = counts.of(key) {
            count.clicks += 1;
            *counts.clicks.entry(rank).or_default() += 1;
        }
    }
}

/// Counts a search of the results page.
pub fn count(app: &App, client: &Client, wanted: &Wanted, found: &Found) {
    let account = match &wanted.accounts[..] {
        [handle] => found.accounts.get(handle).map(|account| account.id),
        _ => None,
    };
    app.insight.searched(app.clock.now(), client, account, &wanted.q, found.total);
}

impl Counts {
    fn is_new(&mut self, day: i64, asker: u64) -> bool {
        if self.today != day {
            self.today = day;
            self.askers.clear();
        }
        self.askers.len() < ASKERS && self.askers.insert(asker)
    }

    fn of(&mut self, key: QueryKey) -> Option<&mut QueryCount> {
        if self.queries.len() >= WAITING && !self.queries.contains_key(&key) {
            return None;
        }
        Some(self.queries.entry(key).or_default())
    }
}

/// `None` for what is not counted.
fn key(now: Timestamp, account: Option<i64>, query: &str) -> Option<QueryKey> {
    let folded = fold::fold(query);
    let query = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = fold::letters(&query);
    let digits = letters.chars().filter(char::is_ascii_digit).count();
    let count = letters.chars().count();
    let counted = (1..=LETTERS).contains(&count)
        && query.chars().count() <= LETTERS * 2
        && digits < 7
        && !query.contains("://")
        && !query
            .split_whitespace()
            .any(|word| word.find('@').is_some_and(|at| at > 0 && !word.starts_with("from:")));
    counted.then(|| QueryKey { day: day_of(now), account: account.unwrap_or(0), query })
}

/// Writes what was counted until now.
pub async fn write(app: &App) -> anyhow::Result<()> {
    let (queries, clicks) = {
        let mut counts = app.insight.counts.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut counts.queries), std::mem::take(&mut counts.clicks))
    };
    if queries.is_empty() && clicks.is_empty() {
        return Ok(());
    }
    // In one order on every node, so that two of them never wait for each other's rows in turn.
    let mut queries: Vec<(QueryKey, QueryCount)> = queries.into_iter().collect();
    queries.sort_by(|one, other| one.0.cmp(&other.0));
    let mut clicks: Vec<((i64, i64, u32), i64)> = clicks.into_iter().collect();
    clicks.sort_unstable();
    let tx = app.db.begin().await?;
    for rows in queries.chunks(1_000) {
        use search_query::Column::{AccountId, Clicks, Day, Empty, Query, Searches};
        let add = OnConflict::columns([Day, AccountId, Query])
            .values([Searches, Empty, Clicks].map(|column| (column, sum(search_query::Entity, column))))
            .to_owned();
        let rows = rows.iter().map(query_row);
        search_query::Entity::insert_many(rows).on_conflict(add).exec_without_returning(&*tx).await?;
    }
    for rows in clicks.chunks(1_000) {
        use search_click::Column::{AccountId, Clicks, Day, Rank};
        let add = OnConflict::columns([Day, AccountId, Rank])
            .values([(Clicks, sum(search_click::Entity, Clicks))])
            .to_owned();
        let rows = rows.iter().map(click_row);
        search_click::Entity::insert_many(rows).on_conflict(add).exec_without_returning(&*tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What is there and what comes.
fn sum<E: EntityTrait, C: ColumnTrait>(entity: E, column: C) -> Expr {
    Expr::col((entity, column)).add(Expr::col(("excluded", column)))
}

fn query_row((key, count): &(QueryKey, QueryCount)) -> search_query::ActiveModel {
    search_query::ActiveModel {
        id: NotSet,
        day: Set(key.day),
        account_id: Set(key.account),
        query: Set(key.query.clone()),
        shown: Set(if count.shown.is_empty() { key.query.clone() } else { count.shown.clone() }),
        searches: Set(count.searches),
        empty: Set(count.empty),
        clicks: Set(count.clicks),
    }
}

fn click_row(((day, account, rank), clicks): &((i64, i64, u32), i64)) -> search_click::ActiveModel {
    search_click::ActiveModel {
        id: NotSet,
        day: Set(*day),
        account_id: Set(*account),
        rank: Set(i64::from(*rank)),
        clicks: Set(*clicks),
    }
}

/// Forgets what is old, and what is rare a little sooner.
pub async fn forget(app: &App) -> anyhow::Result<()> {
    let today = day_of(app.clock.now());
    let rare = Condition::all()
        .add(search_query::COLUMN.day.lt(today - RARE_KEPT))
        .add(search_query::COLUMN.searches.lt(RARE));
    let old = Condition::any().add(search_query::COLUMN.day.lt(today - KEPT)).add(rare);
    search_query::Entity::delete_many().filter(old).exec(app.db.write()).await?;
    let old = search_click::COLUMN.day.lt(today - KEPT);
    search_click::Entity::delete_many().filter(old).exec(app.db.write()).await?;
    Ok(())
}

/// Writes counts until `stop`, and what is left then.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut forgotten = None;
    loop {
        let stopped = tokio::select! {
            () = tokio::time::sleep(WRITE) => false,
            () = stop.cancelled() => true,
        };
        let today = Some(day_of(app.clock.now()));
        let mut done = write(&app).await;
        if done.is_ok() && forgotten != today && !stopped {
            forgotten = today;
            done = forget(&app).await;
        }
        if let Err(error) = done {
            tracing::warn!("counts of searches were lost: {error:#}");
        }
        if stopped {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_person_is_not_counted() {
        let counted = |query| key(Timestamp(0), None, query).map(|key| key.query);
        assert_eq!(counted("  臺灣　大選 "), Some("台湾 大选".into()));
        assert_eq!(counted("from:@rmrb 降准"), Some("from:@rmrb 降准".into()));
        assert_eq!(counted("2026年1月"), Some("2026年1月".into()));
        for query in
            ["", "？！", "someone@example.org", "13800138000", "https://example.org/a", &"长".repeat(41)]
        {
            assert_eq!(counted(query), None, "{query}");
        }
    }
}
