//! `xiangxun serve`: the web site and its workers in one process, or one of the two.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::log;
use crate::app::App;
use crate::config::Config;
use crate::routes::Site;
use crate::server::{self, Bounds};
use crate::{auth, blocking, bounces, delivery, digests, jobs, search, statics};

/// How long requests under way may take after the signal to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
pub struct Options {
    /// What this node does; a site needs at least one web node and one worker node
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
}

/// What a node does.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Answer requests, and keep this node's search index
    Web,
    /// Do jobs: tell subscribers, build digests, fetch feeds, publish what is scheduled
    Worker,
    /// Both
    All,
}

/// Serves until SIGTERM or Ctrl-C: then stops accepting, finishes requests and gives jobs back.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = Config::load()?;
    let _lines = log::start(&config);
    let app = App::open(config).await?;
    let stop = stop_signal()?;
    let bounces = if options.role == Role::Web { None } else { bounces::listener::bind(&app).await? };
    let mut node = Node::start(app.clone(), options.role, stop);
    if let Some(listener) = bounces {
        tracing::info!("taking bounces on {}", listener.local_addr()?);
        node.tasks.spawn(bounces::listener::run(app.clone(), listener, node.stop.clone()));
    }
    if options.role != Role::Worker {
        let listener = listen(&app).await?;
        tracing::info!("listening on {}", listener.local_addr()?);
        if let Some(link) = auth::setup::link_if_empty(&app).await? {
            println!(
                "Nobody runs this instance yet. Open this link within a day to become its operator:\n{link}"
            );
        }
        node.answer(listener).await;
    }
    node.finish().await
}

/// Cancelled by the first SIGTERM or Ctrl-C; the second ends the process at once.
pub fn stop_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if told.is_cancelled() {
                tracing::warn!("stopping at once");
                std::process::exit(130);
            }
            tracing::info!("stopping");
            told.cancel();
        }
    });
    Ok(stop)
}

/// Opens the address of the settings.
pub async fn listen(app: &App) -> anyhow::Result<TcpListener> {
    let address = &app.config.listen;
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

/// What runs in this process beside the answering of requests.
pub struct Node {
    app: Arc<App>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Node {
    /// Starts the tasks of a role; they end when `stop` is cancelled.
    pub fn start(app: Arc<App>, role: Role, stop: CancellationToken) -> Self {
        let mut tasks = JoinSet::new();
        if role != Role::Web {
            tasks.spawn(jobs::worker::run(app.clone(), stop.clone()));
            tasks.spawn(jobs::upkeep::run(app.clone(), stop.clone()));
            tasks.spawn(digests::run(app.clone(), stop.clone()));
            tasks.spawn(delivery::sender::run(app.clone(), stop.clone()));
            tasks.spawn(delivery::web_push::sender::run(app.clone(), stop.clone()));
        }
        if role != Role::Worker {
            tasks.spawn(search::follower::run(app.clone(), stop.clone()));
            tasks.spawn(search::suggest::follower::run(app.clone(), stop.clone()));
            tasks.spawn(search::insight::run(app.clone(), stop.clone()));
            tasks.spawn(search::related::run(app.clone(), stop.clone()));
            // A build that is not optimised would take a core for half a minute.
            if !cfg!(debug_assertions) {
                tasks.spawn(async { drop(blocking::run(statics::prepare).await) });
            }
        }
        Self { app, tasks, stop }
    }

    /// Answers requests until the stop, then finishes those under way.
    pub async fn answer(&mut self, listener: TcpListener) {
        let site = Site::new(self.app.clone());
        let overdue = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_REQUESTS).await;
        };
        tokio::select! {
            () = server::answer(listener, site, self.stop.clone(), Bounds::default()) => {}
            () = overdue => tracing::warn!("some requests were not finished in time"),
        }
    }

    /// Waits for the stop, and for the tasks to give back what they hold.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        self.stop.cancelled().await;
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a task ended badly")?;
        }
        self.app.db.clone().close().await?;
        tracing::info!("stopped");
        Ok(())
    }
}
