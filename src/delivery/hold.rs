//! Moving many deliveries of a push from one state to another: on hold when it is stopped, back when it
//! goes on, and failed ones once more into the queue. In batches; each may be done twice.

use std::time::{Duration, Instant};

use sea_orm::sea_query::{Condition, Expr, ExprTrait, LockBehavior, LockType, Order, Query, UpdateStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QuerySelect};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Channel, Column, DeliveryState, Provider};
use crate::db::entities::push::{self, PushState};
use crate::delivery::tally::Changes;
use crate::jobs::{Job, Outcome};

/// Rows of one transaction.
const BATCH: u64 = 5_000;
/// How long the job works before it lets others have their turn.
const SLICE: Duration = Duration::from_secs(1);

/// Does the job of a push that was stopped or goes on: its deliveries follow, whichever it is by now.
pub async fn follow_stop(app: &App, push_id: i64) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    loop {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
        let Some(push) = lock(&tx, push_id).await? else { return Ok(Outcome::Done) };
        let (from, to) = match push.stopped_at {
            Some(_) => (DeliveryState::Waiting, DeliveryState::Held),
            None => (DeliveryState::Held, DeliveryState::Waiting),
        };
        let (moved, _) = move_batch(&tx, push_id, from, to, 0, now).await?;
        tx.commit().await?;
        if moved == 0 {
            return Ok(Outcome::Done);
        }
        if began.elapsed() > SLICE {
            return Ok(Outcome::Again { job: Job::FollowStop { push_id }, run_at: now });
        }
    }
}

/// Does the job of a push whose failed deliveries are to be sent again, those after a subscription.
pub async fn send_again(app: &App, push_id: i64, mut after: i64) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    loop {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
        let Some(push) = lock(&tx, push_id).await? else { return Ok(Outcome::Done) };
        let to = if push.stopped_at.is_some() { DeliveryState::Held } else { DeliveryState::Waiting };
        let (moved, last) = move_batch(&tx, push_id, DeliveryState::Failed, to, after, now).await?;
        if moved > 0 && push.state == PushState::Sent {
            reopen(&tx, push_id).await?;
        }
        tx.commit().await?;
        if moved == 0 {
            return Ok(Outcome::Done);
        }
        // One that fails again meanwhile lies behind.
        after = last;
        if began.elapsed() > SLICE {
            let job = Job::SendAgain { push_id, after_subscription: after };
            return Ok(Outcome::Again { job, run_at: now });
        }
    }
}

async fn lock(tx: &DatabaseTransaction, push_id: i64) -> Result<Option<push::Model>, DbErr> {
    push::Entity::find_by_id(push_id).lock_exclusive().one(tx).await
}

async fn reopen(tx: &DatabaseTransaction, push_id: i64) -> Result<(), DbErr> {
    use sea_orm::QueryFilter;
    push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Sending))
        .col_expr(push::Column::FinishedAt, Expr::value(None::<Timestamp>))
        .filter(push::COLUMN.id.eq(push_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Moves some rows that no sender holds; returns how many, and the last subscription of them.
async fn move_batch(
    tx: &DatabaseTransaction,
    push_id: i64,
    from: DeliveryState,
    to: DeliveryState,
    after: i64,
    now: Timestamp,
) -> Result<(usize, i64), DbErr> {
    let backend = tx.get_database_backend();
    let statement = backend.build(&update(backend, push_id, from, to, after, now));
    let mut changes = Changes::default();
    let (mut moved, mut last) = (0, after);
    for row in tx.query_all_raw(statement).await? {
        let channel: Channel = row.try_get("", "channel")?;
        let provider: Provider = row.try_get("", "provider")?;
        changes.moved((push_id, channel, provider), from, to);
        last = std::cmp::max(last, row.try_get::<i64>("", "subscription_id")?);
        moved += 1;
    }
    changes.apply(tx).await?;
    Ok((moved, last))
}

fn update(
    backend: DbBackend,
    push_id: i64,
    from: DeliveryState,
    to: DeliveryState,
    after: i64,
    now: Timestamp,
) -> UpdateStatement {
    let is_free = Condition::any()
        .add(Expr::col(Column::LeaseUntil).is_null())
        .add(Expr::col(Column::LeaseUntil).lt(now));
    let mut batch = Query::select();
    batch
        .column(Column::Id)
        .from(delivery::Entity)
        .and_where(Expr::col(Column::PushId).eq(push_id))
        // What the index holds.
        .and_where(Expr::cust("state <> 'delivered'"))
        .and_where(Expr::col(Column::State).eq(from))
        .and_where(Expr::col(Column::SubscriptionId).gt(after))
        .cond_where(is_free)
        .order_by(Column::SubscriptionId, Order::Asc)
        .limit(BATCH);
    if backend == DbBackend::Postgres {
        batch.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let mut update = Query::update();
    update
        .table(delivery::Entity)
        .value(Column::State, to)
        .value(Column::UpdatedAt, now)
        .value(Column::LeaseUntil, None::<i64>)
        .value(Column::LeaseOwner, None::<String>)
        .and_where(Expr::col(Column::Id).in_subquery(batch))
        .returning(Query::returning().columns([Column::Channel, Column::Provider, Column::SubscriptionId]));
    if from == DeliveryState::Failed {
        update.value(Column::Attempts, 0).value(Column::NextAttemptAt, now);
    }
    update
}
