//! Reads for what comes back.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{SOFT_BOUNCES, SOFT_WITHIN};
use crate::clock::Timestamp;
use crate::db::entities::bounce::{self, BounceKind};
use crate::db::entities::delivery::{self, Channel, DeliveryState, Subject};
use crate::db::entities::user::{self, UserState};
use crate::db::entities::{alert, reader, sign_in_link, subscription};
use crate::delivery::owners::Owners;

/// The address that a delivery went to; none when it was before `since`, or whom it was for is gone.
pub async fn recipient<C: ConnectionTrait>(
    db: &C,
    delivery_id: i64,
    since: Timestamp,
) -> Result<Option<String>, DbErr> {
    let row = delivery::Entity::find_by_id(delivery_id).one(db).await?;
    let Some(row) = row.filter(|row| row.created_at > since) else { return Ok(None) };
    match row.subject() {
        Some(Subject::Push { subscription_id, .. }) => {
            let reader = subscription::Entity::find_by_id(subscription_id).one(db).await?;
            Ok(reader.filter(|reader| !reader.is_nobodys()).map(|reader| reader.email))
        }
        Some(Subject::Alert { alert_id, .. }) => {
            let Some(alert) = alert::Entity::find_by_id(alert_id).one(db).await? else { return Ok(None) };
            Ok(user::Entity::find_by_id(alert.user_id).one(db).await?.map(|user| user.email))
        }
        Some(Subject::Digest { reader_id, .. }) => {
            Ok(reader::Entity::find_by_id(reader_id).one(db).await?.map(|reader| reader.email))
        }
        None => Ok(None),
    }
}

/// Whether an address is of somebody here, who is not leaving.
pub async fn is_known<C: ConnectionTrait>(db: &C, email: &str) -> Result<bool, DbErr> {
    let subscribes = subscription::Entity::find().filter(subscription::COLUMN.email.eq(email));
    let signs_in = user::Entity::find()
        .filter(user::COLUMN.email.eq(email))
        .filter(user::COLUMN.state.ne(UserState::Leaving));
    let reads = reader::Entity::find().filter(reader::COLUMN.email.eq(email));
    let asked = sign_in_link::Entity::find().filter(sign_in_link::COLUMN.email.eq(email));
    Ok(subscribes.one(db).await?.is_some()
        || signs_in.one(db).await?.is_some()
        || reads.one(db).await?.is_some()
        || asked.one(db).await?.is_some())
}

/// The delivery of a Message-ID (with angle brackets) of ours.
pub async fn of_message<C: ConnectionTrait>(db: &C, message_id: &str) -> Result<Option<i64>, DbErr> {
    let id = message_id.trim_start_matches('<').split('.').next().and_then(|id| id.parse::<i64>().ok());
    let Some(id) = id else { return Ok(None) };
    let row = delivery::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.message_id == message_id).map(|row| row.id))
}

/// Whether an address has bounced softly often enough: the last few of its bounces are of different
/// messages within the time, and no message to it was delivered between them.
pub async fn bounces_softly<C: ConnectionTrait>(db: &C, email: &str, now: Timestamp) -> Result<bool, DbErr> {
    let last = bounce::Entity::find()
        .filter(bounce::COLUMN.email.eq(email))
        .filter(bounce::COLUMN.kind.eq(BounceKind::Soft))
        .filter(bounce::COLUMN.created_at.gt(now - SOFT_WITHIN))
        .order_by_desc(bounce::COLUMN.created_at)
        .order_by_desc(bounce::COLUMN.id)
        .limit(SOFT_BOUNCES)
        .all(db)
        .await?;
    if (last.len() as u64) < SOFT_BOUNCES {
        return Ok(false);
    }
    let ids: Vec<i64> = last.iter().filter_map(|bounce| bounce.delivery_id).collect();
    let (Some(first), Some(latest)) = (ids.iter().min(), ids.iter().max()) else { return Ok(true) };
    for (column, owners) in Owners::of(db, &[email]).await?.columns() {
        let delivered = delivery::Entity::find()
            .filter(column.is_in(owners.iter().copied()))
            .filter(delivery::COLUMN.channel.eq(Channel::Email))
            .filter(delivery::COLUMN.state.eq(DeliveryState::Delivered))
            .filter(delivery::COLUMN.id.gt(*first))
            .filter(delivery::COLUMN.id.lt(*latest));
        if !owners.is_empty() && delivered.count(db).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What came back of an address, newest first.
pub async fn of_address<C: ConnectionTrait>(db: &C, email: &str) -> Result<Vec<bounce::Model>, DbErr> {
    bounce::Entity::find()
        .filter(bounce::COLUMN.email.eq(email))
        .order_by_desc(bounce::COLUMN.id)
        .all(db)
        .await
}
