//! `xiangxun serve`: the web site and its workers in one process.

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::{jobs, routes};

/// Serves until SIGTERM or Ctrl-C: then stops accepting, finishes requests and gives jobs back.
pub async fn run() -> anyhow::Result<()> {
    let config = Config::load()?;
    tracing_subscriber::fmt().with_env_filter(&config.log).init();
    let app = App::open(config).await?;
    let listener = TcpListener::bind(&app.config.listen)
        .await
        .with_context(|| format!("listening on {}", app.config.listen))?;
    tracing::info!("listening on {}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::worker::run(app.clone(), stop.clone()));
    let signalled = stop.clone();
    axum::serve(listener, routes::router(app.clone()))
        .with_graceful_shutdown(async move {
            wait_for_signal().await;
            signalled.cancel();
        })
        .await?;
    worker.await?;
    Ok(())
}

async fn wait_for_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("a process may always listen for SIGTERM");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
