//! The site as an app on a phone: its manifest, the page that is shown without a network (by the service worker,
//! `static/worker.js`), and where links go that are shared with it. Nothing here writes a table.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::app::App;
use crate::auth::LocalPath;
use crate::page::{Page, View};
use crate::statics;

#[derive(Template)]
#[template(path = "offline/show.html")]
struct OfflinePage {
    page: Page,
}

/// `GET /offline`
pub async fn show_offline(page: Page) -> Response {
    let mut page = page.titled_key("offline-title");
    page.noindex = true;
    View(OfflinePage { page }).into_response()
}

/// `GET /manifest.webmanifest`: what a phone asks before it puts the site among its apps.
pub async fn show_manifest(page: Page) -> Response {
    let icon = |purpose| json!({ "src": statics::url("favicon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": purpose });
    let shortcut = |key, url| json!({ "name": page.t(key), "url": url });
    let manifest = json!({
        "id": "/",
        "name": page.site_name,
        "short_name": page.site_name,
        "description": page.t("site-tagline"),
        "lang": page.locale.code(),
        "start_url": "/timeline",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fdfdfb",
        "theme_color": "#a8281e",
        "icons": [icon("any"), icon("maskable")],
        "shortcuts": [shortcut("nav-timeline", "/timeline"), shortcut("saved-title", "/saved"), shortcut("search", "/search")],
        "share_target": {
            "action": "/share-target",
            "method": "GET",
            "params": { "title": "title", "text": "text", "url": "url" },
        },
    });
    let headers = [(header::CONTENT_TYPE, "application/manifest+json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, manifest.to_string()).into_response()
}

/// What another app shares; apps put addresses into any of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shared {
    title: String,
    text: String,
    url: String,
}

/// `GET /share-target`: an address of this site is opened, where it can be saved; anything else is looked for.
pub async fn take_shared(State(app): State<Arc<App>>, Query(shared): Query<Shared>) -> Response {
    let here = Url::parse(&app.config.base_url).ok();
    let words = || shared.url.split_whitespace().chain(shared.text.split_whitespace());
    let own = words()
        .filter_map(|word| Url::parse(word).ok())
        .find(|url| here.as_ref().is_some_and(|here| here.origin() == url.origin()));
    if let Some(url) = own {
        return Redirect::to(LocalPath::new(url.path()).as_str()).into_response();
    }
    let is_address = |word: &&str| Url::parse(word).is_ok_and(|url| url.has_host());
    let title = shared.title.trim();
    let text = shared.text.split_whitespace().filter(|word| !is_address(word)).collect::<Vec<_>>().join(" ");
    let wanted: String = if title.is_empty() { text } else { title.to_owned() }.chars().take(100).collect();
    let query: String = byte_serialize(wanted.as_bytes()).collect();
    Redirect::to(&format!("/search?q={query}")).into_response()
}
