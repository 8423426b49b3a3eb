//! Upkeep: what every working node looks after from time to time. Each part may be done by several
//! nodes at once.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::delivery::domains;
use crate::{accounts, belongings, bounces, hub, import, inbox, media, outside, subscriptions, webhooks};

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Does the upkeep at once and then every hour, until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut hours = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hours.tick() => {}
        }
        if let Err(error) = run_once(&app).await {
            tracing::error!("upkeep failed: {error:#}");
        }
    }
}

/// Does it once.
pub async fn run_once(app: &App) -> anyhow::Result<()> {
    let revived = import::revive(app).await?;
    let forgotten = subscriptions::forget_unconfirmed(app).await?;
    let ended = hub::forget_ended(app).await?;
    let (dropped, queued) = outside::look_after(app).await?;
    webhooks::forget_old(app).await?;
    inbox::forget_old(app).await?;
    bounces::forget_old(app).await?;
    belongings::export::forget_old(app).await?;
    domains::learn(app, Duration::from_secs(5 * 60)).await?;
    domains::learn_again(app).await?;
    accounts::from_address::look_again(app).await?;
    media::render::look_after(app).await?;
    media::covers::look_after(app).await?;
    if revived + forgotten + ended + dropped + queued > 0 {
        tracing::info!(
            revived,
            forgotten,
            ended,
            dropped,
            queued,
            "upkeep: sources without a job, unconfirmed subscriptions, the hub's ended leases, outside feeds \
             that nobody follows or that had no job"
        );
    }
    Ok(())
}
