//! Every URL of the product, under headings; middleware last.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, patch, post};
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::Level;

use crate::app::App;
use crate::error::Error;
use crate::import;
use crate::{
    accounts, alerts, api, articles, auth, bounces, collections, demo, devices, error, feeds, home, hub,
    inbox, lists, media, offline, opml, outside, page, page_cache, private_feeds, pushes, reader_apps,
    readers, saved, search, shown, statics, subscriptions, webhooks,
};

/// The largest request body that is read, uploads aside.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// The largest form with a picture in it.
const UPLOAD_LIMIT: usize = media::UPLOAD_LIMIT + 64 * 1024;
/// A request that takes longer is answered with 503.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The whole site.
pub fn router(app: Arc<App>) -> Router {
    let pages = Router::new()
        .merge(everybodys(&app))
        .merge(search_pages())
        .merge(identity())
        .merge(studio())
        .merge(subscribing())
        .merge(keeping_up())
        .merge(saving())
        .merge(as_app())
        .merge(reading())
        .merge(alerting())
        .merge(outside_feeds())
        .merge(syncing())
        .merge(hooks())
        .merge(api())
        .merge(demo())
        .route("/static/{*path}", get(statics::show_file))
        .route("/media/{account}/{file}", get(media::pages::show_media))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .merge(
            uploads()
                .layer(RequestBodyLimitLayer::new(UPLOAD_LIMIT))
                .layer(from_fn(media::pages::say_how_large)),
        )
        // The layers above say how much is read.
        .layer(DefaultBodyLimit::disable())
        .fallback(async || Error::NotFound);

    // For machines that watch over this one: no session, no language, no log line.
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(show_readiness))
        .layer(from_fn_with_state(app.clone(), auth::headers::secure))
        .merge(framed(pages, &app))
        .with_state(app)
}

/// Puts around pages what all of them need; the first layer is the outermost.
pub fn framed(pages: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    let request_id = HeaderName::from_static("x-request-id");
    pages.layer(
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
            .layer(
                TraceLayer::new_for_http()
                    .make_span_with(request_span)
                    .on_response(DefaultOnResponse::new().level(Level::INFO)),
            )
            .layer(PropagateRequestIdLayer::new(request_id))
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
            .layer(from_fn_with_state(app.clone(), auth::headers::secure))
            .layer(from_fn(auth::headers::keep_private))
            .layer(from_fn_with_state(app.clone(), error::render))
            .layer(from_fn(auth::headers::limit_size))
            .layer(from_fn_with_state(app.clone(), auth::limits::guard))
            .layer(from_fn_with_state(app.clone(), auth::session::load))
            .layer(from_fn_with_state(app.clone(), auth::origin::check))
            .layer(from_fn_with_state(app.clone(), api::idempotency::honour))
            .layer(from_fn(page::clear_flash))
            .layer(CatchPanicLayer::custom(|_| {
                Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
            }))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT)),
    )
}

/// What is the same for everybody who is not signed in, and made once for all of them.
fn everybodys(app: &Arc<App>) -> Router<Arc<App>> {
    reader_pages().merge(feeds()).route_layer(from_fn_with_state(app.clone(), page_cache::give))
}

