//! Changing a subscription: its pace, pausing, leaving, coming back; one or all of an address.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder,
};

use super::{activate, announce, get, get_own, usual_cadence};
use crate::app::App;
use crate::db::entities::subscription::{self, Cadence, Model as Subscription, SubscriptionState};
use crate::db::entities::webhook_message::Kind;
use crate::error::Error;
use crate::readers;

/// What a reader may do with a subscription; also the last part of the URLs that do it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Change {
    /// Be told of each push at once.
    Instant,
    /// Be told once a day, in a digest.
    Daily,
    /// Be told once a week, in a digest.
    Weekly,
    /// Be told nothing; articles are on the timeline.
    Mute,
    /// Be told nothing for a while.
    Pause,
    Resume,
    Leave,
    /// Come back after leaving.
    Rejoin,
}

impl Change {
    /// The key of the notice after it was done.
    pub fn flash(self) -> &'static str {
        match self {
            Self::Instant => "flash-subscription-instant",
            Self::Daily => "flash-subscription-daily",
            Self::Weekly => "flash-subscription-weekly",
            Self::Mute => "flash-subscription-muted",
            Self::Pause => "flash-subscription-paused",
            Self::Resume => "flash-subscription-resumed",
            Self::Leave => "flash-subscription-left",
            Self::Rejoin => "flash-subscription-rejoined",
        }
    }
}

impl From<Cadence> for Change {
    fn from(cadence: Cadence) -> Self {
        match cadence {
            Cadence::Instant => Self::Instant,
            Cadence::Daily => Self::Daily,
            Cadence::Weekly => Self::Weekly,
            Cadence::Muted => Self::Mute,
        }
    }
}

/// Changes the subscription of a signed link, which whoever holds it may do.
pub async fn change(app: &App, subscription_id: i64, change: Change) -> Result<Subscription, Error> {
    let tx = app.db.begin().await?;
    let found = get(&tx, subscription_id).await?;
    let changed = apply(app, &tx, found, change).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Changes a subscription of the user's own.
pub async fn change_own(
    app: &App,
    user_id: i64,
    subscription_id: i64,
    change: Change,
) -> Result<Subscription, Error> {
    let tx = app.db.begin().await?;
    let email = get_own(&*tx, user_id, subscription_id).await?.email;
    readers::lock(&tx, &email).await?;
    let found = get_own(&*tx, user_id, subscription_id).await?;
    let changed = apply(app, &tx, found, change).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Changes one of an address's subscriptions, for the holder of a reader's signed link.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn change_of_address(
    app: &App,
    email: &str,
    subscription_id: i64,
    change: Change,
) -> Result<Subscription, Error> {
    let tx = app.db.begin().await?;
    let found = get(&tx, subscription_id).await?;
    if found.email != email {
        return Err(Error::NotFound);
    }
    let changed = apply(app, &tx, found, change).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Gives all of an address's subscriptions one cadence; those that are paused or pending keep their own.
pub async fn change_all(app: &App, email: &str, cadence: Cadence) -> Result<(), Error> {
    change_where(app, email, Change::from(cadence), |_| true).await
}

/// Mutes what tells an address by digests; the rest goes on.
pub async fn mute_digests(app: &App, email: &str) -> Result<(), Error> {
    change_where(app, email, Change::Mute, Cadence::has_digests).await
}

async fn change_where(
    app: &App,
    email: &str,
    change: Change,
    is_meant: impl Fn(Cadence) -> bool,
) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    readers::lock(&tx, email).await?;
    let active = subscription::Entity::find()
        .filter(subscription::COLUMN.email.eq(email))
        .filter(subscription::COLUMN.state.eq(SubscriptionState::Active))
        .order_by_asc(subscription::COLUMN.id);
    for found in active.all(&*tx).await? {
        if is_meant(found.cadence) {
            apply(app, &tx, found, change).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Changes a subscription that was read with its reader locked.
async fn apply(
    app: &App,
    tx: &DatabaseTransaction,
    found: Subscription,
    change: Change,
) -> Result<Subscription, DbErr> {
    use SubscriptionState::{Active, Ended, Paused, Pending};
    let now = app.clock.now();
    let mut row = found.clone().into_active_model();
    match (change, found.state) {
        (Change::Instant, Active | Paused) => row.cadence = Set(Cadence::Instant),
        (Change::Daily, Active | Paused) => row.cadence = Set(Cadence::Daily),
        (Change::Weekly, Active | Paused) => row.cadence = Set(Cadence::Weekly),
        (Change::Mute, Active | Paused) => row.cadence = Set(Cadence::Muted),
        (Change::Pause, Active) => row.state = Set(Paused),
        (Change::Resume, Paused) => row.state = Set(Active),
        (Change::Leave, Active | Paused | Pending) => {
            row.state = Set(Ended);
            row.ended_at = Set(Some(now));
        }
        (Change::Rejoin, Ended) => {
            let cadence = usual_cadence(app, tx, &found.email).await?;
            activate(&mut row, &found, cadence, now);
        }
        // Done already, or no longer possible: said twice is as good as once.
        _ => return Ok(found),
    }
    let changed = row.update(tx).await?;
    let changed = readers::subscription_changed(app, tx, now, &found, changed).await?;
    match (found.state, changed.state) {
        (Active | Paused, Ended) => announce(tx, now, &changed, Kind::SubscriptionCancelled).await?,
        (Ended, Active) => announce(tx, now, &changed, Kind::SubscriptionConfirmed).await?,
        _ => {}
    }
    Ok(changed)
}
