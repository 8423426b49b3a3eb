//! `/api/v1/accounts`: accounts as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::profile::ProfileForm;
use super::queries::{self, Found, Listing as Wish, Summary};
use super::{By, NewAccount};
use crate::api::{Listing, Paging, Problem};
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState, Link, Region, Topic};
use crate::db::entities::member::Role;
use crate::error::Error;
use crate::path::Path;

/// An account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountJson {
    /// Its name in addresses, without the `@`.
    pub handle: String,
    pub name: String,
    pub bio: String,
    /// Its page.
    pub url: String,
    pub avatar_url: Option<String>,
    /// BCP 47.
    pub lang: String,
    pub links: Vec<Link>,
    /// Where its readers are.
    pub region: Option<Region>,
    /// What it is mostly about.
    pub topic: Option<Topic>,
    pub verified: bool,
    pub state: AccountState,
    pub created_at: String,
    /// The caller's role, in lists of one's own accounts.
    pub role: Option<Role>,
    /// Published articles, in lists.
    pub articles: Option<i64>,
}

impl AccountJson {
    pub fn new(app: &App, account: &account::Model) -> Self {
        let avatar = account.avatar_url.as_deref().map(|url| match url.strip_prefix('/') {
            Some(_) => app.config.url(url),
            None => url.to_owned(),
        });
        Self {
            handle: account.handle.clone(),
            name: account.name.clone(),
            bio: account.bio.clone(),
            url: app.config.url(&format!("/@{}", account.handle)),
            avatar_url: avatar,
            lang: account.lang.clone(),
            links: account.links.0.clone(),
            region: account.region,
            topic: account.topic,
            verified: account.verified_at.is_some(),
            state: account.state,
            created_at: Timestamp::rfc3339(account.created_at),
            role: None,
            articles: None,
        }
    }

    fn of(app: &App, row: &Summary) -> Self {
        Self { role: row.role, articles: Some(row.published), ..Self::new(app, &row.account) }
    }
}

/// Which accounts.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountsQuery {
    /// Part of a handle or name.
    #[serde(default)]
    pub q: String,
    /// Only those that the caller is a member of; takes a token with `accounts:read`.
    #[serde(default)]
    pub mine: bool,
    /// How many, 1 to 100; 20 when left out.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List accounts, newest first; one's own, by name, with `mine`.
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "accounts", params(AccountsQuery),
    security((), ("token" = ["accounts:read"])),
    responses((status = 200, body = Listing<AccountJson>), (status = 401, body = Problem), (status = 422, body = Problem))
)]
pub async fn list_accounts(
    State(app): State<Arc<App>>,
    caller: Option<ApiUser>,
    Query(query): Query<AccountsQuery>,
) -> Result<Json<Listing<AccountJson>>, Error> {
    let db = app.db.read();
    if query.mine {
        let caller = caller.ok_or(Error::Unauthorized)?;
        let user = caller.require(Scope::AccountsRead)?;
        let rows = queries::of_user(db, user.id).await?;
        let items = rows.iter().map(|row| AccountJson::of(&app, row)).collect();
        return Ok(Json(Listing { items, next_cursor: None }));
    }
    let paging = Paging { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let wish = Wish { words: &query.q, with_hidden: false, before: paging.after()?, limit: limit + 1 };
    let mut rows = queries::list(db, wish).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.account.id.to_string());
    Ok(Json(Listing { items: rows.iter().map(|row| AccountJson::of(&app, row)).collect(), next_cursor }))
}

/// Get an account; a former handle answers with the account under its present one.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}", tag = "accounts", params(("handle" = String, Path)),
    responses((status = 200, body = AccountJson), (status = 404, body = Problem), (status = 410, body = Problem))
)]
pub async fn get_account(
    State(app): State<Arc<App>>,
    Path(handle): Path<String>,
) -> Result<Json<AccountJson>, Error> {
    let (Found::Here(account) | Found::Moved(account)) =
        queries::open_by_handle(app.db.read(), &handle).await?;
    Ok(Json(AccountJson::new(&app, &account)))
}