/// Front page, accounts, articles.
fn reader_pages() -> Router<Arc<App>> {
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
fn search_pages() -> Router<Arc<App>> {
    Router::new()
        .route("/locale", post(home::pages::choose_locale))
        .route("/look", get(home::look::show_look).post(home::look::choose_look))
        .route("/style", get(home::style::show_style))
        .route("/script", post(shown::pages::choose_script))
        .route("/search", get(search::pages::show_results))
        .route("/search/suggestions", get(search::suggest::pages::show_suggestions))
        .route("/search/clicked", post(search::insight::pages::count_click))
        .route("/embed/{site}/{video}", get(articles::pages::show_player))
}

/// Sign-in, sign-up, settings.
fn identity() -> Router<Arc<App>> {
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
fn demo() -> Router<Arc<App>> {
    Router::new()
        .route("/demo/mail", get(demo::pages::list_letters))
        .route("/demo/mail/{name}", get(demo::pages::show_letter))
        .route("/demo/mail/{name}/html", get(demo::pages::show_letter_html))
}

/// Where members of accounts work.
fn studio() -> Router<Arc<App>> {
    Router::new()
        .merge(studio_accounts())
        .merge(studio_articles())
        .merge(studio_collections())
        .merge(studio_pushes())
        .merge(studio_sources())
        .merge(studio_webhooks())
}

/// Opening accounts, their settings and members; the operators' list.
fn studio_accounts() -> Router<Arc<App>> {
    use accounts::pages::{self, from_address, members, operators, settings};
    Router::new()
        .route("/studio", get(pages::list_own_accounts))
        .route("/studio/open", get(pages::show_open_form).post(pages::open_account))
        .route("/studio/accounts", get(operators::list_accounts))
        .route("/studio/searches", get(search::insight::pages::show_site_insight))
        .route("/studio/accounts/{account}/{decision}", post(operators::decide_account))
        .route("/studio/@{handle}", get(pages::show_overview))
        .route("/studio/@{handle}/leave", post(pages::leave_account))
        .route("/studio/@{handle}/searches", get(search::insight::pages::show_account_insight))
        .route("/studio/@{handle}/settings", get(settings::show_settings).post(settings::edit_profile))
        .route("/studio/@{handle}/handle", post(settings::rename_account))
        .route(
            "/studio/@{handle}/from",
            get(from_address::show_from_address).post(from_address::choose_from_address),
        )
        .route("/studio/@{handle}/from/check", post(from_address::check_from_address))
        .route("/studio/@{handle}/from/leave", post(from_address::leave_from_address))
        .route("/studio/@{handle}/members", get(members::list_members).post(members::add_member))
        .route("/studio/@{handle}/members/{member}/role", post(members::change_member_role))
        .route("/studio/@{handle}/members/{member}/remove", post(members::remove_member))
}

/// Pushing articles, and what became of it.
fn studio_pushes() -> Router<Arc<App>> {
    use pushes::pages::{self, choose, last_look, live, steer};
    Router::new()
        .route("/studio/@{handle}/pushes", get(pages::list_pushes).post(last_look::create_push))
        .route("/studio/@{handle}/pushes/new", get(choose::choose_articles))
        .route("/studio/@{handle}/pushes/last-look", get(last_look::show_last_look))
        .route("/studio/@{handle}/pushes/mail", get(last_look::show_mail))
        .route("/studio/@{handle}/pushes/{push}", get(pages::show_push))
        .route("/studio/@{handle}/pushes/{push}/live", get(live::stream_push))
        .route("/studio/@{handle}/pushes/{push}/stop", post(steer::stop_push))
        .route("/studio/@{handle}/pushes/{push}/resume", post(steer::resume_push))
        .route("/studio/@{handle}/pushes/{push}/again", post(steer::send_push_again))
}

/// Forms with a picture in them, which may be larger than others.
fn uploads() -> Router<Arc<App>> {
    Router::new()
        .route("/studio/@{handle}/avatar", post(accounts::pages::settings::change_avatar))
        .route("/studio/@{handle}/media", get(media::pages::list_media).post(media::pages::upload_media))
}

/// Connecting feeds.
fn studio_sources() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/studio/@{handle}/sources",
            get(import::pages::list_sources).post(import::pages::connect_source),
        )
        .route("/studio/@{handle}/sources/preview", post(import::pages::preview_source))
        .route("/studio/@{handle}/sources/{id}/refresh", post(import::pages::refresh_source))
        .route("/studio/@{handle}/sources/{id}/pause", post(import::pages::pause_source))
        .route("/studio/@{handle}/sources/{id}/resume", post(import::pages::resume_source))
        .route("/studio/@{handle}/sources/{id}/mode", post(import::pages::set_source_mode))
        .route("/studio/@{handle}/sources/{id}/remove", post(import::pages::remove_source))
}

