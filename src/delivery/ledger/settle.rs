//! Writing back: what became of a sender's deliveries, many in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, Statement,
    Value,
};

use crate::app::App;
use crate::bounces;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, DeliveryState, Provider};
use crate::db::entities::push::{self, PushState};
use crate::db::entities::webhook_message::Kind;
use crate::delivery::caps::Whose;
use crate::delivery::channel::{Attempt, QUIET};
use crate::delivery::tally::{self, Changes};
use crate::delivery::{provider, rests, suppress};
use crate::mail::is_full;
use crate::mail::relay::Relay;
use crate::webhooks::{self, announce::News};

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
    /// The place of the mail server that it was given to.
    pub server: usize,
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
    let tx = app.db.begin_unnoticed().await?;
    // A sender has mail or notifications, never both; the latter know no servers, caps and mailbox providers.
    let is_mail = tried.first().is_none_or(|one| one.row.provider.is_mail());
    let stuck = if is_mail { heed_servers(app, &tx, tried, now).await? } else { BTreeSet::new() };
    let outcomes: Vec<_> = tried.iter().map(|one| outcome(one, stuck.contains(&one.server), now)).collect();
    super::walk_indexes(&tx).await?;
    let settled = write(&tx, owner, &outcomes, now).await?;
    let mut changes = Changes::default();
    for outcome in &outcomes {
        if let (Some(push_id), true) = (outcome.row.push_id, settled.contains(&outcome.row.id)) {
            let key = (push_id, outcome.row.channel, outcome.row.provider);
            changes.moved(key, DeliveryState::Waiting, outcome.state);
        }
    }
    for one in tried {
        // A row that went meanwhile went with its reader, whose address is not to come back.
        if let (Attempt::Unreachable { email, words }, true) = (&one.attempt, settled.contains(&one.row.id)) {
            suppress(&*tx, now, email, words).await?;
        }
    }
    for outcome in
        outcomes.iter().filter(|one| one.state == DeliveryState::Failed && settled.contains(&one.row.id))
    {
        if let Some(words) = outcome.answer.filter(|words| is_full(words)) {
            bounces::take_full(&tx, now, outcome.row.id, words).await?;
        }
    }
    if is_mail {
        count_against_caps(app, &tx, tried, now).await?;
        heed_providers(&tx, tried, now).await?;
    }
    for push_id in changes.apply(&tx).await? {
        finish_if_done(&tx, push_id, now).await?;
    }
    tx.commit().await
}

/// Of a row that no server took, the attempt counts only if there is no other server to take it.
fn outcome(tried: &Tried, is_stuck: bool, now: Timestamp) -> Outcome<'_> {
    let Tried { row, attempt, .. } = tried;
    let pause = usize::try_from(row.attempts - 1).ok().and_then(|done| PAUSES.get(done));
    let (state, answer, next_attempt_at) = match attempt {
        Attempt::Delivered(words) => (DeliveryState::Delivered, Some(words), row.next_attempt_at),
        Attempt::Suppressed(reason) => (DeliveryState::Suppressed, Some(reason), row.next_attempt_at),
        Attempt::ServerRests(_) if !is_stuck => {
            (DeliveryState::Waiting, row.answer.as_ref(), row.next_attempt_at)
        }
        Attempt::Later(words) | Attempt::ServerRests(words) => match pause {
            Some(pause) => (DeliveryState::Waiting, Some(words), now + *pause),
            None => (DeliveryState::Failed, Some(words), row.next_attempt_at),
        },
        Attempt::Failed(words) | Attempt::Unreachable { words, .. } => {
            (DeliveryState::Failed, Some(words), row.next_attempt_at)
        }
        Attempt::NotMade => (DeliveryState::Waiting, row.answer.as_ref(), row.next_attempt_at),
        Attempt::Quiet(until) => (DeliveryState::Waiting, None, *until),
    };
    let is_unmade = match attempt {
        Attempt::NotMade | Attempt::Quiet(_) => true,
        Attempt::ServerRests(_) => !is_stuck,
        _ => false,
    };
    let attempts = row.attempts - i32::from(is_unmade);
    let answer = if let Attempt::Quiet(_) = attempt { Some(QUIET) } else { answer.map(String::as_str) };
    Outcome { row, state, attempts, answer, next_attempt_at }
}

/// What every row becomes, whichever way the rows of `v` are given. A row with an owner waits; to say so
/// here would lead PostgreSQL to the index of all that wait.
const UPDATE: &str = "UPDATE deliveries SET updated_at = {now}, state = v.column2, attempts = v.column3, \
    answer = v.column4, next_attempt_at = v.column5, lease_until = NULL, lease_owner = NULL FROM {rows} \
    WHERE deliveries.id = v.column1 AND deliveries.lease_owner = {owner} RETURNING deliveries.id";

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
        let statement = match tx.get_database_backend() {
            DbBackend::Postgres => update_from_json(owner, outcomes, now),
            backend => update_from_values(backend, owner, outcomes, now),
        };
        for row in tx.query_all_raw(statement).await? {
            settled.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(settled)
}

