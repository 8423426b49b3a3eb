//! Reads of media.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::entities::media;

/// Pictures on one page of the list.
pub const PAGE: u64 = 48;

/// An account's pictures, newest first, those before the id `before` when it is given.
pub async fn of_account<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    before: Option<i64>,
) -> Result<Vec<media::Model>, DbErr> {
    let mut find = media::Entity::find().filter(media::COLUMN.account_id.eq(account_id));
    if let Some(before) = before {
        find = find.filter(media::COLUMN.id.lt(before));
    }
    find.order_by_desc(media::COLUMN.id).limit(PAGE).all(db).await
}

/// One picture of an account.
pub async fn one<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    id: i64,
) -> Result<Option<media::Model>, DbErr> {
    media::Entity::find_by_id(id).filter(media::COLUMN.account_id.eq(account_id)).one(db).await
}

/// What an account's pictures take, in bytes.
pub async fn bytes_of_account<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<i64, DbErr> {
    let mut query = Query::select();
    query
        .expr_as(Expr::col(media::Column::Bytes).sum().cast_as("bigint"), "total")
        .from(media::Entity)
        .and_where(Expr::col(media::Column::AccountId).eq(account_id));
    let row = db.query_one(&query).await?;
    Ok(row.and_then(|row| row.try_get::<Option<i64>>("", "total").ok().flatten()).unwrap_or(0))
}