/// Addresses elsewhere that are told what happens.
fn studio_webhooks() -> Router<Arc<App>> {
    use webhooks::pages;
    Router::new()
        .route("/studio/@{handle}/webhooks", get(pages::list_webhooks).post(pages::add_webhook))
        .route("/studio/@{handle}/webhooks/{id}", get(pages::show_webhook))
        .route("/studio/@{handle}/webhooks/{id}/kinds", post(pages::set_webhook_kinds))
        .route("/studio/@{handle}/webhooks/{id}/pause", post(pages::pause_webhook))
        .route("/studio/@{handle}/webhooks/{id}/resume", post(pages::resume_webhook))
        .route("/studio/@{handle}/webhooks/{id}/secret", post(pages::renew_webhook_secret))
        .route("/studio/@{handle}/webhooks/{id}/test", post(pages::test_webhook))
        .route("/studio/@{handle}/webhooks/{id}/remove", post(pages::remove_webhook))
        .route("/studio/@{handle}/webhooks/{id}/messages/{message}/again", post(pages::send_message_again))
}

/// Where members write and publish.
fn studio_articles() -> Router<Arc<App>> {
    use articles::pages;
    Router::new()
        .route("/studio/@{handle}/articles", get(pages::list_articles).post(pages::create_article))
        .route("/studio/@{handle}/articles/new", get(pages::new_article))
        .route("/studio/@{handle}/preview", post(pages::preview_article))
        .route("/studio/@{handle}/articles/{id}", get(pages::edit_article).post(pages::save_article))
        .route("/studio/@{handle}/articles/{id}/autosave", post(pages::autosave_article))
        .route("/studio/@{handle}/articles/{id}/discard", post(pages::discard_autosave))
        .route(
            "/studio/@{handle}/articles/{id}/publish",
            get(pages::show_publish).post(pages::publish_article),
        )
        .route("/studio/@{handle}/articles/{id}/unschedule", post(pages::unschedule_article))
        .route(
            "/studio/@{handle}/articles/{id}/withdraw",
            get(pages::show_withdraw).post(pages::withdraw_article),
        )
        .route("/studio/@{handle}/articles/{id}/reinstate", post(pages::reinstate_article))
        .route("/studio/@{handle}/articles/{id}/delete", get(pages::show_delete).post(pages::delete_article))
        .route("/studio/@{handle}/articles/{id}/revisions", get(pages::list_revisions))
        .route("/studio/@{handle}/articles/{id}/revisions/{number}", get(pages::show_revision))
}

/// Ordered sets of articles.
fn studio_collections() -> Router<Arc<App>> {
    use collections::studio;
    Router::new()
        .route(
            "/studio/@{handle}/collections",
            get(studio::manage_collections).post(studio::create_collection),
        )
        .route(
            "/studio/@{handle}/collections/{id}",
            get(studio::edit_collection).post(studio::change_collection),
        )
        .route("/studio/@{handle}/collections/{id}/shift", post(studio::shift_collection))
        .route("/studio/@{handle}/collections/{id}/delete", post(studio::delete_collection))
        .route("/studio/@{handle}/collections/{id}/articles", post(studio::add_articles))
        .route("/studio/@{handle}/collections/{id}/articles/{article}/place", post(studio::place_article))
        .route("/studio/@{handle}/collections/{id}/articles/{article}/remove", post(studio::remove_article))
}

/// Subscribing, managing and leaving; the inbox.
fn subscribing() -> Router<Arc<App>> {
    use subscriptions::{links, pages};
    Router::new()
        .route("/@{handle}/subscribe", get(pages::show_subscribe_form).post(pages::subscribe))
        .route("/@{handle}/unsubscribe", post(pages::unsubscribe))
        .route("/subscriptions", get(pages::list_subscriptions))
        .route("/subscriptions/{id}/cadence", post(pages::change_cadence))
        .route("/subscriptions/{id}/list", post(lists::pages::put_subscription))
        .route("/subscriptions/{id}/{change}", post(pages::change_subscription))
        .route("/s/{signed}", get(links::pages::show_managed))
        .route(
            "/s/{signed}/confirm",
            get(links::pages::show_confirmation).post(links::pages::confirm_subscription),
        )
        .route("/s/{signed}/leave", get(links::pages::show_leaving).post(links::pages::leave))
        .route("/s/{signed}/cadence", post(links::pages::change_managed_cadence))
        .route("/s/{signed}/hours", post(links::pages::change_managed_hours))
        .route("/s/{signed}/{change}", post(links::pages::change_managed))
        .route("/inbox", get(inbox::pages::list_items))
        .route("/inbox/live", get(inbox::live::stream_inbox))
        .route("/inbox/read", post(inbox::pages::mark_inbox_read))
        .route("/inbox/{id}", get(inbox::pages::open_item))
}

