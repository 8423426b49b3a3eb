//! Reads of devices and their readers.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::entities::{alert, device, subscription};

/// A reader's devices, the newest first.
pub async fn of_user<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<device::Model>, DbErr> {
    device::Entity::find()
        .filter(device::COLUMN.user_id.eq(user_id))
        .order_by_desc(device::COLUMN.id)
        .all(db)
        .await
}

/// Who is behind a subscription, if they sign in.
pub async fn user_of_subscription<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<i64>, DbErr> {
    let row: Option<Option<i64>> = subscription::Entity::find_by_id(id)
        .select_only()
        .column(subscription::Column::UserId)
        .into_tuple()
        .one(db)
        .await?;
    Ok(row.flatten())
}

/// Whose alert it is.
pub async fn user_of_alert<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<i64>, DbErr> {
    let query = alert::Entity::find_by_id(id).select_only().column(alert::Column::UserId);
    query.into_tuple().one(db).await
}
