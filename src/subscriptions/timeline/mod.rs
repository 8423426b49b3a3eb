//! The timeline: articles of the accounts that a reader follows, newest first. It is read by query;
//! nothing is copied per reader. What is kept is which articles were read: one by one in
//! `read_marks`, and "everything until then" in each subscription. A mark counts first, so that an
//! article can be made unread again.
//!
//! The operations here are the only writers of `read_marks`, `timelines` and `subscriptions.read_until`
//! (but for that of a new subscription).

pub mod mute;
pub mod pages;
pub mod queries;
pub mod settings;
mod statements;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use tracing::Instrument;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::{read_mark, subscription, timeline};
use crate::home::queries::Cursor;
use queries::Scope;

/// Articles marked by one statement.
const MARKED_AT_ONCE: usize = 500;
/// Who looks again within this time is still on the same visit.
const VISIT: Duration = Duration::from_secs(30 * 60);
/// A visit's last moment is kept no more exactly than this.
const GLANCE: Duration = Duration::from_secs(60);

/// Notes that a user has opened an article.
pub async fn mark_read(app: &App, user_id: i64, article_id: i64) -> Result<(), DbErr> {
    let known = read_mark::Entity::find()
        .filter(read_mark::COLUMN.user_id.eq(user_id))
        .filter(read_mark::COLUMN.article_id.eq(article_id))
        .one(app.db.read())
        .await?;
    match known {
        Some(mark) if mark.is_read => Ok(()),
        _ => mark_many(app, user_id, &[article_id], true).await,
    }
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

/// The article counts as unread from now on, whatever was marked before.
pub async fn mark_unread(app: &App, user_id: i64, article_id: i64) -> Result<(), DbErr> {
    mark_many(app, user_id, &[article_id], false).await
}

/// Marks published articles by their ids; ids of others are passed over.
pub async fn mark_many(app: &App, user_id: i64, articles: &[i64], is_read: bool) -> Result<(), DbErr> {
    for articles in articles.chunks(MARKED_AT_ONCE) {
        let published = Query::select()
            .column(("x", article::Column::Id))
            .from_as(article::Entity, "x")
            .and_where(Expr::col(("x", article::Column::Id)).is_in(articles.iter().copied()))
            .and_where(Expr::col(("x", article::Column::State)).eq(ArticleState::Published))
            .take();
        mark(app, user_id, published, is_read).await?;
    }
    Ok(())
}

/// Everything on the user's timeline published up to `until` counts as read; a scope narrows it.
pub async fn mark_all_read(app: &App, user_id: i64, scope: &Scope, until: Timestamp) -> Result<(), DbErr> {
    let until = Ord::min(until, app.clock.now());
    let read_until = Func::coalesce([Expr::col(subscription::Column::ReadUntil), Expr::val(0i64)]);
    let tx = app.db.begin().await?;
    let mut update = subscription::Entity::update_many()
        .col_expr(subscription::Column::ReadUntil, Expr::value(Some(until)))
        .filter(subscription::COLUMN.user_id.eq(Some(user_id)))
        .filter(Expr::expr(read_until).lt(until));
    if let Some(account_id) = scope.account {
        update = update.filter(subscription::COLUMN.account_id.eq(account_id));
    }
    if let Some(list_id) = scope.list {
        update = update.filter(subscription::COLUMN.list_id.eq(Some(list_id)));
    }
    update.exec(&*tx).await?;
    let marked = statements::marked_unread(user_id, scope, until);
    read_mark::Entity::update_many()
        .col_expr(read_mark::Column::IsRead, Expr::value(true))
        .col_expr(read_mark::Column::ReadAt, Expr::value(app.clock.now()))
        .filter(read_mark::COLUMN.user_id.eq(user_id))
        .filter(read_mark::Column::ArticleId.in_subquery(marked))
        .exec(&*tx)
        .await?;
    tx.commit().await
}

/// What stands from `newest` down to `oldest` on the user's timeline counts as read. Articles that
/// arrived above `newest` in the meantime stay unread.
pub async fn mark_read_above(
    app: &App,
    user_id: i64,
    scope: &Scope,
    newest: Cursor,
    oldest: Cursor,
) -> Result<(), DbErr> {
    mark(app, user_id, statements::unread_between(user_id, scope, newest, oldest), true).await
}

/// Marks the articles whose ids a query gives as `id`.
async fn mark(app: &App, user_id: i64, articles: SelectStatement, is_read: bool) -> Result<(), DbErr> {
    let columns = [
        read_mark::Column::UserId,
        read_mark::Column::ArticleId,
        read_mark::Column::ReadAt,
        read_mark::Column::IsRead,
    ];
    let rows = Query::select()
        .expr(Expr::val(user_id))
        .column(("marked", "id"))
        .expr(Expr::val(app.clock.now()))
        .expr(Expr::val(is_read))
        .from_subquery(articles, "marked")
        // SQLite takes the ON of ON CONFLICT for a join's unless something stands in between.
        .and_where(Expr::col(("marked", "id")).is_not_null())
        .take();
    let mut insert = Query::insert();
    insert
        .into_table(read_mark::Entity)
        .columns(columns)
        .select_from(rows)
        .expect("as many values as columns")
        .on_conflict(
            OnConflict::columns([read_mark::Column::UserId, read_mark::Column::ArticleId])
                .update_columns([read_mark::Column::ReadAt, read_mark::Column::IsRead])
                .to_owned(),
        );
    app.db.write().execute(&insert).await?;
    Ok(())
}

/// Until when the user had looked before this visit; none on the first one. Notes that they look now, without
/// keeping the page waiting.
pub fn visit_soon(app: &Arc<App>, user_id: i64, known: Option<&timeline::Model>) -> Option<Timestamp> {
    let now = app.clock.now();
    let visited_at = known.and_then(|row| row.visited_at);
    let is_new = visited_at.is_none_or(|moment| now > moment + VISIT);
    let left_at = if is_new { visited_at } else { known.and_then(|row| row.left_at) };
    if visited_at.is_none_or(|moment| now > moment + GLANCE) {
        let app = app.clone();
        let work = async move {
            if let Err(error) = settings::note_visit(&app, user_id, now, left_at).await {
                tracing::warn!("a visit was not noted: {error}");
            }
        };
        tokio::spawn(work.in_current_span());
    }
    left_at
}
