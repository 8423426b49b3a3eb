//! Signed links: managing and leaving from a mail, without signing in. The signature is all the
//! authority these URLs have or need: no cookie counts, so they may be posted to from anywhere,
//! as mail programs do (RFC 8058).

pub mod pages;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::subscriptions::CONFIRMED_WITHIN;

/// Every signed URL begins so.
pub const PREFIX: &str = "/s/";

const MANAGE: &str = "subscription";
const CONFIRM: &str = "subscription-confirm";

/// Where a subscription is managed. Good for ever, as old mails are.
pub fn manage_path(app: &App, subscription_id: i64) -> String {
    format!("{PREFIX}{}", app.signer.sign(MANAGE, &subscription_id.to_string()))
}

/// Where it is left: a GET shows a button, a POST acts.
pub fn leave_path(app: &App, subscription_id: i64) -> String {
    leave_path_of(&manage_path(app, subscription_id))
}

/// The same from the [`manage_path`], which costs a signature to make.
pub fn leave_path_of(manage_path: &str) -> String {
    format!("{manage_path}/leave")
}

/// Where the owner of the address confirms a subscription.
pub fn confirm_path(app: &App, subscription_id: i64) -> String {
    let until = (app.clock.now() + CONFIRMED_WITHIN).0;
    format!("{PREFIX}{}/confirm", app.signer.sign(CONFIRM, &format!("{subscription_id}-{until}")))
}

/// The subscription of a [`manage_path`].
///
/// # Errors
/// Not found when the signature is not ours.
pub fn managed(app: &App, signed: &str) -> Result<i64, Error> {
    app.signer.verify(MANAGE, signed).and_then(|id| id.parse().ok()).ok_or(Error::NotFound)
}

/// The subscription of a [`confirm_path`].
///
/// # Errors
/// Not found when the signature is not ours; gone when the link is too old.
pub fn to_confirm(app: &App, signed: &str) -> Result<i64, Error> {
    let value = app.signer.verify(CONFIRM, signed).ok_or(Error::NotFound)?;
    let (id, until) = value.split_once('-').ok_or(Error::NotFound)?;
    let until = Timestamp(until.parse().map_err(|_| Error::NotFound)?);
    if until < app.clock.now() {
        return Err(Error::Gone("subscription-link-expired".into()));
    }
    id.parse().map_err(|_| Error::NotFound)
}
