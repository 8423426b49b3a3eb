//! Steering a push that is under way: stopping it, letting it go on, and sending once more to those whom
//! it did not reach.

use sea_orm::sea_query::Expr;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::push::{self, PushState};
use crate::delivery::tally::{self, Tally};
use crate::error::Error;
use crate::jobs::{self, Job};

/// Who steers, and what.
#[derive(Clone, Copy, Debug)]
pub struct Helm {
    pub user_id: i64,
    pub account_id: i64,
    pub push_id: i64,
}

/// Tells nobody more until the push goes on. Messages that are being handed over still arrive.
///
/// # Errors
/// Forbidden for roles without `Push`; not found where the account has no such push; conflict when
/// everybody has been told.
pub async fn stop(app: &App, helm: Helm) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let push = lock(&tx, helm).await?;
    if push.state == PushState::Sent {
        return Err(Error::Conflict("push-stop-late".into()));
    }
    if push.stopped_at.is_none() {
        set_stopped(&tx, push.id, Some(now)).await?;
        jobs::queue::enqueue(&*tx, now, Job::FollowStop { push_id: push.id }, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Lets a stopped push go on where it was.
///
/// # Errors
/// As [`stop`], but for the conflict.
pub async fn resume(app: &App, helm: Helm) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let push = lock(&tx, helm).await?;
    if push.stopped_at.is_some() {
        set_stopped(&tx, push.id, None).await?;
        jobs::queue::enqueue(&*tx, now, Job::FollowStop { push_id: push.id }, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Puts the failed deliveries into the queue again, each with its Message-ID.
///
/// # Errors
/// As [`stop`]; conflict when none has failed.
pub async fn send_again(app: &App, helm: Helm) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let push = lock(&tx, helm).await?;
    let tallies = tally::of_pushes(&*tx, &[push.id]).await?;
    if tallies.iter().map(|row| Tally::from(row).failed).sum::<i64>() == 0 {
        return Err(Error::Conflict("push-again-none".into()));
    }
    let job = Job::SendAgain { push_id: push.id, after_subscription: 0 };
    jobs::queue::enqueue(&*tx, now, job, now).await?;
    tx.commit().await?;
    Ok(())
}

async fn lock(tx: &DatabaseTransaction, helm: Helm) -> Result<push::Model, Error> {
    roles::require(tx, helm.account_id, helm.user_id, Operation::Push).await?;
    push::Entity::find_by_id(helm.push_id)
        .filter(push::COLUMN.account_id.eq(helm.account_id))
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or(Error::NotFound)
}

async fn set_stopped(tx: &DatabaseTransaction, push_id: i64, at: Option<Timestamp>) -> Result<(), Error> {
    push::Entity::update_many()
        .col_expr(push::Column::StoppedAt, Expr::value(at))
        .filter(push::COLUMN.id.eq(push_id))
        .exec(tx)
        .await?;
    Ok(())
}
