//! What anybody may ask for: pages, search, signing in, feeds; and what mailing services tell.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::{articles, auth, bounces, collections, demo, devices, feeds, home, hub, search, share, shown};

/// Front page, accounts, articles.
pub fn reader_pages() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::pages::show_front))
        .route("/@{handle}", get(home::accounts::show_account))
        .route("/tag/{tag}", get(home::tags::show_tag))
        .route("/@{handle}/tag/{tag}", get(home::tags::show_account_tag))
        .route("/@{handle}/collections", get(collections::pages::list_collections))
        .route("/@{handle}/collections/{slug}", get(collections::pages::show_collection))
        .route("/@{handle}/{slug}", get(articles::pages::show_article))
        .route("/@{handle}/{slug}/changes", get(articles::pages::show_changes))
        .route("/@{handle}/{slug}/qr.svg", get(articles::pages::show_qr))
}

/// Search, and what belongs to no page.
pub fn search_pages() -> Router<Arc<App>> {
    Router::new()
        .route("/locale", post(home::pages::choose_locale))
        .route("/look", get(home::look::show_look).post(home::look::choose_look))
        .route("/style", get(home::style::show_style))
        .route("/script", post(shown::pages::choose_script))
        .route("/search", get(search::pages::show_results))
        .route("/search/suggestions", get(search::suggest::pages::show_suggestions))
        .route("/search/clicked", post(search::insight::pages::count_click))
        .route("/embed/{site}/{video}", get(articles::pages::show_player))
        .route("/@{handle}/{slug}/share.png", get(share::pages::show_share_image))
}

/// Sign-in, sign-up, settings.
pub fn identity() -> Router<Arc<App>> {
    use auth::{pages, settings};
    Router::new()
        .route("/sign-in", get(pages::show_sign_in).post(pages::sign_in))
        .route("/sign-in/sent", get(pages::show_link_sent))
        .route("/sign-in/forgotten", get(pages::show_forgotten).post(pages::ask_for_password))
        .route("/sign-in/link/{token}", get(pages::show_link).post(pages::open_link))
        .route("/sign-up", get(pages::show_sign_up).post(pages::sign_up))
        .route("/sign-out", post(pages::sign_out))
        .route("/settings", get(settings::show_profile).post(settings::change_profile))
        .route("/settings/password", get(settings::show_password).post(settings::change_password))
        .route("/settings/password/link", post(settings::ask_for_password))
        .route("/settings/sessions", get(settings::show_sessions))
        .route("/settings/sessions/end", post(settings::end_sessions))
        .route("/settings/sessions/{id}/end", post(settings::end_session))
        .route(
            "/settings/notifications",
            get(devices::pages::list_devices).post(devices::pages::register_device),
        )
        .route("/settings/notifications/{id}/remove", post(devices::pages::remove_device))
        .route("/worker.js", get(devices::pages::show_worker))
        .route("/settings/tokens", get(settings::show_tokens).post(settings::create_token))
        .route("/settings/tokens/{id}/revoke", post(settings::revoke_token))
}

/// The demo's captured mail; not found elsewhere.
pub fn demo() -> Router<Arc<App>> {
    Router::new()
        .route("/demo/mail", get(demo::pages::list_letters))
        .route("/demo/mail/{name}", get(demo::pages::show_letter))
        .route("/demo/mail/{name}/html", get(demo::pages::show_letter_html))
}

/// What mailing services tell of; each is signed in its own way.
pub fn hooks() -> Router<Arc<App>> {
    use bounces::hooks::{mailgun, postmark, ses};
    Router::new()
        .route("/hooks/mail/ses", post(ses::take_notification))
        .route("/hooks/mail/mailgun", post(mailgun::take_event))
        .route("/hooks/mail/postmark", post(postmark::take_event))
}

/// Feeds of searches: each counts as a search.
pub fn search_feeds() -> Router<Arc<App>> {
    Router::new()
        .route("/search/feed.atom", get(feeds::search::show_search_feed))
        .route("/search/feed.rss", get(feeds::search::show_search_feed))
        .route("/search/feed.json", get(feeds::search::show_search_feed))
}

/// Feeds, the hub that tells of their changes, sitemaps, robots.txt, opensearch.xml.
pub fn feeds() -> Router<Arc<App>> {
    Router::new()
        .route("/feed.atom", get(feeds::pages::show_site_feed))
        .route("/feed.rss", get(feeds::pages::show_site_feed))
        .route("/feed.json", get(feeds::pages::show_site_feed))
        .route("/@{handle}/feed.atom", get(feeds::pages::show_account_feed))
        .route("/@{handle}/feed.rss", get(feeds::pages::show_account_feed))
        .route("/@{handle}/feed.json", get(feeds::pages::show_account_feed))
        .route("/tag/{tag}/feed.atom", get(feeds::tags::show_tag_feed))
        .route("/tag/{tag}/feed.rss", get(feeds::tags::show_tag_feed))
        .route("/tag/{tag}/feed.json", get(feeds::tags::show_tag_feed))
        .route("/@{handle}/tag/{tag}/feed.atom", get(feeds::tags::show_account_tag_feed))
        .route("/@{handle}/tag/{tag}/feed.rss", get(feeds::tags::show_account_tag_feed))
        .route("/@{handle}/tag/{tag}/feed.json", get(feeds::tags::show_account_tag_feed))
        .route("/@{handle}/collections/{slug}/feed.atom", get(feeds::collections::show_collection_feed))
        .route("/@{handle}/collections/{slug}/feed.rss", get(feeds::collections::show_collection_feed))
        .route("/@{handle}/collections/{slug}/feed.json", get(feeds::collections::show_collection_feed))
        .route("/hub", post(hub::pages::ask_hub))
        .route("/opensearch.xml", get(feeds::opensearch::show_description))
        .route("/sitemap.xml", get(feeds::sitemap::show_sitemap_index))
        .route("/sitemap/{file}", get(feeds::sitemap::show_sitemap))
        .route("/robots.txt", get(feeds::sitemap::show_robots))
}
