//! Events: facts written in the same transaction as the change they tell of, with the jobs that
//! follow from them. Followers (the search index, caches) read them in id order on every node.
//!
//! PostgreSQL hands out ids before it commits, so a reader that remembers "the last id I saw"
//! could skip a row that commits late. [`record`] therefore takes a transaction-wide lock before
//! it inserts: ids are given and committed in one order. SQLite has one writer at a time anyway.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::alerts;
use crate::clock::Timestamp;
use crate::db::entities::event;
use crate::db::entities::webhook_message::Kind;
use crate::hub;
use crate::jobs::{self, Job};
use crate::webhooks::{self, announce::News};

/// A fact about a change that has been committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// An article is to be seen by everyone from now on (also one that was withdrawn before).
    ArticlePublished {
        account_id: i64,
        article_id: i64,
        /// It is new to the world, so those who wait for such articles are told; not so where an
        /// archive is brought in, or an old article is brought back.
        #[serde(default)]
        news: bool,
    },
    /// A published article has a new version or a new address.
    ArticleRevised { account_id: i64, article_id: i64 },
    /// A published article was taken back.
    ArticleWithdrawn { account_id: i64, article_id: i64 },
    /// An account's name, handle or state changed, which concerns all of its articles.
    AccountChanged { account_id: i64 },
    /// Articles were put into a collection; or none were, and its title or intro changed.
    CollectionChanged { account_id: i64, collection_id: i64, article_ids: Vec<i64> },
    /// Articles were pushed; their subscribers are to be told.
    PushCreated { account_id: i64, push_id: i64 },
    /// A search was saved, changed or deleted.
    AlertChanged { alert_id: i64 },
}

impl Event {
    fn account_id(&self) -> Option<i64> {
        match *self {
            Self::ArticlePublished { account_id, .. }
            | Self::ArticleRevised { account_id, .. }
            | Self::ArticleWithdrawn { account_id, .. }
            | Self::AccountChanged { account_id }
            | Self::CollectionChanged { account_id, .. }
            | Self::PushCreated { account_id, .. } => Some(account_id),
            Self::AlertChanged { .. } => None,
        }
    }

    /// The kind that changes the feed of a collection alone.
    pub fn of_collections() -> &'static str {
        Self::CollectionChanged { account_id: 0, collection_id: 0, article_ids: Vec::new() }.into()
    }

    /// The kinds that change the feed of an account, and the site's.
    pub fn of_feeds() -> [&'static str; 4] {
        let (account_id, article_id) = (0, 0);
        [
            Self::ArticlePublished { account_id, article_id, news: false }.into(),
            Self::ArticleRevised { account_id, article_id }.into(),
            Self::ArticleWithdrawn { account_id, article_id }.into(),
            Self::AccountChanged { account_id }.into(),
        ]
    }

    /// The article that is new to the world.
    pub fn new_article(&self) -> Option<i64> {
        match *self {
            Self::ArticlePublished { article_id, news: true, .. } => Some(article_id),
            _ => None,
        }
    }

    /// The article that it tells of.
    pub fn article_id(&self) -> Option<i64> {
        match *self {
            Self::ArticlePublished { article_id, .. }
            | Self::ArticleRevised { article_id, .. }
            | Self::ArticleWithdrawn { article_id, .. } => Some(article_id),
            Self::AccountChanged { .. }
            | Self::CollectionChanged { .. }
            | Self::PushCreated { .. }
            | Self::AlertChanged { .. } => None,
        }
    }

    /// The account of whose feeds one may read differently from now on, and whether no other feed does.
    fn feed_changed(&self) -> Option<(i64, bool)> {
        match *self {
            Self::ArticlePublished { account_id, .. }
            | Self::ArticleRevised { account_id, .. }
            | Self::ArticleWithdrawn { account_id, .. }
            | Self::AccountChanged { account_id } => Some((account_id, false)),
            Self::CollectionChanged { account_id, .. } => Some((account_id, true)),
            Self::PushCreated { .. } | Self::AlertChanged { .. } => None,
        }
    }

    /// What webhooks are told of.
    fn news(&self) -> Option<News> {
        match *self {
            Self::ArticlePublished { account_id, article_id, news: true } => {
                Some(News { kind: Kind::ArticlePublished, account_id, subject_id: article_id })
            }
            _ => None,
        }
    }

    /// The work that follows from the fact.
    fn jobs(&self) -> Vec<Job> {
        match *self {
            Self::PushCreated { push_id, .. } => vec![Job::FanOut { push_id, after_subscription: 0 }],
            Self::ArticlePublished { article_id, news: true, .. } => vec![Job::MatchAlerts { article_id }],
            _ => Vec::new(),
        }
    }
}