/// One text for any number of rows: PostgreSQL plans a statement of hundreds of values for longer than it
/// runs it.
fn update_from_json(owner: &str, outcomes: &[Outcome<'_>], now: Timestamp) -> Statement {
    let text = UPDATE
        .replace("{now}", "$1")
        .replace(
            "{rows}",
            "json_to_recordset(CAST($2 AS json)) AS v(column1 bigint, column2 text, column3 integer, \
             column4 text, column5 bigint)",
        )
        .replace("{owner}", "$3");
    let rows: Vec<serde_json::Value> = outcomes
        .iter()
        .map(|outcome| {
            let state: &'static str = outcome.state.into();
            serde_json::json!({
                "column1": outcome.row.id,
                "column2": state,
                "column3": outcome.attempts,
                // A remote may say anything; the database takes no NUL.
                "column4": outcome.answer.map(|answer| answer.replace('\0', "")),
                "column5": outcome.next_attempt_at.0,
            })
        })
        .collect();
    let rows = serde_json::Value::Array(rows).to_string();
    Statement::from_sql_and_values(DbBackend::Postgres, text, [now.0.into(), rows.into(), owner.into()])
}

fn update_from_values(
    backend: DbBackend,
    owner: &str,
    outcomes: &[Outcome<'_>],
    now: Timestamp,
) -> Statement {
    let rows = vec!["(?,?,?,?,?)"; outcomes.len()].join(",");
    let text = UPDATE
        .replace("{now}", "?")
        .replace("{rows}", &format!("(VALUES {rows}) AS v"))
        .replace("{owner}", "?");
    let mut values: Vec<Value> = vec![now.0.into()];
    for outcome in outcomes {
        let state: &'static str = outcome.state.into();
        values.extend([
            outcome.row.id.into(),
            state.into(),
            outcome.attempts.into(),
            outcome.answer.map(str::to_owned).into(),
            outcome.next_attempt_at.0.into(),
        ]);
    }
    values.push(owner.into());
    Statement::from_sql_and_values(backend, text, values)
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
    let mut counts: BTreeMap<(&str, Provider, usize), (i64, i64)> = BTreeMap::new();
    for Tried { row, attempt, holder, server } in tried {
        let (sent, unsent) = counts.entry((holder, row.provider, *server)).or_default();
        *if attempt.was_handed_over() { sent } else { unsent } += 1;
    }
    for ((holder, provider, server), (sent, unsent)) in counts {
        let whose = Whose { holder, provider, server };
        if sent > 0 {
            app.caps.sent(tx, whose, sent, now).await?;
        }
        if unsent > 0 {
            app.caps.give_back(tx, whose, unsent).await?;
        }
    }
    Ok(())
}

/// Lets mail servers rest that took nothing, and ends the rests of those that took something again. Returns
/// those that no other stands in for now.
async fn heed_servers(
    app: &App,
    tx: &DatabaseTransaction,
    tried: &[Tried],
    now: Timestamp,
) -> Result<BTreeSet<usize>, DbErr> {
    let relays = app.mailer.relays();
    let mut refused: BTreeMap<usize, &str> = BTreeMap::new();
    let mut took: BTreeSet<usize> = BTreeSet::new();
    for Tried { attempt, server, .. } in tried.iter().filter(|one| one.row.provider.is_mail()) {
        match attempt {
            Attempt::ServerRests(words) => drop(refused.entry(*server).or_insert(words)),
            Attempt::Delivered(_) if relays[*server].may_have_rested() => drop(took.insert(*server)),
            _ => {}
        }
    }
    for server in took.iter().filter(|server| !refused.contains_key(*server)) {
        rests::end(tx, &relays[*server].name, now).await?;
    }
    if refused.is_empty() {
        return Ok(BTreeSet::new());
    }
    for (server, words) in &refused {
        rests::begin(tx, &relays[*server].name, words, now).await?;
        relays[*server].has_rested(true);
    }
    let resting = rests::resting(tx, now).await?;
    let rests = |relay: &Relay| resting.iter().any(|rest| rest.name == relay.name);
    let is_stuck =
        |server: &usize| relays.iter().filter(|relay| relay.stands_in_for(&relays[*server])).all(rests);
    Ok(refused.into_keys().filter(is_stuck).collect())
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
    let locked = push.lock_exclusive().one(tx).await?;
    let account_id = locked.as_ref().map_or(0, |push| push.account_id);
    if is_left(locked) || tally::unfinished(tx, push_id).await? > 0 {
        return Ok(());
    }
    push::Entity::update_many()
        .col_expr(push::Column::State, Expr::value(PushState::Sent))
        .col_expr(push::Column::FinishedAt, Expr::value(Some(now)))
        .filter(push::COLUMN.id.eq(push_id))
        .exec(tx)
        .await?;
    let news = News { kind: Kind::PushSent, account_id, subject_id: push_id };
    webhooks::announce::announce(tx, now, &[news]).await
}
