//! Digests: at a reader's hour, all new articles of the accounts that tell it once a day or once a week,
//! in one message.
//!
//! [`build_due`] looks for readers whose digest is due, works out which articles are new to each from
//! the events, and writes one delivery that names them; in the same transaction the reader's mark moves
//! on and the next time is set. So a digest is built once, whoever dies when. A reader with nothing new
//! gets no row. What is sent is decided when it is sent ([`queries`], [`mail`]): an article that was
//! withdrawn or read meanwhile is left out, and a digest with nothing left is not sent.

pub mod change;
pub mod mail;
mod news;
pub mod queries;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::reader;
use crate::db::entities::subscription::{self, Cadence};
use crate::outbox;
use crate::readers::hours::Pace;
use news::News;
use queries::{Due, Follows};

/// Readers of one transaction: short enough that other writers hardly wait.
const BATCH: u64 = 500;
/// Articles that a digest names; of more, it says how many.
pub const MOST_ARTICLES: usize = 200;
/// How soon a digest that has fallen due is noticed.
const POLL: Duration = Duration::from_secs(2);

/// What a digest tells of, as its delivery keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The more frequent of those that it holds.
    pub pace: Option<Pace>,
    /// The newest first, at most [`MOST_ARTICLES`].
    pub articles: Vec<i64>,
    /// How many are not named.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
    /// When the reader last looked at the timeline, if what was there then is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Told {
    /// Articles that it tells of, named or not.
    pub fn total(&self) -> u64 {
        self.articles.len() as u64 + self.more
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Builds digests as they fall due, until `stop`. Any number of nodes may do so at once.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = build_due(&app, &stop).await {
            tracing::error!("building digests failed: {error:#}");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Builds all digests that are due; returns how many have something to tell.
pub async fn build_due(app: &App, stop: &CancellationToken) -> anyhow::Result<usize> {
    let mut built = 0;
    let mut news = News::default();
    while !stop.is_cancelled() {
        let now = app.clock.now();
        // Only reads, so that idle nodes keep nobody waiting.
        if queries::due(app.db.read(), now, 1, false).await?.is_empty() {
            break;
        }
        if news.is_old() {
            news = News::up_to(outbox::latest(app.db.read()).await?);
        }
        let Some(count) = build_batch(app, &mut news, now).await? else { break };
        built += count;
    }
    if built > 0 {
        tracing::info!(built, "digests");
    }
    Ok(built)
}

/// Builds some; none when other nodes have all that are left.
async fn build_batch(app: &App, news: &mut News, now: Timestamp) -> anyhow::Result<Option<usize>> {
    let tx = app.db.begin().await?;
    let ids = queries::due(&*tx, now, BATCH, true).await?;
    if ids.is_empty() {
        return Ok(None);
    }
    let readers = queries::readers(&*tx, &app.config, &ids).await?;
    let emails = readers.iter().map(|reader| reader.email.as_str());
    let follows = queries::follows(&*tx, emails, &[Cadence::Daily, Cadence::Weekly]).await?;
    let mut wanted: HashMap<i64, i64> = HashMap::new();
    for reader in &readers {
        for sub in follows.get(&reader.email).into_iter().flatten() {
            if reader.is_due(sub.cadence, now) {
                let since = wanted.entry(sub.account_id).or_insert(i64::MAX);
                *since = std::cmp::min(*since, reader.since(sub));
            }
        }
    }
    news.load(&*tx, &wanted).await?;
    let mut rows = Vec::new();
    let mut marks = Marks::default();
    for reader in &readers {
        let own = follows.get(&reader.email).map_or(&[][..], Vec::as_slice);
        let due: Vec<&Follows> = own.iter().filter(|sub| reader.is_due(sub.cadence, now)).collect();
        let pace = if reader.is_due(Cadence::Daily, now) { Pace::Daily } else { Pace::Weekly };
        if let Some(told) = told(reader, &due, news, pace)
            && reader.suppressed.is_none()
        {
            // Its occasion is the time at which it fell due, not that at which it is built, so that it cannot be
            // written twice.
            let occasion = format!("digest:{}", reader.due_at(now).0);
            rows.push(row(reader, &told, occasion, now, now));
        }
        marks.move_on(reader, own, news.until, now);
    }
    let count = rows.len();
    write(&tx, rows).await?;
    marks.apply(&tx).await?;
    tx.commit().await?;
    Ok(Some(count))
}

/// What is new to a reader of some subscriptions; none when nothing is.
fn told(reader: &Due, follows: &[&Follows], news: &News, pace: Pace) -> Option<Told> {
    let mut articles = Vec::new();
    let mut since = None;
    for sub in follows {
        let mut from = reader.since(sub);
        if let Some((seen, at)) = reader.seen.filter(|(seen, _)| sub.is_on_timeline && *seen > from) {
            (from, since) = (seen, Some(at));
        }
        articles.extend(news.after(sub.account_id, from));
    }
    if articles.is_empty() {
        return None;
    }
    articles.sort_unstable_by(|a, b| b.cmp(a));
    let mut known = HashSet::new();
    articles.retain(|(_, article)| known.insert(*article));
    let more = articles.len().saturating_sub(MOST_ARTICLES) as u64;
    articles.truncate(MOST_ARTICLES);
    let articles = articles.into_iter().map(|(_, article)| article).collect();
    Some(Told { pace: Some(pace), articles, more, since })
}

/// The delivery of a digest, to be sent from `at` on.
fn row(reader: &Due, told: &Told, occasion: String, at: Timestamp, now: Timestamp) -> delivery::ActiveModel {
    delivery::ActiveModel {
        id: NotSet,
        push_id: Set(None),
        subscription_id: Set(None),
        alert_id: Set(None),
        reader_id: Set(Some(reader.id)),
        occasion: Set(Some(occasion)),
        told: Set(serde_json::to_string(told).ok()),
        channel: Set(Channel::Email),
        provider: Set(reader.provider),
        state: Set(DeliveryState::Waiting),
        attempts: Set(0),
        next_attempt_at: Set(at),
        lease_until: Set(None),
        lease_owner: Set(None),
        message_id: Set(String::new()),
        answer: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

async fn write(tx: &DatabaseTransaction, rows: Vec<delivery::ActiveModel>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let key = [delivery::Column::ReaderId, delivery::Column::Occasion, delivery::Column::Channel];
    let known = OnConflict::columns(key)
        .target_and_where(Expr::cust("reader_id IS NOT NULL"))
        .do_nothing()
        .to_owned();
    // 19 values a row; SQLite allows 32,766 in a statement.
    delivery::Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// How far readers have been told, and when they are next due: many have the same.
#[derive(Default)]
struct Marks {
    daily: BTreeMap<(Option<Timestamp>, i64), Vec<i64>>,
    weekly: BTreeMap<(Option<Timestamp>, i64), Vec<i64>>,
    /// Subscriptions that are in step with their reader's mark from now on.
    in_step: Vec<i64>,
}

impl Marks {
    fn move_on(&mut self, reader: &Due, follows: &[Follows], until: i64, now: Timestamp) {
        let next = |cadence, pace| {
            let is_followed = follows.iter().any(|sub| sub.cadence == cadence);
            is_followed.then(|| reader.hours.next(pace, now))
        };
        if reader.is_due(Cadence::Daily, now) {
            let key = (next(Cadence::Daily, Pace::Daily), std::cmp::max(reader.daily_told, until));
            self.daily.entry(key).or_default().push(reader.id);
        }
        if reader.is_due(Cadence::Weekly, now) {
            let key = (next(Cadence::Weekly, Pace::Weekly), std::cmp::max(reader.weekly_told, until));
            self.weekly.entry(key).or_default().push(reader.id);
        }
        let told = follows.iter().filter(|sub| reader.is_due(sub.cadence, now));
        // One that began after the events that are known here stays out of step until the next digest.
        self.in_step.extend(told.filter(|sub| sub.told.is_some_and(|told| told <= until)).map(|sub| sub.id));
    }

    async fn apply(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        use reader::Column::{DailyDueAt, DailyTold, WeeklyDueAt, WeeklyTold};
        for (groups, due, told) in
            [(&self.daily, DailyDueAt, DailyTold), (&self.weekly, WeeklyDueAt, WeeklyTold)]
        {
            for ((next, until), ids) in groups {
                reader::Entity::update_many()
                    .col_expr(due, Expr::value(*next))
                    .col_expr(told, Expr::value(*until))
                    .filter(reader::Column::Id.is_in(ids.iter().copied()))
                    .exec(tx)
                    .await?;
            }
        }
        for ids in self.in_step.chunks(10_000) {
            subscription::Entity::update_many()
                .col_expr(subscription::Column::Told, Expr::value(None::<i64>))
                .filter(subscription::Column::Id.is_in(ids.iter().copied()))
                .exec(tx)
                .await?;
        }
        Ok(())
    }
}

/// Picks rows that nobody else is at; on SQLite there is nobody else.
fn skip_locked(query: &mut sea_orm::sea_query::SelectStatement, backend: DbBackend) {
    if backend == DbBackend::Postgres {
        query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
}

/// A query of ids of readers.
fn select_ids() -> sea_orm::sea_query::SelectStatement {
    Query::select().column(reader::Column::Id).from(reader::Entity).take()
}
