//! `/api/v1/subscriptions/opml`

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Report;
use crate::api::Problem;
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::error::Error;
use crate::page::Page;

/// What became of an OPML document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpmlReport {
    /// Titles of accounts of this site that are followed from now on.
    pub accounts: Vec<String>,
    /// Titles of outside feeds that are followed from now on.
    pub feeds: Vec<String>,
    /// Titles of those that were followed before.
    pub known: Vec<String>,
    pub failed: Vec<OpmlFailure>,
}

/// A feed that was not taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpmlFailure {
    pub title: String,
    pub url: String,
    /// Why, in the language of `Accept-Language`.
    pub detail: String,
}

impl OpmlReport {
    fn new(report: Report, page: &Page) -> Self {
        let failure = |failed: super::Failed| OpmlFailure {
            detail: page.message(&failed.why),
            title: failed.title,
            url: failed.url,
        };
        Self {
            accounts: report.accounts,
            feeds: report.feeds,
            known: report.known,
            failed: report.failed.into_iter().map(failure).collect(),
        }
    }
}

/// All that the reader follows as OPML: accounts as their feeds, lists as folders, and outside feeds
#[utoipa::path(
    get,
    path = "/api/v1/subscriptions/opml",
    tag = "subscriptions",
    security(("token" = ["subscriptions:read"])),
    responses(
        (status = 200, description = "The document", content_type = "text/x-opml", body = String),
        (status = 401, description = "No token, or one that is not good", body = Problem),
        (status = 403, description = "The token has not the scope", body = Problem),
    ),
)]
pub async fn export_opml(State(app): State<Arc<App>>, caller: ApiUser) -> Result<Response, Error> {
    let user = caller.require(Scope::SubscriptionsRead)?;
    let document = super::write(&app, user).await?;
    Ok(([(header::CONTENT_TYPE, super::CONTENT_TYPE)], document).into_response())
}

/// Follow all that an OPML document names; at most 2 MB and 2,000 feeds
#[utoipa::path(
    post,
    path = "/api/v1/subscriptions/opml",
    tag = "subscriptions",
    security(("token" = ["subscriptions:write"])),
    request_body(content = String, content_type = "text/x-opml"),
    responses(
        (status = 200, description = "What became of it", body = OpmlReport),
        (status = 401, description = "No token, or one that is not good", body = Problem),
        (status = 403, description = "The token has not the scope", body = Problem),
        (status = 422, description = "Not such a document, or a hostile one", body = Problem),
    ),
)]
pub async fn import_opml(
    State(app): State<Arc<App>>,
    page: Page,
    caller: ApiUser,
    body: Bytes,
) -> Result<Json<OpmlReport>, Error> {
    let user = caller.require(Scope::SubscriptionsWrite)?;
    let report = super::take_in(&app, user, &body).await?;
    Ok(Json(OpmlReport::new(report, &page)))
}
