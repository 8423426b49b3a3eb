//! The ledger: claiming deliveries with a lease, and writing back what became of them.
//!
//! A claimed delivery goes on waiting; its lease says whose it is. A sender that dies gives it back by
//! doing nothing.

mod settle;

use std::time::Duration;

use sea_orm::sea_query::{
    BinOper, Condition, Expr, ExprTrait, Func, LockBehavior, LockType, Order, Query, SelectStatement,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, FromQueryResult,
    Iterable, QueryFilter, QuerySelect,
};
use url::Url;

use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::Db;
use crate::db::entities::delivery::{self, Provider};
use crate::db::entities::push::{self, PushState};
use crate::delivery::carriers::{self, Pushes};
use crate::delivery::untold::Untold;
use crate::delivery::{caps, provider, rests};

pub use settle::{Tried, settle};

/// How long a claimed delivery belongs to its sender without a renewal.
pub const LEASE: Duration = Duration::from_secs(60);

/// What the partial indexes of the table hold; written out, because neither database looks into a
/// parameter when it chooses an index.
const WAITS: &str = "deliveries.state = 'waiting'";

/// Deliveries that a sender holds.
#[derive(Debug, Default)]
pub struct Claim {
    pub rows: Vec<delivery::Model>,
    /// The place of the mail server that is to carry each.
    pub servers: Vec<usize>,
    /// Under which name their places in caps are taken.
    pub holder: String,
}

/// The providers that have something to claim; only reads, so that idle senders keep nobody waiting.
pub async fn due_providers(db: &Db, now: Timestamp) -> Result<Vec<Provider>, DbErr> {
    #[derive(FromQueryResult)]
    struct Due {
        provider: Provider,
    }
    let some = |provider: Provider| {
        // In the order of the index, so that it is used.
        let any = due(provider, now, &Pushes::ALL)
            .order_by(delivery::Column::NextAttemptAt, Order::Asc)
            .limit(1)
            .take();
        Query::select()
            .expr_as(Expr::val(provider).cast_as("text"), "provider")
            .and_where(Expr::exists(any))
            .take()
    };
    let mut providers = Provider::iter().filter(|provider| provider.is_mail());
    let Some(first) = providers.next() else { return Ok(Vec::new()) };
    let mut query = some(first);
    for provider in providers {
        query.union(sea_orm::sea_query::UnionType::All, some(provider));
    }
    let rows = Due::find_by_statement(db.backend().build(&query)).all(db.read()).await?;
    let paused = provider::paused(db.read(), now).await?;
    let is_open = |provider: &Provider| paused.iter().all(|(one, _)| one != provider);
    Ok(rows.into_iter().map(|row| row.provider).filter(is_open).collect())
}

/// Claims up to `limit` due deliveries for `owner`, the oldest of each provider first, as far as the
/// caps of the servers that may carry them have room. What a dead sender left behind is due again. Which provider comes first is up to
/// the `turn`, so that none has to wait until another's are all sent.
pub async fn claim(app: &App, owner: &str, now: Timestamp, limit: u64, turn: u64) -> Result<Claim, DbErr> {
    let mut providers = due_providers(&app.db, now).await?;
    if providers.is_empty() {
        return Ok(Claim::default());
    }
    let first = turn as usize % providers.len();
    providers.rotate_left(first);
    let awake = rests::awake(app, now).await?;
    let holder = format!("{owner}/{:016x}", rand::random::<u64>());
    let (mut rows, mut servers) = (Vec::new(), Vec::new());
    let tx = app.db.begin_unnoticed().await?;
    walk_indexes(&tx).await?;
    app.caps.lock(&tx).await?;
    let mut room = app.caps.room(&tx, now).await?;
    let shares = carriers::shares(app, &*tx, &awake, stopped(&*tx).await?).await?;
    for provider in providers {
        for share in &shares {
            let left = std::cmp::min(limit - rows.len() as u64, room.of(provider, &share.servers));
            if left > 0 {
                let claimed = claim_of(&tx, app, owner, provider, now, left, &share.pushes).await?;
                servers.extend(room.take(&tx, app, &holder, provider, claimed.len(), &share.servers).await?);
                rows.extend(claimed);
            }
        }
    }
    tx.commit().await?;
    Ok(Claim { rows, servers, holder })
}

