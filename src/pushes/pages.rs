//! The studio's pages of pushes: the list, choosing articles, the last look before sending, and
//! what became of a push.

pub mod choose;
pub mod last_look;
pub mod live;
pub mod steer;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::queries::{self, LogCursor, PushRow};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::db::entities::push::PushState;
use crate::delivery::log::{Line, Shown};
use crate::error::Error;
use crate::page::{Page, View};
use crate::path::Path;
use crate::studio::{Studio, Tab};
use live::Progress;

const PAGE: usize = 20;
const LOG_PAGE: usize = 100;
const LONGEST_SOUGHT: usize = 200;

/// The key of a push's state and the colour of its badge.
pub fn state_badge(state: &PushState) -> (&'static str, &'static str) {
    match state {
        PushState::FanningOut => ("push-state-fanning-out", "warn"),
        PushState::Sending => ("push-state-sending", "warn"),
        PushState::Sent => ("push-state-sent", "good"),
    }
}

#[derive(Template)]
#[template(path = "pushes/list.html")]
struct ListPage {
    page: Page,
    studio: Studio,
    pushes: Vec<PushRow>,
    older_url: String,
    may_push: bool,
}

/// Where in a list a page begins.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Place {
    before: Option<i64>,
}

/// `GET /studio/@{handle}/pushes`
pub async fn list_pushes(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(place): Query<Place>,
) -> Result<Response, Error> {
    let account_id = studio.account.id;
    let mut pushes = queries::of_account(app.db.read(), account_id, place.before, PAGE as u64 + 1).await?;
    let more = pushes.len() > PAGE;
    pushes.truncate(PAGE);
    let older_url = match pushes.last().filter(|_| more) {
        Some(last) => studio.path(&format!("/pushes?before={}", last.push.id)),
        None => String::new(),
    };
    let may_push = studio.may_push();
    let page = page.titled_key("studio-pushes");
    Ok(View(ListPage { page, studio: studio.at(Tab::Pushes), pushes, older_url, may_push }).into_response())
}

#[derive(Template)]
#[template(path = "pushes/show.html")]
struct PushPage {
    page: Page,
    studio: Studio,
    row: PushRow,
    /// Rendered, as the live stream sends it too.
    progress: String,
    lines: Vec<Line>,
    shown: Shown,
    /// What the log is searched for.
    sought: String,
    /// Whether addresses are shown in full.
    full: bool,
    next_url: String,
}

impl PushPage {
    fn address(&self, line: &Line) -> String {
        if self.full { line.address() } else { line.masked() }
    }

    fn path(&self) -> String {
        self.studio.path(&format!("/pushes/{}", self.row.push.id))
    }

    /// Whether anything on the page may still change.
    fn is_live(&self) -> bool {
        self.row.push.finished_at.is_none()
    }

    /// The search, for links that keep it.
    fn kept_query(&self) -> String {
        in_query(&self.sought)
    }
}

/// Which part of a log is asked for: `after` is a subscription and a channel, `12.email`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LogQuery {
    #[serde(default)]
    state: Shown,
    #[serde(default)]
    after: String,
    /// Part of an address or of an answer.
    #[serde(default)]
    q: String,
}

fn in_query(sought: &str) -> String {
    if sought.is_empty() {
        return String::new();
    }
    let sought: String = url::form_urlencoded::byte_serialize(sought.as_bytes()).collect();
    format!("&q={sought}")
}

fn cursor(text: &str) -> Option<LogCursor> {
    let (subscription_id, channel) = text.split_once('.')?;
    Some(LogCursor { subscription_id: subscription_id.parse().ok()?, channel: channel.parse().ok()? })
}

/// `GET /studio/@{handle}/pushes/{push}`
pub async fn show_push(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path((_, push_id)): Path<(String, i64)>,
    Query(query): Query<LogQuery>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let row = queries::one(db, studio.account.id, push_id).await?.ok_or(Error::NotFound)?;
    let full = studio.allows(Operation::Push);
    // Whoever sees no addresses must not find out about them either.
    let sought = if full { query.q.trim().chars().take(LONGEST_SOUGHT).collect() } else { String::new() };
    let asked = queries::LogOf {
        push_id,
        account_id: studio.account.id,
        states: query.state.states(),
        sought: &sought,
        after: cursor(&query.after),
    };
    let mut lines = queries::log(db, &asked, LOG_PAGE as u64 + 1).await?;
    let more = lines.len() > LOG_PAGE;
    lines.truncate(LOG_PAGE);
    let next_url = match lines.last().filter(|_| more) {
        Some(last) => studio.path(&format!(
            "/pushes/{push_id}?state={}&after={}.{}{}",
            query.state,
            last.subscription_id.unwrap_or_default(),
            last.channel,
            in_query(&sought)
        )),
        None => String::new(),
    };
    let page = page.titled_key("push");
    let progress = Progress::load(&app, page.clone(), row.clone()).await?.render()?;
    let studio = studio.at(Tab::Pushes);
    Ok(View(PushPage { page, full, studio, row, progress, lines, shown: query.state, sought, next_url })
        .into_response())
}
