//! The timeline's page.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::app::App;
use crate::auth::CurrentUser;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::home::queries::Cursor;
use crate::outbox;
use crate::page::{Page, View, redirect_with_flash};
use crate::readers;
use crate::subscriptions::timeline::queries::{self, Timeline};
use crate::subscriptions::timeline::{mark_all_read, mark_read_above};

#[derive(Template)]
#[template(path = "subscriptions/timeline.html")]
pub struct TimelinePage {
    page: Page,
    timeline: Timeline,
    only_unread: bool,
    /// `12`, or `99+`.
    unread: String,
    /// Whether this is the first page.
    first: bool,
    /// The newest article that the reader has seen on this walk down the timeline.
    newest: Option<Cursor>,
}

impl TimelinePage {
    fn first_url(&self) -> &'static str {
        if self.only_unread { "/timeline?show=unread" } else { "/timeline" }
    }

    fn older_url(&self) -> String {
        let Some(older) = self.timeline.older else { return String::new() };
        let show = if self.only_unread { "show=unread&" } else { "" };
        let newest = self.newest.map(|newest| format!("&newest={newest}")).unwrap_or_default();
        format!("/timeline?{show}after={older}{newest}")
    }

    fn has_unread(&self) -> bool {
        self.unread != "0"
    }

    fn oldest(&self) -> Option<Cursor> {
        self.timeline.items.last().map(queries::TimelineItem::cursor)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimelineQuery {
    show: String,
    after: String,
    newest: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReadForm {
    /// The places between which articles were read; no `oldest` means everything up to `newest`.
    newest: String,
    oldest: String,
    show: String,
}

pub async fn show_timeline(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Query(query): Query<TimelineQuery>,
) -> Result<View<TimelinePage>, Error> {
    let db = app.db.read();
    let only_unread = query.show == "unread";
    let after = Cursor::parse(&query.after);
    if after.is_none() {
        // Before the page is read, so that it shows all that counts as seen.
        let seen = outbox::latest(db).await?;
        readers::mark_visit_soon(&app, &user.email, seen);
    }
    let timeline = queries::page(db, user.id, only_unread, after).await?;
    let unread = queries::count_unread(db, user.id).await?;
    let unread =
        if unread < queries::COUNTED { unread.to_string() } else { format!("{}+", queries::COUNTED - 1) };
    let newest =
        Cursor::parse(&query.newest).or_else(|| timeline.items.first().map(queries::TimelineItem::cursor));
    let page = page.titled_key("timeline-title");
    Ok(View(TimelinePage { page, timeline, only_unread, unread, first: after.is_none(), newest }))
}

/// Marks as read what the reader has seen so far, or everything.
pub async fn mark_timeline_read(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Form(form): Form<ReadForm>,
) -> Result<Response, Error> {
    let newest = Cursor::parse(&form.newest).ok_or_else(|| Error::invalid("newest", "error-invalid"))?;
    match Cursor::parse(&form.oldest) {
        Some(oldest) => mark_read_above(&app, user.id, newest, oldest).await?,
        None => mark_all_read(&app, user.id, Timestamp(newest.published_at)).await?,
    }
    let back = if form.show == "unread" { "/timeline?show=unread" } else { "/timeline" };
    Ok(redirect_with_flash(back, "flash-timeline-read"))
}
