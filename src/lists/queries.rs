//! Reads of lists.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::entities::{list, subscription};
use crate::error::Error;

/// A reader's lists, in their order.
pub async fn of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<list::Model>, DbErr> {
    list::Entity::find()
        .filter(list::COLUMN.user_id.eq(user_id))
        .order_by_asc(list::Column::Place)
        .order_by_asc(list::Column::Id)
        .all(db)
        .await
}

/// The reader's list of a name.
pub async fn of_name<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    name: &str,
) -> Result<Option<list::Model>, DbErr> {
    list::Entity::find()
        .filter(list::COLUMN.user_id.eq(user_id))
        .filter(list::COLUMN.name.eq(name))
        .one(db)
        .await
}

/// A list of the reader's own.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn get_own<C: ConnectionTrait>(db: &C, user_id: i64, id: i64) -> Result<list::Model, Error> {
    let found = list::Entity::find_by_id(id).one(db).await?;
    found.filter(|list| list.user_id == user_id).ok_or(Error::NotFound)
}

/// In which list each of a reader's subscriptions is, by their ids; those in none are left out.
pub async fn of_subscriptions<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<HashMap<i64, i64>, DbErr> {
    let rows: Vec<(i64, i64)> = subscription::Entity::find()
        .select_only()
        .columns([subscription::Column::Id, subscription::Column::ListId])
        .filter(subscription::COLUMN.user_id.eq(user_id))
        .filter(subscription::Column::ListId.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
