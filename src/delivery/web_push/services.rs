//! Push services that ask to be left alone, for all nodes.

use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter,
};

use crate::clock::Timestamp;
use crate::db::entities::push_service::{self, Column};

/// After the first refusal without a time of its own; each further one doubles it.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(60 * 60);

/// What a service said when it asked to be left alone, if it is to be.
pub async fn resting<C: ConnectionTrait>(
    db: &C,
    host: &str,
    now: Timestamp,
) -> Result<Option<String>, DbErr> {
    let row = push_service::Entity::find().filter(push_service::COLUMN.host.eq(host)).one(db).await?;
    Ok(row.filter(|row| row.until > now).map(|row| row.answer))
}

/// Leaves a service alone for as long as it asked, or longer and longer.
pub async fn rest<C: ConnectionTrait>(
    db: &C,
    host: &str,
    answer: &str,
    asked: Option<Duration>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let known = push_service::Entity::find().filter(push_service::COLUMN.host.eq(host)).one(db).await?;
    let refusals = known.map_or(1, |row| row.refusals.saturating_add(1));
    let usual = FIRST_REST.saturating_mul(1 << (refusals - 1).clamp(0, 10));
    let rest = asked.unwrap_or(usual).min(LONGEST_REST);
    let row = push_service::ActiveModel {
        id: NotSet,
        host: Set(host.to_owned()),
        until: Set(now + rest),
        refusals: Set(refusals),
        answer: Set(answer.to_owned()),
    };
    let columns = [Column::Until, Column::Refusals, Column::Answer];
    push_service::Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Host).update_columns(columns).to_owned())
        .exec_without_returning(db)
        .await?;
    tracing::info!(host, refusals, "a push service is left alone for {} s: {answer}", rest.as_secs());
    Ok(())
}

/// A service that took a message starts anew.
pub async fn forgive<C: ConnectionTrait>(db: &C, host: &str) -> Result<(), DbErr> {
    let known = push_service::Entity::find().filter(push_service::COLUMN.host.eq(host)).one(db).await?;
    if let Some(row) = known {
        push_service::Entity::delete_by_id(row.id).exec(db).await?;
    }
    Ok(())
}
