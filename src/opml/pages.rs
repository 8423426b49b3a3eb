//! The list of subscriptions as a file: taken home, and brought along.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Multipart, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Report;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::error::{Error, Problems};
use crate::page::{Page, View};

#[derive(Template)]
#[template(path = "opml/show.html")]
struct OpmlPage {
    page: Page,
    report: Option<Report>,
    problems: Problems,
}

impl OpmlPage {
    fn new(mut page: Page) -> Self {
        page.noindex = true;
        Self { page: page.titled_key("opml-page-title"), report: None, problems: Problems::default() }
    }
}

/// `GET /subscriptions.opml`
pub async fn download_opml(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let document = super::write(&app, &user).await?;
    let headers = [
        (header::CONTENT_TYPE, super::CONTENT_TYPE),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"subscriptions.opml\""),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, document).into_response())
}

/// `GET /subscriptions/opml`
pub async fn show_opml(page: Page, CurrentUser(_): CurrentUser) -> Response {
    View(OpmlPage::new(page)).into_response()
}

/// `POST /subscriptions/opml`: answers with what became of the file.
pub async fn upload_opml(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    form: Multipart,
) -> Result<Response, Error> {
    let result = match read_file(form).await {
        Ok(file) => super::take_in(&app, &user, &file).await,
        Err(error) => Err(error),
    };
    let view = OpmlPage::new(page);
    match result {
        Ok(report) => Ok(View(OpmlPage { report: Some(report), ..view }).into_response()),
        Err(Error::Invalid(problems)) => {
            let view = OpmlPage { problems, ..view };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn read_file(mut form: Multipart) -> Result<Vec<u8>, Error> {
    let broken = |_| Error::invalid("file", "opml-form-broken");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(broken)?;
            if !bytes.is_empty() {
                return Ok(bytes.to_vec());
            }
        }
    }
    Err(Error::invalid("file", "opml-file-missing"))
}
