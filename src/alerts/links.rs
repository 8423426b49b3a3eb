//! Signed links: an alert is stopped from its mail, without signing in. As with subscriptions, the
//! signature is all the authority that these URLs have or need.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::alerts::{self, Change, queries};
use crate::app::App;
use crate::db::entities::alert::{self, AlertState};
use crate::error::Error;
use crate::page::{Page, View};
use crate::path::Path;
use crate::subscriptions::links::{PREFIX, pages::nothing_left_page};

const PURPOSE: &str = "alert";

/// Where an alert is stopped: a GET shows a button, a POST acts. Good for ever, as old mails are.
pub fn stop_path(app: &App, alert_id: i64) -> String {
    format!("{PREFIX}alerts/{}/stop", app.signer.sign(PURPOSE, &alert_id.to_string()))
}

/// The alert of a [`stop_path`].
///
/// # Errors
/// Not found when the signature is not ours, or the alert was deleted.
async fn signed_alert(app: &App, signed: &str) -> Result<alert::Model, Error> {
    let id = app.signer.verify(PURPOSE, signed).and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
    queries::get(app.db.read(), id).await
}

#[derive(Template)]
#[template(path = "alerts/stop.html")]
struct StopPage {
    page: Page,
    signed: String,
    alert: alert::Model,
}

/// Asks whether to stop, with a button. A GET never changes anything: mail scanners follow every link.
pub async fn show_stopping(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let alert = signed_alert(&app, &signed).await?;
    Ok(stop_page(page, signed, alert))
}

/// Stops. Mail programs post here (RFC 8058) without cookies and follow no redirect, so the answer is
/// the page itself; whatever the request's body holds does not matter.
pub async fn stop_alert(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    match set_state(&app, page.clone(), signed.clone(), AlertState::Paused).await {
        // It was deleted, alone or with its reader: nothing comes.
        Err(Error::NotFound) if app.signer.verify(PURPOSE, &signed).is_some() => Ok(nothing_left_page(page)),
        answer => answer,
    }
}

/// Takes a stop back.
pub async fn resume_stopped(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    set_state(&app, page, signed, AlertState::Active).await
}

async fn set_state(app: &App, page: Page, signed: String, state: AlertState) -> Result<Response, Error> {
    let alert = signed_alert(app, &signed).await?;
    let change = Change { state: Some(state), ..Change::default() };
    let alert = alerts::change(app, alert.id, &change).await?;
    Ok(stop_page(page, signed, alert))
}

/// Kept out of caches and of other sites' logs: the address is a key.
fn stop_page(mut page: Page, signed: String, alert: alert::Model) -> Response {
    page.noindex = true;
    let page = page.titled_key("alert-stop-title");
    let headers = [(header::REFERRER_POLICY, "no-referrer"), (header::CACHE_CONTROL, "private, no-store")];
    (headers, View(StopPage { page, signed, alert })).into_response()
}
