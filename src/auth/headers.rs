//! Headers that every answer carries, and limits on those that requests may carry.

use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::session::SignedIn;
use crate::app::App;
use crate::articles::content::PLAYER_HOSTS;
use crate::error::Error;

/// Scripts and styles are our own files only. Articles show pictures, sound and video from anywhere;
/// frames show letters before they are sent, and the players of a few sites.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let players = PLAYER_HOSTS.map(|host| format!(" https://{host}")).concat();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; \
        manifest-src 'self'; img-src 'self' data: https: http:; media-src 'self' https: http:; \
        frame-src 'self'{players}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// What pages ask of the browser that a news site never needs.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), midi=(), \
    display-capture=(), browsing-topics=()";

/// For answers that end a session: the browser lets go of the pages that it kept to be read without a network, with the
/// worker that keeps them. All others of somebody who is signed in are in no cache (see [`keep_private`]); cookies, and
/// with them the reader's looks, stay.
pub const FORGET_PAGES: [(HeaderName, &str); 1] =
    [(HeaderName::from_static("clear-site-data"), "\"storage\"")];

/// Middleware: the browser's defences, for every answer; a handler's own value stands.
pub async fn secure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if app.config.is_https() {
        format!("{}; upgrade-insecure-requests", *POLICY)
    } else {
        POLICY.clone()
    };
    let common = [
        ("content-security-policy", policy.as_str()),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", PERMISSIONS),
    ];
    for (name, value) in common {
        set_default(headers, HeaderName::from_static(name), value);
    }
    if app.config.is_https() {
        set_default(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// Middleware: what a signed-in person sees is kept by no cache, and
/// pages differ by cookie, language, and whether the browser saves data.
pub async fn keep_private(request: Request, next: Next) -> Response {
    let has_token = request.headers().contains_key(header::AUTHORIZATION);
    let mut response = next.run(request).await;
    let is_personal = has_token || response.extensions().get::<SignedIn>().is_some();
    let headers = response.headers_mut();
    let kind =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let is_page = kind.starts_with("text/html");
    if is_page {
        headers.append(header::VARY, HeaderValue::from_static("cookie, accept-language, save-data"));
    }
    if is_personal && (is_page || kind.contains("json")) || headers.contains_key(header::SET_COOKIE) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    } else if is_page {
        set_default(headers, header::CACHE_CONTROL, "no-cache");
    }
    response
}

fn set_default(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.entry(name).or_insert(value);
    }
}

/// The longest address (path and query) that is read, in bytes.
const LONGEST_ADDRESS: usize = 8 * 1024;
/// The most that a request's headers may hold, in bytes.
const MOST_HEADERS: usize = 32 * 1024;

/// Middleware: refuses requests whose address or headers are larger than any honest one's.
pub async fn limit_size(request: Request, next: Next) -> Result<Response, Error> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let held: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if address > LONGEST_ADDRESS || held > MOST_HEADERS {
        return Err(Error::TooLarge);
    }
    Ok(next.run(request).await)
}
