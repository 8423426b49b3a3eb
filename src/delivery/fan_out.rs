//! Fan-out: a row in the ledger for each subscriber of a push, written in batches by the database
//! itself. Rows are unique, so a batch that is written again changes nothing.

use std::time::{Duration, Instant};

use sea_orm::sea_query::{Expr, ExprTrait, Func, InsertStatement, JoinType, OnConflict, Order, Query};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::db::entities::delivery::{self, Channel, DeliveryState, Provider};
use crate::db::entities::push::{self, PushState};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::suppression;
use crate::delivery::tally::{self, Tally};
use crate::delivery::{channel, domains, ledger, provider, untold};
use crate::inbox;
use crate::jobs::{Job, Outcome};

/// Subscriptions walked in one transaction: short enough that other writers hardly wait.
const BATCH: u64 = 5_000;
/// How long a push waits for word of whose mailboxes are behind new domains.
const LEARNING: Duration = Duration::from_secs(10);
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
    if cursor == 0 {
        domains::learn(app, LEARNING).await?;
    }
    let began = Instant::now();
    while let Some(first) = end_of_batch(app.db.read(), push.account_id, cursor).await? {
        let second = end_of_batch(app.db.read(), push.account_id, first).await?.unwrap_or(first);
        tokio::try_join!(
            write_batch(app, push_id, cursor, first),
            // Beside it, where the database can: PostgreSQL does a statement on one processor.
            write_batch(app, push_id, first, second),
        )?;
        cursor = second;
        if began.elapsed() > SLICE {
            let job = Job::FanOut { push_id, after_subscription: cursor };
            return Ok(Outcome::Again { job, run_at: app.clock.now() });
        }
    }
    let untold = untold::count(app.db.read(), push.account_id).await?;
    ledger::fanned_out(app, push_id, untold).await?;
    Ok(Outcome::Done)
}

/// Writes the rows of the subscriptions after `after` up to `last`, and counts them.
async fn write_batch(app: &App, push_id: i64, after: i64, last: i64) -> anyhow::Result<()> {
    if after == last {
        return Ok(());
    }
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    // Locked, so that a stop comes before the batch or after it; batches do not wait for each other.
    let Some(push) = push::Entity::find_by_id(push_id).lock_shared().one(&*tx).await? else {
        return Ok(());
    };
    let is_again = is_begun(&tx, push_id, after, last).await?;
    let mut changes = tally::Changes::default();
    for channel in channel::used(&*tx).await? {
        let mut insert = rows_of_batch(&app.db, &push, channel, after, last, now);
        if is_again {
            insert.on_conflict(leave_what_is_there());
        }
        for written in write_rows(&tx, insert).await? {
            let key = (push_id, channel, written.provider);
            changes.add(key, Tally::of(written.state, written.count));
        }
    }
    inbox::deliver::push(&tx, &push, after, last, now).await?;
    changes.apply(&tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether some rows of a batch are there already: it was written, and then the job broken off. To look costs
/// less than to have PostgreSQL prepare each row for a conflict. Nobody else writes rows of this batch
/// meanwhile, or the unique index ends this job, to be tried again.
async fn is_begun(tx: &DatabaseTransaction, push_id: i64, after: i64, last: i64) -> Result<bool, DbErr> {
    let first = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::COLUMN.push_id.eq(push_id))
        .filter(delivery::COLUMN.subscription_id.gt(after))
        .filter(delivery::COLUMN.subscription_id.lte(last))
        .order_by_asc(delivery::Column::SubscriptionId)
        .into_tuple::<i64>()
        .one(tx);
    Ok(first.await?.is_some())
}

fn leave_what_is_there() -> OnConflict {
    let unique = [delivery::Column::PushId, delivery::Column::SubscriptionId, delivery::Column::Channel];
    OnConflict::columns(unique).do_nothing().to_owned()
}

/// How many rows were written.
#[derive(FromQueryResult)]
struct Written {
    provider: Provider,
    state: DeliveryState,
    count: i64,
}

/// Writes rows and counts those that are new. SQLite cannot count what it inserts, but its new rows are
/// those with the largest ids, because nobody else writes meanwhile.
async fn write_rows(tx: &DatabaseTransaction, mut insert: InsertStatement) -> Result<Vec<Written>, DbErr> {
    const COUNTED: &str = "provider, state, COUNT(*) AS count";
    if tx.get_database_backend() == DbBackend::Postgres {
        insert.returning(Query::returning().columns([delivery::Column::Provider, delivery::Column::State]));
        let mut statement = DbBackend::Postgres.build(&insert);
        let rows = statement.sql;
        statement.sql = format!("WITH rows AS ({rows}) SELECT {COUNTED} FROM rows GROUP BY provider, state");
        return Written::find_by_statement(statement).all(tx).await;
    }
    let newest = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .order_by_desc(delivery::Column::Id)
        .limit(1)
        .into_tuple::<i64>()
        .one(tx)
        .await?;
    tx.execute(&insert).await?;
    let count = format!("SELECT {COUNTED} FROM deliveries WHERE id > ? GROUP BY provider, state");
    let count = Statement::from_sql_and_values(DbBackend::Sqlite, count, [newest.unwrap_or(0).into()]);
    Written::find_by_statement(count).all(tx).await
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
    db: &Db,
    push: &push::Model,
    channel: Channel,
    after: i64,
    last: i64,
    now: Timestamp,
) -> InsertStatement {
    let id = (subscription::Entity, subscription::Column::Id);
    let email = (subscription::Entity, subscription::Column::Email);
    let free = if push.stopped_at.is_some() { DeliveryState::Held } else { DeliveryState::Waiting };
    let [provider, state, reason] = channel::first_state(channel, free);
    let mut rows = Query::select();
    provider::join_domains(rows.from(subscription::Entity), db.backend(), Expr::col(email));
    let rows = rows
        .expr(Expr::val(push.id))
        .column(id)
        .expr(Expr::val(channel))
        .expr(provider)
        .expr(state)
        .expr(Expr::val(0))
        .expr(Expr::val(now))
        .expr(Expr::val(""))
        .expr(reason)
        .expr(Expr::val(now))
        .expr(Expr::val(now))
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
            delivery::Column::Provider,
            delivery::Column::State,
            delivery::Column::Attempts,
            delivery::Column::NextAttemptAt,
            delivery::Column::MessageId,
            delivery::Column::Answer,
            delivery::Column::CreatedAt,
            delivery::Column::UpdatedAt,
        ])
        .select_from(rows)
        .expect("as many values as columns");
    insert
}
