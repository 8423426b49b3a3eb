//! Pages behind signed links. A GET never changes anything: mail scanners follow every link.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::Error;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::subscriptions::queries::{self, Followed};
use crate::subscriptions::{self, Change, links};

/// Keeps the signature in the address from going elsewhere or lying in a shared cache.
const PRIVATE: [(HeaderName, &str); 2] =
    [(header::REFERRER_POLICY, "no-referrer"), (header::CACHE_CONTROL, "private, no-store")];

#[derive(Template)]
#[template(path = "subscriptions/confirm.html")]
struct ConfirmPage {
    page: Page,
    signed: String,
    followed: Followed,
}

#[derive(Template)]
#[template(path = "subscriptions/managed.html")]
struct ManagedPage {
    page: Page,
    signed: String,
    followed: Followed,
}

#[derive(Template)]
#[template(path = "subscriptions/leave.html")]
struct LeavePage {
    page: Page,
    signed: String,
    followed: Followed,
}

/// Asks to confirm, with a button.
pub async fn show_confirmation(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let followed = queries::followed(app.db.read(), links::to_confirm(&app, &signed)?).await;
    let followed = followed.map_err(forgotten)?;
    let page = private(page).titled_key("subscription-confirm-title");
    Ok((PRIVATE, View(ConfirmPage { page, signed, followed })).into_response())
}

pub async fn confirm_subscription(
    State(app): State<Arc<App>>,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let confirmed = subscriptions::confirm(&app, links::to_confirm(&app, &signed)?).await;
    let confirmed = confirmed.map_err(forgotten)?;
    let path = links::manage_path(&app, confirmed.id);
    Ok(redirect_with_flash(&path, "flash-subscription-confirmed"))
}

/// What a good link leads to was there once: nobody confirmed it in time.
fn forgotten(error: Error) -> Error {
    match error {
        Error::NotFound => Error::Gone("subscription-link-expired".into()),
        other => other,
    }
}

/// Shows a subscription with all that may be done with it.
pub async fn show_managed(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let followed = queries::followed(app.db.read(), links::managed(&app, &signed)?).await?;
    let page = private(page).titled_key("subscription-manage-title");
    Ok((PRIVATE, View(ManagedPage { page, signed, followed })).into_response())
}

pub async fn change_managed(
    State(app): State<Arc<App>>,
    Path((signed, change)): Path<(String, String)>,
) -> Result<Response, Error> {
    let change: Change = change.parse().map_err(|_| Error::NotFound)?;
    let id = links::managed(&app, &signed)?;
    subscriptions::change(&app, id, change).await?;
    Ok(redirect_with_flash(&links::manage_path(&app, id), change.flash()))
}

/// Asks whether to leave, with a button.
pub async fn show_leaving(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let followed = queries::followed(app.db.read(), links::managed(&app, &signed)?).await?;
    Ok(leave_page(page, signed, followed))
}

/// Leaves. Mail programs post here (RFC 8058) without cookies and follow no redirect, so the
/// answer is the page itself; whatever the request's body holds does not matter.
pub async fn leave(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    let id = links::managed(&app, &signed)?;
    subscriptions::change(&app, id, Change::Leave).await?;
    let followed = queries::followed(app.db.read(), id).await?;
    Ok(leave_page(page, signed, followed))
}

fn leave_page(page: Page, signed: String, followed: Followed) -> Response {
    let page = private(page).titled_key("subscription-leave-title");
    (PRIVATE, View(LeavePage { page, signed, followed })).into_response()
}

fn private(mut page: Page) -> Page {
    page.noindex = true;
    page
}
