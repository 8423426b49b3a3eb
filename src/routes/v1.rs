//! `/api/v1`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::app::App;
use crate::{
    accounts, alerts, api, articles, collections, opml, pushes, readers, search, subscriptions, webhooks,
};

/// `/api/v1`: JSON. Each is described in `api::ApiDoc` too.
pub fn api() -> Router<Arc<App>> {
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
