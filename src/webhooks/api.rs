//! `/api/v1`: webhooks of accounts, for their owners.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pages::shown_url;
use super::{NewWebhook, kinds_of, queries};
use crate::accounts::api::by_handle;
use crate::accounts::roles::{self, Operation};
use crate::api::{Listing, Problem};
use crate::app::App;
use crate::articles::Actor;
use crate::auth::{ApiUser, Scope};
use crate::db::entities::webhook::{self, WebhookForm, WebhookState};
use crate::db::entities::webhook_message::Kind;
use crate::error::Error;
use crate::path::Path;
use crate::webhooks;

/// An address elsewhere that is told what happens in an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookJson {
    pub id: i64,
    pub form: WebhookForm,
    /// Of a Telegram bot without its token.
    pub url: String,
    /// Telegram's chat or ntfy's topic.
    pub target: String,
    pub events: Vec<Kind>,
    pub state: WebhookState,
    /// Since when it has taken nothing.
    pub failing_since: Option<String>,
    pub created_at: String,
    /// What messages are signed with; only in the answer to the request that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl From<webhook::Model> for WebhookJson {
    fn from(row: webhook::Model) -> Self {
        Self {
            id: row.id,
            form: row.form,
            url: shown_url(&row),
            events: kinds_of(&row),
            state: row.state,
            failing_since: row.failing_since.map(|moment| moment.rfc3339()),
            created_at: row.created_at.rfc3339(),
            target: row.target,
            secret: None,
        }
    }
}

/// A webhook to add.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookJson {
    /// Left out: `standard`.
    #[serde(default)]
    pub form: Option<WebhookForm>,
    pub url: String,
    /// Telegram's chat or ntfy's topic.
    #[serde(default)]
    pub target: String,
    /// ntfy's access token, if its topic asks for one.
    #[serde(default)]
    pub token: String,
    pub events: Vec<Kind>,
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookChange {
    pub events: Option<Vec<Kind>>,
    /// False switches it off; true on again, also one that was broken.
    pub active: Option<bool>,
}

/// List an account's webhooks; its owners only. All of them: there are at most 10.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}/webhooks", tag = "webhooks",
    params(("handle" = String, Path)), security(("token" = ["accounts:read"])),
    responses((status = 200, body = Listing<WebhookJson>), (status = 403, body = Problem), (status = 404, body = Problem))
)]
pub async fn list_webhooks(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
) -> Result<Json<Listing<WebhookJson>>, Error> {
    let user = caller.require(Scope::AccountsRead)?;
    let account = by_handle(&app, &handle).await?;
    let db = app.db.read();
    roles::require(db, account.id, user.id, Operation::ManageWebhooks).await?;
    let rows = queries::of_account(db, account.id).await?;
    Ok(Json(Listing { items: rows.into_iter().map(WebhookJson::from).collect(), next_cursor: None }))
}

/// Add a webhook. Its messages are signed by the Standard Webhooks convention with the `secret` of this answer.
#[utoipa::path(
    post, path = "/api/v1/accounts/{handle}/webhooks", tag = "webhooks", request_body = NewWebhookJson,
    params(("handle" = String, Path)), security(("token" = ["accounts:write"])),
    responses(
        (status = 201, body = WebhookJson), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)
    )
)]
pub async fn create_webhook(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    Json(new): Json<NewWebhookJson>,
) -> Result<(StatusCode, Json<WebhookJson>), Error> {
    let user = caller.require(Scope::AccountsWrite)?;
    let account = by_handle(&app, &handle).await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let new =
        NewWebhook { form: new.form, url: new.url, target: new.target, token: new.token, kinds: new.events };
    let row = webhooks::add(&app, actor, &new).await?;
    let secret = (row.form == WebhookForm::Standard).then(|| row.secret.clone());
    Ok((StatusCode::CREATED, Json(WebhookJson { secret, ..row.into() })))
}

/// Change what a webhook is told of, switch it off or on.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", request_body = WebhookChange,
    params(("id" = i64, Path)), security(("token" = ["accounts:write"])),
    responses((status = 200, body = WebhookJson), (status = 404, body = Problem), (status = 422, body = Problem))
)]
pub async fn update_webhook(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(change): Json<WebhookChange>,
) -> Result<Json<WebhookJson>, Error> {
    let actor = actor(&app, &caller, id).await?;
    if let Some(kinds) = change.events {
        webhooks::set_kinds(&app, actor, id, &kinds).await?;
    }
    if let Some(active) = change.active {
        webhooks::set_active(&app, actor, id, active).await?;
    }
    let row = queries::one(app.db.read(), actor.account_id, id).await?.ok_or(Error::NotFound)?;
    Ok(Json(row.into()))
}

/// Remove a webhook with all its messages.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = i64, Path)), security(("token" = ["accounts:write"])),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn delete_webhook(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<StatusCode, Error> {
    let actor = actor(&app, &caller, id).await?;
    webhooks::remove(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a webhook a message of the type `test`.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks",
    params(("id" = i64, Path)), security(("token" = ["accounts:write"])),
    responses((status = 202), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub async fn test_webhook(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<StatusCode, Error> {
    let actor = actor(&app, &caller, id).await?;
    webhooks::test(&app, actor, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The caller, who may manage the webhook's account; strangers do not learn whether there is one.
async fn actor(app: &App, caller: &ApiUser, id: i64) -> Result<Actor, Error> {
    let user = caller.require(Scope::AccountsWrite)?;
    let db = app.db.read();
    let row = webhook::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    let actor = Actor { account_id: row.account_id, user_id: user.id };
    match roles::require(db, row.account_id, user.id, Operation::ManageWebhooks).await {
        Ok(_) => Ok(actor),
        Err(Error::Forbidden(_)) => Err(Error::NotFound),
        Err(error) => Err(error),
    }
}
