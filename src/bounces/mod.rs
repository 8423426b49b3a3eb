//! Bounces: word that comes back about messages, and what follows from it.
//!
//! Mail goes out under a signed [`return_path`], so that whatever comes back says which delivery it is
//! about. It comes to the small mail server of [`listener`] or, from a mailing service, to [`hooks`];
//! [`report`] reads it; [`take`] keeps it, once, with a job that [`heed`]s it: an address that is gone is
//! not written to again, nor one whose reader complained, and the ledger says so in the remote's words.

pub mod hooks;
pub mod listener;
pub mod queries;
pub mod report;
pub mod return_path;
mod session;

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect, TryInsertResult,
};

use crate::alerts;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::alert::AlertState;
use crate::db::entities::bounce::{self, BounceKind};
use crate::db::entities::delivery::{self, DeliveryState, Subject};
use crate::db::entities::subscription;
use crate::delivery::tally::Changes;
use crate::delivery::{ledger, suppress};
use crate::error::Error;
use crate::jobs::{Job, Outcome, queue};
use crate::{readers, subscriptions};

/// An address is no longer written to after so many soft bounces of different messages ..
pub const SOFT_BOUNCES: u64 = 3;
/// .. within this time, and none delivered between the first and the last of them.
pub const SOFT_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// What came back is forgotten after it; return paths older than that are not taken.
pub const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// How much of the remote's words is kept, in characters.
const WORDS: usize = 500;

/// What somebody says became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub kind: BounceKind,
    /// The remote's.
    pub words: String,
}

/// What it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One of our deliveries.
    Delivery(i64),
    /// An address, told by a service under a number of its own. One that nobody here has is not kept.
    Address { email: String, number: String },
}

