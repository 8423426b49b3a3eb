//! One error for requests. A handler returns it; [`render`] turns it into a page in the site's
//! look, or into a problem document (RFC 9457) under `/api/`.
//!
//! The user is told what to do, the log why it happened.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::page::{Locale, Page, View};
use crate::shown::Shown;

/// Text for the user: a translation key and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub key: &'static str,
    pub args: Vec<(&'static str, String)>,
    /// The language in which its arguments were written, where they are somebody's words.
    pub lang: Option<String>,
}

impl From<&'static str> for Message {
    fn from(key: &'static str) -> Self {
        Self { key, args: Vec::new(), lang: None }
    }
}

impl Message {
    /// Adds an argument.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// Says in what language the arguments were written.
    pub fn written_in(mut self, lang: &str) -> Self {
        self.lang = Some(lang.to_owned());
        self
    }

    pub fn text(&self, locale: Locale) -> String {
        locale.text_with(self.key, &self.args)
    }

    /// The text with somebody's words in a reader's script.
    pub fn shown(&self, locale: Locale, shown: Shown) -> String {
        let Some(lang) = self.lang.as_deref().filter(|lang| shown.changes(lang)) else {
            return self.text(locale);
        };
        let args: Vec<_> =
            self.args.iter().map(|(name, value)| (*name, shown.text(value, lang).into_owned())).collect();
        locale.text_with(self.key, &args)
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
    /// Not a form, document or query of the expected shape; the reason is for programmers.
    #[error("malformed request: {reason}")]
    Malformed { status: StatusCode, reason: String },
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("too large")]
    TooLarge,
    #[error("too many requests")]
    TooMany { retry_after: Duration },
    /// Cannot be done now, but soon.
    #[error("unavailable for now")]
    Unavailable { retry_after: Duration },
    /// Too much of the same is asked for by all together.
    #[error("too busy")]
    Busy { retry_after: Duration },
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
            Self::Malformed { status, .. } => *status,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } | Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the user is told.
    pub fn message(&self) -> Message {
        match self {
            Self::NotFound => "error-not-found".into(),
            Self::Unauthorized => "error-unauthorized".into(),
            Self::Invalid(_) => "error-invalid".into(),
            Self::Malformed { .. } => "error-malformed".into(),
            Self::MethodNotAllowed => "error-method".into(),
            Self::TooLarge => "error-too-large".into(),
            Self::TooMany { retry_after } => {
                Message::from("error-too-many").with("seconds", retry_after.as_secs().max(1))
            }
            Self::Unavailable { .. } => "error-unavailable".into(),
            Self::Busy { retry_after } => {
                Message::from("error-busy").with("seconds", retry_after.as_secs().max(1))
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
        if let Self::TooMany { retry_after }
        | Self::Unavailable { retry_after }
        | Self::Busy { retry_after } = &self
        {
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
pub async fn render(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let error = match response.extensions_mut().remove::<Arc<Error>>() {
        Some(error) => error,
        None if is_bare_error(&response) => Arc::new(bare_error(&mut response).await),
        None => return response,
    };
    // Who is signed in is found out further in, and told by the answer.
    let signed_in = response.extensions_mut().remove::<SignedIn>();
    if let Some(signed_in) = &signed_in {
        asked.extensions.insert(signed_in.clone());
    }
    let Ok(page) = Page::from_request_parts(&mut asked, &app).await;
    let mut answer = if asked.uri.path().starts_with("/api/v1") {
        problem(&error, page.locale)
    } else if matches!(*error, Error::Unauthorized) {
        ask_to_sign_in(&asked.method, &page.path)
    } else {
        error_page(&error, page)
    };
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = response.headers_mut().remove(&name) {
            answer.headers_mut().insert(name, value);
        }
    }
    if let Some(signed_in) = signed_in {
        answer.extensions_mut().insert(signed_in);
    }
    answer
}

fn ask_to_sign_in(method: &Method, path: &str) -> Response {
    let next = if *method == Method::GET { path } else { "/" };
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}

/// Marks an error's plain text as a handler's own words, for programs that want them so.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

/// Whether it is an error of the framework's; a handler's own page or document is left alone.
fn is_bare_error(response: &Response) -> bool {
    if response.extensions().get::<Plain>().is_some() {
        return false;
    }
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let status = response.status();
    (status.is_client_error() || status.is_server_error())
        && (kind.is_empty() || kind.starts_with("text/plain"))
}

async fn bare_error(response: &mut Response) -> Error {
    match response.status() {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        // The time for a request was up.
        StatusCode::SERVICE_UNAVAILABLE => {
            response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
            Error::Unavailable { retry_after: Duration::from_secs(5) }
        }
        status if status.is_server_error() => Error::Internal(anyhow::anyhow!("answered {status}")),
        status => {
            let body = std::mem::take(response.body_mut());
            let said = axum::body::to_bytes(body, 2_000).await.unwrap_or_default();
            Error::Malformed { status, reason: String::from_utf8_lossy(&said).into_owned() }
        }
    }
}

/// The problem document of RFC 9457.
fn problem(error: &Error, locale: Locale) -> Response {
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
    if let Error::Malformed { reason, .. } = error {
        body["detail"] = format!("{} ({reason})", error.message().text(locale)).into();
    }
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    let mut answer = (status, kind, body.to_string()).into_response();
    if matches!(error, Error::Unauthorized) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

fn error_page(error: &Error, page: Page) -> Response {
    let message = error.message().shown(page.locale, page.script.shown);
    let problems = match error {
        Error::Invalid(problems) => problems.0.iter().map(|(_, message)| message.text(page.locale)).collect(),
        _ => Vec::new(),
    };
    let status = error.status();
    let view = View(ErrorPage { page: page.titled(&message), status: status.as_u16(), message, problems });
    (status, view).into_response()
}
