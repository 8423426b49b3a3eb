//! The settings page about notifications, and what the browser's script and service worker ask for.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{NewDevice, queries};
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::auth::{Client, CurrentUser, device};
use crate::db::entities::device as row;
use crate::devices;
use crate::error::Error;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::statics;

const HOME: &str = "/settings/notifications";

#[derive(Template)]
#[template(path = "devices/list.html")]
struct ListPage {
    page: Page,
    devices: Vec<row::Model>,
    public_key: String,
}

/// `GET /settings/notifications`
pub async fn list_devices(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let devices = queries::of_user(app.db.read(), user.id).await?;
    let public_key = app.vapid.public_key(&app.db).await?;
    Ok(View(ListPage { page: page.titled_key("devices-title"), devices, public_key }).into_response())
}

/// `POST /settings/notifications`: JSON of the browser's own making, after its reader has allowed it.
pub async fn register_device(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    client: Client,
    Json(new): Json<NewDevice>,
) -> Result<Response, Error> {
    let name = device::describe(&client.user_agent);
    devices::register(&app, signed_in.user.id, signed_in.session_id, &new, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /settings/notifications/{id}/remove`
pub async fn remove_device(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    devices::remove(&app, user.id, id).await?;
    Ok(redirect_with_flash(HOME, "flash-device-removed"))
}

/// `GET /worker.js`: the service worker: notifications, and pages without a network. Its address says that it is there for the whole site, and it is asked for
/// anew whenever the browser looks whether it has changed.
pub async fn show_worker() -> Result<Response, Error> {
    let script = statics::text("worker.js").ok_or(Error::NotFound)?;
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, script).into_response())
}
