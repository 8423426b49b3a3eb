//! The settings pages about a person's data: taking it along, and leaving.

use std::io::SeekFrom;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::{CookieJar, Form};
use futures::stream;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::export;
use super::leaving::{self, Hindrances};
use crate::accounts;
use crate::app::App;
use crate::auth::{CurrentUser, session};
use crate::db::entities::export::{ExportState, Model as Export};
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;

const HOME: &str = "/settings/data";
const LEAVE: &str = "/settings/leave";
/// Bytes of a file that are read at once.
const CHUNK: usize = 64 * 1024;

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

/// `GET /settings/data/export/{id}`: the file, or from some byte on: slow links break.
pub async fn download_export(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (export, mut file) = export::open(&app, user.id, id).await?;
    let size = export.bytes.unsigned_abs();
    let from = first_byte(&headers).filter(|from| (1..size).contains(from)).unwrap_or(0);
    file.seek(SeekFrom::Start(from)).await.map_err(anyhow::Error::from)?;
    let day = export.created_at.utc().format("%Y-%m-%d");
    let common = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"xiangxun-{day}.zip\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_LENGTH, (size - from).to_string()),
    ];
    let body = Body::from_stream(stream::try_unfold(file, async |mut file| {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>(Some((chunk, file)).filter(|(chunk, _)| !chunk.is_empty()))
    }));
    if from == 0 {
        return Ok((common, body).into_response());
    }
    let range = [(header::CONTENT_RANGE, format!("bytes {from}-{}/{size}", size - 1))];
    Ok((StatusCode::PARTIAL_CONTENT, common, range, body).into_response())
}

/// Of `Range: bytes=4096-`, as downloads ask that go on.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

#[derive(Template)]
#[template(path = "belongings/leave.html")]
struct LeavePage {
    page: Page,
    email: String,
    has_password: bool,
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
    let view = View(LeavePage { page, email: user.email, has_password, hindrances, signed, problems });
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
    (jar, redirect_with_flash("/", "flash-left")).into_response()
}
