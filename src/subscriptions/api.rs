//! `/api/v1/subscriptions`: a reader's own subscriptions, and an account's subscribers for its owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::queries::{self as accounts, Found};
use crate::accounts::roles::{self, Operation};
use crate::api::{Listing, Paging, Problem};
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::db::entities::subscription::{Cadence, SubscriptionState};
use crate::error::{Error, Problems};
use crate::page::Page;
use crate::path::Path;
use crate::subscriptions::queries::{self, Followed};
use crate::subscriptions::{self, Change};

/// A reader follows an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubscriptionJson {
    pub id: i64,
    /// The account's handle.
    pub account: String,
    /// The account's name.
    pub name: String,
    /// The account's page.
    pub url: String,
    /// Where mail goes.
    pub email: String,
    pub state: SubscriptionState,
    pub cadence: Cadence,
    pub created_at: String,
    /// Why mail to the address has stopped, in the words of its server.
    pub refused: Option<String>,
}

impl SubscriptionJson {
    fn new(app: &App, followed: Followed) -> Self {
        Self {
            id: followed.id,
            url: app.config.url(&format!("/@{}", followed.handle)),
            account: followed.handle,
            name: followed.name,
            email: followed.email,
            state: followed.state,
            cadence: followed.cadence,
            created_at: followed.created_at.rfc3339(),
            refused: followed.refused,
        }
    }

    async fn load(app: &App, id: i64) -> Result<Json<Self>, Error> {
        Ok(Json(Self::new(app, queries::followed(app.db.read(), id).await?)))
    }
}

/// Whom to follow.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewSubscription {
    /// The account's handle.
    pub account: String,
    /// Left out: that of new subscriptions, see `/api/v1/reader`.
    #[serde(default)]
    pub cadence: Option<Cadence>,
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SubscriptionChange {
    pub cadence: Option<Cadence>,
    /// `active` or `paused`.
    pub state: Option<SubscriptionState>,
}

impl SubscriptionChange {
    fn changes(&self) -> Result<Vec<Change>, Error> {
        let mut problems = Problems::default();
        let mut changes = Vec::new();
        changes.extend(self.cadence.map(Change::from));
        match self.state {
            None => {}
            Some(SubscriptionState::Active) => changes.push(Change::Resume),
            Some(SubscriptionState::Paused) => changes.push(Change::Pause),
            Some(SubscriptionState::Pending | SubscriptionState::Ended) => {
                problems.add("state", "subscription-state-wrong");
            }
        }
        problems.check()?;
        Ok(changes)
    }
}

/// How many readers a push of the account would tell now, and how many it would not.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AudienceJson {
    /// Follow the account, told or not.
    pub followers: i64,
    /// Told by mail at once.
    pub told: i64,
    /// Told by a digest a day.
    pub daily: i64,
    /// Told by a digest a week.
    pub weekly: i64,
    /// See articles on their timeline only.
    pub muted: i64,
    pub paused: i64,
    /// Have not confirmed their address.
    pub pending: i64,
    /// Their address takes no mail.
    pub suppressed: i64,
}

/// A reader of an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubscriberJson {
    pub id: i64,
    pub email: String,
    pub state: SubscriptionState,
    pub cadence: Cadence,
    pub created_at: String,
    /// When the address was confirmed.
    pub confirmed_at: Option<String>,
}

/// List one's own subscriptions.
#[utoipa::path(
    get, path = "/api/v1/subscriptions", tag = "subscriptions",
    params(Paging), security(("token" = ["subscriptions:read"])),
    responses((status = 200, body = Listing<SubscriptionJson>), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub async fn list_subscriptions(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<SubscriptionJson>>, Error> {
    let user = caller.require(Scope::SubscriptionsRead)?;
    let limit = paging.limit();
    let after = paging.after::<i64>()?.unwrap_or(0);
    let mut rows = queries::page_of_user(app.db.read(), user.id, after, limit + 1).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let items = rows.into_iter().map(|row| SubscriptionJson::new(&app, row)).collect();
    Ok(Json(Listing { items, next_cursor }))
}

/// Subscribe to an account, by mail to one's own address.
#[utoipa::path(
    post, path = "/api/v1/subscriptions", tag = "subscriptions",
    request_body = NewSubscription, security(("token" = ["subscriptions:write"])),
    responses((status = 201, body = SubscriptionJson), (status = 404, body = Problem))
)]
pub async fn create_subscription(
    State(app): State<Arc<App>>,
    page: Page,
    caller: ApiUser,
    Json(new): Json<NewSubscription>,
) -> Result<(StatusCode, Json<SubscriptionJson>), Error> {
    let user = caller.require(Scope::SubscriptionsWrite)?;
    let handle = new.account.trim_start_matches('@');
    let (Found::Here(account) | Found::Moved(account)) =
        accounts::open_by_handle(app.db.read(), handle).await?;
    let row = subscriptions::subscribe(&app, user, account.id, new.cadence, page.locale).await?;
    Ok((StatusCode::CREATED, SubscriptionJson::load(&app, row.id).await?))
}

