//! `/studio/messages`: what became of every message, for the site's operators.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::Shown;
use super::queries::{self, Asked, Found, Kind, Message, What};
use crate::accounts::By;
use crate::app::App;
use crate::auth::{Address, CurrentUser};
use crate::delivery::owners::{MOST, Owners};
use crate::error::{Error, Problems};
use crate::page::{Page, View};

const PAGE: u64 = 50;
const PATH: &str = "/studio/messages";

/// What is looked for, and where in the log.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LogQuery {
    /// An address or its beginning.
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    state: Shown,
    before: Option<i64>,
}

impl LogQuery {
    fn is_everything(&self) -> bool {
        self.q.trim().is_empty() && (self.kind, self.state, self.before) == (Kind::All, Shown::All, None)
    }

    /// The same messages from another place on.
    fn path(&self, before: Option<i64>) -> String {
        let mut query = Serializer::new(String::new());
        if !self.q.trim().is_empty() {
            query.append_pair("q", self.q.trim());
        }
        if self.kind != Kind::All {
            query.append_pair("kind", &self.kind.to_string());
        }
        if self.state != Shown::All {
            query.append_pair("state", &self.state.to_string());
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        match query.finish() {
            query if query.is_empty() => PATH.to_owned(),
            query => format!("{PATH}?{query}"),
        }
    }
}

#[derive(Template)]
#[template(path = "delivery/messages.html")]
struct MessagesPage {
    page: Page,
    query: LogQuery,
    problems: Problems,
    found: Found,
    /// Not all addresses that begin so were looked up.
    many: bool,
}

impl MessagesPage {
    fn newest_url(&self) -> String {
        self.query.before.map(|_| self.query.path(None)).unwrap_or_default()
    }

    fn older_url(&self) -> String {
        self.found.next.map(|id| self.query.path(Some(id))).unwrap_or_default()
    }

    fn older_key(&self) -> &'static str {
        if self.found.looked_until.is_some() { "messages-further" } else { "messages-older" }
    }

    /// When it changed, if that was after the minute in which it was written; without the day if it is the same.
    fn changed(&self, message: &Message) -> Option<String> {
        let (written, changed) = (&message.line.created_at, &message.line.updated_at);
        let moment = self.page.date_time(changed);
        let is_same_day = self.page.date(written) == self.page.date(changed);
        (self.page.date_time(written) != moment)
            .then(|| if is_same_day { self.page.time(changed) } else { moment })
    }

    fn most(&self) -> usize {
        MOST
    }
}

/// `GET /studio/messages`
pub async fn list_messages(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    page: Page,
    Query(query): Query<LogQuery>,
) -> Result<Response, Error> {
    By::User(&user).require_operator()?;
    let db = app.db.read();
    let mut asked = Asked { kind: query.kind, shown: query.state, owners: None };
    let mut problems = Problems::default();
    if !query.q.trim().is_empty() {
        match Address::beginning(&query.q) {
            Ok(beginning) => asked.owners = Some(Owners::find(db, &beginning).await?),
            Err(message) => problems.add("q", message),
        }
    }
    let found = if problems.is_empty() {
        queries::find(db, &asked, query.before, PAGE).await?
    } else {
        Found::default()
    };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let many = asked.owners.is_some_and(|owners| owners.more);
    let page = page.titled_key("messages-title");
    Ok((status, View(MessagesPage { page, query, problems, found, many })).into_response())
}
