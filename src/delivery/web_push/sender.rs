//! The sender of notifications: claims what is due, posts a few at a time, and writes back what came of each.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tokio_util::sync::CancellationToken;

use super::{SOON, attempt};
use crate::app::App;
use crate::db::entities::delivery;
use crate::delivery::channel::Attempt;
use crate::delivery::ledger::{self, Tried};

/// Deliveries claimed at a time: few enough that their lease outlasts slow services.
const BATCH: u64 = 64;
/// Messages under way at the same time.
const AT_ONCE: usize = 16;
/// How soon another node's deliveries, or a due time, are noticed.
const POLL: Duration = Duration::from_secs(1);
/// For one delivery, to all devices of its reader.
const PATIENCE: Duration = Duration::from_secs(45);

/// Sends until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let owner = format!("notifier-{:016x}", rand::random::<u64>());
    let mut changes = app.db.changes();
    while !stop.is_cancelled() {
        changes.borrow_and_update();
        if let Err(error) = send_some(&app, &owner, &stop).await {
            tracing::error!("notifying failed: {error:#}");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Sends all that is due, until nothing is. For commands and tests.
pub async fn send_due(app: &Arc<App>) -> anyhow::Result<()> {
    let owner = format!("foreground-{:016x}", rand::random::<u64>());
    send_some(app, &owner, &CancellationToken::new()).await
}

async fn send_some(app: &Arc<App>, owner: &str, stop: &CancellationToken) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        let rows = ledger::claim_notices(app, owner, app.clock.now(), BATCH).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut tried: Vec<Tried> = stream::iter(rows)
            .map(|row| hand_over(app, row, owner))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        // Of several for one reader the first tells of all: the others find themselves told now.
        for one in &mut tried {
            if one.attempt == Attempt::Later(SOON.into()) {
                *one = hand_over(app, one.row.clone(), owner).await;
            }
        }
        ledger::settle(app, owner, &tried).await?;
        for Tried { row, attempt, .. } in &tried {
            tracing::debug!(
                delivery = row.id,
                push = row.push_id,
                alert = row.alert_id,
                "notified: {attempt:?}"
            );
        }
    }
    Ok(())
}

async fn hand_over(app: &App, row: delivery::Model, owner: &str) -> Tried {
    let attempt = match tokio::time::timeout(PATIENCE, attempt(app, &row)).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(error)) => Attempt::Later(format!("{error:#}")),
        Err(_) => Attempt::Later(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    Tried { row, attempt, holder: owner.into(), server: 0 }
}