/// The timeline, and the lists that it is read by.
fn keeping_up() -> Router<Arc<App>> {
    use subscriptions::timeline::pages;
    Router::new()
        .route("/timeline", get(pages::show_timeline))
        .route("/timeline/read", post(pages::mark_timeline_read))
        .route("/timeline/articles/{id}/{mark}", post(pages::mark_article))
        .route("/timeline/mute", get(pages::show_mute_words).post(pages::change_mute_words))
        .route("/lists", get(lists::pages::show_lists).post(lists::pages::create_list))
        .route("/lists/{id}", post(lists::pages::rename_list))
        .route("/lists/{id}/delete", post(lists::pages::delete_list))
        .route("/lists/{id}/{way}", post(lists::pages::shift_list))
}

/// The site as an app on a phone.
fn as_app() -> Router<Arc<App>> {
    Router::new()
        .route("/offline", get(offline::show_offline))
        .route("/manifest.webmanifest", get(offline::show_manifest))
        .route("/share-target", get(offline::take_shared))
}

/// What readers have saved, with their highlights.
fn saving() -> Router<Arc<App>> {
    use saved::pages;
    Router::new()
        .route("/saved", get(pages::list_saved))
        .route("/saved/{id}", get(pages::show_saved))
        .route("/saved/{id}/remove", get(pages::show_removing).post(pages::remove_saved))
        .route("/saved/{id}/refresh", post(pages::refresh_saved))
        .route("/saved/{id}/highlights", post(pages::add_highlight))
        .route("/saved/{id}/export/{file}", get(pages::export_one))
        .route("/saved/export/{file}", get(pages::export_all))
        .route("/saved/articles/{id}", post(pages::save_article))
        .route("/saved/articles/{id}/remove", post(pages::unsave_article))
        .route("/saved/articles/{id}/highlights", post(pages::add_highlight_to_article))
        .route("/saved/highlights/{id}", post(pages::change_highlight))
        .route("/saved/highlights/{id}/remove", post(pages::remove_highlight))
}

/// A reader's hours, and all that an address follows from the links of digests.
fn reading() -> Router<Arc<App>> {
    use readers::{links, pages};
    Router::new()
        .route("/settings/hours", get(pages::show_hours).post(pages::change_hours))
        .route("/s/reader/{signed}", get(links::show_managed))
        .route("/s/reader/{signed}/all", post(links::change_every_cadence))
        .route("/s/reader/{signed}/hours", post(links::change_hours))
        .route("/s/reader/{signed}/stop", get(links::show_stopping).post(links::stop_digests))
        .route("/s/reader/{signed}/{subscription}/cadence", post(links::change_cadence))
}

/// Feeds elsewhere that a reader follows for themselves, and all that they follow as a file.
fn outside_feeds() -> Router<Arc<App>> {
    use outside::pages;
    Router::new()
        .route("/outside", get(pages::list_outside))
        .route("/outside/read", post(pages::mark_outside_read))
        .route("/outside/feeds", get(pages::list_outside_feeds).post(pages::follow_outside))
        .route("/outside/feeds/{id}", get(pages::show_outside_feed).post(pages::change_outside_feed))
        .route("/outside/feeds/{id}/{change}", post(pages::change_outside_follow))
        .route("/outside/items/{id}", get(pages::show_outside_item))
        .route("/outside/items/{id}/{change}", post(pages::change_outside_item))
        .route("/subscriptions.opml", get(opml::pages::download_opml))
        .route("/subscriptions/opml", get(opml::pages::show_opml).post(opml::pages::upload_opml))
}

