//! The ledger: claiming deliveries with a lease, and writing back what became of them.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::sea_query::{BinOper, Condition, Expr, ExprTrait, Func, LockBehavior, LockType, Order, Query};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect};
use url::Url;

use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::Db;
use crate::db::entities::delivery::{self, DeliveryState};
use crate::db::entities::push::{self, PushState};
use crate::delivery::channel::Attempt;
use crate::delivery::suppress;

/// How long a claimed delivery belongs to its sender without a renewal.
pub const LEASE: Duration = Duration::from_secs(60);
/// Pauses after the first, second, ... attempt. After the last one the delivery has failed: in
/// two days most mailboxes and servers that are going to come back have done so.
const PAUSES: [Duration; 8] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(20 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(4 * 60 * 60),
    Duration::from_secs(8 * 60 * 60),
    Duration::from_secs(12 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// Whether there is anything to claim; only reads, so that idle senders keep nobody waiting.
pub async fn has_due(db: &Db, now: Timestamp) -> Result<bool, DbErr> {
    for condition in [due(now), lease_ended(now)] {
        let found = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(condition)
            .limit(1)
            .into_tuple::<i64>()
            .one(db.read())
            .await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Claims up to `limit` due deliveries for `owner`, oldest first. What a dead sender left behind is
/// due again.
pub async fn claim(
    app: &App,
    owner: &str,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<delivery::Model>, DbErr> {
    let db = &app.db;
    free(db, lease_ended(now), now).await?;
    let mut first = Query::select();
    first
        .column(delivery::Column::Id)
        .from(delivery::Entity)
        .cond_where(due(now))
        .order_by(delivery::Column::NextAttemptAt, Order::Asc)
        .limit(limit);
    if db.backend() == DbBackend::Postgres {
        first.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let mut claimed = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(DeliveryState::Sending))
        .col_expr(delivery::Column::LeaseUntil, Expr::value(now + LEASE))
        .col_expr(delivery::Column::LeaseOwner, Expr::value(owner))
        .col_expr(delivery::Column::Attempts, Expr::col(delivery::Column::Attempts).add(1))
        .col_expr(delivery::Column::MessageId, message_id(&app.config))
        .col_expr(delivery::Column::UpdatedAt, Expr::value(now))
        .filter(delivery::Column::Id.in_subquery(first))
        .exec_with_returning(db.write())
        .await?;
    claimed.sort_by_key(|row| (row.next_attempt_at, row.id));
    Ok(claimed)
}

/// `<delivery.push@host>`, or `<delivery.a-alert@host>`: written before the first attempt and kept over all of them, so that a
/// mailbox that got the message twice shows it once.
fn message_id(config: &Config) -> Expr {
    const THEN: BinOper = BinOper::Custom("||");
    let text = |column| Expr::col(column).cast_as("text");
    let alert = Expr::val("a-").binary(THEN, text(delivery::Column::AlertId));
    let subject = Func::coalesce([text(delivery::Column::PushId), alert]);
    let made = Expr::val("<")
        .binary(THEN, text(delivery::Column::Id))
        .binary(THEN, Expr::val("."))
        .binary(THEN, Expr::from(subject))
        .binary(THEN, Expr::val(format!("@{}>", host(config))));
    Expr::case(Expr::col(delivery::Column::MessageId).eq(""), made)
        .finally(Expr::col(delivery::Column::MessageId))
        .into()
}

/// The host of the site's address, which names its lists and messages.
pub fn host(config: &Config) -> String {
    let url = Url::parse(&config.base_url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "localhost".into())
}

/// Keeps all that an owner has claimed.
pub async fn renew(db: &Db, owner: &str, now: Timestamp) -> Result<(), DbErr> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::LeaseUntil, Expr::value(now + LEASE))
        .filter(held_by(owner))
        .exec(db.write())
        .await?;
    Ok(())
}

/// Gives what an owner has claimed and not settled back at once, when it shuts down.
pub async fn release(db: &Db, owner: &str, now: Timestamp) -> Result<(), DbErr> {
    free(db, held_by(owner), now).await
}

/// Writes back what became of an owner's deliveries, and finishes the pushes that have nobody left.
/// A delivery whose lease went to another sender is left to that one.
pub async fn settle(app: &App, owner: &str, attempts: &[(delivery::Model, Attempt)]) -> Result<(), DbErr> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    for (row, attempt) in attempts {
        settle_one(&tx, owner, row, attempt, now).await?;
    }
    let pushes: BTreeSet<i64> = attempts.iter().filter_map(|(row, _)| row.push_id).collect();
    for push_id in pushes {
        finish_if_done(&tx, push_id, now).await?;
    }
    tx.commit().await
}

/// Every subscriber of a push has a row.
pub async fn fanned_out(app: &App, push_id: i64) -> Result<(), DbErr> {
    let tx = app.db.begin().await?;
    push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Sending))
        .filter(push::COLUMN.id.eq(push_id))
        .filter(push::COLUMN.state.eq(PushState::FanningOut))
        .exec(&*tx)
        .await?;
    finish_if_done(&tx, push_id, app.clock.now()).await?;
    tx.commit().await
}

