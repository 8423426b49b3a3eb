//! The API's frame: its description, what all its lists and errors share, idempotency keys. The
//! handlers themselves live in their rooms' `api.rs`.

pub mod docs;
pub mod idempotency;

use std::str::FromStr;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi, ToSchema};

use crate::error::Error;
use crate::subscriptions::api as subscriptions;

/// The whole API. A handler is written down here and in `routes/v1.rs`; a test compares both.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Xiangxun API",
        description = "Reading what is public needs no token. Everything else takes `Authorization: Bearer TOKEN` \
            with a token from your settings that has the scope named. Times are RFC 3339 in UTC. Lists are read \
            page by page: pass `next_cursor` of one page as `cursor` of the next. A POST with an \
            `Idempotency-Key` is done once, however often it is sent. Errors are problem documents (RFC 9457).",
        license(name = "AGPL-3.0-or-later", identifier = "AGPL-3.0-or-later"),
    ),
    paths(
        crate::accounts::api::list_accounts,
        crate::accounts::api::get_account,
        crate::accounts::api::create_account,
        crate::accounts::api::update_account,
        crate::pushes::api::list_pushes,
        crate::pushes::api::create_push,
        crate::pushes::api::get_push,
        crate::articles::api::list_articles,
        crate::articles::api::create_article,
        crate::articles::api::get_article,
        crate::articles::api::update_article,
        crate::articles::api::publish_article,
        crate::articles::api::schedule_article,
        crate::articles::api::withdraw_article,
        crate::collections::api::list_collections,
        crate::collections::api::create_collection,
        crate::collections::api::update_collection,
        crate::collections::api::delete_collection,
        crate::search::api::search_articles,
        crate::search::suggest::api::suggest_queries,
        crate::alerts::api::list_alerts,
        crate::alerts::api::create_alert,
        crate::alerts::api::update_alert,
        crate::alerts::api::delete_alert,
        crate::webhooks::api::list_webhooks,
        crate::webhooks::api::create_webhook,
        crate::webhooks::api::update_webhook,
        crate::webhooks::api::delete_webhook,
        crate::webhooks::api::test_webhook,
        subscriptions::list_subscriptions,
        subscriptions::create_subscription,
        subscriptions::update_subscription,
        subscriptions::delete_subscription,
        crate::opml::api::export_opml,
        crate::opml::api::import_opml,
        subscriptions::show_audience,
        subscriptions::list_subscribers,
        crate::readers::api::show_reader,
        crate::readers::api::update_reader,
    ),
    components(schemas(Problem, FieldProblem)),
    modifiers(&TokenScheme),
)]
pub struct ApiDoc;

/// Names the scheme that handlers refer to as `security(("token" = ["articles:write"]))`.
struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token from the page \"API tokens\" of your settings"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// `GET /api/openapi.json`
pub async fn show_openapi() -> Response {
    Json(ApiDoc::openapi()).into_response()
}

/// Why a request was not done (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do about it, in the language of `Accept-Language`.
    pub detail: String,
    /// What is wrong, field by field, where the input was read but is not acceptable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name; empty for the input as a whole.
    pub field: String,
    pub detail: String,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many items, 1 to 100; 20 when left out.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(20).clamp(1, 100)
    }

    /// Reads the cursor as the room writes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that was not written by us.
    pub fn after<T: FromStr>(&self) -> Result<Option<T>, Error> {
        match self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
            None => Ok(None),
            Some(cursor) => {
                cursor.parse().map(Some).map_err(|_| Error::invalid("cursor", "api-cursor-wrong"))
            }
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// The `cursor` of the next page; missing on the last one.
    pub next_cursor: Option<String>,
}
