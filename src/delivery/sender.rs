//! The sender: claims due deliveries, keeps the connections busy with them, and writes back what
//! came of each.
//!
//! One task claims and writes back; as many others as there are connections hand over. Between them are
//! two short queues: what is to be handed over, and what was. The second is what can be told twice, with
//! the same Message-ID, when the process is killed: at most [`most_in_flight`] messages.

mod load;
mod post;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::Provider;
use crate::delivery::caps;
use crate::delivery::channel::Attempt;
use crate::delivery::ledger::{self, Tried};
use load::{Contents, Order};

pub use load::objection;
use post::Post;

pub use load::FRESH;

/// Deliveries claimed at a time.
const BATCH: usize = 500;
/// Deliveries written back at a time, and as many may wait for it.
const SETTLED: usize = 100;
/// How long those that are done wait for others to be written back with them.
const GATHER: Duration = Duration::from_millis(4);
/// How soon another node's deliveries, or a due time, are noticed.
const POLL: Duration = Duration::from_secs(1);
/// The shortest wait for a place in a cap.
const BREATH: Duration = Duration::from_millis(10);

/// Messages that may be handed over and not yet written back.
pub fn most_in_flight(app: &App) -> usize {
    2 * SETTLED + app.config.smtp_connections as usize
}

/// Sends until `stop`; then finishes what is being handed over and gives the rest back.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let owner = format!("sender-{:016x}", rand::random::<u64>());
    let mut changes = app.db.changes();
    let held = Held::default();
    while !stop.is_cancelled() {
        changes.borrow_and_update();
        let sent = tokio::select! {
            sent = send_all_due(&app, &owner, &held, &stop) => sent,
            () = keep_leases(&app, &owner, &held) => unreachable!("leases are kept for ever"),
        };
        if let Err(error) = &sent {
            tracing::error!("sending failed: {error:#}");
        }
        let pause = until_room(&app).await;
        tokio::select! {
            () = stop.cancelled() => {}
            _ = changes.changed(), if pause == POLL => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How long to wait: until a cap has room again, if one is full.
async fn until_room(app: &App) -> Duration {
    if app.caps.0.is_empty() {
        return POLL;
    }
    match caps::next_free(app.db.read()).await {
        Ok(Some(Timestamp(free))) => {
            let left = u64::try_from(free - app.clock.now().0).unwrap_or(0);
            Duration::from_millis(left).clamp(BREATH, POLL)
        }
        _ => POLL,
    }
}

/// Sends all that is due, until nothing is. For commands and tests.
pub async fn send_due(app: &Arc<App>) -> anyhow::Result<()> {
    let owner = format!("foreground-{:016x}", rand::random::<u64>());
    send_all_due(app, &owner, &Held::default(), &CancellationToken::new()).await?;
    Ok(())
}

/// Claims, hands over and writes back until nothing is due, or `stop`. Returns how many were claimed.
async fn send_all_due(
    app: &Arc<App>,
    owner: &str,
    held: &Held,
    stop: &CancellationToken,
) -> anyhow::Result<usize> {
    let mut desk = Desk::open(app, owner, held);
    let result = desk.work(stop).await;
    // What was handed over is written back also when claiming failed.
    let closed = desk.close().await;
    // What could not be written back is anybody's again.
    let left = held.take();
    if let Err(error) = ledger::release(&app.db, owner, &left).await {
        tracing::error!("giving {} deliveries back failed: {error}", left.len());
    }
    result.and_then(|count| closed.map(|()| count))
}

/// Ids of the deliveries that a sender has claimed and not written back.
#[derive(Default)]
struct Held(std::sync::Mutex<HashSet<i64>>);

impl Held {
    fn change(&self, change: impl FnOnce(&mut HashSet<i64>)) {
        change(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    }

    fn ids(&self) -> Vec<i64> {
        let mut ids = Vec::new();
        self.change(|held| ids.extend(held.iter().copied()));
        ids
    }

    fn take(&self) -> Vec<i64> {
        let mut ids = Vec::new();
        self.change(|held| ids.extend(held.drain()));
        ids
    }
}

/// The task that claims and writes back, and its helpers.
struct Desk<'a> {
    app: &'a Arc<App>,
    owner: &'a str,
    held: &'a Held,
    orders: Option<mpsc::Sender<Order>>,
    tried: mpsc::Receiver<Tried>,
    /// Taken from there, to be written back next.
    done: Vec<Tried>,
    post: Arc<Post>,
    helpers: JoinSet<()>,
    contents: Contents,
    /// Claimed and not settled.
    open: usize,
    turn: u64,
}

impl<'a> Desk<'a> {
    fn open(app: &'a Arc<App>, owner: &'a str, held: &'a Held) -> Self {
        let (orders, waiting) = mpsc::channel(2 * BATCH);
        let (done, tried) = mpsc::channel(SETTLED);
        let waiting = Arc::new(Mutex::new(waiting));
        let post = Arc::new(Post::default());
        let mut helpers = JoinSet::new();
        for _ in 0..app.config.smtp_connections {
            helpers.spawn(help(app.clone(), post.clone(), waiting.clone(), done.clone()));
        }
        let contents = Contents::default();
        Self {
            app,
            owner,
            held,
            orders: Some(orders),
            tried,
            done: Vec::new(),
            post,
            helpers,
            contents,
            open: 0,
            turn: 0,
        }
    }

    async fn work(&mut self, stop: &CancellationToken) -> anyhow::Result<usize> {
        let mut count = 0;
        let mut is_dry = false;
        let mut looked = Instant::now();
        loop {
            let wants_more = !is_dry && !stop.is_cancelled() && self.queued() < BATCH;
            if wants_more {
                let claimed = self.claim().await?;
                count += claimed;
                is_dry = claimed == 0;
                looked = Instant::now();
                self.open += claimed;
            }
            if stop.is_cancelled() {
                self.post.close();
            }
            if self.open == 0 {
                if is_dry || stop.is_cancelled() {
                    return Ok(count);
                }
                continue;
            }
            // Nobody waits for a slow message: what became due meanwhile is looked for.
            let _ = tokio::time::timeout(POLL, self.tried_some()).await;
            self.settle().await?;
            is_dry = is_dry && self.open > 0 && looked.elapsed() < POLL;
        }
    }

    fn queued(&self) -> usize {
        self.orders.as_ref().map_or(0, |orders| orders.max_capacity() - orders.capacity())
    }

    /// Claims a batch and queues it for the helpers.
    async fn claim(&mut self) -> anyhow::Result<usize> {
        let app = self.app;
        self.turn += 1;
        let claim = ledger::claim(app, self.owner, app.clock.now(), BATCH as u64, self.turn).await?;
        let count = claim.rows.len();
        self.held.change(|held| held.extend(claim.rows.iter().map(|row| row.id)));
        let orders = load::orders(app, claim, &mut self.contents).await?;
        if let Some(queue) = &self.orders {
            for order in orders {
                // There is room: nobody else fills the queue.
                let _ = queue.send(order).await;
            }
        }
        Ok(count)
    }

    /// Waits until helpers are done with something.
    async fn tried_some(&mut self) {
        if self.done.is_empty() {
            self.tried.recv_many(&mut self.done, SETTLED).await;
            if !self.done.is_empty() && self.open > self.done.len() {
                // A transaction costs as much as many rows do.
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    /// Writes back what helpers are done with.
    async fn settle(&mut self) -> anyhow::Result<()> {
        while self.done.len() < SETTLED
            && let Ok(one) = self.tried.try_recv()
        {
            self.done.push(one);
        }
        if self.done.is_empty() {
            return Ok(());
        }
        ledger::settle(self.app, self.owner, &self.done).await?;
        self.open = self.open.saturating_sub(self.done.len());
        self.held.change(|held| {
            for one in &self.done {
                held.remove(&one.row.id);
            }
        });
        self.done.drain(..).for_each(|one| log(&one));
        Ok(())
    }

    /// Lets the helpers finish what they have in their hands, and writes that back.
    async fn close(mut self) -> anyhow::Result<()> {
        self.post.close();
        self.orders = None;
        while self.open > 0 {
            self.tried_some().await;
            if self.done.is_empty() {
                break;
            }
            self.settle().await?;
        }
        self.helpers.shutdown().await;
        Ok(())
    }
}

/// Hands over one message after the other.
async fn help(
    app: Arc<App>,
    post: Arc<Post>,
    orders: Arc<Mutex<mpsc::Receiver<Order>>>,
    done: mpsc::Sender<Tried>,
) {
    loop {
        let order = orders.lock().await.recv().await;
        let Some(order) = order else { return };
        let tried = post.hand_over(&app, order).await;
        if done.send(tried).await.is_err() {
            return;
        }
    }
}

fn log(tried: &Tried) {
    let Tried { row, attempt, .. } = tried;
    let (delivery, attempts) = (row.id, row.attempts);
    let (push, alert, reader) = (row.push_id, row.alert_id, row.reader_id);
    match attempt {
        Attempt::Delivered(words) => {
            tracing::debug!(delivery, push, alert, reader, attempts, "delivered: {words}")
        }
        Attempt::Suppressed(reason) => tracing::debug!(delivery, push, alert, reader, "not sent: {reason}"),
        Attempt::NotMade => tracing::debug!(delivery, push, alert, reader, "given back"),
        Attempt::Quiet(until) => {
            tracing::debug!(delivery, push, alert, reader, "quiet hours until {}", until.rfc3339());
        }
        Attempt::ServerRests(words) => {
            tracing::debug!(delivery, push, alert, reader, "given back, its server rests: {words}");
        }
        Attempt::Later(words) => {
            let provider: &str = match row.provider {
                Provider::Other => "",
                provider => provider.into(),
            };
            tracing::info!(delivery, push, alert, reader, attempts, provider, "delivery put off: {words}");
        }
        Attempt::Failed(words) | Attempt::Unreachable { words, .. } => {
            tracing::warn!(delivery, push, alert, reader, attempts, "delivery failed: {words}");
        }
    }
}

async fn keep_leases(app: &App, owner: &str, held: &Held) {
    loop {
        tokio::time::sleep(ledger::LEASE / 3).await;
        if let Err(error) = ledger::renew(&app.db, owner, &held.ids(), app.clock.now()).await {
            tracing::warn!("renewing leases of deliveries failed: {error}");
        }
    }
}
