//! Which outside feeds are to be visited or dropped: reads for the visits and the upkeep, of no one reader.

use std::collections::HashSet;

use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use crate::clock::Timestamp;
use crate::db::entities::{job, outside_feed, outside_follow, outside_item, outside_mark};
use crate::jobs::Job;

/// Items that anybody starred.
pub fn starred_ids() -> SelectStatement {
    Query::select()
        .column(outside_mark::Column::ItemId)
        .from(outside_mark::Entity)
        .and_where(Expr::col(outside_mark::Column::StarredAt).is_not_null())
        .take()
}

pub async fn is_followed<C: ConnectionTrait>(db: &C, feed_id: i64) -> Result<bool, DbErr> {
    let follows = outside_follow::Entity::find().filter(outside_follow::COLUMN.feed_id.eq(feed_id));
    Ok(follows.limit(1).one(db).await?.is_some())
}

/// Whether another feed is kept under an address.
pub async fn is_taken<C: ConnectionTrait>(db: &C, url: &str) -> Result<bool, DbErr> {
    Ok(outside_feed::Entity::find().filter(outside_feed::COLUMN.url.eq(url)).count(db).await? > 0)
}

/// Whether nobody follows a feed, and nobody starred anything of it.
pub async fn is_unwanted<C: ConnectionTrait>(db: &C, feed_id: i64) -> Result<bool, DbErr> {
    if is_followed(db, feed_id).await? {
        return Ok(false);
    }
    let starred = outside_item::Entity::find()
        .filter(outside_item::COLUMN.feed_id.eq(feed_id))
        .filter(outside_item::Column::Id.in_subquery(starred_ids()));
    Ok(starred.limit(1).one(db).await?.is_none())
}

/// Feeds that nobody follows.
pub async fn unwanted<C: ConnectionTrait>(db: &C) -> Result<Vec<i64>, DbErr> {
    outside_feed::Entity::find()
        .select_only()
        .column(outside_feed::Column::Id)
        .filter(outside_feed::Column::Id.not_in_subquery(followed_ids()))
        .into_tuple()
        .all(db)
        .await
}

fn followed_ids() -> SelectStatement {
    Query::select().column(outside_follow::Column::FeedId).from(outside_follow::Entity).take()
}

/// Followed feeds that no job will visit, with the time at which they are due.
pub async fn without_job<C: ConnectionTrait>(db: &C) -> Result<Vec<(i64, Timestamp)>, DbErr> {
    let mut feeds: Vec<(i64, Timestamp)> = outside_feed::Entity::find()
        .select_only()
        .column(outside_feed::Column::Id)
        .column(outside_feed::Column::NextFetchAt)
        .filter(outside_feed::COLUMN.gone.eq(false))
        .filter(outside_feed::Column::Id.in_subquery(followed_ids()))
        .into_tuple()
        .all(db)
        .await?;
    let keys: HashSet<String> = job::Entity::find()
        .select_only()
        .column(job::Column::UniqueKey)
        .filter(job::COLUMN.kind.eq(<&str>::from(Job::RefreshOutside { feed_id: 0 })))
        .filter(job::Column::UniqueKey.is_not_null())
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    feeds.retain(|(feed_id, _)| {
        let key = Job::RefreshOutside { feed_id: *feed_id }.unique_key();
        key.is_some_and(|key| !keys.contains(&key))
    });
    Ok(feeds)
}
