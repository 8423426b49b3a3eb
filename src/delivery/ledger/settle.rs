//! Writing back: what became of a sender's deliveries, many in one transaction.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect, Statement, Value,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, DeliveryState, Provider};
use crate::db::entities::push::{self, PushState};
use crate::delivery::channel::Attempt;
use crate::delivery::tally::{self, Changes};
use crate::delivery::{provider, suppress};

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

/// A delivery that its sender is done with.
#[derive(Clone, Debug)]
pub struct Tried {
    pub row: delivery::Model,
    pub attempt: Attempt,
    /// Of its claim.
    pub holder: Arc<str>,
}

/// A delivery's row as it is to be.
struct Outcome<'a> {
    row: &'a delivery::Model,
    state: DeliveryState,
    attempts: i32,
    answer: Option<&'a str>,
    next_attempt_at: Timestamp,
}

/// Writes back what became of an owner's deliveries, and finishes the pushes that have nobody left. A
/// delivery whose lease went to another sender is left to that one.
pub async fn settle(app: &App, owner: &str, tried: &[Tried]) -> Result<(), DbErr> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let outcomes: Vec<_> = tried.iter().map(|one| outcome(one, now)).collect();
    let settled = write(&tx, owner, &outcomes, now).await?;
    let mut changes = Changes::default();
    for outcome in &outcomes {
        if let (Some(push_id), true) = (outcome.row.push_id, settled.contains(&outcome.row.id)) {
            let key = (push_id, outcome.row.channel, outcome.row.provider);
            changes.moved(key, DeliveryState::Waiting, outcome.state);
        }
    }
    for one in tried {
        if let Attempt::Unreachable { email, words } = &one.attempt {
            suppress(&*tx, now, email, words).await?;
        }
    }
    count_against_caps(app, &tx, tried, now).await?;
    heed_providers(&tx, tried, now).await?;
    for push_id in changes.apply(&tx).await? {
        finish_if_done(&tx, push_id, now).await?;
    }
    tx.commit().await
}

fn outcome(tried: &Tried, now: Timestamp) -> Outcome<'_> {
    let Tried { row, attempt, .. } = tried;
    let pause = usize::try_from(row.attempts - 1).ok().and_then(|done| PAUSES.get(done));
    let (state, answer, next_attempt_at) = match attempt {
        Attempt::Delivered(words) => (DeliveryState::Delivered, Some(words), row.next_attempt_at),
        Attempt::Suppressed(reason) => (DeliveryState::Suppressed, Some(reason), row.next_attempt_at),
        Attempt::Later(words) => match pause {
            Some(pause) => (DeliveryState::Waiting, Some(words), now + *pause),
            None => (DeliveryState::Failed, Some(words), row.next_attempt_at),
        },
        Attempt::Failed(words) | Attempt::Unreachable { words, .. } => {
            (DeliveryState::Failed, Some(words), row.next_attempt_at)
        }
        Attempt::NotMade => (DeliveryState::Waiting, row.answer.as_ref(), row.next_attempt_at),
    };
    let unmade = i32::from(matches!(attempt, Attempt::NotMade));
    let answer = answer.map(String::as_str);
    Outcome { row, state, attempts: row.attempts - unmade, answer, next_attempt_at }
}

