//! Reads of alerts: a reader's list, what is matched, what a delivery tells of.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::alert::{self, AlertState};
use crate::db::entities::alert_hit;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::delivery::{self, DeliveryState};
use crate::db::entities::user::{self, UserState};
use crate::delivery::queries::suppression;
use crate::error::Error;
use crate::search::queries::{Published, published};

/// Articles shown in one message.
pub const MOST_ARTICLES: u64 = 20;

/// An alert as it is matched.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Saved {
    pub id: i64,
    pub query: String,
    /// Its reader's.
    pub timezone: String,
}

/// Active alerts by id, after `id`.
pub async fn saved_after<C: ConnectionTrait>(db: &C, id: i64, limit: u64) -> Result<Vec<Saved>, DbErr> {
    let mut select = active();
    select
        .and_where(Expr::col((alert::Entity, alert::Column::Id)).gt(id))
        .order_by((alert::Entity, alert::Column::Id), Order::Asc)
        .limit(limit);
    Saved::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// Those of the given alerts that are active.
pub async fn saved<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<Saved>, DbErr> {
    let mut select = active();
    select.and_where(Expr::col((alert::Entity, alert::Column::Id)).is_in(ids.iter().copied()));
    Saved::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

fn active() -> SelectStatement {
    let join = Expr::col((user::Entity, user::Column::Id)).equals((alert::Entity, alert::Column::UserId));
    Query::select()
        .columns([alert::Column::Id, alert::Column::Query].map(|column| (alert::Entity, column)))
        .column((user::Entity, user::Column::Timezone))
        .from(alert::Entity)
        .join(JoinType::InnerJoin, user::Entity, join)
        .and_where(Expr::col((alert::Entity, alert::Column::State)).eq(AlertState::Active))
        .and_where(Expr::col((user::Entity, user::Column::State)).eq(UserState::Active))
        .take()
}

/// Whether there is anything to match articles against.
pub async fn any_active<C: ConnectionTrait>(db: &C) -> Result<bool, DbErr> {
    let active = alert::Entity::find().filter(alert::COLUMN.state.eq(AlertState::Active)).limit(1);
    Ok(active.one(db).await?.is_some())
}

/// Ids of the newest published articles.
pub async fn newest_articles<C: ConnectionTrait>(db: &C, limit: u64) -> Result<Vec<i64>, DbErr> {
    article::Entity::find()
        .select_only()
        .column(article::Column::Id)
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .order_by_desc(article::COLUMN.id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// An alert of a user's own.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn own<C: ConnectionTrait>(db: &C, user_id: i64, id: i64) -> Result<alert::Model, Error> {
    let found = alert::Entity::find_by_id(id).one(db).await?;
    found.filter(|alert| alert.user_id == user_id).ok_or(Error::NotFound)
}

pub async fn get<C: ConnectionTrait>(db: &C, id: i64) -> Result<alert::Model, Error> {
    alert::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}

pub async fn count_of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<u64, DbErr> {
    alert::Entity::find().filter(alert::COLUMN.user_id.eq(user_id)).count(db).await
}

/// A user's alert with what it has done.
#[derive(Clone, Debug)]
pub struct Row {
    pub alert: alert::Model,
    /// Articles that it has found.
    pub hits: i64,
    /// Of these, those not told yet.
    pub waiting: i64,
    pub last_told_at: Option<Timestamp>,
}

/// A user's alerts, the newest first; there are few enough for one page.
pub async fn of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<Row>, DbErr> {
    let alerts = alert::Entity::find()
        .filter(alert::COLUMN.user_id.eq(user_id))
        .order_by_desc(alert::COLUMN.id)
        .all(db)
        .await?;
    rows(db, alerts).await
}

/// One alert, as in the list.
pub async fn row<C: ConnectionTrait>(db: &C, alert: alert::Model) -> Result<Row, Error> {
    rows(db, vec![alert]).await?.pop().ok_or(Error::NotFound)
}

async fn rows<C: ConnectionTrait>(db: &C, alerts: Vec<alert::Model>) -> Result<Vec<Row>, DbErr> {
    #[derive(FromQueryResult)]
    struct Hits {
        alert_id: i64,
        hits: i64,
        told: i64,
    }
    #[derive(FromQueryResult)]
    struct Told {
        alert_id: i64,
        last: Option<Timestamp>,
    }
    let ids: Vec<i64> = alerts.iter().map(|alert| alert.id).collect();
    let backend = db.get_database_backend();
    let hits = Query::select()
        .column(alert_hit::Column::AlertId)
        .expr_as(Func::count(Expr::col(alert_hit::Column::Id)), "hits")
        .expr_as(Func::count(Expr::col(alert_hit::Column::Occasion)), "told")
        .from(alert_hit::Entity)
        .and_where(Expr::col(alert_hit::Column::AlertId).is_in(ids.iter().copied()))
        .group_by_col(alert_hit::Column::AlertId)
        .take();
    let hits = Hits::find_by_statement(backend.build(&hits)).all(db).await?;
    let told = Query::select()
        .column(delivery::Column::AlertId)
        .expr_as(Func::max(Expr::col(delivery::Column::UpdatedAt)), "last")
        .from(delivery::Entity)
        .and_where(Expr::col(delivery::Column::AlertId).is_in(ids))
        .and_where(Expr::col(delivery::Column::State).eq(DeliveryState::Delivered))
        .group_by_col(delivery::Column::AlertId)
        .take();
    let told = Told::find_by_statement(backend.build(&told)).all(db).await?;
    let hits: HashMap<i64, Hits> = hits.into_iter().map(|row| (row.alert_id, row)).collect();
    let told: HashMap<i64, Told> = told.into_iter().map(|row| (row.alert_id, row)).collect();
    let row = |alert: alert::Model| Row {
        hits: hits.get(&alert.id).map_or(0, |row| row.hits),
        waiting: hits.get(&alert.id).map_or(0, |row| row.hits - row.told),
        last_told_at: told.get(&alert.id).and_then(|row| row.last),
        alert,
    };
    Ok(alerts.into_iter().map(row).collect())
}

/// What a delivery of an alert tells of, and whom.
#[derive(Debug)]
pub struct Found {
    pub alert: alert::Model,
    pub reader: user::Model,
    /// Those still to be seen, the newest first, at most [`MOST_ARTICLES`]; at least one.
    pub articles: Vec<Published>,
    /// With those left out.
    pub total: u64,
}

/// What an alert found for an occasion, as it is now; or why its reader is not told any more.
pub async fn found(
    db: &DatabaseConnection,
    alert_id: i64,
    occasion: &str,
) -> Result<Result<Found, String>, DbErr> {
    let Some(alert) = alert::Entity::find_by_id(alert_id).one(db).await? else {
        return Ok(Err("the alert is gone".into()));
    };
    let Some(reader) = user::Entity::find_by_id(alert.user_id).one(db).await? else {
        return Ok(Err("the reader is gone".into()));
    };
    if alert.state == AlertState::Paused {
        return Ok(Err("the reader has paused".into()));
    }
    match reader.state {
        UserState::Active => {}
        UserState::Suspended => return Ok(Err("the reader is suspended".into())),
        UserState::Leaving => return Ok(Err("the reader has left".into())),
    }
    if let Some(row) = suppression(db, &reader.email).await? {
        return Ok(Err(row.reason));
    }
    let ids = articles_of(db, alert_id, occasion).await?;
    let mut articles = Vec::new();
    let mut total = 0;
    // Bodies are only read of those that are shown.
    for chunk in ids.chunks(MOST_ARTICLES as usize) {
        if articles.len() < MOST_ARTICLES as usize {
            let mut rows = published(db, chunk).await?;
            rows.sort_by_key(|row| std::cmp::Reverse((row.moment(), row.id)));
            total += rows.len() as u64;
            articles.append(&mut rows);
        } else {
            total += chunk.len() as u64;
        }
    }
    articles.truncate(MOST_ARTICLES as usize);
    if articles.is_empty() {
        return Ok(Err("the articles were withdrawn".into()));
    }
    Ok(Ok(Found { alert, reader, articles, total }))
}

/// Ids of the published articles of an occasion, the newest first.
async fn articles_of<C: ConnectionTrait>(db: &C, alert_id: i64, occasion: &str) -> Result<Vec<i64>, DbErr> {
    let join = Expr::col((article::Entity, article::Column::Id))
        .equals((alert_hit::Entity, alert_hit::Column::ArticleId));
    let query = Query::select()
        .column((article::Entity, article::Column::Id))
        .from(alert_hit::Entity)
        .join(JoinType::InnerJoin, article::Entity, join)
        .and_where(Expr::col((alert_hit::Entity, alert_hit::Column::AlertId)).eq(alert_id))
        .and_where(Expr::col((alert_hit::Entity, alert_hit::Column::Occasion)).eq(occasion))
        .and_where(Expr::col((article::Entity, article::Column::State)).eq(ArticleState::Published))
        .order_by((article::Entity, article::Column::PublishedAt), Order::Desc)
        .order_by((article::Entity, article::Column::Id), Order::Desc)
        .take();
    let rows = db.query_all(&query).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}
