//! Notices that the page after a redirect shows once: a key in a cookie.

use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

pub(crate) const FLASH_COOKIE: &str = "flash";

/// The key of the notice that a browser is to be shown; ours begin with `flash-`.
pub fn key(jar: &CookieJar) -> Option<&str> {
    jar.get(FLASH_COOKIE).map(Cookie::value).filter(|key| key.starts_with("flash-"))
}

/// Marks an answer that nobody looks at yet: what is to be shown once waits for a page that somebody sees.
#[derive(Clone, Copy, Debug)]
pub struct Unseen;

/// Middleware: a flash is shown once, so the page that shows it takes its cookie away.
pub async fn clear_flash(jar: CookieJar, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let is_seen = response.extensions().get::<Unseen>().is_none();
    if is_page && is_seen && jar.get(FLASH_COOKIE).is_some() {
        return (jar.remove(flash_cookie("")), response).into_response();
    }
    response
}

/// Goes to `path` and shows the text of `key` there once; the key begins with `flash-`.
pub fn redirect_with_flash(path: &str, key: &'static str) -> Response {
    (CookieJar::new().add(flash_cookie(key)), Redirect::to(path)).into_response()
}

fn flash_cookie(key: &'static str) -> Cookie<'static> {
    Cookie::build((FLASH_COOKIE, key)).path("/").http_only(true).same_site(SameSite::Lax).build()
}
