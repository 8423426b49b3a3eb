//! `/api/v1/alerts`: a reader's own saved searches.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::queries::{self, Row};
use super::{Change, NewAlert};
use crate::alerts;
use crate::api::{Listing, Problem};
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::db::entities::alert::{self, AlertCadence, AlertState};
use crate::error::Error;
use crate::path::Path;

/// A saved search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlertJson {
    pub id: i64,
    pub name: String,
    /// In the language of searches.
    pub query: String,
    pub cadence: AlertCadence,
    pub state: AlertState,
    /// Articles that it has found.
    pub hits: i64,
    /// Of these, those that are not told yet.
    pub waiting: i64,
    /// When its last mail was taken.
    pub last_told_at: Option<String>,
    pub created_at: String,
}

impl From<Row> for AlertJson {
    fn from(row: Row) -> Self {
        Self {
            id: row.alert.id,
            name: row.alert.name,
            query: row.alert.query,
            cadence: row.alert.cadence,
            state: row.alert.state,
            hits: row.hits,
            waiting: row.waiting,
            last_told_at: row.last_told_at.map(|moment| moment.rfc3339()),
            created_at: row.alert.created_at.rfc3339(),
        }
    }
}

impl AlertJson {
    async fn load(app: &App, alert: alert::Model) -> Result<Json<Self>, Error> {
        Ok(Json(queries::row(app.db.read(), alert).await?.into()))
    }
}

/// A search to save.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAlertJson {
    /// In the language of searches.
    pub query: String,
    /// Left out: the query itself.
    #[serde(default)]
    pub name: String,
    pub cadence: AlertCadence,
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertChange {
    pub name: Option<String>,
    /// In the language of searches.
    pub query: Option<String>,
    pub cadence: Option<AlertCadence>,
    pub state: Option<AlertState>,
}

/// List one's own alerts, the newest first: all of them, there are at most 100.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "alerts",
    security(("token" = ["alerts:read"])),
    responses((status = 200, body = Listing<AlertJson>), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub async fn list_alerts(
    State(app): State<Arc<App>>,
    caller: ApiUser,
) -> Result<Json<Listing<AlertJson>>, Error> {
    let user = caller.require(Scope::AlertsRead)?;
    let rows = queries::of_user(app.db.read(), user.id).await?;
    Ok(Json(Listing { items: rows.into_iter().map(AlertJson::from).collect(), next_cursor: None }))
}

/// Save a search, to be told by mail of new articles that match it.
#[utoipa::path(
    post, path = "/api/v1/alerts", tag = "alerts",
    request_body = NewAlertJson, security(("token" = ["alerts:write"])),
    responses((status = 201, body = AlertJson), (status = 422, body = Problem))
)]
pub async fn create_alert(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Json(new): Json<NewAlertJson>,
) -> Result<(StatusCode, Json<AlertJson>), Error> {
    let user = caller.require(Scope::AlertsWrite)?;
    let new = NewAlert { name: new.name, query: new.query, cadence: Some(new.cadence) };
    let alert = alerts::save(&app, user, &new).await?;
    Ok((StatusCode::CREATED, AlertJson::load(&app, alert).await?))
}

/// Rename an alert, change its search or cadence, pause or resume it.
#[utoipa::path(
    patch, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = i64, Path)), request_body = AlertChange, security(("token" = ["alerts:write"])),
    responses((status = 200, body = AlertJson), (status = 404, body = Problem), (status = 422, body = Problem))
)]
pub async fn update_alert(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(wish): Json<AlertChange>,
) -> Result<Json<AlertJson>, Error> {
    let user = caller.require(Scope::AlertsWrite)?;
    let change = Change { name: wish.name, query: wish.query, cadence: wish.cadence, state: wish.state };
    let alert = alerts::change_own(&app, user, id, &change).await?;
    AlertJson::load(&app, alert).await
}

/// Delete an alert with all that it found.
#[utoipa::path(
    delete, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = i64, Path)), security(("token" = ["alerts:write"])),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn delete_alert(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<StatusCode, Error> {
    let user = caller.require(Scope::AlertsWrite)?;
    alerts::delete(&app, user.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
