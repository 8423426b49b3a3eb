//! Pages behind signed links. A GET never changes anything: mail scanners follow every link.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;

use crate::app::App;
use crate::error::Error;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::readers::pages::{CadenceForm, HoursForm, Panel};
use crate::readers::queries::{self as readers, Reader};
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
    panel: Panel,
}

#[derive(Template)]
#[template(path = "subscriptions/leave.html")]
struct LeavePage {
    page: Page,
    signed: String,
    followed: Followed,
}

#[derive(Template)]
#[template(path = "subscriptions/nothing-left.html")]
struct NothingLeftPage {
    page: Page,
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
    let reader = reader_of(&app, &followed).await?;
    let panel = Panel::new(&page, &reader);
    Ok(managed_page(page, signed, followed, panel))
}

fn managed_page(page: Page, signed: String, followed: Followed, panel: Panel) -> Response {
    let page = private(page).titled_key("subscription-manage-title");
    (PRIVATE, View(ManagedPage { page, signed, followed, panel })).into_response()
}

async fn reader_of(app: &App, followed: &Followed) -> Result<Reader, Error> {
    Ok(readers::of_address(app.db.read(), &app.config, &followed.email).await?)
}

pub async fn change_managed_cadence(
    State(app): State<Arc<App>>,
    Path(signed): Path<String>,
    Form(form): Form<CadenceForm>,
) -> Result<Response, Error> {
    let id = links::managed(&app, &signed)?;
    let change = Change::from(form.cadence);
    subscriptions::change(&app, id, change).await?;
    Ok(redirect_with_flash(&links::manage_path(&app, id), change.flash()))
}

/// Changes the hours of the subscription's reader. The page shows no other subscriptions: a mail of one
/// is more easily passed on than a digest of all.
pub async fn change_managed_hours(
    State(app): State<Arc<App>>,
    page: Page,
    Path(signed): Path<String>,
    Form(form): Form<HoursForm>,
) -> Result<Response, Error> {
    let id = links::managed(&app, &signed)?;
    let followed = queries::followed(app.db.read(), id).await?;
    let reader = reader_of(&app, &followed).await?;
    match form.save(&app, &reader, page.locale).await {
        Ok(()) => Ok(redirect_with_flash(&links::manage_path(&app, id), "flash-saved")),
        Err(Error::Invalid(problems)) => {
            let panel = Panel::again(&page, &reader, &form, problems);
            let answer = managed_page(page, signed, followed, panel);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
        }
        Err(error) => Err(error),
    }
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
    match subscriptions::change(&app, id, Change::Leave).await {
        Ok(_) => Ok(leave_page(page, signed, queries::followed(app.db.read(), id).await?)),
        // An old mail: nothing is left to unsubscribe from, which is what was asked for.
        Err(Error::Gone(_) | Error::NotFound) => Ok(nothing_left_page(page)),
        Err(error) => Err(error),
    }
}

/// What an unsubscription answers where nothing comes any more.
pub fn nothing_left_page(page: Page) -> Response {
    let page = private(page).titled_key("subscription-left-title");
    (PRIVATE, View(NothingLeftPage { page })).into_response()
}

fn leave_page(page: Page, signed: String, followed: Followed) -> Response {
    let page = private(page).titled_key("subscription-leave-title");
    (PRIVATE, View(LeavePage { page, signed, followed })).into_response()
}

fn private(mut page: Page) -> Page {
    page.noindex = true;
    page
}