/// An event as it was written.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Larger than that of every event committed before it.
    pub id: i64,
    pub event: Event,
    pub created_at: Timestamp,
}

/// Writes an event and its jobs within `tx`.
pub async fn record(tx: &DatabaseTransaction, now: Timestamp, event: Event) -> Result<(), DbErr> {
    record_many(tx, now, vec![event]).await
}

/// Writes many events and their jobs within `tx`, in order.
pub async fn record_many(tx: &DatabaseTransaction, now: Timestamp, events: Vec<Event>) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    serialise_writers(tx).await?;
    let mut jobs: Vec<Job> = events.iter().flat_map(Event::jobs).collect();
    // Where nobody has an alert, each publication would cost a job that finds nothing. Who saves a
    // search at this moment is told of what comes after it.
    let is_match = |job: &Job| matches!(job, Job::MatchAlerts { .. });
    if jobs.iter().any(is_match) && !alerts::queries::any_active(tx).await? {
        jobs.retain(|job| !is_match(job));
    }
    // The same where nobody is told of feeds; however many events there are, a feed is told of once.
    let mut feeds = BTreeMap::new();
    for (account_id, own_only) in events.iter().filter_map(Event::feed_changed) {
        *feeds.entry(account_id).or_insert(true) &= own_only;
    }
    let feeds = hub::queries::listened_to(tx, feeds).await?;
    let distribute = |(account_id, own_only)| Job::DistributeFeed { account_id, own_only };
    jobs.extend(feeds.into_iter().map(distribute));
    let news: Vec<News> = events.iter().filter_map(Event::news).collect();
    webhooks::announce::announce(tx, now, &news).await?;
    jobs::queue::enqueue_many(tx, now, jobs.into_iter().map(|job| (job, now)).collect()).await?;
    // 6 columns a row; SQLite allows 32,766 values in a statement.
    for chunk in events.chunks(4_000) {
        let rows = chunk.iter().map(|event| row(now, event));
        event::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn row(now: Timestamp, event: &Event) -> event::ActiveModel {
    let kind: &'static str = event.into();
    event::ActiveModel {
        id: NotSet,
        kind: Set(kind.to_owned()),
        account_id: Set(event.account_id()),
        article_id: Set(event.article_id()),
        payload: Set(serde_json::to_value(event).unwrap_or_default()),
        created_at: Set(now),
    }
}

/// Up to `limit` events after the one with id `cursor`, in order; none is ever skipped.
pub async fn after<C: ConnectionTrait>(db: &C, cursor: i64, limit: u64) -> Result<Vec<Recorded>, DbErr> {
    let rows = event::Entity::find()
        .filter(event::COLUMN.id.gt(cursor))
        .order_by_asc(event::COLUMN.id)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let event = serde_json::from_value(row.payload)
                .map_err(|error| DbErr::Custom(format!("event {} cannot be read: {error}", row.id)))?;
            Ok(Recorded { id: row.id, event, created_at: row.created_at })
        })
        .collect()
}

/// The alerts that events after the one with id `cursor` name, and the id of the newest event.
pub async fn changed_alerts<C: ConnectionTrait>(db: &C, cursor: i64) -> Result<(Vec<i64>, i64), DbErr> {
    let newest = latest(db).await?;
    let kind: &'static str = Event::AlertChanged { alert_id: 0 }.into();
    let rows = event::Entity::find()
        .filter(event::COLUMN.id.gt(cursor))
        .filter(event::COLUMN.id.lte(newest))
        .filter(event::COLUMN.kind.eq(kind))
        .all(db)
        .await?;
    let ids = rows.into_iter().filter_map(|row| match serde_json::from_value(row.payload) {
        Ok(Event::AlertChanged { alert_id }) => Some(alert_id),
        _ => None,
    });
    Ok((ids.collect(), newest))
}

/// The id of the newest event, 0 when there is none.
pub async fn latest<C: ConnectionTrait>(db: &C) -> Result<i64, DbErr> {
    let newest = event::Entity::find().order_by_desc(event::COLUMN.id).one(db).await?;
    Ok(newest.map_or(0, |row| row.id))
}

/// Lets one transaction at a time write events, until it commits. The number only has to be ours.
pub async fn serialise_writers(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(7401)").await?;
    }
    Ok(())
}
