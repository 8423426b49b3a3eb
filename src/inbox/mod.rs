//! The inbox: what a signed-in reader was told, kept on the site: pushes of accounts they are told of at once, what
//! their alerts found, and corrections of articles they were told of.
//!
//! Items are written by [`deliver`] in the transactions in which deliveries are written, in batches by the database
//! itself. How many are unread stands in the head of every page, so it is read from an index that holds unread items
//! only, and no further than to [`queries::MANY`].

pub mod deliver;
pub mod live;
pub mod pages;
pub mod queries;

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::app::App;
use crate::db::entities::inbox_item;
use crate::error::Error;

/// How long items are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Items that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u64 = 5_000;

/// Marks an item of the reader's as read.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn open(app: &App, user_id: i64, item_id: i64) -> Result<inbox_item::Model, Error> {
    let item = inbox_item::Entity::find_by_id(item_id).one(app.db.read()).await?;
    let item = item.filter(|item| item.user_id == user_id).ok_or(Error::NotFound)?;
    if item.read_at.is_none() {
        inbox_item::Entity::update_many()
            .col_expr(inbox_item::Column::ReadAt, Expr::value(Some(app.clock.now())))
            .filter(inbox_item::COLUMN.id.eq(item_id))
            .filter(Expr::cust("read_at IS NULL"))
            .exec(app.db.write())
            .await?;
        app.inbox.changed();
    }
    Ok(item)
}

/// Marks all items of a reader as read, up to the newest that they have seen.
pub async fn mark_read(app: &App, user_id: i64, newest: i64) -> Result<(), DbErr> {
    inbox_item::Entity::update_many()
        .col_expr(inbox_item::Column::ReadAt, Expr::value(Some(app.clock.now())))
        .filter(inbox_item::COLUMN.user_id.eq(user_id))
        .filter(inbox_item::COLUMN.id.lte(newest))
        .filter(Expr::cust("read_at IS NULL"))
        .exec(app.db.write())
        .await?;
    app.inbox.changed();
    Ok(())
}

/// Forgets items that are old. Returns how many there were.
pub async fn forget_old(app: &App) -> Result<u64, DbErr> {
    use sea_orm::ColumnTrait;
    let before = app.clock.now() - KEPT;
    let mut forgotten = 0;
    loop {
        let ids: Vec<i64> = inbox_item::Entity::find()
            .select_only()
            .column(inbox_item::Column::Id)
            .filter(inbox_item::COLUMN.created_at.lt(before))
            .order_by_asc(inbox_item::COLUMN.created_at)
            .limit(FORGOTTEN_AT_ONCE)
            .into_tuple()
            .all(app.db.read())
            .await?;
        if ids.is_empty() {
            return Ok(forgotten);
        }
        let deleted = inbox_item::Entity::delete_many()
            .filter(inbox_item::Column::Id.is_in(ids))
            .exec(app.db.write())
            .await?;
        forgotten += deleted.rows_affected;
    }
}
