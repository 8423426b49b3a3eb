//! Reads of media.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Iterable, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QueryResult, QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::imported_cover::CoverState;
use crate::db::entities::{imported_cover, media};

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

/// What the pictures take that an account's members brought, or those that imports brought, in bytes.
pub async fn bytes_of_account<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    imported: bool,
) -> Result<i64, DbErr> {
    let mut query = Query::select();
    query
        .expr_as(Expr::col(media::Column::Bytes).sum().cast_as("bigint"), "total")
        .from(media::Entity)
        .and_where(Expr::col(media::Column::AccountId).eq(account_id))
        .and_where(Expr::col(media::Column::Imported).eq(imported));
    let row = db.query_one(&query).await?;
    Ok(row.and_then(|row| row.try_get::<Option<i64>>("", "total").ok().flatten()).unwrap_or(0))
}

/// The first picture without renditions after one with the id `after`, of those kept before a time.
pub async fn without_renditions<C: ConnectionTrait>(
    db: &C,
    after: i64,
    before: Timestamp,
) -> Result<Option<media::Model>, DbErr> {
    media::Entity::find()
        .filter(media::Column::Renditions.is_null())
        .filter(media::COLUMN.id.gt(after))
        .filter(media::COLUMN.created_at.lt(before))
        .order_by_asc(media::COLUMN.id)
        .one(db)
        .await
}

/// The newest pictures without renditions, of those kept since a time.
pub async fn newest_without_renditions<C: ConnectionTrait>(
    db: &C,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<media::Model>, DbErr> {
    media::Entity::find()
        .filter(media::Column::Renditions.is_null())
        .filter(media::COLUMN.created_at.gte(since))
        .order_by_desc(media::COLUMN.id)
        .limit(limit)
        .all(db)
        .await
}

/// Pictures by their keys.
pub async fn by_keys<C: ConnectionTrait>(db: &C, keys: Vec<String>) -> Result<Vec<media::Model>, DbErr> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    media::Entity::find().filter(media::Column::Key.is_in(keys)).all(db).await
}

/// Pictures that were fetched from elsewhere, by the hashes of those addresses; where several accounts keep one, the
/// first that was kept.
pub async fn by_covers<C: ConnectionTrait>(
    db: &C,
    hashes: Vec<String>,
) -> Result<Vec<(String, media::Model)>, DbErr> {
    use imported_cover::Column;
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let first = Query::select()
        .expr(Expr::col(Column::Id).min())
        .from(imported_cover::Entity)
        .and_where(Expr::col(Column::UrlHash).is_in(hashes))
        .and_where(Expr::col(Column::State).eq(CoverState::Kept))
        .and_where(Expr::col(Column::MediaId).is_not_null())
        .group_by_col(Column::UrlHash)
        .take();
    let of = |column: Column| Expr::col((imported_cover::Entity, column));
    let is_its = of(Column::MediaId).equals((media::Entity, media::Column::Id));
    let query = Query::select()
        .column((imported_cover::Entity, Column::UrlHash))
        .columns(media::Column::iter().map(|column| (media::Entity, column)))
        .from(imported_cover::Entity)
        .join(JoinType::InnerJoin, media::Entity, is_its)
        .and_where(of(Column::Id).in_subquery(first))
        .take();
    let rows = db.query_all(&query).await?;
    let read =
        |row: &QueryResult| Ok((row.try_get("", "url_hash")?, media::Model::from_query_result(row, "")?));
    rows.iter().map(read).collect()
}

/// Covers of an account that are to be fetched now, those that wait longest first.
pub async fn due_covers<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<imported_cover::Model>, DbErr> {
    imported_cover::Entity::find()
        .filter(imported_cover::COLUMN.account_id.eq(account_id))
        .filter(imported_cover::COLUMN.state.eq(CoverState::Waiting))
        .filter(imported_cover::COLUMN.next_try_at.lte(now))
        .order_by_asc(imported_cover::COLUMN.next_try_at)
        .order_by_desc(imported_cover::COLUMN.id)
        .limit(limit)
        .all(db)
        .await
}

/// When the next cover of an account is to be fetched.
pub async fn next_cover<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Option<Timestamp>, DbErr> {
    let row = imported_cover::Entity::find()
        .filter(imported_cover::COLUMN.account_id.eq(account_id))
        .filter(imported_cover::COLUMN.state.eq(CoverState::Waiting))
        .order_by_asc(imported_cover::COLUMN.next_try_at)
        .one(db)
        .await?;
    Ok(row.map(|row| row.next_try_at))
}

/// Accounts with covers that are to be fetched now.
pub async fn with_due_covers<C: ConnectionTrait>(db: &C, now: Timestamp) -> Result<Vec<i64>, DbErr> {
    imported_cover::Entity::find()
        .select_only()
        .column(imported_cover::Column::AccountId)
        .filter(imported_cover::COLUMN.state.eq(CoverState::Waiting))
        .filter(imported_cover::COLUMN.next_try_at.lte(now))
        .distinct()
        .into_tuple()
        .all(db)
        .await
}

/// How many covers of an account's imported articles are kept here, and how many had to stay where they are.
pub async fn count_covers<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<(u64, u64), DbErr> {
    let of = |state: CoverState| {
        imported_cover::Entity::find()
            .filter(imported_cover::COLUMN.account_id.eq(account_id))
            .filter(imported_cover::COLUMN.state.eq(state))
    };
    Ok((of(CoverState::Kept).count(db).await?, of(CoverState::Refused).count(db).await?))
}
