//! Rests: a mail server that takes nothing now is left alone for a while, and the others carry on. Kept in
//! the database, for all nodes and over restarts.

use std::time::Duration;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::server_rest::{self, Column};
use crate::delivery::carriers;

/// After the first refusal; each further one without a success between doubles it.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The servers that rest at `now`, with what they said.
pub async fn resting<C: ConnectionTrait>(db: &C, now: Timestamp) -> Result<Vec<server_rest::Model>, DbErr> {
    server_rest::Entity::find().filter(server_rest::COLUMN.until.gt(now)).all(db).await
}

/// Where all servers that carry a push rest at `now`: the rest that is over first.
pub async fn of_push(app: &App, push_id: i64, now: Timestamp) -> Result<Option<server_rest::Model>, DbErr> {
    let db = app.db.read();
    let rests = resting(db, now).await?;
    if rests.is_empty() {
        return Ok(None);
    }
    let relays = app.mailer.relays();
    let mut first: Option<server_rest::Model> = None;
    for place in carriers::of_push(app, db, push_id).await? {
        let Some(rest) = rests.iter().find(|rest| rest.name == relays[place].name) else { return Ok(None) };
        if first.as_ref().is_none_or(|first| rest.until < first.until) {
            first = Some(rest.clone());
        }
    }
    Ok(first)
}

/// The places of the servers that may carry something at `now`.
pub async fn awake(app: &App, now: Timestamp) -> Result<Vec<usize>, DbErr> {
    let rests = server_rest::Entity::find().all(app.db.read()).await?;
    let mut awake = Vec::new();
    for (place, relay) in app.mailer.relays().iter().enumerate() {
        let rest = rests.iter().find(|rest| rest.name == relay.name);
        relay.has_rested(rest.is_some());
        if rest.is_none_or(|rest| rest.until <= now) {
            awake.push(place);
        }
    }
    Ok(awake)
}

/// Leaves a server alone for a while. What was under way when its rest began makes it no longer.
pub async fn begin(tx: &DatabaseTransaction, name: &str, answer: &str, now: Timestamp) -> Result<(), DbErr> {
    let known = server_rest::Entity::find().filter(server_rest::COLUMN.name.eq(name)).one(tx).await?;
    if known.as_ref().is_some_and(|rest| rest.until > now) {
        return Ok(());
    }
    let refusals = known.map_or(1, |rest| rest.refusals.saturating_add(1));
    let rest = FIRST.saturating_mul(1 << (refusals - 1).clamp(0, 10)).min(LONGEST);
    let row = server_rest::ActiveModel {
        id: NotSet,
        name: Set(name.to_owned()),
        until: Set(now + rest),
        refusals: Set(refusals),
        // A remote may say anything; the database takes no NUL.
        answer: Set(answer.replace('\0', "")),
    };
    server_rest::Entity::insert(row)
        .on_conflict(
            OnConflict::column(Column::Name)
                .update_columns([Column::Until, Column::Refusals, Column::Answer])
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    tracing::warn!(server = name, refusals, "the mail server rests for {} s: {answer}", rest.as_secs());
    Ok(())
}

/// A server that took a message after its rest starts anew.
pub async fn end(tx: &DatabaseTransaction, name: &str, now: Timestamp) -> Result<(), DbErr> {
    server_rest::Entity::delete_many()
        .filter(server_rest::COLUMN.name.eq(name))
        .filter(server_rest::COLUMN.until.lte(now))
        .exec(tx)
        .await?;
    Ok(())
}
