//! Signed links of a reader, from digests: everything the address follows is managed behind them without
//! signing in. As with subscriptions, the signature is all the authority these URLs have or need.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;

use super::pages::{CadenceForm, HoursForm, Panel};
use super::queries::{self, Reader};
use crate::app::App;
use crate::error::Error;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::readers;
use crate::subscriptions::links::{PREFIX, pages::nothing_left_page};
use crate::subscriptions::queries::{self as subscriptions, Followed};
use crate::subscriptions::{self as operations, Change};

const PURPOSE: &str = "reader";

/// Keeps the signature in the address from going elsewhere or lying in a shared cache.
const PRIVATE: [(HeaderName, &str); 2] =
    [(header::REFERRER_POLICY, "no-referrer"), (header::CACHE_CONTROL, "private, no-store")];

/// Where a reader manages all that the address follows. Good for ever, as old mails are.
pub fn manage_path(app: &App, reader_id: i64) -> String {
    format!("{PREFIX}reader/{}", app.signer.sign(PURPOSE, &reader_id.to_string()))
}

/// Where digests are stopped: a GET shows a button, a POST acts.
pub fn stop_path_of(manage_path: &str) -> String {
    format!("{manage_path}/stop")
}

async fn signed_reader(app: &App, signed: &str) -> Result<Reader, Error> {
    let id = app.signer.verify(PURPOSE, signed).and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
    queries::get(app.db.read(), &app.config, id).await
}

#[derive(Template)]
#[template(path = "readers/managed.html")]
struct ManagedPage {
    page: Page,
    base: String,
    panel: Panel,
    list: Vec<Followed>,
}

#[derive(Template)]
#[template(path = "readers/stop.html")]
struct StopPage {
    page: Page,
    base: String,
    email: String,
    /// Those that are told by digests, by their accounts' names.
    list: Vec<Followed>,
    stopped: bool,
}

/// Everything that the address follows, and its hours.
pub async fn show_managed(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let reader = signed_reader(&app, &signed).await?;
    let panel = Panel::new(&page, &reader);
    managed_page(&app, page, &signed, panel).await
}

async fn managed_page(app: &App, mut page: Page, signed: &str, panel: Panel) -> Result<Response, Error> {
    page.noindex = true;
    let page = page.titled_key("reader-manage-title");
    let list = subscriptions::list_of_address(app.db.read(), &panel.email).await?;
    let view = ManagedPage { page, base: format!("{PREFIX}reader/{signed}"), panel, list };
    Ok((PRIVATE, View(view)).into_response())
}

/// Changes the hours.
pub async fn change_hours(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
    Form(form): Form<HoursForm>,
) -> Result<Response, Error> {
    let reader = signed_reader(&app, &signed).await?;
    match form.save(&app, &reader, page.locale).await {
        Ok(()) => Ok(redirect_with_flash(&format!("{PREFIX}reader/{signed}"), "flash-saved")),
        Err(Error::Invalid(problems)) => {
            let panel = Panel::again(&page, &reader, &form, problems);
            let answer = managed_page(&app, page, &signed, panel).await?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Changes the cadence of one of the address's subscriptions.
pub async fn change_cadence(
    State(app): State<Arc<App>>,
    Path((signed, subscription_id)): Path<(String, i64)>,
    Form(form): Form<CadenceForm>,
) -> Result<Response, Error> {
    let reader = signed_reader(&app, &signed).await?;
    let change = Change::from(form.cadence);
    operations::change_of_address(&app, &reader.email, subscription_id, change).await?;
    Ok(redirect_with_flash(&format!("{PREFIX}reader/{signed}"), change.flash()))
}

/// Changes the cadence of all of them.
pub async fn change_every_cadence(
    State(app): State<Arc<App>>,
    Path(signed): Path<String>,
    Form(form): Form<CadenceForm>,
) -> Result<Response, Error> {
    let reader = signed_reader(&app, &signed).await?;
    operations::change_all(&app, &reader.email, form.cadence).await?;
    Ok(redirect_with_flash(&format!("{PREFIX}reader/{signed}"), "flash-saved"))
}

/// Asks whether to stop, with a button. A GET never changes anything: mail scanners follow every link.
pub async fn show_stopping(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let reader = signed_reader(&app, &signed).await?;
    stop_page(&app, page, &signed, reader, false).await
}

/// Stops digests: what was told by them is muted. Mail programs post here (RFC 8058) without cookies and
/// follow no redirect, so the answer is the page itself; whatever the request's body holds does not
/// matter.
pub async fn stop_digests(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let reader = match signed_reader(&app, &signed).await {
        // Of somebody who has left nothing is kept, and nothing comes.
        Err(Error::NotFound) if app.signer.verify(PURPOSE, &signed).is_some() => {
            return Ok(nothing_left_page(page));
        }
        reader => reader?,
    };
    operations::mute_digests(&app, &reader.email).await?;
    stop_page(&app, page, &signed, reader, true).await
}

async fn stop_page(
    app: &App,
    mut page: Page,
    signed: &str,
    reader: readers::queries::Reader,
    stopped: bool,
) -> Result<Response, Error> {
    page.noindex = true;
    let page = page.titled_key("reader-stop-title");
    let mut list = subscriptions::list_of_address(app.db.read(), &reader.email).await?;
    list.retain(|followed| followed.is_active() && followed.cadence.has_digests());
    let view =
        StopPage { page, base: format!("{PREFIX}reader/{signed}"), email: reader.email, list, stopped };
    Ok((PRIVATE, View(view)).into_response())
}
