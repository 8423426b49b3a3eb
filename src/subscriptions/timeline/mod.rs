//! The timeline: articles of the accounts that a reader follows, newest first. It is read by query;
//! nothing is copied per reader. What is kept is which articles were read: one by one in
//! `read_marks`, and "everything until then" in each subscription.

pub mod pages;
pub mod queries;

use std::sync::Arc;

use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Query};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter,
};
use tracing::Instrument;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::{read_mark, subscription};
use crate::home::queries::Cursor;

/// Notes that a user has opened an article.
pub async fn mark_read(app: &App, user_id: i64, article_id: i64) -> Result<(), DbErr> {
    let known = read_mark::Entity::find()
        .filter(read_mark::COLUMN.user_id.eq(user_id))
        .filter(read_mark::COLUMN.article_id.eq(article_id))
        .one(app.db.read())
        .await?;
    if known.is_some() {
        return Ok(());
    }
    let row = read_mark::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        article_id: Set(article_id),
        read_at: Set(app.clock.now()),
    };
    read_mark::Entity::insert(row)
        .on_conflict_do_nothing_on([read_mark::Column::UserId, read_mark::Column::ArticleId])
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// The same, without keeping the article's page waiting for the database's writer.
pub fn mark_read_soon(app: &Arc<App>, user_id: i64, article_id: i64) {
    let app = app.clone();
    let work = async move {
        if let Err(error) = mark_read(&app, user_id, article_id).await {
            tracing::warn!("an article was not marked as read: {error}");
        }
    };
    tokio::spawn(work.in_current_span());
}

/// Everything on the user's timeline published up to `until` counts as read.
pub async fn mark_all_read(app: &App, user_id: i64, until: Timestamp) -> Result<(), DbErr> {
    let until = Ord::min(until, app.clock.now());
    let read_until = Func::coalesce([Expr::col(subscription::Column::ReadUntil), Expr::val(0i64)]);
    subscription::Entity::update_many()
        .col_expr(subscription::Column::ReadUntil, Expr::value(Some(until)))
        .filter(subscription::COLUMN.user_id.eq(Some(user_id)))
        .filter(Expr::expr(read_until).lt(until))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// What stands from `newest` down to `oldest` on the user's timeline counts as read. Articles that
/// arrived above `newest` in the meantime stay unread.
pub async fn mark_read_above(app: &App, user_id: i64, newest: Cursor, oldest: Cursor) -> Result<(), DbErr> {
    let unread = queries::unread_between(user_id, newest, oldest);
    let rows = Query::select()
        .expr(Expr::val(user_id))
        .column(("unread", "id"))
        .expr(Expr::val(app.clock.now()))
        .from_subquery(unread, "unread")
        // SQLite takes the ON of ON CONFLICT for a join's unless something stands in between.
        .and_where(Expr::col(("unread", "id")).is_not_null())
        .take();
    let mut insert = Query::insert();
    insert
        .into_table(read_mark::Entity)
        .columns([read_mark::Column::UserId, read_mark::Column::ArticleId, read_mark::Column::ReadAt])
        .select_from(rows)
        .expect("as many values as columns")
        .on_conflict(
            OnConflict::columns([read_mark::Column::UserId, read_mark::Column::ArticleId])
                .do_nothing()
                .to_owned(),
        );
    app.db.write().execute(&insert).await?;
    Ok(())
}