/// Claims up to `limit` due notifications for `owner`, the oldest first. They have no caps and need no mail server.
pub async fn claim_notices(
    app: &App,
    owner: &str,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<delivery::Model>, DbErr> {
    let any = due(Provider::WebPush, now, &Pushes::ALL)
        .order_by(delivery::Column::NextAttemptAt, Order::Asc)
        .limit(1)
        .take();
    if app.db.read().query_one(&any).await?.is_none() {
        return Ok(Vec::new());
    }
    let tx = app.db.begin().await?;
    walk_indexes(&tx).await?;
    let pushes = Pushes::But(stopped(&*tx).await?);
    let rows = claim_of(&tx, app, owner, Provider::WebPush, now, limit, &pushes).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Has PostgreSQL go by the indexes, until `tx` ends. A push makes a million rows within seconds, and until
/// its statistics know of them it may well choose to read the whole table for a few.
async fn walk_indexes(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        let off = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
                   SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off";
        tx.execute_unprepared(off).await?;
    }
    Ok(())
}

async fn claim_of(
    tx: &DatabaseTransaction,
    app: &App,
    owner: &str,
    provider: Provider,
    now: Timestamp,
    limit: u64,
    pushes: &Pushes,
) -> Result<Vec<delivery::Model>, DbErr> {
    let mut first = due(provider, now, pushes);
    first.order_by(delivery::Column::NextAttemptAt, Order::Asc).limit(limit);
    if tx.get_database_backend() == DbBackend::Postgres {
        first.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let mut claimed = delivery::Entity::update_many()
        .col_expr(delivery::Column::LeaseUntil, Expr::value(now + LEASE))
        .col_expr(delivery::Column::LeaseOwner, Expr::value(owner))
        .col_expr(delivery::Column::Attempts, Expr::col(delivery::Column::Attempts).add(1))
        .col_expr(delivery::Column::MessageId, message_id(&app.config))
        .filter(delivery::Column::Id.in_subquery(first))
        .exec_with_returning(tx)
        .await?;
    claimed.sort_by_key(|row| (row.next_attempt_at, row.id));
    Ok(claimed)
}

/// Ids of a provider's deliveries that may be claimed.
fn due(provider: Provider, now: Timestamp, pushes: &Pushes) -> SelectStatement {
    let is_free =
        Expr::col(delivery::Column::LeaseUntil).is_null().or(Expr::col(delivery::Column::LeaseUntil).lt(now));
    let mut select = Query::select();
    select
        .column(delivery::Column::Id)
        .from(delivery::Entity)
        .and_where(Expr::cust(WAITS))
        .and_where(Expr::col(delivery::Column::Provider).eq(provider))
        .and_where(Expr::col(delivery::Column::NextAttemptAt).lte(now))
        .and_where(is_free);
    let push = Expr::col(delivery::Column::PushId);
    match pushes {
        Pushes::Only(ids) => drop(select.and_where(push.is_in(ids.iter().copied()))),
        Pushes::But(ids) if ids.is_empty() => {}
        Pushes::But(ids) => {
            let is_another = push.clone().is_null().or(push.is_not_in(ids.iter().copied()));
            select.and_where(is_another);
        }
    }
    select
}

/// Pushes that were stopped; their deliveries are being put on hold.
async fn stopped<C: ConnectionTrait>(db: &C) -> Result<Vec<i64>, DbErr> {
    push::Entity::find()
        .select_only()
        .column(push::Column::Id)
        .filter(Expr::cust("stopped_at IS NOT NULL"))
        .into_tuple()
        .all(db)
        .await
}

/// `<delivery.push@host>`, `<delivery.a-alert@host>` or `<delivery.r-reader@host>`: written before the first
/// attempt and kept over all of them, so that a mailbox that got the message twice shows it once.
fn message_id(config: &Config) -> Expr {
    const THEN: BinOper = BinOper::Custom("||");
    let text = |column| Expr::col(column).cast_as("text");
    let alert = Expr::val("a-").binary(THEN, text(delivery::Column::AlertId));
    let reader = Expr::val("r-").binary(THEN, text(delivery::Column::ReaderId));
    let subject = Func::coalesce([text(delivery::Column::PushId), alert, reader]);
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

/// Keeps what an owner has claimed, and its places in caps. By id: nothing else finds them among a million
/// that wait.
pub async fn renew(db: &Db, owner: &str, ids: &[i64], now: Timestamp) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut free = Query::select();
    free.column(delivery::Column::Id).from(delivery::Entity).cond_where(held_by(owner, ids));
    // What is locked is being written back, in an order of its own: who waited for it could be waited for.
    if db.backend() == DbBackend::Postgres {
        free.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::LeaseUntil, Expr::value(now + LEASE))
        .filter(delivery::Column::Id.in_subquery(free))
        .exec(db.write())
        .await?;
    caps::renew(db.write(), owner, now).await
}

/// Gives what an owner has claimed and not settled back at once. Its places in caps stay taken until their
/// time is over: nobody knows here what was handed over.
pub async fn release(db: &Db, owner: &str, ids: &[i64]) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::LeaseUntil, Expr::value(None::<i64>))
        .col_expr(delivery::Column::LeaseOwner, Expr::value(None::<String>))
        .filter(held_by(owner, ids))
        .exec(db.write())
        .await?;
    Ok(())
}

/// Every subscriber of a push has a row, but for the `untold`.
pub async fn fanned_out(app: &App, push_id: i64, untold: Untold) -> Result<(), DbErr> {
    let tx = app.db.begin().await?;
    push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Sending))
        .col_expr(push::Column::Untold, Expr::value(Some(untold.write())))
        .filter(push::COLUMN.id.eq(push_id))
        .filter(push::COLUMN.state.eq(PushState::FanningOut))
        .exec(&*tx)
        .await?;
    settle::finish_if_done(&tx, push_id, app.clock.now()).await?;
    tx.commit().await
}

fn held_by(owner: &str, ids: &[i64]) -> Condition {
    Condition::all()
        .add(delivery::Column::Id.is_in(ids.iter().copied()))
        .add(Expr::col(delivery::Column::LeaseOwner).eq(owner))
}
