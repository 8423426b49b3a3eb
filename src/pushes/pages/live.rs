//! How far a push has come, on its page and as a stream for as long as it goes on.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;

use crate::app::App;
use crate::db::entities::delivery::Channel;
use crate::db::entities::{provider_pause, push_tally, server_rest};
use crate::delivery::{provider, rests, tally};
use crate::error::Error;
use crate::page::{Page, grouped};
use crate::path::Path;
use crate::pushes::queries::{self, PushRow};
use crate::studio::Studio;

/// How often the stream looks.
const EVERY: Duration = Duration::from_secs(1);
/// How long a stream lasts; the browser then asks for the next one. Short, so that a node that is to stop
/// does not wait for it.
const LIFE: Duration = Duration::from_secs(20);
/// Over how many looks the rate is measured.
const LOOKS: usize = 10;

/// How fast messages go out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Messages a second, if any went out lately.
    pub rate: Option<i64>,
}

#[derive(Template)]
#[template(path = "pushes/progress.html")]
pub struct Progress {
    page: Page,
    row: PushRow,
    tallies: Vec<push_tally::Model>,
    /// Providers of this push that are left alone for now.
    pauses: Vec<provider_pause::Model>,
    /// No mail server takes its mail now.
    rest: Option<server_rest::Model>,
    pace: Pace,
}

impl Progress {
    /// With the average pace since the push began.
    pub async fn load(app: &App, page: Page, row: PushRow) -> Result<Self, Error> {
        let db = app.db.read();
        let tallies = tally::of_pushes(db, &[row.push.id]).await?;
        let waiting = |provider| tallies.iter().any(|one| one.provider == provider && one.waiting > 0);
        let now = app.clock.now();
        let mut pauses = provider::pauses(db, now).await?;
        pauses.retain(|pause| waiting(pause.provider));
        let mail_waits = tallies.iter().any(|one| one.channel == Channel::Email && one.waiting > 0);
        let rest = if mail_waits { rests::of_push(app, row.push.id, now).await? } else { None };
        let seconds = (now.0 - row.push.created_at.0) / 1_000;
        let is_going = row.push.finished_at.is_none() && seconds > 0;
        let rate = is_going.then(|| row.tally.delivered / seconds).filter(|rate| *rate > 0);
        Ok(Self { page, row, tallies, pauses, rest, pace: Pace { rate } })
    }

    fn time_left(&self) -> Option<String> {
        let seconds = self.row.tally.unfinished() / self.pace.rate?;
        Some(match seconds {
            0..60 => self.page.n("push-left-seconds", seconds),
            60..5_400 => self.page.n("push-left-minutes", (seconds + 30) / 60),
            _ => self.page.n("push-left-hours", grouped((seconds + 1_800) / 3_600)),
        })
    }
}

/// Delivered so far, at some moments.
#[derive(Default)]
struct Looks(VecDeque<(Instant, i64)>);

impl Looks {
    /// Messages a second over the last looks.
    fn pace(&mut self, delivered: i64) -> Pace {
        self.0.push_back((Instant::now(), delivered));
        if self.0.len() > LOOKS {
            self.0.pop_front();
        }
        let (Some(first), Some(last)) = (self.0.front(), self.0.back()) else { return Pace::default() };
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        let rate = ((last.1 - first.1) as f64 / seconds).round() as i64;
        Pace { rate: (seconds > 0.0 && rate > 0).then_some(rate) }
    }
}

/// `GET /studio/@{handle}/pushes/{push}/live`: the page's progress anew whenever it has changed, as
/// `text/event-stream`; `done` once nothing will change any more.
pub async fn stream_push(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path((_, push_id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    let account_id = studio.account.id;
    queries::one(app.db.read(), account_id, push_id).await?.ok_or(Error::NotFound)?;
    let watch = Watch {
        app,
        page,
        account_id,
        push_id,
        looks: Looks::default(),
        shown: String::new(),
        ends: Instant::now() + LIFE,
        is_over: false,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// Somebody who looks at a push.
struct Watch {
    app: Arc<App>,
    page: Page,
    account_id: i64,
    push_id: i64,
    looks: Looks,
    /// What was sent last.
    shown: String,
    ends: Instant,
    is_over: bool,
}

impl Watch {
    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over && Instant::now() < self.ends {
            if !self.shown.is_empty() {
                tokio::time::sleep(EVERY).await;
            }
            let row = queries::one(self.app.db.read(), self.account_id, self.push_id).await.ok()??;
            self.is_over = row.push.finished_at.is_some();
            if self.is_over {
                return Some(Event::default().event("done").data("1"));
            }
            let pace = self.looks.pace(row.tally.delivered);
            let mut progress = Progress::load(&self.app, self.page.clone(), row).await.ok()?;
            // The average stands until there is something to measure by.
            if self.looks.0.len() > 1 {
                progress.pace = pace;
            }
            let html = progress.render().ok()?;
            if html != self.shown {
                self.shown.clone_from(&html);
                return Some(Event::default().event("progress").data(html).retry(EVERY));
            }
        }
        None
    }
}
