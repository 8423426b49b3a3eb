//! `/api/v1/reader`: at what hours the caller is told, and at what pace by new subscriptions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Settings, Wish, of_user};
use crate::api::Problem;
use crate::app::App;
use crate::auth::{ApiUser, Scope};
use crate::db::entities::subscription::Cadence;
use crate::db::entities::user;
use crate::error::Error;
use crate::readers;
use crate::shown::Shown;

/// The hours of a reader, by the clock of the time zone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReaderJson {
    /// IANA name.
    pub timezone: String,
    /// Cadence of new subscriptions.
    pub cadence: Cadence,
    /// When digests come: 0 to 23.
    pub digest_hour: u32,
    /// When weekly digests come: 1 for Monday to 7 for Sunday.
    pub digest_weekday: u32,
    /// From this hour on no mail comes that could wait; null for none.
    pub quiet_from: Option<u32>,
    /// Until this hour.
    pub quiet_until: Option<u32>,
    /// Whether digests also hold what was on the timeline when the reader last looked.
    pub with_seen: bool,
    /// Script in which Chinese is shown: `original`, `hans`, `hant-tw` or `hant-hk`; empty follows the language.
    pub script: String,
    /// When the next digest is due; null while nothing is told by digests.
    pub next_digest_at: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderChange {
    pub timezone: Option<String>,
    pub cadence: Option<Cadence>,
    pub digest_hour: Option<i32>,
    pub digest_weekday: Option<i32>,
    /// Quiet hours; null takes them away.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<QuietJson>)]
    pub quiet: Option<Option<QuietJson>>,
    pub with_seen: Option<bool>,
    /// `original`, `hans`, `hant-tw` or `hant-hk`; empty follows the language.
    pub script: Option<String>,
}

/// Hours from and until which mail waits, 0 to 23.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct QuietJson {
    pub from: i32,
    pub until: i32,
}

/// Tells null from what is left out.
fn given<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Option<QuietJson>>, D::Error> {
    Option::<QuietJson>::deserialize(input).map(Some)
}

impl ReaderJson {
    async fn load(app: &App, user: &user::Model) -> Result<Json<Self>, Error> {
        let reader = of_user(app, user).await?;
        let Settings { timezone, cadence, hour, weekday, quiet, with_seen, script } = reader.settings();
        let due =
            reader.row.and_then(|row| [row.daily_due_at, row.weekly_due_at].into_iter().flatten().min());
        Ok(Json(Self {
            timezone,
            cadence,
            digest_hour: hour,
            digest_weekday: weekday.number_from_monday(),
            quiet_from: quiet.map(|quiet| quiet.from),
            quiet_until: quiet.map(|quiet| quiet.until),
            with_seen,
            script: script.map_or("", Shown::code).to_owned(),
            next_digest_at: due.map(|due| due.rfc3339()),
        }))
    }
}

/// Show one's hours.
#[utoipa::path(
    get, path = "/api/v1/reader", tag = "subscriptions", security(("token" = ["subscriptions:read"])),
    responses((status = 200, body = ReaderJson), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub async fn show_reader(State(app): State<Arc<App>>, caller: ApiUser) -> Result<Json<ReaderJson>, Error> {
    let user = caller.require(Scope::SubscriptionsRead)?;
    ReaderJson::load(&app, user).await
}

/// Change one's hours, or the cadence of new subscriptions.
#[utoipa::path(
    patch, path = "/api/v1/reader", tag = "subscriptions", request_body = ReaderChange,
    security(("token" = ["subscriptions:write"])),
    responses((status = 200, body = ReaderJson), (status = 403, body = Problem), (status = 422, body = Problem))
)]
pub async fn update_reader(
    State(app): State<Arc<App>>,
    caller: ApiUser,
    Json(change): Json<ReaderChange>,
) -> Result<Json<ReaderJson>, Error> {
    let user = caller.require(Scope::SubscriptionsWrite)?;
    let mut wish = Wish::from(&of_user(&app, user).await?.settings());
    if let Some(timezone) = change.timezone {
        wish.timezone = timezone;
    }
    wish.cadence = change.cadence.unwrap_or(wish.cadence);
    wish.hour = change.digest_hour.unwrap_or(wish.hour);
    wish.weekday = change.digest_weekday.unwrap_or(wish.weekday);
    if let Some(quiet) = change.quiet {
        wish.quiet = (quiet.map(|quiet| quiet.from), quiet.map(|quiet| quiet.until));
    }
    wish.with_seen = change.with_seen.unwrap_or(wish.with_seen);
    wish.script = change.script.unwrap_or(wish.script);
    readers::change(&app, &user.email, &user.locale, &wish.parse()?).await?;
    ReaderJson::load(&app, user).await
}
