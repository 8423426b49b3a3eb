//! What readers have of their own: subscriptions, timeline, saved articles, alerts, reader apps; and all of it taken along
//! or deleted.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{any, get, post};

use crate::app::App;
use crate::{
    alerts, belongings, inbox, lists, offline, opml, outside, private_feeds, reader_apps, readers, saved,
    subscriptions,
};

/// Subscribing, managing and leaving; the inbox.
pub fn subscribing() -> Router<Arc<App>> {
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
pub fn keeping_up() -> Router<Arc<App>> {
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
pub fn as_app() -> Router<Arc<App>> {
    Router::new()
        .route("/offline", get(offline::show_offline))
        .route("/manifest.webmanifest", get(offline::show_manifest))
        .route("/share-target", get(offline::take_shared))
}

/// What readers have saved, with their highlights.
pub fn saving() -> Router<Arc<App>> {
    use saved::pages;
    Router::new()
        .route("/saved", get(pages::list_saved))
        .route("/saved/{id}", get(pages::show_saved))
        .route("/saved/{id}/remove", get(pages::show_removing).post(pages::remove_saved))
        .route("/saved/{id}/refresh", post(pages::refresh_saved))
        .route("/saved/{id}/highlights", post(pages::add_highlight))
        .route("/saved/{id}/export/{file}", get(pages::export_one))
        .route("/saved/export/{file}", get(pages::export_all))
        .route("/saved/articles/{id}", get(pages::show_copy_ahead).post(pages::save_article))
        .route("/saved/articles/{id}/remove", post(pages::unsave_article))
        .route("/saved/articles/{id}/highlights", post(pages::add_highlight_to_article))
        .route("/saved/highlights/{id}", post(pages::change_highlight))
        .route("/saved/highlights/{id}/remove", post(pages::remove_highlight))
}

/// What is kept of a person: taken along, or deleted.
pub fn belonging() -> Router<Arc<App>> {
    use belongings::pages;
    Router::new()
        .route("/settings/data", get(pages::show_data))
        .route("/settings/data/export", post(pages::ask_for_export))
        .route("/settings/data/export/delete", post(pages::delete_export))
        .route("/settings/data/export/{id}", get(pages::download_export))
        .route("/settings/leave", get(pages::show_leaving).post(pages::leave))
        .route("/settings/leave/link", post(pages::ask_for_leaving_link))
        .route("/settings/leave/{signed}", get(pages::show_leaving_by_link).post(pages::leave_by_link))
        .route("/settings/leave/accounts/{id}/close", post(pages::close_account))
}

/// A reader's hours, and all that an address follows from the links of digests.
pub fn reading() -> Router<Arc<App>> {
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
pub fn outside_feeds() -> Router<Arc<App>> {
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
pub fn syncing() -> Router<Arc<App>> {
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
pub fn alerting() -> Router<Arc<App>> {
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
