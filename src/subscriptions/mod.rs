//! Subscriptions: readers follow accounts, signed in or by address alone, and leave again.
//!
//! Somebody who is signed in has shown that the address is theirs, so they are subscribed at once.
//! An address that was merely typed becomes a pending subscription and gets one letter; only the
//! link in it makes the subscription active. What the page answers never tells whether the
//! address is subscribed already.

pub mod api;
pub mod letters;
pub mod links;
pub mod pages;
pub mod queries;
pub mod timeline;

use std::time::Duration;

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder,
};

use crate::app::App;
use crate::auth::Address;
use crate::clock::Timestamp;
use crate::db::entities::subscription::{self, Cadence, Model as Subscription, SubscriptionState};
use crate::db::entities::user;
use crate::db::entities::webhook_message::Kind;
use crate::delivery;
use crate::error::Error;
use crate::jobs::{self, Job};
use crate::page::Locale;
use crate::readers;
use crate::webhooks::{self, announce::News};

/// How soon the same letter is sent again to an address at most.
const LETTER_EVERY: Duration = Duration::from_secs(5 * 60);
/// Letters about subscribing that an address gets within an hour, whoever asks and for whatever
/// accounts. More are silently not sent, because the answer may not tell what else is known of it.
const LETTERS_AN_HOUR: u64 = 12;
/// Unconfirmed subscriptions removed in one transaction.
const FORGOTTEN_AT_ONCE: u64 = 500;
/// How long a subscription waits to be confirmed.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Articles of the last days are new to a new subscriber; older ones count as read.
const NEW_TO_NEWCOMERS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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

/// Subscribes a signed-in user, at once. Without a cadence a new subscription has the reader's usual one.
pub async fn subscribe(
    app: &App,
    user: &user::Model,
    account_id: i64,
    cadence: Option<Cadence>,
    locale: Locale,
) -> Result<Subscription, DbErr> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    readers::lock(&tx, &user.email).await?;
    let found = match queries::of_user(&*tx, user.id, account_id).await? {
        Some(found) => found,
        None => find_or_insert(&tx, now, account_id, &user.email, Cadence::Instant, locale).await?,
    };
    let mut row = found.clone().into_active_model();
    row.user_id = Set(Some(user.id));
    if found.state != SubscriptionState::Active {
        let usual = usual_cadence(app, &tx, &found.email).await?;
        activate(&mut row, &found, usual, now);
    }
    if let Some(cadence) = cadence {
        row.cadence = Set(cadence);
    }
    let subscription = row.update(&*tx).await?;
    let subscription = readers::subscription_changed(app, &tx, now, &found, subscription).await?;
    if found.state != SubscriptionState::Active {
        announce(&tx, now, &subscription, Kind::SubscriptionConfirmed).await?;
    }
    tx.commit().await?;
    Ok(subscription)
}

/// Takes the wish of somebody who typed an address: one letter goes there, which asks for
/// confirmation, or says that the address is subscribed already. The cadence holds from then on; one
/// that is subscribed keeps its own.
pub async fn ask(
    app: &App,
    address: &Address,
    account_id: i64,
    cadence: Option<Cadence>,
    locale: Locale,
) -> Result<(), DbErr> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let cadence = match cadence {
        Some(cadence) => cadence,
        None => usual_cadence(app, &tx, address.as_str()).await?,
    };
    let found = find_or_insert(&tx, now, account_id, address.as_str(), cadence, locale).await?;
    let letters = letters_since(&*tx, address, now - Duration::from_secs(60 * 60)).await?;
    let just_asked = found.asked_at.is_some_and(|asked| asked > now - LETTER_EVERY);
    let subscription_id = found.id;
    let is_new = found.created_at == now && found.asked_at.is_none();
    if is_new || found.state == SubscriptionState::Ended {
        announce(&tx, now, &found, Kind::SubscriptionCreated).await?;
    }
    let mut row = found.clone().into_active_model();
    if found.state == SubscriptionState::Ended {
        row.state = Set(SubscriptionState::Pending);
        row.locale = Set(locale.code().to_owned());
    }
    if matches!(found.state, SubscriptionState::Ended | SubscriptionState::Pending) {
        row.cadence = Set(cadence);
    }
    if !just_asked && letters < LETTERS_AN_HOUR {
        row.asked_at = Set(Some(now));
        jobs::queue::enqueue(&*tx, now, Job::SendSubscriptionLetter { subscription_id }, now).await?;
    }
    if row.is_changed() {
        row.update(&*tx).await?;
    }
    tx.commit().await
}

/// The owner of the address has followed the link of the letter: the subscription is active.
/// Nothing happens to one that is not pending. An address that had failed is trusted again.
pub async fn confirm(app: &App, subscription_id: i64) -> Result<Subscription, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let mut found = get(&tx, subscription_id).await?;
    if found.state == SubscriptionState::Pending {
        let mut row = found.clone().into_active_model();
        activate(&mut row, &found, found.cadence, now);
        let confirmed = row.update(&*tx).await?;
        found = readers::subscription_changed(app, &tx, now, &found, confirmed).await?;
        announce(&tx, now, &found, Kind::SubscriptionConfirmed).await?;
        delivery::trust_again(&*tx, &found.email).await?;
    }
    tx.commit().await?;
    Ok(found)
}