/// Reader apps: their passwords, the APIs that they speak, and feeds for those that speak none.
fn syncing() -> Router<Arc<App>> {
    use reader_apps::pages;
    Router::new()
        .route("/settings/reader-apps", get(pages::show_reader_apps).post(pages::create_app_password))
        .route("/settings/reader-apps/{id}/revoke", post(pages::revoke_app_password))
        .route("/settings/reader-apps/feeds", post(pages::renew_private_feeds))
        .route("/settings/reader-apps/feeds/revoke", post(pages::revoke_private_feeds))
        .route("/f/{signed}/{file}", get(private_feeds::pages::show_private_feed))
        .merge(
            greader()
                .route("/api/fever.php", any(reader_apps::fever::answer))
                .route("/api/fever.php/", any(reader_apps::fever::answer))
                .route_layer(from_fn(reader_apps::greader::open)),
        )
}

/// The Google Reader API. Apps ask by GET and POST as they please.
fn greader() -> Router<Arc<App>> {
    use reader_apps::greader::{atom, login, opml, streams, subscriptions, tags};
    const READER: &str = "/reader/api/0";
    let reader = Router::new()
        .route("/token", any(login::show_token))
        .route("/user-info", any(login::show_user))
        .route("/subscription/list", any(subscriptions::list_subscriptions))
        .route("/subscription/edit", any(subscriptions::edit_subscriptions))
        .route("/subscription/quickadd", any(subscriptions::quick_add))
        .route("/subscription/export", any(opml::export_subscriptions))
        .route("/subscription/import", post(opml::import_subscriptions))
        .route("/unread-count", any(subscriptions::count_unread))
        .route("/tag/list", any(tags::list_tags))
        .route("/edit-tag", any(tags::edit_tags))
        .route("/rename-tag", any(tags::rename_tag))
        .route("/disable-tag", any(tags::disable_tags))
        .route("/mark-all-as-read", any(tags::mark_stream_read))
        .route("/stream/contents", any(streams::show_any_contents))
        .route("/stream/contents/{*stream}", any(streams::show_contents))
        .route("/stream/items/ids", any(streams::list_ids))
        .route("/stream/items/contents", any(streams::show_items));
    let api = Router::new()
        .route("/check/compatibility", get(login::check_compatibility))
        .route("/accounts/ClientLogin", any(login::sign_in_app))
        .route("/reader/atom/{*stream}", get(atom::show_stream))
        .nest(READER, reader)
        .fallback(async || reader_apps::greader::Refusal::not_found());
    Router::new().route("/api/greader.php", get(login::show_greeting)).nest(reader_apps::greader::PATH, api)
}

/// Saved searches, and stopping one from its mail.
fn alerting() -> Router<Arc<App>> {
    use alerts::{links, pages};
    Router::new()
        .route("/settings/alerts", get(pages::list_alerts).post(pages::save_alert))
        .route("/settings/alerts/new", get(pages::new_alert))
        .route("/settings/alerts/{id}", post(pages::change_alert))
        .route("/settings/alerts/{id}/pause", post(pages::pause_alert))
        .route("/settings/alerts/{id}/resume", post(pages::resume_alert))
        .route("/settings/alerts/{id}/delete", post(pages::delete_alert))
        .route("/s/alerts/{signed}/stop", get(links::show_stopping).post(links::stop_alert))
        .route("/s/alerts/{signed}/resume", post(links::resume_stopped))
}

/// What mailing services tell of; each is signed in its own way.
fn hooks() -> Router<Arc<App>> {
    use bounces::hooks::{mailgun, postmark, ses};
    Router::new()
        .route("/hooks/mail/ses", post(ses::take_notification))
        .route("/hooks/mail/mailgun", post(mailgun::take_event))
        .route("/hooks/mail/postmark", post(postmark::take_event))
}

/// Feeds, the hub that tells of their changes, sitemaps, robots.txt, opensearch.xml.
fn feeds() -> Router<Arc<App>> {
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
        .route("/search/feed.atom", get(feeds::search::show_search_feed))
        .route("/search/feed.rss", get(feeds::search::show_search_feed))
        .route("/search/feed.json", get(feeds::search::show_search_feed))
        .route("/hub", post(hub::pages::ask_hub))
        .route("/opensearch.xml", get(feeds::opensearch::show_description))
        .route("/sitemap.xml", get(feeds::sitemap::show_sitemap_index))
        .route("/sitemap/{file}", get(feeds::sitemap::show_sitemap))
        .route("/robots.txt", get(feeds::sitemap::show_robots))
}

