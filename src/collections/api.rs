//! `/api/v1`: collections.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pages::path;
use super::{CollectionForm, queries};
use crate::accounts::queries::{Found, open_by_handle};
use crate::accounts::roles;
use crate::api::{Listing, Problem};
use crate::app::App;
use crate::articles::Actor;
use crate::auth::{ApiUser, Scope};
use crate::collections;
use crate::db::entities::{account, collection};
use crate::error::Error;
use crate::path::Path;

/// An ordered set of an account's articles.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollectionJson {
    pub id: i64,
    pub title: String,
    pub intro: String,
    /// Its page.
    pub url: String,
    /// Ids of its published articles, in order.
    pub articles: Vec<i64>,
}

impl CollectionJson {
    async fn load(app: &App, account: &account::Model, row: collection::Model) -> Result<Self, Error> {
        Ok(Self {
            url: app.config.url(&path(account, &row)),
            articles: queries::published_ids(app.db.read(), row.id).await?,
            id: row.id,
            title: row.title,
            intro: row.intro,
        })
    }
}

/// A collection to be made, or changes to one: what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CollectionInput {
    /// 1 to 60 characters.
    pub title: Option<String>,
    pub intro: Option<String>,
    /// Ids of articles of the account: exactly these, in this order.
    pub articles: Option<Vec<i64>>,
}

/// List an account's collections, in its order. All of them: there are at most 100.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}/collections", tag = "collections", params(("handle" = String, Path)),
    responses((status = 200, body = Listing<CollectionJson>), (status = 404, body = Problem), (status = 410, body = Problem))
)]
pub async fn list_collections(
    State(app): State<Arc<App>>,
    Path(handle): Path<String>,
) -> Result<Json<Listing<CollectionJson>>, Error> {
    let db = app.db.read();
    let (Found::Here(account) | Found::Moved(account)) = open_by_handle(db, &handle).await?;
    let mut items = Vec::new();
    for row in queries::in_order(db, account.id).await? {
        items.push(CollectionJson::load(&app, &account, row).await?);
    }
    Ok(Json(Listing { items, next_cursor: None }))
}

/// Make a collection.
#[utoipa::path(
    post, path = "/api/v1/accounts/{handle}/collections", tag = "collections", request_body = CollectionInput,
    params(("handle" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("token" = ["articles:write"])),
    responses((status = 201, body = CollectionJson), (status = "4XX", body = Problem))
)]
pub async fn create_collection(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    Json(input): Json<CollectionInput>,
) -> Result<(StatusCode, Json<CollectionJson>), Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let account = crate::accounts::api::by_handle(&app, &handle).await?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    let form =
        CollectionForm { title: input.title.unwrap_or_default(), intro: input.intro.unwrap_or_default() };
    let row = collections::create(&app, actor, &form).await?;
    if let Some(articles) = &input.articles
        && let Err(error) = collections::set_articles(&app, actor, row.id, articles).await
    {
        // What could not be filled as asked is not left behind.
        collections::delete(&app, actor, row.id).await?;
        return Err(error);
    }
    Ok((StatusCode::CREATED, Json(CollectionJson::load(&app, &account, row).await?)))
}

/// Change a collection's title, intro or articles.
#[utoipa::path(
    patch, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = i64, Path)),
    request_body = CollectionInput, security(("token" = ["articles:write"])),
    responses((status = 200, body = CollectionJson), (status = "4XX", body = Problem))
)]
pub async fn update_collection(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(input): Json<CollectionInput>,
) -> Result<Json<CollectionJson>, Error> {
    let (account, row, actor) = load(&app, &caller, id).await?;
    let present = CollectionForm::of(&row);
    let form = CollectionForm {
        title: input.title.unwrap_or_else(|| present.title.clone()),
        intro: input.intro.unwrap_or_else(|| present.intro.clone()),
    };
    if let Some(articles) = &input.articles {
        collections::set_articles(&app, actor, id, articles).await?;
    }
    let row = collections::change(&app, actor, id, &form).await?;
    Ok(Json(CollectionJson::load(&app, &account, row).await?))
}

/// Delete a collection. Its articles stay.
#[utoipa::path(
    delete, path = "/api/v1/collections/{id}", tag = "collections", params(("id" = i64, Path)),
    security(("token" = ["articles:write"])),
    responses((status = 204), (status = "4XX", body = Problem))
)]
pub async fn delete_collection(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<StatusCode, Error> {
    let (_, row, actor) = load(&app, &caller, id).await?;
    collections::delete(&app, actor, row.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A collection of an account that the caller is a member of; others find none.
async fn load(
    app: &App,
    caller: &ApiUser,
    id: i64,
) -> Result<(account::Model, collection::Model, Actor), Error> {
    let user = caller.require(Scope::ArticlesWrite)?;
    let db = app.db.read();
    let row = collection::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    roles::role_of(db, row.account_id, user.id).await?.ok_or(Error::NotFound)?;
    let account = account::Entity::find_by_id(row.account_id).one(db).await?.ok_or(Error::NotFound)?;
    let actor = Actor { account_id: account.id, user_id: user.id };
    Ok((account, row, actor))
}
