//! Subscriptions: readers follow accounts, signed in or by address alone, and leave again.
//!
//! Somebody who is signed in has shown that the address is theirs, so they are subscribed at once.
//! An address that was merely typed becomes a pending subscription and gets one letter; only the
//! link in it makes the subscription active. What the page answers never tells whether the
//! address is subscribed already.

pub mod api;
mod changes;
pub mod letters;
pub mod links;
pub mod pages;
pub mod queries;
pub mod timeline;

pub use self::changes::{Change, change, change_all, change_of_address, change_own, mute_digests};

use std::time::Duration;

use sea_orm::sea_query::{Expr, LockType, Query};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect,
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

/// Subscribes a signed-in user, at once. Without a cadence a new subscription has the reader's usual one.
pub async fn subscribe(
    app: &App,
    user: &user::Model,
    account_id: i64,
    cadence: Option<Cadence>,
    locale: Locale,
) -> Result<Subscription, DbErr> {
    let tx = app.db.begin().await?;
    let subscription = subscribe_in(app, &tx, user, account_id, cadence, locale).await?;
    tx.commit().await?;
    Ok(subscription)
}

/// The same within the caller's transaction.
pub async fn subscribe_in(
    app: &App,
    tx: &DatabaseTransaction,
    user: &user::Model,
    account_id: i64,
    cadence: Option<Cadence>,
    locale: Locale,
) -> Result<Subscription, DbErr> {
    let now = app.clock.now();
    readers::lock(tx, &user.email).await?;
    let found = match queries::of_user(tx, user.id, account_id).await? {
        Some(found) => found,
        None => find_or_insert(tx, now, account_id, &user.email, Cadence::Instant, locale).await?,
    };
    let mut row = found.clone().into_active_model();
    row.user_id = Set(Some(user.id));
    if found.state != SubscriptionState::Active {
        let usual = usual_cadence(app, tx, &found.email).await?;
        activate(&mut row, &found, usual, now);
    }
    if let Some(cadence) = cadence {
        row.cadence = Set(cadence);
    }
    let subscription = row.update(tx).await?;
    let subscription = readers::subscription_changed(app, tx, now, &found, subscription).await?;
    if found.state != SubscriptionState::Active {
        announce(tx, now, &subscription, Kind::SubscriptionConfirmed).await?;
    }
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
///
/// # Errors
/// Not found; gone when it is nobody's any more.
async fn get(tx: &DatabaseTransaction, id: i64) -> Result<Subscription, Error> {
    let found = subscription::Entity::find_by_id(id).one(tx).await?.ok_or(Error::NotFound)?;
    readers::lock(tx, &found.email).await?;
    let found = subscription::Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    let found = found.one(tx).await?.ok_or(Error::NotFound)?;
    if found.is_nobodys() { Err(Error::Gone("subscription-link-expired".into())) } else { Ok(found) }
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
