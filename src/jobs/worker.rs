//! The worker: claims due jobs, does a few at a time, renews their leases, and gives them back on
//! shutdown.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Job, Outcome, perform, queue};
use crate::app::App;
use crate::db::entities::job;

/// Jobs done at the same time by one node. Those that wait for other people's servers have nine places at most: four visit
/// feeds, three post, two fetch covers.
const CONCURRENCY: usize = 10;
/// How soon another node's job, or a due time, is noticed.
const POLL: Duration = Duration::from_millis(500);

/// Works until `stop`; jobs under way are then finished if they are quick, else given back.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let owner = format!("worker-{:016x}", rand::random::<u64>());
    let mut changes = app.db.changes();
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        let free = CONCURRENCY - running.len();
        let claimed = match queue::claim(&app.db, &owner, app.clock.now(), free as u64).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!("claiming jobs failed: {error}");
                Vec::new()
            }
        };
        let found_work = !claimed.is_empty();
        for row in claimed {
            let (app, owner) = (app.clone(), owner.clone());
            running.spawn(async move { work_on(&app, &owner, row).await });
        }
        if found_work && running.len() < CONCURRENCY {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = running.join_next(), if !running.is_empty() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let finish = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(10), finish).await.is_err() {
        running.shutdown().await;
    }
    if let Err(error) = queue::release(&app.db, &owner).await {
        tracing::error!("giving jobs back failed: {error}");
    }
}

/// Does every job that is due, one after the other, until none is left. For commands and tests.
pub async fn run_due(app: &App) -> anyhow::Result<()> {
    loop {
        let claimed = queue::claim(&app.db, "foreground", app.clock.now(), 16).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        for row in claimed {
            work_on(app, "foreground", row).await;
        }
    }
}

async fn work_on(app: &App, owner: &str, row: job::Model) {
    let result = tokio::select! {
        result = perform_row(app, &row) => result,
        () = keep_lease(app, owner, row.id) => return,
    };
    if let Err(error) = queue::settle(&app.db, &row, owner, app.clock.now(), result).await {
        tracing::error!(job = row.id, "settling a job failed: {error}");
    }
}

async fn perform_row(app: &App, row: &job::Model) -> anyhow::Result<Outcome> {
    let job: Job = serde_json::from_value(row.payload.clone()).context("reading the job")?;
    perform(app, job).await
}

/// Renews the lease as long as it is ours; returns when it is lost.
async fn keep_lease(app: &App, owner: &str, id: i64) {
    loop {
        tokio::time::sleep(queue::LEASE / 3).await;
        match queue::renew(&app.db, id, owner, app.clock.now()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(job = id, "renewing a lease failed: {error}"),
        }
    }
}