/// Change the cadence of a subscription of one's own, pause or resume it.
#[utoipa::path(
    patch, path = "/api/v1/subscriptions/{id}", tag = "subscriptions",
    params(("id" = i64, Path)), request_body = SubscriptionChange,
    security(("token" = ["subscriptions:write"])),
    responses((status = 200, body = SubscriptionJson), (status = 404, body = Problem), (status = 422, body = Problem))
)]
pub async fn update_subscription(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
    Json(wish): Json<SubscriptionChange>,
) -> Result<Json<SubscriptionJson>, Error> {
    let user = caller.require(Scope::SubscriptionsWrite)?;
    subscriptions::get_own(app.db.read(), user.id, id).await?;
    for change in wish.changes()? {
        subscriptions::change_own(&app, user.id, id, change).await?;
    }
    SubscriptionJson::load(&app, id).await
}

/// Unsubscribe.
#[utoipa::path(
    delete, path = "/api/v1/subscriptions/{id}", tag = "subscriptions",
    params(("id" = i64, Path)), security(("token" = ["subscriptions:write"])),
    responses((status = 204), (status = 404, body = Problem))
)]
pub async fn delete_subscription(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(id): Path<i64>,
) -> Result<StatusCode, Error> {
    let user = caller.require(Scope::SubscriptionsWrite)?;
    subscriptions::change_own(&app, user.id, id, Change::Leave).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Count the readers of an account; for its members.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}/audience", tag = "subscriptions",
    params(("handle" = String, Path)), security(("token" = ["accounts:read"])),
    responses((status = 200, body = AudienceJson), (status = 403, body = Problem), (status = 404, body = Problem))
)]
pub async fn show_audience(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
) -> Result<Json<AudienceJson>, Error> {
    let account_id = account_for(&app, &caller, &handle, Operation::ReadStudio).await?;
    let audience = queries::audience(app.db.read(), account_id).await?;
    Ok(Json(AudienceJson {
        followers: audience.followers(),
        told: audience.told_total(),
        daily: audience.daily,
        weekly: audience.weekly,
        muted: audience.muted,
        paused: audience.paused,
        pending: audience.pending,
        suppressed: audience.suppressed,
    }))
}

/// List the readers of an account with their addresses; for its owner, to take them along.
#[utoipa::path(
    get, path = "/api/v1/accounts/{handle}/subscribers", tag = "subscriptions",
    params(("handle" = String, Path), Paging), security(("token" = ["accounts:read"])),
    responses((status = 200, body = Listing<SubscriberJson>), (status = 403, body = Problem), (status = 404, body = Problem))
)]
pub async fn list_subscribers(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Path(handle): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<SubscriberJson>>, Error> {
    let account_id = account_for(&app, &caller, &handle, Operation::ManageAccount).await?;
    let limit = paging.limit();
    let after = paging.after::<i64>()?.unwrap_or(0);
    let mut rows = queries::subscribers(app.db.read(), account_id, after, limit + 1).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let items = rows
        .into_iter()
        .map(|row| SubscriberJson {
            id: row.id,
            email: row.email,
            state: row.state,
            cadence: row.cadence,
            created_at: row.created_at.rfc3339(),
            confirmed_at: row.confirmed_at.map(|moment| moment.rfc3339()),
        })
        .collect();
    Ok(Json(Listing { items, next_cursor }))
}

async fn account_for(app: &App, caller: &ApiUser, handle: &str, operation: Operation) -> Result<i64, Error> {
    let user = caller.require(Scope::AccountsRead)?;
    let found = accounts::by_handle(app.db.read(), handle).await?.ok_or(Error::NotFound)?;
    let (Found::Here(account) | Found::Moved(account)) = found;
    roles::require(app.db.read(), account.id, user.id, operation).await?;
    Ok(account.id)
}