/// Keeps word that came back, with the job that heeds it; what is known already changes nothing. Returns
/// whether it was new.
pub async fn take(app: &App, about: &About, word: &Word) -> Result<bool, DbErr> {
    let now = app.clock.now();
    let kind: &'static str = word.kind.into();
    let (key, delivery_id, email) = match about {
        About::Delivery(id) => match queries::recipient(app.db.read(), *id, now - KEPT).await? {
            Some(email) => (format!("{id}:{kind}"), Some(*id), email),
            // It was long ago, or whom it was for is gone: their address is not to come back with it.
            None => return Ok(false),
        },
        About::Address { email, number } => {
            let email = email.to_lowercase();
            if !queries::is_known(app.db.read(), &email).await? {
                return Ok(false);
            }
            (format!("{number}:{kind}"), None, email)
        }
    };
    let tx = app.db.begin().await?;
    if !keep(&tx, now, key, delivery_id, email, word).await? {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

/// Takes what a mail server said to the sender itself when it refused a message for good because the mailbox is full: it
/// is no other than what comes back later from a server that looks only then.
pub async fn take_full(
    tx: &DatabaseTransaction,
    now: Timestamp,
    delivery_id: i64,
    words: &str,
) -> Result<(), DbErr> {
    if let Some(email) = queries::recipient(tx, delivery_id, now - KEPT).await? {
        let word = Word { kind: BounceKind::Soft, words: words.to_owned() };
        let kind: &'static str = word.kind.into();
        keep(tx, now, format!("{delivery_id}:{kind}"), Some(delivery_id), email, &word).await?;
    }
    Ok(())
}

/// Writes word with the job that heeds it; false where it is known already.
async fn keep(
    tx: &DatabaseTransaction,
    now: Timestamp,
    key: String,
    delivery_id: Option<i64>,
    email: String,
    word: &Word,
) -> Result<bool, DbErr> {
    let row = bounce::ActiveModel {
        id: NotSet,
        key: Set(key),
        delivery_id: Set(delivery_id),
        email: Set(email),
        kind: Set(word.kind),
        words: Set(tidy(&word.words)),
        created_at: Set(now),
    };
    let written =
        bounce::Entity::insert(row).on_conflict_do_nothing_on([bounce::Column::Key]).exec(tx).await?;
    let TryInsertResult::Inserted(written) = written else { return Ok(false) };
    let job = Job::HeedBounce { bounce_id: written.last_insert_id };
    queue::enqueue(tx, now, job, now).await?;
    Ok(true)
}

/// On one line, without what a database refuses, and not too long.
fn tidy(words: &str) -> String {
    let words: Vec<&str> = words.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: String = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().take(WORDS).collect()
}

/// Does the job of a bounce.
pub async fn heed(app: &App, bounce_id: i64) -> anyhow::Result<Outcome> {
    let Some(bounce) = bounce::Entity::find_by_id(bounce_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let row = match bounce.delivery_id {
        Some(id) => match addressed(&tx, id, now).await? {
            Some(row) => Some(row),
            None => return Ok(Outcome::Done),
        },
        None => None,
    };
    if row.as_ref().is_some_and(|row| row.lease_until.is_some_and(|until| until > now)) {
        // It bounced faster than its sender could write that it was taken.
        let job = Job::HeedBounce { bounce_id };
        return Ok(Outcome::Again { job, run_at: now + ledger::LEASE / 6 });
    }
    let words = match bounce.kind {
        BounceKind::Complaint => format!("complaint: {}", bounce.words),
        BounceKind::Hard | BounceKind::Soft => format!("bounced: {}", bounce.words),
    };
    if let Some(row) = &row {
        mark(app, &tx, row, bounce.kind, &words).await?;
    }
    let is_enough = match bounce.kind {
        BounceKind::Hard | BounceKind::Complaint => true,
        BounceKind::Soft => queries::bounces_softly(&*tx, &bounce.email, now).await?,
    };
    if is_enough {
        suppress(&*tx, now, &bounce.email, &words).await?;
    }
    tx.commit().await?;
    tracing::info!(bounce = bounce_id, delivery = bounce.delivery_id, kind = %bounce.kind, "{words}");
    if bounce.kind == BounceKind::Complaint
        && let Some(subject) = row.as_ref().and_then(delivery::Model::subject)
    {
        unsubscribe(app, subject).await?;
    }
    Ok(Outcome::Done)
}

/// The delivery that a bounce is about, locked; none if whom it was for has left since it came. Its subscription is held
/// too, so that nobody leaves between this look and what is written.
async fn addressed(
    tx: &DatabaseTransaction,
    id: i64,
    now: Timestamp,
) -> Result<Option<delivery::Model>, DbErr> {
    let Some(row) = delivery::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    if let Some(id) = row.subscription_id {
        subscription::Entity::find_by_id(id).lock_shared().one(tx).await?;
    }
    if queries::recipient(tx, id, now - KEPT).await?.is_none() {
        return Ok(None);
    }
    delivery::Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Writes into the ledger what became of a delivery.
async fn mark(
    app: &App,
    tx: &DatabaseTransaction,
    row: &delivery::Model,
    kind: BounceKind,
    words: &str,
) -> Result<(), DbErr> {
    // A message that was called spam did arrive. One that waits for another attempt keeps doing so.
    let has_failed = kind != BounceKind::Complaint && row.state == DeliveryState::Delivered;
    let state = if has_failed { DeliveryState::Failed } else { row.state };
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::value(state))
        .col_expr(delivery::Column::Answer, Expr::value(words))
        .col_expr(delivery::Column::UpdatedAt, Expr::value(app.clock.now()))
        .filter(delivery::COLUMN.id.eq(row.id))
        .exec(tx)
        .await?;
    if let (Some(push_id), true) = (row.push_id, has_failed) {
        let mut changes = Changes::default();
        changes.moved((push_id, row.channel, row.provider), row.state, state);
        changes.apply(tx).await?;
    }
    Ok(())
}

/// Takes a reader who complained at their word.
async fn unsubscribe(app: &App, subject: Subject<'_>) -> anyhow::Result<()> {
    let done = match subject {
        Subject::Push { subscription_id, .. } => {
            subscriptions::change(app, subscription_id, subscriptions::Change::Leave).await.map(drop)
        }
        Subject::Alert { alert_id, .. } => {
            let stop = alerts::Change { state: Some(AlertState::Paused), ..alerts::Change::default() };
            alerts::change(app, alert_id, &stop).await.map(drop)
        }
        Subject::Digest { reader_id, .. } => {
            let reader = readers::queries::get(app.db.read(), &app.config, reader_id).await;
            match reader {
                Ok(reader) => subscriptions::mute_digests(app, &reader.email).await,
                Err(error) => Err(error),
            }
        }
    };
    match done {
        Ok(()) | Err(Error::NotFound | Error::Gone(_)) => Ok(()),
        Err(Error::Internal(error)) => Err(error),
        Err(error) => Err(anyhow::anyhow!("{error:?}")),
    }
}

/// Forgets what came back long ago; returns how much.
pub async fn forget_old(app: &App) -> Result<u64, DbErr> {
    let gone = bounce::Entity::delete_many()
        .filter(bounce::COLUMN.created_at.lt(app.clock.now() - KEPT))
        .exec(app.db.write())
        .await?;
    Ok(gone.rows_affected)
}
