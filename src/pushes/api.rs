//! `/api/v1/.../pushes`: pushes as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::NewPush;
use super::queries::{self, PushRow};
use crate::accounts::api::by_handle;
use crate::accounts::roles::{self, Operation};
use crate::api::idempotency::IdempotencyKey;
use crate::api::{Listing, Paging, Problem};
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::db::entities::account;
use crate::db::entities::delivery::Channel;
use crate::db::entities::push::{self, PushState};
use crate::delivery::tally::Tally;
use crate::delivery::untold::Untold;
use crate::error::Error;
use crate::path::Path;

/// A push and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PushJson {
    pub id: i64,
    /// The account's handle.
    pub account: String,
    pub state: PushState,
    pub created_at: String,
    pub finished_at: Option<String>,
    /// Since when nobody is told, until it goes on.
    pub stopped_at: Option<String>,
    /// Subscribers without a delivery, by reason; missing until every subscriber was looked at.
    pub untold: Option<Untold>,
    /// In the order in which readers see them.
    pub articles: Vec<PushedJson>,
    /// By channel; empty until the first reader has a row.
    pub deliveries: Vec<DeliveriesJson>,
}

/// An article of a push.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PushedJson {
    pub id: i64,
    pub title: String,
    pub url: String,
}

/// How many readers of a channel were told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveriesJson {
    pub channel: Channel,
    pub delivered: i64,
    /// Not tried yet, under way, or to be tried again.
    pub waiting: i64,
    pub failed: i64,
    /// Not sent: the address takes no mail, or the reader has left.
    pub suppressed: i64,
}

impl PushJson {
    fn new(app: &App, account: &account::Model, row: PushRow, tallies: &[(i64, Channel, Tally)]) -> Self {
        let url = |slug: &str| app.config.url(&format!("/@{}/{slug}", account.handle));
        let deliveries = tallies.iter().filter(|(push_id, _, _)| *push_id == row.push.id);
        Self {
            id: row.push.id,
            account: account.handle.clone(),
            state: row.push.state,
            created_at: row.push.created_at.rfc3339(),
            finished_at: row.push.finished_at.map(|moment| moment.rfc3339()),
            stopped_at: row.push.stopped_at.map(|moment| moment.rfc3339()),
            untold: Untold::read(row.push.untold.as_deref()),
            deliveries: deliveries
                .map(|(_, channel, tally)| DeliveriesJson {
                    channel: *channel,
                    delivered: tally.delivered,
                    waiting: tally.unfinished(),
                    failed: tally.failed,
                    suppressed: tally.suppressed,
                })
                .collect(),
            articles: row
                .articles
                .into_iter()
                .map(|article| PushedJson { id: article.id, url: url(&article.slug), title: article.title })
                .collect(),
        }
    }

    async fn load(app: &App, account: &account::Model, push_id: i64) -> Result<Self, Error> {
        let db = app.db.read();
        let row = queries::one(db, account.id, push_id).await?.ok_or(Error::NotFound)?;
        Ok(Self::new(app, account, row, &queries::tallies(db, &[push_id]).await?))
    }
}

/// List an account's pushes, newest first.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}/pushes", tag = "pushes",
    params(("handle" = String, Path), Paging), security(("token" = ["pushes:read"])),
    responses((status = 200, body = Listing<PushJson>), (status = 403, body = Problem), (status = 404, body = Problem))
)]
pub async fn list_pushes(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<PushJson>>, Error> {
    let user = caller.require(Scope::PushesRead)?;
    let account = by_handle(&app, &handle).await?;
    let db = app.db.read();
    roles::require(db, account.id, user.id, Operation::ReadStudio).await?;
    let limit = paging.limit();
    let mut rows = queries::of_account(db, account.id, paging.after()?, limit + 1).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.push.id.to_string());
    let ids: Vec<i64> = rows.iter().map(|row| row.push.id).collect();
    let tallies = queries::tallies(db, &ids).await?;
    let items = rows.into_iter().map(|row| PushJson::new(&app, &account, row, &tallies)).collect();
    Ok(Json(Listing { items, next_cursor }))
}

/// What is to be pushed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PushInput {
    /// Ids of 1 to 8 published articles that were not pushed yet, in order.
    pub articles: Vec<i64>,
}

/// Push articles to the account's subscribers, once. Asked again for the same articles it answers
/// 200 with the push that is there.
#[utoipa::path(
    post, path = "/api/v1/accounts/{handle}/pushes", tag = "pushes", request_body = PushInput,
    params(("handle" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("token" = ["pushes:write"])),
    responses(
        (status = 201, body = PushJson), (status = 200, body = PushJson), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)
    )
)]
pub async fn create_push(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    key: IdempotencyKey,
    Json(input): Json<PushInput>,
) -> Result<Response, Error> {
    let user = caller.require(Scope::PushesWrite)?;
    let account = by_handle(&app, &handle).await?;
    // The key is kept with the push too: it outlives the answer that is kept for a day.
    let idempotency_key = key.key.map(|key| format!("api:{}:{key}", user.id)).unwrap_or_default();
    let new = NewPush { article_ids: input.articles, idempotency_key };
    let created = super::create(&app, user.id, account.id, &new).await?;
    let status = if created.new { StatusCode::CREATED } else { StatusCode::OK };
    let place = app.config.url(&format!("/api/v1/pushes/{}", created.push.id));
    let answer = Json(PushJson::load(&app, &account, created.push.id).await?);
    Ok((status, [(header::LOCATION, place)], answer).into_response())
}

/// Get a push; members of its account only.
#[utoipa::path(
    get, path = "/api/v1/pushes/{id}", tag = "pushes", params(("id" = i64, Path)),
    security(("token" = ["pushes:read"])),
    responses((status = 200, body = PushJson), (status = 404, body = Problem))
)]
pub async fn get_push(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<Json<PushJson>, Error> {
    let user = caller.require(Scope::PushesRead)?;
    let db = app.db.read();
    let push = push::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    let account = account::Entity::find_by_id(push.account_id).one(db).await?.ok_or(Error::NotFound)?;
    // Strangers do not learn whether there is one.
    if roles::role_of(db, account.id, user.id).await?.is_none() {
        return Err(Error::NotFound);
    }
    Ok(Json(PushJson::load(&app, &account, id).await?))
}
