//! One error for requests. A handler returns it; [`render`] turns it into a page in the site's
//! look, or into a problem document (RFC 9457) under `/api/`.
//!
//! The user is told what to do, the log why it happened.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::app::App;
use crate::page::{Locale, Page, View};

/// Text for the user: a translation key and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub key: &'static str,
    pub args: Vec<(&'static str, String)>,
}

impl From<&'static str> for Message {
    fn from(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }
}

impl Message {
    /// Adds an argument.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    pub fn text(&self, locale: Locale) -> String {
        locale.text_with(self.key, &self.args)
    }
}

/// What is wrong with a form, field by field. The field "" is the form as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<(&'static str, Message)>);

impl Problems {
    pub fn add(&mut self, field: &'static str, message: impl Into<Message>) {
        self.0.push((field, message.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first problem of a field.
    pub fn of(&self, field: &str) -> Option<&Message> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, message)| message)
    }

    /// An error if there is any problem.
    pub fn check(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not found")]
    NotFound,
    /// There was something here; the message says what became of it.
    #[error("gone: {}", .0.key)]
    Gone(Message),
    /// Nobody is signed in, or the token is not good.
    #[error("not signed in")]
    Unauthorized,
    #[error("forbidden: {}", .0.key)]
    Forbidden(Message),
    #[error("invalid input: {0:?}")]
    Invalid(Problems),
    /// The request does not fit the present state, e.g. somebody saved first.
    #[error("conflict: {}", .0.key)]
    Conflict(Message),
    #[error("too large")]
    TooLarge,
    #[error("too many requests")]
    TooMany { retry_after: Duration },
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

impl Error {
    /// Input with one problem.
    pub fn invalid(field: &'static str, message: impl Into<Message>) -> Self {
        Self::Invalid(Problems(vec![(field, message.into())]))
    }

    pub fn forbidden() -> Self {
        Self::Forbidden("error-forbidden".into())
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone(_) => StatusCode::GONE,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the user is told.
    pub fn message(&self) -> Message {
        match self {
            Self::NotFound => "error-not-found".into(),
            Self::Unauthorized => "error-unauthorized".into(),
            Self::Invalid(_) => "error-invalid".into(),
            Self::TooLarge => "error-too-large".into(),
            Self::TooMany { retry_after } => {
                Message::from("error-too-many").with("seconds", retry_after.as_secs().max(1))
            }
            Self::Internal(_) => "error-internal".into(),
            Self::Gone(message) | Self::Forbidden(message) | Self::Conflict(message) => message.clone(),
        }
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Internal(error.into())
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<askama::Error> for Error {
    fn from(error: askama::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// Carries the error to [`render`], which knows the request's language and whether it wants JSON.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!("request failed: {error:#}");
        }
        let mut response = self.status().into_response();
        if let Self::TooMany { retry_after } = &self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[derive(Template)]
#[template(path = "errors/error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    message: String,
    problems: Vec<String>,
}

/// Middleware: gives errors their page or problem document. Bare error answers of the framework
/// (no such route, a body that cannot be read) get one too.
pub async fn render(State(app): State<Arc<App>>, page: Page, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let path_and_query = request.uri().path_and_query().map_or_else(|| "/".into(), ToString::to_string);
    let is_get = request.method() == axum::http::Method::GET;
    let response = next.run(request).await;
    let error = match response.extensions().get::<Arc<Error>>() {
        Some(error) => error.clone(),
        None => match bare_error(&response) {
            Some(error) => Arc::new(error),
            None => return response,
        },
    };
    if is_api {
        return problem(&error, page.locale, &response);
    }
    if matches!(*error, Error::Unauthorized) {
        let next = if is_get { path_and_query } else { "/".into() };
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        return Redirect::to(&format!("/sign-in?next={next}")).into_response();
    }
    error_page(&app, &error, page, &response)
}

fn bare_error(response: &Response) -> Option<Error> {
    // A handler's own page or document for an error status is left alone.
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !kind.is_empty() && !kind.starts_with("text/plain") {
        return None;
    }
    match response.status() {
        StatusCode::NOT_FOUND => Some(Error::NotFound),
        StatusCode::METHOD_NOT_ALLOWED => Some(Error::NotFound),
        StatusCode::PAYLOAD_TOO_LARGE => Some(Error::TooLarge),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Some(Error::Invalid(Problems::default()))
        }
        status if status.is_server_error() => Some(Error::Internal(anyhow::anyhow!("answered {status}"))),
        _ => None,
    }
}

/// The problem document of RFC 9457.
fn problem(error: &Error, locale: Locale, response: &Response) -> Response {
    let status = error.status();
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": error.message().text(locale),
    });
    if let Error::Invalid(problems) = error {
        body["errors"] = problems
            .0
            .iter()
            .map(|(field, message)| json!({ "field": field, "detail": message.text(locale) }))
            .collect();
    }
    let mut answer =
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response();
    copy_retry_after(response, &mut answer);
    answer
}

fn error_page(_app: &App, error: &Error, page: Page, response: &Response) -> Response {
    let message = error.message().text(page.locale);
    let problems = match error {
        Error::Invalid(problems) => problems.0.iter().map(|(_, message)| message.text(page.locale)).collect(),
        _ => Vec::new(),
    };
    let status = error.status();
    let view = View(ErrorPage { page: page.titled(&message), status: status.as_u16(), message, problems });
    let mut answer = (status, view).into_response();
    copy_retry_after(response, &mut answer);
    answer
}

fn copy_retry_after(from: &Response, to: &mut Response) {
    if let Some(value) = from.headers().get(header::RETRY_AFTER) {
        to.headers_mut().insert(header::RETRY_AFTER, value.clone());
    }
}
