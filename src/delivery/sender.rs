//! The sender: claims due deliveries, keeps the connections busy with them, and writes back what
//! came of each. At most twice [`mail::CONNECTIONS`] messages are handed over and not yet written
//! back; so many can be told twice when the process is killed, with the same Message-ID.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::alerts;
use crate::app::App;
use crate::db::entities::delivery::{self, Subject};
use crate::delivery::channel::{self, Attempt};
use crate::delivery::ledger;
use crate::delivery::queries::{self, Content};
use crate::mail;

/// Deliveries claimed at a time.
const BATCH: u64 = 100;
/// How soon another node's deliveries, or a due time, are noticed.
const POLL: Duration = Duration::from_secs(1);
/// No channel may take longer over one message.
const PATIENCE: Duration = Duration::from_secs(180);
/// Messages handed over at the same time.
const CONCURRENCY: usize = mail::CONNECTIONS as usize;

type Contents = Arc<HashMap<i64, Option<Content>>>;

/// Sends until `stop`; then finishes what is being handed over and gives the rest back.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let owner = format!("sender-{:016x}", rand::random::<u64>());
    let mut changes = app.db.changes();
    while !stop.is_cancelled() {
        changes.borrow_and_update();
        let sent = tokio::select! {
            sent = send_batch(&app, &owner, &stop) => sent,
            () = keep_leases(&app, &owner) => unreachable!("leases are kept for ever"),
        };
        match sent {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!("sending failed: {error:#}"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    if let Err(error) = ledger::release(&app.db, &owner, app.clock.now()).await {
        tracing::error!("giving deliveries back failed: {error}");
    }
}

/// Sends all that is due, until nothing is. For commands and tests.
pub async fn send_due(app: &Arc<App>) -> anyhow::Result<()> {
    let owner = format!("foreground-{:016x}", rand::random::<u64>());
    while send_batch(app, &owner, &CancellationToken::new()).await? > 0 {}
    Ok(())
}

/// Claims a batch and sends it; returns how many were claimed.
async fn send_batch(app: &Arc<App>, owner: &str, stop: &CancellationToken) -> anyhow::Result<usize> {
    let now = app.clock.now();
    if !ledger::has_due(&app.db, now).await? {
        return Ok(0);
    }
    let claimed = ledger::claim(app, owner, now, BATCH).await?;
    let count = claimed.len();
    let contents = contents(app, &claimed).await?;
    let mut settled = stream::iter(claimed)
        .take_while(|_| std::future::ready(!stop.is_cancelled()))
        .map(|row| {
            // A task of its own, so that it goes on while others are written back.
            let task = tokio::spawn(attempt(app.clone(), contents.clone(), row.clone()));
            async move { (row, task.await.unwrap_or_else(|error| Attempt::Later(error.to_string()))) }
        })
        .buffer_unordered(CONCURRENCY)
        .ready_chunks(CONCURRENCY);
    while let Some(attempts) = settled.next().await {
        ledger::settle(app, owner, &attempts).await?;
        for (row, attempt) in &attempts {
            log(row, attempt);
        }
    }
    Ok(count)
}

/// What each push of the batch tells of: read once for all of its recipients.
async fn contents(app: &App, claimed: &[delivery::Model]) -> anyhow::Result<Contents> {
    let mut contents = HashMap::new();
    for row in claimed {
        let Some(push_id) = row.push_id else { continue };
        if let Entry::Vacant(unread) = contents.entry(push_id) {
            unread.insert(queries::content(app.db.read(), push_id).await?);
        }
    }
    Ok(Arc::new(contents))
}

async fn attempt(app: Arc<App>, contents: Contents, row: delivery::Model) -> Attempt {
    match tokio::time::timeout(PATIENCE, try_to_tell(&app, &contents, &row)).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(error)) => Attempt::Later(format!("{error:#}")),
        Err(_) => Attempt::Later(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Looks once more whether the reader wants it, then tells them.
async fn try_to_tell(app: &App, contents: &Contents, row: &delivery::Model) -> anyhow::Result<Attempt> {
    match row.subject() {
        Some(Subject::Push { push_id, subscription_id }) => {
            let content = contents.get(&push_id).and_then(Option::as_ref);
            try_to_tell_of_push(app, content, subscription_id, row).await
        }
        Some(Subject::Alert { alert_id, occasion }) => {
            match alerts::queries::found(app.db.read(), alert_id, occasion).await? {
                Ok(found) => channel::tell_of_alert(app, &found, row).await,
                Err(objection) => Ok(Attempt::Suppressed(objection)),
            }
        }
        None => Ok(Attempt::Suppressed("it tells of nothing that is known here".into())),
    }
}

async fn try_to_tell_of_push(
    app: &App,
    content: Option<&Content>,
    subscription_id: i64,
    row: &delivery::Model,
) -> anyhow::Result<Attempt> {
    let Some(recipient) = queries::recipient(app.db.read(), subscription_id).await? else {
        return Ok(Attempt::Suppressed("the subscription is gone".into()));
    };
    if let Some(objection) = channel::objection(row.channel, &recipient.subscription) {
        return Ok(Attempt::Suppressed(objection.into()));
    }
    if let Some(reason) = recipient.suppressed {
        return Ok(Attempt::Suppressed(reason));
    }
    let Some(content) = content else {
        return Ok(Attempt::Suppressed("the articles were withdrawn".into()));
    };
    channel::tell(app, content, &recipient, row).await
}

fn log(row: &delivery::Model, attempt: &Attempt) {
    let (delivery, attempts) = (row.id, row.attempts);
    let (push, alert) = (row.push_id, row.alert_id);
    match attempt {
        Attempt::Delivered(words) => tracing::debug!(delivery, push, alert, attempts, "delivered: {words}"),
        Attempt::Suppressed(reason) => tracing::debug!(delivery, push, alert, "not sent: {reason}"),
        Attempt::Later(words) => tracing::info!(delivery, push, alert, attempts, "delivery put off: {words}"),
        Attempt::Failed(words) | Attempt::Unreachable { words, .. } => {
            tracing::warn!(delivery, push, alert, attempts, "delivery failed: {words}");
        }
    }
}

async fn keep_leases(app: &App, owner: &str) {
    loop {
        tokio::time::sleep(ledger::LEASE / 3).await;
        if let Err(error) = ledger::renew(&app.db, owner, app.clock.now()).await {
            tracing::warn!("renewing leases of deliveries failed: {error}");
        }
    }
}