/// An account to be opened.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    /// 2 to 30 ASCII letters, digits, hyphens and underscores.
    pub handle: String,
    /// In any script, 1 to 60 characters.
    pub name: String,
    #[serde(default)]
    pub bio: String,
    /// BCP 47.
    pub lang: String,
}

/// Open an account; the caller is its owner.
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "accounts", request_body = AccountInput,
    params(("Idempotency-Key" = Option<String>, Header)), security(("token" = ["accounts:write"])),
    responses((status = 201, body = AccountJson), (status = 403, body = Problem), (status = 422, body = Problem))
)]
pub async fn create_account(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Json(input): Json<AccountInput>,
) -> Result<Response, Error> {
    let user = caller.require(Scope::AccountsWrite)?;
    let new = NewAccount { handle: input.handle, name: input.name, bio: input.bio, lang: input.lang };
    let account = super::open(&app, By::User(user), None, &new).await?;
    let place = app.config.url(&format!("/api/v1/accounts/{}", account.handle));
    let answer = Json(AccountJson::new(&app, &account));
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], answer).into_response())
}

/// Changes to an account: what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChanges {
    /// The old handle keeps leading to the account.
    pub handle: Option<String>,
    pub name: Option<String>,
    pub bio: Option<String>,
    /// BCP 47.
    pub lang: Option<String>,
    /// http, https or a picture of this site; an empty string takes it away.
    pub avatar_url: Option<String>,
    /// At most 8.
    pub links: Option<Vec<Link>>,
    /// One of the regions that accounts have; an empty string takes it away. So with `topic`.
    pub region: Option<String>,
    pub topic: Option<String>,
}

/// Change an account's profile or handle.
#[utoipa::path(
    patch, path = "/api/v1/accounts/{handle}", tag = "accounts", request_body = AccountChanges,
    params(("handle" = String, Path)), security(("token" = ["accounts:write"])),
    responses(
        (status = 200, body = AccountJson), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)
    )
)]
pub async fn update_account(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    Json(changes): Json<AccountChanges>,
) -> Result<Json<AccountJson>, Error> {
    let user = caller.require(Scope::AccountsWrite)?;
    let mut account = by_handle(&app, &handle).await?;
    let present = ProfileForm::of(&account);
    let form = ProfileForm {
        name: changes.name.unwrap_or_else(|| present.name.clone()),
        bio: changes.bio.unwrap_or_else(|| present.bio.clone()),
        lang: changes.lang.unwrap_or_else(|| present.lang.clone()),
        avatar_url: changes.avatar_url.unwrap_or_else(|| present.avatar_url.clone()),
        links: changes.links.unwrap_or_else(|| present.links.clone()),
        region: changes.region.unwrap_or_else(|| present.region.clone()),
        topic: changes.topic.unwrap_or_else(|| present.topic.clone()),
    };
    // The handle first: it fails on its own, and then nothing is changed.
    if let Some(handle) = changes.handle {
        form.parse().map_err(Error::Invalid)?;
        account = super::rename(&app, user.id, account.id, &handle).await?;
    }
    if form != present {
        account = super::edit_profile(&app, user.id, account.id, &form).await?;
    } else {
        super::roles::require(app.db.read(), account.id, user.id, super::roles::Operation::ManageAccount)
            .await?;
    }
    Ok(Json(AccountJson::new(&app, &account)))
}

/// The account of a present or former handle, for its members: hidden ones too.
pub async fn by_handle(app: &App, handle: &str) -> Result<account::Model, Error> {
    match queries::by_handle(app.db.read(), handle).await? {
        Some(Found::Here(account) | Found::Moved(account)) => Ok(account),
        None => Err(Error::NotFound),
    }
}
