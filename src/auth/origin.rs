//! Same-origin: a request that changes something must come from this site's own pages, or carry an
//! API token instead of a session.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use url::Url;

use super::{api, session};
use crate::app::App;
use crate::error::Error;

/// Where no cookie is looked at: mailbox providers post on their own (RFC 8058), with the signed link in the path
/// as the proof, and reader apps, some of which live in a browser, name a password of their own.
const COOKIELESS: [&str; 3] = ["/s/", "/api/greader.php/", "/api/fever.php"];

/// Middleware: refuses requests that another site made a browser send.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Error> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let is_cookieless = COOKIELESS.iter().any(|start| request.uri().path().starts_with(start));
    if is_safe || is_cookieless || may_change(&app, request.headers()) {
        return Ok(next.run(request).await);
    }
    tracing::info!("refused a request from another origin");
    Err(Error::Forbidden("error-cross-origin".into()))
}

fn may_change(app: &App, headers: &HeaderMap) -> bool {
    let has_session = CookieJar::from_headers(headers).get(session::cookie_name(app)).is_some();
    if !has_session && headers.get(header::AUTHORIZATION).is_some_and(|value| api::bearer(value).is_some()) {
        return true;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text("origin") {
        Some(origin) => is_ours(app, origin, text("host")),
        // Browsers name the origin of every form they post; what is left are programs without a session.
        None => !has_session,
    }
}

/// Whether an Origin is the site's own address, or the one under which this request reached it.
fn is_ours(app: &App, origin: &str, host: Option<&str>) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    let base = Url::parse(&app.config.base_url).map(|url| url.origin());
    let is_base = base.is_ok_and(|base| base.is_tuple() && base == origin.origin());
    let Some(name) = origin.host_str() else { return false };
    let authority = match origin.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    is_base || host.is_some_and(|host| host.eq_ignore_ascii_case(&authority))
}
