//! How many items are unread, as a stream for as long as somebody looks.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::watch;

use super::queries;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::error::Error;

/// How soon what another node wrote is noticed.
const EVERY: Duration = Duration::from_secs(4);
/// The shortest time between two looks, however much is written meanwhile.
const BREATH: Duration = Duration::from_secs(1);
/// How long a stream lasts; the browser then asks for the next one. Short, so that a node that is to stop does not
/// wait for it.
const LIFE: Duration = Duration::from_secs(20);
/// Streams of one reader, and of one node.
const MOST_OF_READER: usize = 6;
const MOST: usize = 2_000;
/// How soon a reader with too many streams may ask again.
const COME_BACK: Duration = Duration::from_secs(30);

/// The streams of this node.
#[derive(Debug)]
pub struct Live {
    open: Mutex<HashMap<i64, usize>>,
    /// Goes up when somebody reads something here.
    changes: watch::Sender<u64>,
}

impl Default for Live {
    fn default() -> Self {
        Self { open: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl Live {
    /// Lets streams look again.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn enter(app: &Arc<App>, user_id: i64) -> Option<Seat> {
        let mut open = app.inbox.open.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = open.values().sum();
        let own = open.entry(user_id).or_default();
        if total >= MOST || *own >= MOST_OF_READER {
            return None;
        }
        *own += 1;
        Some(Seat { app: app.clone(), user_id })
    }
}

/// A place among the streams, until dropped.
struct Seat {
    app: Arc<App>,
    user_id: i64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.app.inbox.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.user_id) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.user_id);
            }
        }
    }
}

/// `GET /inbox/live`: the number of unread items whenever it has changed, as `text/event-stream`. Who has too many
/// streams open is asked to come back; the page shows the number when it is loaded anyway.
pub async fn stream_inbox(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let seat = Live::enter(&app, user.id).ok_or(Error::TooMany { retry_after: COME_BACK })?;
    let watch = Watch {
        written: app.db.changes(),
        read: app.inbox.changes.subscribe(),
        seat,
        shown: None,
        ends: Instant::now() + LIFE,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// A reader who looks.
struct Watch {
    seat: Seat,
    written: watch::Receiver<u64>,
    read: watch::Receiver<u64>,
    /// What was sent last.
    shown: Option<u64>,
    ends: Instant,
}

impl Watch {
    /// The next number; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        while Instant::now() < self.ends {
            if self.shown.is_some() {
                self.wait().await;
            }
            let unread = queries::unread(self.seat.app.db.read(), self.seat.user_id).await.ok()?;
            if self.shown != Some(unread) {
                self.shown = Some(unread);
                return Some(Event::default().event("unread").data(unread.to_string()).retry(BREATH));
            }
        }
        None
    }

    /// Until something may have changed.
    async fn wait(&mut self) {
        tokio::time::sleep(BREATH).await;
        let rest = EVERY - BREATH;
        let _ = tokio::time::timeout(rest, async {
            tokio::select! {
                _ = self.written.changed() => {}
                _ = self.read.changed() => {}
            }
        })
        .await;
    }
}
