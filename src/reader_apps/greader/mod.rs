//! The Google Reader API under `/api/greader.php`, as FreshRSS and its likes speak it: most reader apps know it, and
//! ask for the address of a "FreshRSS" or "Google Reader compatible" server.
//!
//! An app signs in at `accounts/ClientLogin` and names what it got in each request (`Authorization: GoogleLogin
//! auth=..`). No cookie counts here, so requests may come from anywhere. Errors are plain words, as apps expect.

pub mod atom;
pub mod ids;
pub mod login;
pub mod opml;
pub mod streams;
pub mod subscriptions;
pub mod tags;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::{AppReader, by_auth};
use crate::app::App;
use crate::auth::Client;
use crate::error::{Error, Plain};

/// Where apps are told to look.
pub const PATH: &str = "/api/greader.php";

/// Why a request was not done, in the plain words that apps expect.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    words: String,
    /// The app is to ask for another token and try again.
    is_token: bool,
}

impl Refusal {
    pub fn bad(words: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, words: words.to_owned(), is_token: false }
    }

    pub fn not_found() -> Self {
        Self { status: StatusCode::NOT_FOUND, words: "Not Found".into(), is_token: false }
    }

    pub fn unauthorized() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, words: "Unauthorized!".into(), is_token: false }
    }

    fn token() -> Self {
        Self { is_token: true, ..Self::unauthorized() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::Unauthorized => Self::unauthorized(),
            Error::NotFound | Error::Gone(_) => Self::not_found(),
            Error::Internal(why) => {
                tracing::error!("a reader app's request failed: {why:#}");
                Self { status: error.status(), words: "Internal Server Error".into(), is_token: false }
            }
            Error::Invalid(problems) => {
                let words = problems.0.iter().map(|(_, message)| message.text(crate::page::Locale::En));
                Self::bad(&words.collect::<Vec<_>>().join(" "))
            }
            Error::TooMany { retry_after } => Self {
                status: error.status(),
                words: format!("Too many requests: try again in {} s", retry_after.as_secs().max(1)),
                is_token: false,
            },
            _ => Self { status: error.status(), words: error.to_string(), is_token: false },
        }
    }
}

impl From<sea_orm::DbErr> for Refusal {
    fn from(error: sea_orm::DbErr) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = text(self.status, format!("{}\n", self.words));
        if self.is_token {
            for name in ["x-reader-google-bad-token", "google-bad-token"] {
                response
                    .headers_mut()
                    .insert(HeaderName::from_static(name), HeaderValue::from_static("true"));
            }
        }
        response
    }
}

/// What a handler here answers.
pub type Answer = Result<Response, Refusal>;

/// Plain words, errors included, which stay as they are.
pub fn text(status: StatusCode, words: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let mut response = (status, kind, words).into_response();
    response.extensions_mut().insert(Plain);
    response
}

/// What apps read as "done".
pub fn ok() -> Answer {
    Ok(text(StatusCode::OK, "OK".into()))
}

pub fn json(value: &Value) -> Answer {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Ok((kind, value.to_string()).into_response())
}

// Extractor: who an app reads for.
impl FromRequestParts<Arc<App>> for AppReader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let auth = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let auth = auth.and_then(auth_of).ok_or_else(Refusal::unauthorized)?;
        let client = Client::of(app, &parts.headers, &parts.extensions);
        by_auth(app, &client, auth).await?.ok_or_else(Refusal::unauthorized)
    }
}

/// `..` of `GoogleLogin auth=..`.
fn auth_of(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let auth = rest.trim().strip_prefix("auth=")?.trim();
    (scheme.eq_ignore_ascii_case("GoogleLogin") && !auth.is_empty()).then_some(auth)
}

/// Middleware: apps that live in a browser may ask from their own pages, and no cache keeps what is read.
pub async fn open(request: Request, next: Next) -> Response {
    let is_question = request.method() == Method::OPTIONS;
    let mut response =
        if is_question { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST"),
        ("access-control-allow-headers", "Authorization, Content-Type"),
        ("access-control-max-age", "600"),
        ("cache-control", "private, no-store"),
        ("x-robots-tag", "noindex"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_names_is_found_in_its_header() {
        assert_eq!(auth_of("GoogleLogin auth=7.abc"), Some("7.abc"));
        assert_eq!(auth_of("googlelogin  auth=7.abc "), Some("7.abc"));
        for wrong in ["", "GoogleLogin", "GoogleLogin auth=", "Bearer auth=x", "GoogleLogin x"] {
            assert_eq!(auth_of(wrong), None, "{wrong}");
        }
    }
}
