//! The job table: writing, claiming with a lease, and settling.

use std::time::Duration;

use sea_orm::sea_query::{Expr, LockBehavior, LockType, Query};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, PaginatorTrait,
    QueryFilter,
};

use super::{Job, Outcome};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::db::entities::job::{self, JobState};

/// How long a claimed job belongs to its worker without a renewal.
pub const LEASE: Duration = Duration::from_secs(60);
/// A job that failed this often is dead, if it is not one that never dies.
const MAX_ATTEMPTS: i32 = 12;

/// Queues a job within the caller's transaction, unless one with its key waits already.
pub async fn enqueue<C: ConnectionTrait>(
    db: &C,
    now: Timestamp,
    job: Job,
    run_at: Timestamp,
) -> Result<(), DbErr> {
    enqueue_many(db, now, vec![(job, run_at)]).await
}

/// The same for many jobs, each with the time from which it may run.
pub async fn enqueue_many<C: ConnectionTrait>(
    db: &C,
    now: Timestamp,
    jobs: Vec<(Job, Timestamp)>,
) -> Result<(), DbErr> {
    // 10 columns a row; SQLite allows 32,766 values in a statement.
    for chunk in jobs.chunks(3_000) {
        let rows = chunk.iter().map(|(job, run_at)| row(job, now, *run_at));
        job::Entity::insert_many(rows)
            .on_conflict_do_nothing_on([job::Column::UniqueKey])
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Queues a job for a time; where it waits already for a later one, it comes then. One that runs already is left alone.
pub async fn hasten<C: ConnectionTrait>(
    db: &C,
    now: Timestamp,
    job: Job,
    run_at: Timestamp,
) -> Result<(), DbErr> {
    let key = job.unique_key();
    enqueue(db, now, job, run_at).await?;
    let Some(key) = key else { return Ok(()) };
    job::Entity::update_many()
        .col_expr(job::Column::RunAt, Expr::value(run_at))
        .filter(job::COLUMN.unique_key.eq(key))
        .filter(job::COLUMN.state.eq(JobState::Waiting))
        .filter(job::COLUMN.run_at.gt(run_at))
        .exec(db)
        .await?;
    Ok(())
}

/// Lets a job without a key that waits come now. Returns how many such jobs did; one that runs already is left alone.
pub async fn bring_forward<C: ConnectionTrait>(db: &C, now: Timestamp, job: &Job) -> Result<u64, DbErr> {
    let kind: &'static str = job.into();
    let mut update = job::Entity::update_many()
        .col_expr(job::Column::RunAt, Expr::value(now))
        .filter(job::COLUMN.kind.eq(kind))
        .filter(job::COLUMN.state.eq(JobState::Waiting));
    for (field, value) in payload(job).as_object().into_iter().flatten() {
        // As text: the databases compare what stands in JSON in ways of their own.
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        update = update.filter(Expr::cust(format!("CAST(payload ->> '{field}' AS TEXT)")).eq(value));
    }
    Ok(update.exec(db).await?.rows_affected)
}

fn row(job: &Job, now: Timestamp, run_at: Timestamp) -> job::ActiveModel {
    let kind: &'static str = job.into();
    job::ActiveModel {
        id: NotSet,
        kind: Set(kind.to_owned()),
        unique_key: Set(job.unique_key()),
        payload: Set(payload(job)),
        state: Set(JobState::Waiting),
        attempts: Set(0),
        run_at: Set(run_at),
        lease_until: Set(None),
        lease_owner: Set(None),
        last_error: Set(None),
        created_at: Set(now),
    }
}

/// Forgets the waiting job with this key, if there is one.
pub async fn cancel<C: ConnectionTrait>(db: &C, unique_key: &str) -> Result<(), DbErr> {
    job::Entity::delete_many().filter(job::COLUMN.unique_key.eq(unique_key)).exec(db).await?;
    Ok(())
}

/// Claims up to `limit` due jobs for `owner`, those of ended leases among them.
pub async fn claim(db: &Db, owner: &str, now: Timestamp, limit: u64) -> Result<Vec<job::Model>, DbErr> {
    let free = Condition::any().add(Expr::col(job::Column::State).eq(JobState::Waiting)).add(
        Condition::all()
            .add(Expr::col(job::Column::State).eq(JobState::Running))
            .add(Expr::col(job::Column::LeaseUntil).lt(now)),
    );
    let mut due = Query::select();
    due.column(job::Column::Id)
        .from(job::Entity)
        .cond_where(free)
        .and_where(Expr::col(job::Column::RunAt).lte(now))
        .order_by(job::Column::RunAt, sea_orm::Order::Asc)
        .limit(limit);
    if db.backend() == DbBackend::Postgres {
        due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(JobState::Running))
        .col_expr(job::Column::LeaseUntil, Expr::value(now + LEASE))
        .col_expr(job::Column::LeaseOwner, Expr::value(owner))
        .col_expr(job::Column::Attempts, Expr::col(job::Column::Attempts).add(1))
        .filter(job::Column::Id.in_subquery(due))
        .exec_with_returning(db.write())
        .await
}

/// Keeps a job for its owner; false when it has lost it.
pub async fn renew(db: &Db, id: i64, owner: &str, now: Timestamp) -> Result<bool, DbErr> {
    let result = job::Entity::update_many()
        .col_expr(job::Column::LeaseUntil, Expr::value(now + LEASE))
        .filter(job::COLUMN.id.eq(id))
        .filter(job::COLUMN.lease_owner.eq(owner))
        .exec(db.write())
        .await?;
    Ok(result.rows_affected == 1)
}

/// Settles a job that its owner has worked on. A job whose lease went to another is left to it.
pub async fn settle(
    db: &Db,
    row: &job::Model,
    owner: &str,
    now: Timestamp,
    result: anyhow::Result<Outcome>,
) -> Result<(), DbErr> {
    let mine = Condition::all().add(job::COLUMN.id.eq(row.id)).add(job::COLUMN.lease_owner.eq(owner));
    let update = match result {
        Ok(Outcome::Done) => {
            job::Entity::delete_many().filter(mine).exec(db.write()).await?;
            return Ok(());
        }
        Ok(Outcome::Again { job, run_at }) => job::Entity::update_many()
            .col_expr(job::Column::Payload, Expr::value(payload(&job)))
            .col_expr(job::Column::Attempts, Expr::value(0))
            .col_expr(job::Column::State, Expr::value(JobState::Waiting))
            .col_expr(job::Column::RunAt, Expr::value(run_at)),
        Err(error) => {
            let dead = row.attempts >= MAX_ATTEMPTS && !never_dies(row);
            tracing::warn!(
                job = row.id,
                kind = row.kind,
                attempts = row.attempts,
                dead,
                "job failed: {error:#}"
            );
            let state = if dead { JobState::Dead } else { JobState::Waiting };
            // A dead job gives its key free, so that the same work can be asked for anew.
            let key = if dead { None } else { row.unique_key.clone() };
            job::Entity::update_many()
                .col_expr(job::Column::State, Expr::value(state))
                .col_expr(job::Column::UniqueKey, Expr::value(key))
                .col_expr(job::Column::LastError, Expr::value(format!("{error:#}")))
                .col_expr(job::Column::RunAt, Expr::value(now + pause_after(row.attempts)))
        }
    };
    update
        .col_expr(job::Column::LeaseUntil, Expr::value(None::<i64>))
        .col_expr(job::Column::LeaseOwner, Expr::value(None::<String>))
        .filter(mine)
        .exec(db.write())
        .await?;
    Ok(())
}

/// Gives an owner's claimed jobs back at once, when it shuts down.
pub async fn release(db: &Db, owner: &str) -> Result<(), DbErr> {
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(JobState::Waiting))
        .col_expr(job::Column::LeaseUntil, Expr::value(None::<i64>))
        .col_expr(job::Column::LeaseOwner, Expr::value(None::<String>))
        .filter(job::COLUMN.lease_owner.eq(owner))
        .exec(db.write())
        .await?;
    Ok(())
}

/// How many jobs wait or run.
pub async fn unfinished<C: ConnectionTrait>(db: &C) -> Result<u64, DbErr> {
    job::Entity::find().filter(job::COLUMN.state.ne(JobState::Dead)).count(db).await
}

/// 2 s, 4 s, 8 s ... up to 34 minutes.
fn pause_after(attempts: i32) -> Duration {
    Duration::from_secs(1 << attempts.clamp(1, 11))
}

fn never_dies(row: &job::Model) -> bool {
    serde_json::from_value::<Job>(row.payload.clone()).is_ok_and(|job| job.never_dies())
}

fn payload(job: &Job) -> serde_json::Value {
    serde_json::to_value(job).unwrap_or_default()
}