async fn settle_one(
    tx: &DatabaseTransaction,
    owner: &str,
    row: &delivery::Model,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), DbErr> {
    let pause = usize::try_from(row.attempts - 1).ok().and_then(|done| PAUSES.get(done));
    let (state, answer, again_at) = match attempt {
        Attempt::Delivered(words) => (DeliveryState::Delivered, words, row.next_attempt_at),
        Attempt::Suppressed(reason) => (DeliveryState::Suppressed, reason, row.next_attempt_at),
        Attempt::Later(words) => match pause {
            Some(pause) => (DeliveryState::Waiting, words, now + *pause),
            None => (DeliveryState::Failed, words, row.next_attempt_at),
        },
        Attempt::Failed(words) => (DeliveryState::Failed, words, row.next_attempt_at),
        Attempt::Unreachable { email, words } => {
            suppress(tx, now, email, words).await?;
            (DeliveryState::Failed, words, row.next_attempt_at)
        }
    };
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(state))
        .col_expr(delivery::Column::Answer, Expr::value(Some(answer.clone())))
        .col_expr(delivery::Column::NextAttemptAt, Expr::value(again_at))
        .col_expr(delivery::Column::LeaseUntil, Expr::value(None::<i64>))
        .col_expr(delivery::Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(delivery::Column::UpdatedAt, Expr::value(now))
        .filter(delivery::COLUMN.id.eq(row.id))
        .filter(held_by(owner))
        .exec(tx)
        .await?;
    Ok(())
}

/// Marks a push as sent once nobody is left to tell. Of two senders that settle the last two
/// deliveries at the same time, the lock lets the later one see both settled.
async fn finish_if_done(tx: &DatabaseTransaction, push_id: i64, now: Timestamp) -> Result<(), DbErr> {
    let push = push::Entity::find_by_id(push_id).lock_exclusive().one(tx).await?;
    if push.is_none_or(|push| push.state != PushState::Sending) {
        return Ok(());
    }
    for state in [DeliveryState::Waiting, DeliveryState::Sending] {
        let left = delivery::Entity::find()
            .filter(delivery::COLUMN.push_id.eq(push_id))
            .filter(delivery::COLUMN.state.eq(state))
            .limit(1)
            .one(tx)
            .await?;
        if left.is_some() {
            return Ok(());
        }
    }
    push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Sent))
        .col_expr(push::Column::FinishedAt, Expr::value(Some(now)))
        .filter(push::COLUMN.id.eq(push_id))
        .exec(tx)
        .await?;
    Ok(())
}

async fn free(db: &Db, which: Condition, now: Timestamp) -> Result<(), DbErr> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(DeliveryState::Waiting))
        .col_expr(delivery::Column::LeaseUntil, Expr::value(None::<i64>))
        .col_expr(delivery::Column::LeaseOwner, Expr::value(None::<String>))
        .col_expr(delivery::Column::UpdatedAt, Expr::value(now))
        .filter(which)
        .exec(db.write())
        .await?;
    Ok(())
}

fn due(now: Timestamp) -> Condition {
    Condition::all()
        .add(Expr::col(delivery::Column::State).eq(DeliveryState::Waiting))
        .add(Expr::col(delivery::Column::NextAttemptAt).lte(now))
}

fn lease_ended(now: Timestamp) -> Condition {
    Condition::all()
        .add(Expr::col(delivery::Column::State).eq(DeliveryState::Sending))
        .add(Expr::col(delivery::Column::LeaseUntil).lt(now))
}

fn held_by(owner: &str) -> Condition {
    Condition::all()
        .add(Expr::col(delivery::Column::State).eq(DeliveryState::Sending))
        .add(Expr::col(delivery::Column::LeaseOwner).eq(owner))
}
