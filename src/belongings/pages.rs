//! The settings pages about a person's data: taking it along, and leaving.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::{CookieJar, Form};
use serde::Deserialize;

use super::leaving::{self, Hindrances};
use super::{download, export};
use crate::accounts;
use crate::app::App;
use crate::auth::headers::FORGET_PAGES;
use crate::auth::{CurrentUser, session};
use crate::db::entities::export::{ExportState, Model as Export};
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;

const HOME: &str = "/settings/data";
const LEAVE: &str = "/settings/leave";

#[derive(Template)]
#[template(path = "belongings/show.html")]
struct DataPage {
    page: Page,
    export: Option<Export>,
}

impl DataPage {
    fn is_being_made(&self) -> bool {
        self.export.as_ref().is_some_and(|export| export.state == ExportState::Making)
    }

    /// In hundredths.
    fn percent(export: &Export) -> i64 {
        (export.done * 100).checked_div(export.total).unwrap_or(0).clamp(0, 100)
    }

    /// `3.4 MB`
    fn size(export: &Export) -> String {
        match export.bytes {
            bytes if bytes < 1_000_000 => format!("{} KB", (bytes + 999) / 1_000),
            bytes => format!("{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

/// `GET /settings/data`
pub async fn show_data(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let export = export::of_user(&app, user.id).await?;
    Ok(View(DataPage { page: page.titled_key("data-title"), export }).into_response())
}

/// `POST /settings/data/export`
pub async fn ask_for_export(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    export::ask(&app, &user, page.locale).await?;
    Ok(redirect_with_flash(HOME, "flash-export-asked"))
}

/// `POST /settings/data/export/delete`
pub async fn delete_export(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    export::delete(&app, user.id).await?;
    Ok(redirect_with_flash(HOME, "flash-export-deleted"))
}

/// `GET /settings/data/export/{id}`
pub async fn download_export(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (export, file) = export::open(&app, user.id, id).await?;
    Ok(download::answer(&export, file, &headers).await?)
}

#[derive(Template)]
#[template(path = "belongings/leave.html")]
struct LeavePage {
    page: Page,
    email: String,
    has_password: bool,
    /// An account writes from their address, and will go on doing so.
    is_sender: bool,
    hindrances: Hindrances,
    /// Of the mailed link by which the page was opened; empty without one.
    signed: String,
    problems: Problems,
}

async fn leave_page(
    app: &App,
    page: Page,
    user: crate::db::entities::user::Model,
    signed: String,
    problems: Problems,
) -> Result<Response, Error> {
    let hindrances = leaving::hindrances(app.db.read(), &user).await?;
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = page.titled_key("leave-title");
    let has_password = user.password_hash.is_some();
    let is_sender = accounts::from_address::is_used(app.db.read(), &user.email).await?;
    let email = user.email;
    let view = View(LeavePage { page, email, has_password, is_sender, hindrances, signed, problems });
    Ok((status, [(header::REFERRER_POLICY, "no-referrer")], view).into_response())
}

/// `GET /settings/leave`: what goes and what stays.
pub async fn show_leaving(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    leave_page(&app, page, user, String::new(), Problems::default()).await
}

/// The password.
#[derive(Debug, Deserialize)]
pub struct LeaveForm {
    #[serde(default)]
    password: String,
}

/// `POST /settings/leave`
pub async fn leave(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<LeaveForm>,
) -> Result<Response, Error> {
    match leaving::by_password(&app, &user, &form.password).await {
        Ok(()) => Ok(goodbye(&app)),
        Err(Error::Invalid(problems)) => leave_page(&app, page, user, String::new(), problems).await,
        Err(error) => Err(error),
    }
}

/// `POST /settings/leave/link`: mails a link, to those who have no password or forgot it.
pub async fn ask_for_leaving_link(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    leaving::ask_for_link(&app, &user).await?;
    Ok(redirect_with_flash(LEAVE, "flash-link-sent"))
}

/// `GET /settings/leave/{signed}`: the same page, opened by a mailed link. Nothing happens by looking at it.
pub async fn show_leaving_by_link(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    leaving::check_link(&app, &user, &signed)?;
    leave_page(&app, page, user, signed, Problems::default()).await
}

/// `POST /settings/leave/{signed}`
pub async fn leave_by_link(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(signed): Path<String>,
) -> Result<Response, Error> {
    leaving::by_link(&app, &user, &signed).await?;
    Ok(goodbye(&app))
}

/// `POST /settings/leave/accounts/{id}/close`: closes an account of the person's own, so that it can stay without them.
pub async fn close_account(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    accounts::close(&app, user.id, id).await?;
    Ok(redirect_with_flash(LEAVE, "flash-account-closed"))
}

fn goodbye(app: &App) -> Response {
    let jar = CookieJar::new().add(session::forgetting_cookie(app));
    (FORGET_PAGES, jar, redirect_with_flash("/", "flash-left")).into_response()
}
