//! Fan-out: a row in the ledger for each subscriber of a push, written in batches by the database
//! itself. Rows are unique, so a batch that is written again changes nothing.

use std::time::{Duration, Instant};

use sea_orm::sea_query::{Expr, ExprTrait, Func, InsertStatement, JoinType, OnConflict, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::push::{self, PushState};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::suppression;
use crate::delivery::{channel, ledger};
use crate::jobs::{Job, Outcome};

/// Subscriptions walked in one transaction: short enough that other writers hardly wait.
const BATCH: u64 = 5_000;
/// How long the job works before it saves its cursor and lets others have their turn.
const SLICE: Duration = Duration::from_secs(1);

/// Does the job: walks the subscriptions after `cursor`, then lets the push be finished.
pub async fn run(app: &App, push_id: i64, mut cursor: i64) -> anyhow::Result<Outcome> {
    let Some(push) = push::Entity::find_by_id(push_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    if push.state != PushState::FanningOut {
        return Ok(Outcome::Done);
    }
    let began = Instant::now();
    while let Some(last) = end_of_batch(app.db.read(), push.account_id, cursor).await? {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
        for channel in channel::all() {
            let rows = rows_of_batch(&push, channel, cursor, last, now);
            tx.execute(&rows).await?;
        }
        tx.commit().await?;
        cursor = last;
        if began.elapsed() > SLICE {
            return Ok(Outcome::Again {
                job: Job::FanOut { push_id, after_subscription: cursor },
                run_at: now,
            });
        }
    }
    ledger::fanned_out(app, push_id).await?;
    Ok(Outcome::Done)
}

/// The id of the last subscription of the batch after `cursor`; none when nobody is left.
async fn end_of_batch<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    cursor: i64,
) -> Result<Option<i64>, DbErr> {
    #[derive(FromQueryResult)]
    struct End {
        last: Option<i64>,
    }
    let batch = Query::select()
        .column(subscription::Column::Id)
        .from(subscription::Entity)
        .and_where(Expr::col(subscription::Column::AccountId).eq(account_id))
        .and_where(Expr::col(subscription::Column::State).eq(SubscriptionState::Active))
        .and_where(Expr::col(subscription::Column::Id).gt(cursor))
        .order_by(subscription::Column::Id, Order::Asc)
        .limit(BATCH)
        .take();
    let mut query = Query::select();
    query.expr_as(Func::max(Expr::col(("batch", "id"))), "last").from_subquery(batch, "batch");
    let end = End::find_by_statement(db.get_database_backend().build(&query)).one(db).await?;
    Ok(end.and_then(|end| end.last))
}

/// Writes the rows of a channel. An address that takes no mail gets one that says why.
fn rows_of_batch(
    push: &push::Model,
    channel: Channel,
    after: i64,
    last: i64,
    now: Timestamp,
) -> InsertStatement {
    let id = (subscription::Entity, subscription::Column::Id);
    let email = (subscription::Entity, subscription::Column::Email);
    let state = Expr::case(
        Expr::col((suppression::Entity, suppression::Column::Id)).is_null(),
        DeliveryState::Waiting,
    )
    .finally(DeliveryState::Suppressed);
    let rows = Query::select()
        .expr(Expr::val(push.id))
        .column(id)
        .expr(Expr::val(channel))
        .expr(state)
        .expr(Expr::val(0))
        .expr(Expr::val(now))
        .expr(Expr::val(""))
        .expr(Expr::col((suppression::Entity, suppression::Column::Reason)))
        .expr(Expr::val(now))
        .expr(Expr::val(now))
        .from(subscription::Entity)
        .join(
            JoinType::LeftJoin,
            suppression::Entity,
            Expr::col((suppression::Entity, suppression::Column::Email)).equals(email),
        )
        .and_where(Expr::col((subscription::Entity, subscription::Column::AccountId)).eq(push.account_id))
        .and_where(Expr::col(id).gt(after))
        .and_where(Expr::col(id).lte(last))
        .cond_where(channel::audience(channel))
        .take();
    let mut insert = Query::insert();
    insert
        .into_table(delivery::Entity)
        .columns([
            delivery::Column::PushId,
            delivery::Column::SubscriptionId,
            delivery::Column::Channel,
            delivery::Column::State,
            delivery::Column::Attempts,
            delivery::Column::NextAttemptAt,
            delivery::Column::MessageId,
            delivery::Column::Answer,
            delivery::Column::CreatedAt,
            delivery::Column::UpdatedAt,
        ])
        .select_from(rows)
        .expect("as many values as columns")
        .on_conflict(
            OnConflict::columns([
                delivery::Column::PushId,
                delivery::Column::SubscriptionId,
                delivery::Column::Channel,
            ])
            .do_nothing()
            .to_owned(),
        );
    insert
}