/// `/api/v1`: JSON. Each is described in `api::ApiDoc` too.
fn api() -> Router<Arc<App>> {
    Router::new()
        .route("/api/openapi.json", get(api::show_openapi))
        .route("/api/docs", get(api::docs::show_docs))
        .route("/api/v1/search", get(search::api::search_articles))
        .route("/api/v1/suggest", get(search::suggest::api::suggest_queries))
        .route(
            "/api/v1/accounts/{handle}/articles",
            get(articles::api::list_articles).post(articles::api::create_article),
        )
        .route("/api/v1/articles/{id}", get(articles::api::get_article).patch(articles::api::update_article))
        .route("/api/v1/articles/{id}/publish", post(articles::api::publish_article))
        .route("/api/v1/articles/{id}/schedule", post(articles::api::schedule_article))
        .route("/api/v1/articles/{id}/withdraw", post(articles::api::withdraw_article))
        .route("/api/v1/alerts", get(alerts::api::list_alerts).post(alerts::api::create_alert))
        .route("/api/v1/alerts/{id}", patch(alerts::api::update_alert).delete(alerts::api::delete_alert))
        .merge(accounts_api())
        .merge(collections_api())
        .merge(webhooks_api())
        .merge(subscriptions_api())
}

/// `/api/v1`: accounts and pushes.
fn accounts_api() -> Router<Arc<App>> {
    use accounts::api::{create_account, get_account, list_accounts, update_account};
    use pushes::api::{create_push, get_push, list_pushes};
    Router::new()
        .route("/api/v1/accounts", get(list_accounts).post(create_account))
        .route("/api/v1/accounts/{handle}", get(get_account).patch(update_account))
        .route("/api/v1/accounts/{handle}/pushes", get(list_pushes).post(create_push))
        .route("/api/v1/pushes/{id}", get(get_push))
}

/// `/api/v1`: collections.
fn collections_api() -> Router<Arc<App>> {
    use collections::api::{create_collection, delete_collection, list_collections, update_collection};
    Router::new()
        .route("/api/v1/accounts/{handle}/collections", get(list_collections).post(create_collection))
        .route("/api/v1/collections/{id}", patch(update_collection).delete(delete_collection))
}

/// `/api/v1`: webhooks.
fn webhooks_api() -> Router<Arc<App>> {
    use webhooks::api::{create_webhook, delete_webhook, list_webhooks, test_webhook, update_webhook};
    Router::new()
        .route("/api/v1/accounts/{handle}/webhooks", get(list_webhooks).post(create_webhook))
        .route("/api/v1/webhooks/{id}", patch(update_webhook).delete(delete_webhook))
        .route("/api/v1/webhooks/{id}/test", post(test_webhook))
}

/// `/api/v1`: subscriptions.
fn subscriptions_api() -> Router<Arc<App>> {
    use subscriptions::api::{
        create_subscription, delete_subscription, list_subscribers, list_subscriptions, show_audience,
        update_subscription,
    };
    Router::new()
        .route("/api/v1/reader", get(readers::api::show_reader).patch(readers::api::update_reader))
        .route("/api/v1/subscriptions", get(list_subscriptions).post(create_subscription))
        .route("/api/v1/subscriptions/opml", get(opml::api::export_opml).post(opml::api::import_opml))
        .route("/api/v1/subscriptions/{id}", patch(update_subscription).delete(delete_subscription))
        .route("/api/v1/accounts/{handle}/audience", get(show_audience))
        .route("/api/v1/accounts/{handle}/subscribers", get(list_subscribers))
}

/// Whether this node can serve: the database answers and the index has caught up.
async fn show_readiness(State(app): State<Arc<App>>) -> Response {
    match app.db.read().ping().await {
        Ok(()) => match app.search.not_ready() {
            None => "ready".into_response(),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        },
        Err(error) => {
            tracing::warn!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response()
        }
    }
}

fn request_span(request: &axum::http::Request<axum::body::Body>) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or("");
    // The secret of a link stays out of the log.
    let path = request.uri().path();
    let path =
        ["/sign-in/link/", "/s/", "/f/"].into_iter().find(|secret| path.starts_with(secret)).unwrap_or(path);
    tracing::info_span!("request", id, method = %request.method(), path)
}