/// Removes subscriptions that nobody confirmed in time; those of readers who had left before are
/// ended again. Returns how many there were.
pub async fn forget_unconfirmed(app: &App) -> Result<u64, DbErr> {
    let before = app.clock.now() - CONFIRMED_WITHIN;
    let mut forgotten = 0;
    loop {
        // Looked for outside the transaction, so that writers do not wait for the search.
        let ids = queries::unconfirmed(app.db.read(), before, FORGOTTEN_AT_ONCE).await?;
        if ids.is_empty() {
            return Ok(forgotten);
        }
        let unconfirmed = queries::unconfirmed_since(before);
        let tx = app.db.begin().await?;
        let ended = subscription::Entity::update_many()
            .col_expr(subscription::Column::State, Expr::value(SubscriptionState::Ended))
            .filter(subscription::Column::Id.is_in(ids.clone()))
            .filter(unconfirmed.clone())
            .filter(subscription::Column::ConfirmedAt.is_not_null())
            .exec(&*tx)
            .await?;
        let removed = subscription::Entity::delete_many()
            .filter(subscription::Column::Id.is_in(ids))
            .filter(unconfirmed)
            .exec(&*tx)
            .await?;
        tx.commit().await?;
        forgotten += ended.rows_affected + removed.rows_affected;
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

/// Gives a user the subscriptions made with their address alone. For sign-in by link, which shows
/// that the address is theirs.
pub async fn link_to_user(tx: &DatabaseTransaction, email: &str, user_id: i64) -> Result<(), DbErr> {
    let own = Query::select()
        .column(subscription::Column::AccountId)
        .from(subscription::Entity)
        .and_where(Expr::col(subscription::Column::UserId).eq(user_id))
        .take();
    subscription::Entity::update_many()
        .col_expr(subscription::Column::UserId, Expr::value(Some(user_id)))
        .filter(subscription::COLUMN.email.eq(email))
        .filter(Expr::col(subscription::Column::UserId).is_null())
        .filter(Expr::col(subscription::Column::AccountId).not_in_subquery(own))
        .exec(tx)
        .await?;
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

/// Tells webhooks of the account.
async fn announce(
    tx: &DatabaseTransaction,
    now: Timestamp,
    subscription: &Subscription,
    kind: Kind,
) -> Result<(), DbErr> {
    let news = News { kind, account_id: subscription.account_id, subject_id: subscription.id };
    webhooks::announce::announce(tx, now, &[news]).await
}

/// At what pace new subscriptions tell an address.
async fn usual_cadence(app: &App, tx: &DatabaseTransaction, email: &str) -> Result<Cadence, DbErr> {
    Ok(readers::queries::of_address(tx, &app.config, email).await?.cadence())
}

/// Makes a subscription active; one that is new or comes back begins with a cadence anew.
fn activate(row: &mut subscription::ActiveModel, found: &Subscription, cadence: Cadence, now: Timestamp) {
    row.state = Set(SubscriptionState::Active);
    row.ended_at = Set(None);
    if found.state != SubscriptionState::Paused {
        row.cadence = Set(cadence);
        row.confirmed_at = Set(Some(now));
        row.read_until = Set(Some(now - NEW_TO_NEWCOMERS));
    }
}

/// A subscription of the user's own.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn get_own<C: ConnectionTrait>(db: &C, user_id: i64, id: i64) -> Result<Subscription, Error> {
    let found = subscription::Entity::find_by_id(id).one(db).await?;
    found.filter(|row| row.user_id == Some(user_id)).ok_or(Error::NotFound)
}

/// A subscription, with its reader locked: digests move a reader's subscriptions on.
async fn get(tx: &DatabaseTransaction, id: i64) -> Result<Subscription, Error> {
    let found = subscription::Entity::find_by_id(id).one(tx).await?.ok_or(Error::NotFound)?;
    readers::lock(tx, &found.email).await?;
    subscription::Entity::find_by_id(id).one(tx).await?.ok_or(Error::NotFound)
}

/// The row of an address in an account; a new one is pending. Two who ask at once get the same.
async fn find_or_insert(
    tx: &DatabaseTransaction,
    now: Timestamp,
    account_id: i64,
    email: &str,
    cadence: Cadence,
    locale: Locale,
) -> Result<Subscription, DbErr> {
    let fresh = subscription::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        user_id: Set(None),
        email: Set(email.to_owned()),
        state: Set(SubscriptionState::Pending),
        cadence: Set(cadence),
        locale: Set(locale.code().to_owned()),
        created_at: Set(now),
        confirmed_at: Set(None),
        ended_at: Set(None),
        asked_at: Set(None),
        read_until: Set(None),
        told: Set(None),
        list_id: Set(None),
    };
    subscription::Entity::insert(fresh)
        .on_conflict_do_nothing_on([subscription::Column::AccountId, subscription::Column::Email])
        .exec(tx)
        .await?;
    subscription::Entity::find()
        .filter(subscription::COLUMN.account_id.eq(account_id))
        .filter(subscription::COLUMN.email.eq(email))
        .one(tx)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("the subscription that was just written".into()))
}

async fn letters_since<C: ConnectionTrait>(
    db: &C,
    address: &Address,
    since: Timestamp,
) -> Result<u64, DbErr> {
    subscription::Entity::find()
        .filter(subscription::COLUMN.email.eq(address.as_str()))
        .filter(subscription::COLUMN.asked_at.gt(since))
        .count(db)
        .await
}
