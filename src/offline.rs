//! The site as an app on a phone: its manifest, the page that is shown without a network (by the service worker,
//! `static/worker.js`), and where links go that are shared with it. Nothing here writes a table.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::byte_serialize;
use url::{Position, Url};

use crate::app::App;
use crate::auth::LocalPath;
use crate::page::{Page, Unseen, View};
use crate::statics;

#[derive(Template)]
#[template(path = "offline/show.html")]
struct OfflinePage {
    page: Page,
}

/// `GET /offline`: kept by the worker for whoever reads with this browser, so it is nobody's own.
pub async fn show_offline(page: Page) -> Response {
    let mut page = page.titled_key("offline-title");
    page.noindex = true;
    (page.user, page.unread, page.flash) = (None, 0, None);
    (Extension(Unseen), View(OfflinePage { page })).into_response()
}

/// `GET /manifest.webmanifest`: what a phone asks before it puts the site among its apps.
pub async fn show_manifest(page: Page) -> Response {
    let icon = |file, sizes, kind, purpose| json!({ "src": statics::url(file), "sizes": sizes, "type": kind, "purpose": purpose });
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
        "icons": [
            icon("icon-192.png", "192x192", "image/png", "any"),
            icon("icon-512.png", "512x512", "image/png", "any"),
            icon("icon-maskable-512.png", "512x512", "image/png", "maskable"),
            icon("favicon.svg", "any", "image/svg+xml", "any"),
        ],
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

/// `GET /share-target`: an address of this site is opened, where it can be saved; words are looked for; of an address
/// elsewhere without any, the feed can be followed.
pub async fn take_shared(State(app): State<Arc<App>>, Query(shared): Query<Shared>) -> Response {
    let here = Url::parse(&app.config.base_url).ok();
    let words = shared.url.split_whitespace().chain(shared.text.split_whitespace());
    let addresses: Vec<Url> = words.filter_map(address).collect();
    let own = addresses.iter().find(|url| here.as_ref().is_some_and(|here| here.origin() == url.origin()));
    if let Some(url) = own {
        let path = LocalPath::new(&url[Position::BeforePath..Position::AfterQuery]);
        return Redirect::to(path.as_str()).into_response();
    }
    let title = shared.title.trim();
    let text: Vec<&str> = shared.text.split_whitespace().filter(|word| address(word).is_none()).collect();
    let wanted = if title.is_empty() { text.join(" ") } else { title.to_owned() };
    let to = match (wanted.is_empty(), addresses.first()) {
        (false, _) => format!("/search?q={}", escaped(&wanted.chars().take(100).collect::<String>())),
        (true, Some(url)) => format!("/outside/feeds?url={}", escaped(url.as_str())),
        (true, None) => "/search".to_owned(),
    };
    Redirect::to(&to).into_response()
}

/// A word that is an address of the web.
fn address(word: &str) -> Option<Url> {
    Url::parse(word).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
}

fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