/// Updates all rows in one statement; returns the ids of those that were still the owner's.
async fn write(
    tx: &DatabaseTransaction,
    owner: &str,
    outcomes: &[Outcome<'_>],
    now: Timestamp,
) -> Result<HashSet<i64>, DbErr> {
    let mut settled = HashSet::with_capacity(outcomes.len());
    // Five values a row; SQLite allows 32,766 in a statement.
    for outcomes in outcomes.chunks(1_000) {
        let backend = tx.get_database_backend();
        let mut values: Vec<Value> = Vec::with_capacity(outcomes.len() * 5 + 2);
        let mut next = |value: Value| {
            values.push(value);
            match backend {
                sea_orm::DbBackend::Postgres => format!("${}", values.len()),
                _ => "?".to_owned(),
            }
        };
        let mut rows = Vec::with_capacity(outcomes.len());
        // The order of the values is that of the statement's text.
        let updated = next(now.0.into());
        for outcome in outcomes {
            let state: &'static str = outcome.state.into();
            let columns = [
                next(outcome.row.id.into()),
                next(state.into()),
                next(outcome.attempts.into()),
                next(outcome.answer.map(str::to_owned).into()),
                next(outcome.next_attempt_at.0.into()),
            ];
            rows.push(format!("({})", columns.join(",")));
        }
        let owner = next(owner.into());
        let text = format!(
            "UPDATE deliveries SET updated_at = {updated}, state = v.column2, attempts = v.column3, \
             answer = v.column4, next_attempt_at = v.column5, lease_until = NULL, lease_owner = NULL \
             FROM (VALUES {}) AS v WHERE deliveries.id = v.column1 AND deliveries.lease_owner = {owner} \
             AND deliveries.state = 'waiting' RETURNING deliveries.id",
            rows.join(",")
        );
        for row in tx.query_all_raw(Statement::from_sql_and_values(backend, text, values)).await? {
            settled.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(settled)
}

/// What was handed over counts from now on; what was not makes room.
async fn count_against_caps(
    app: &App,
    tx: &DatabaseTransaction,
    tried: &[Tried],
    now: Timestamp,
) -> Result<(), DbErr> {
    if app.caps.0.is_empty() {
        return Ok(());
    }
    app.caps.lock(tx).await?;
    let mut counts: BTreeMap<(&str, Provider), (i64, i64)> = BTreeMap::new();
    for Tried { row, attempt, holder } in tried {
        let (sent, unsent) = counts.entry((holder, row.provider)).or_default();
        *if attempt.was_handed_over() { sent } else { unsent } += 1;
    }
    for ((holder, provider), (sent, unsent)) in counts {
        if sent > 0 {
            app.caps.sent(tx, holder, provider, sent, now).await?;
        }
        if unsent > 0 {
            app.caps.give_back(tx, holder, provider, unsent).await?;
        }
    }
    Ok(())
}

/// Leaves providers alone that asked for it, and trusts those again that took something.
async fn heed_providers(tx: &DatabaseTransaction, tried: &[Tried], now: Timestamp) -> Result<(), DbErr> {
    let mut heeded: BTreeMap<Provider, Option<&str>> = BTreeMap::new();
    for Tried { row, attempt, .. } in tried.iter().filter(|one| one.row.provider != Provider::Other) {
        match attempt {
            Attempt::Delivered(_) => {
                heeded.entry(row.provider).or_insert(None);
            }
            Attempt::Later(words) if provider::is_refusal(row.provider, words) => {
                heeded.insert(row.provider, Some(words));
            }
            _ => {}
        }
    }
    let mut took = Vec::new();
    for (provider, refusal) in heeded {
        match refusal {
            Some(words) => provider::pause(tx, provider, words, now).await?,
            None => took.push(provider),
        }
    }
    if took.is_empty() { Ok(()) } else { provider::forgive(tx, &took, now).await }
}

/// Marks a push as sent once nobody is left to tell. Of two senders that settle the last two
/// deliveries at the same time, the lock lets the later one see both settled.
pub(super) async fn finish_if_done(
    tx: &DatabaseTransaction,
    push_id: i64,
    now: Timestamp,
) -> Result<(), DbErr> {
    let is_left = |push: Option<push::Model>| push.is_none_or(|push| push.state != PushState::Sending);
    let push = push::Entity::find_by_id(push_id);
    // Looked at before it is locked: a fan-out holds the push and waits for tallies that we hold.
    if is_left(push.clone().one(tx).await?) || tally::unfinished(tx, push_id).await? > 0 {
        return Ok(());
    }
    if is_left(push.lock_exclusive().one(tx).await?) || tally::unfinished(tx, push_id).await? > 0 {
        return Ok(());
    }
    push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Sent))
        .col_expr(push::Column::FinishedAt, Expr::value(Some(now)))
        .filter(push::COLUMN.id.eq(push_id))
        .exec(tx)
        .await?;
    Ok(())
}
