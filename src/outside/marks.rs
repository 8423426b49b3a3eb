//! What a reader has read of outside feeds, and starred. A mark is one reader's word on one item; what a follow was read
//! until needs none.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter,
};

use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::{outside_follow, outside_item, outside_mark};
use crate::error::Error;

/// Marks items that the reader may see as read or unread.
pub async fn mark_read(app: &App, user_id: i64, items: &[i64], is_read: bool) -> Result<(), Error> {
    let mark = |item_id| outside_mark::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        item_id: Set(item_id),
        is_read: Set(Some(is_read)),
        starred_at: Set(None),
    };
    put_marks(app, user_id, items, mark, outside_mark::Column::IsRead).await
}

/// Stars items that the reader may see, or takes their stars away.
pub async fn star(app: &App, user_id: i64, items: &[i64], is_starred: bool) -> Result<(), Error> {
    let now = app.clock.now();
    let mark = |item_id| outside_mark::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        item_id: Set(item_id),
        is_read: Set(None),
        starred_at: Set(is_starred.then_some(now)),
    };
    put_marks(app, user_id, items, mark, outside_mark::Column::StarredAt).await
}

async fn put_marks(
    app: &App,
    user_id: i64,
    items: &[i64],
    mark: impl Fn(i64) -> outside_mark::ActiveModel,
    column: outside_mark::Column,
) -> Result<(), Error> {
    for chunk in items.chunks(1_000) {
        let seen = queries::visible(app.db.read(), user_id, chunk).await?;
        if seen.is_empty() {
            continue;
        }
        let mut conflict = sea_orm::sea_query::OnConflict::columns([
            outside_mark::Column::UserId,
            outside_mark::Column::ItemId,
        ]);
        conflict.update_column(column);
        outside_mark::Entity::insert_many(seen.into_iter().map(&mark))
            .on_conflict(conflict)
            .exec_without_returning(app.db.write())
            .await?;
    }
    Ok(())
}

/// What the reader's feeds had until a moment counts as read; of one feed, of a list's feeds, or of all.
pub async fn mark_all_read(
    app: &App,
    user_id: i64,
    of: queries::Which,
    until: Timestamp,
) -> Result<(), Error> {
    let until = Ord::min(until, app.clock.now());
    let tx = app.db.begin().await?;
    let follows = queries::feed_ids(user_id, of);
    outside_follow::Entity::update_many()
        .col_expr(outside_follow::Column::ReadUntil, Expr::value(until))
        .filter(outside_follow::COLUMN.user_id.eq(user_id))
        .filter(outside_follow::COLUMN.read_until.lt(until))
        .filter(outside_follow::Column::FeedId.in_subquery(follows.clone()))
        .exec(&*tx)
        .await?;
    // Those that were kept unread by hand.
    let items = Query::select()
        .column(outside_item::Column::Id)
        .from(outside_item::Entity)
        .and_where(Expr::col(outside_item::Column::FeedId).in_subquery(follows))
        .and_where(Expr::col(outside_item::Column::PublishedAt).lte(until))
        .take();
    outside_mark::Entity::update_many()
        .col_expr(outside_mark::Column::IsRead, Expr::value(true))
        .filter(outside_mark::COLUMN.user_id.eq(user_id))
        .filter(outside_mark::COLUMN.is_read.eq(false))
        .filter(outside_mark::Column::ItemId.in_subquery(items))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
