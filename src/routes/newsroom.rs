//! The URLs of an account's newsroom.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::{accounts, articles, collections, delivery, import, media, pushes, search, webhooks};

/// Where members of accounts work.
pub fn studio() -> Router<Arc<App>> {
    Router::new()
        .merge(studio_accounts())
        .merge(studio_articles())
        .merge(studio_collections())
        .merge(studio_pushes())
        .merge(studio_sources())
        .merge(studio_webhooks())
}

/// Opening accounts, their settings and members; the operators' pages.
fn studio_accounts() -> Router<Arc<App>> {
    use accounts::pages::{self, from_address, members, operators, settings};
    Router::new()
        .route("/studio", get(pages::list_own_accounts))
        .route("/studio/open", get(pages::show_open_form).post(pages::open_account))
        .route("/studio/accounts", get(operators::list_accounts))
        .route("/studio/searches", get(search::insight::pages::show_site_insight))
        .route("/studio/messages", get(delivery::log::pages::list_messages))
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
pub fn uploads() -> Router<Arc<App>> {
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
