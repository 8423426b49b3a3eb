//! Webhooks: an account's owner names an address elsewhere, and it is told what happens in the account: signed JSON by
//! the Standard Webhooks convention, or the JSON of a Telegram bot or of ntfy.
//!
//! [`announce`] writes a message for each webhook in the transaction of what happened; a job posts it. They are not
//! deliveries of the ledger: that one is made for a million rows of one text, with a claim, a cap and a tally for each
//! provider, while an account has a few webhooks, each with pauses of hours, a body of its own, and an owner who
//! wants to see every attempt.
//!
//! Nothing that is told leads to a reader: a subscription has a name of its own ([`payload`]), never an address.

pub mod announce;
pub mod api;
pub mod note;
pub mod pages;
pub mod payload;
pub mod queries;
pub mod send;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
};
use strum::IntoEnumIterator;

use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::articles::Actor;
use crate::db::Tx;
use crate::db::entities::webhook::{self, WebhookForm, WebhookState};
use crate::db::entities::webhook_message::{self, Kind, MessageState};
use crate::error::{Error, Message, Problems};
use crate::import::fetch::read_address;
use crate::jobs::{self, Job};

/// Webhooks of one account.
const MOST: u64 = 10;
/// The longest address, target and token, in characters.
const LONGEST: usize = 1_000;
/// How long messages are kept for their owner to look at.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What an owner writes down.
#[derive(Clone, Debug, Default)]
pub struct NewWebhook {
    pub form: Option<WebhookForm>,
    pub url: String,
    /// Telegram's chat or ntfy's topic.
    pub target: String,
    /// ntfy's access token, if it has one.
    pub token: String,
    pub kinds: Vec<Kind>,
}

/// The kinds that a webhook can be told of.
pub fn kinds() -> impl Iterator<Item = Kind> {
    Kind::iter().filter(|kind| *kind != Kind::Test)
}

/// Those that a row names.
pub fn kinds_of(webhook: &webhook::Model) -> Vec<Kind> {
    webhook.kinds.split_whitespace().filter_map(|kind| kind.parse().ok()).collect()
}

/// Adds a webhook. The row's secret is to be shown once.
///
/// # Errors
/// Forbidden to all but owners; invalid field by field; conflict where there are as many as there may be.
pub async fn add(app: &App, actor: Actor, new: &NewWebhook) -> Result<webhook::Model, Error> {
    let row = check(app, new)?;
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    may_manage(&*tx, actor).await?;
    if queries::count(&*tx, actor.account_id).await? >= MOST {
        return Err(Error::Conflict(Message::from("webhook-too-many").with("most", MOST)));
    }
    let row = webhook::ActiveModel {
        id: NotSet,
        account_id: Set(actor.account_id),
        state: Set(WebhookState::Active),
        failing_since: Set(None),
        last_answer: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        ..row
    };
    let row = row.insert(&*tx).await?;
    tx.commit().await?;
    Ok(row)
}

fn check(app: &App, new: &NewWebhook) -> Result<webhook::ActiveModel, Error> {
    let mut problems = Problems::default();
    let form = new.form.unwrap_or(WebhookForm::Standard);
    let url = read_address(&new.url).and_then(|url| app.fetcher.check(&url).map(|()| url));
    if let Err(why) = &url {
        problems.add("url", why.key());
    }
    let target = new.target.trim();
    if form != WebhookForm::Standard && target.is_empty() {
        problems.add("target", "webhook-target-missing");
    }
    let token = new.token.trim();
    if token.chars().any(|c| !c.is_ascii_graphic()) || token.len() > LONGEST {
        problems.add("token", "webhook-token-wrong");
    }
    if target.chars().any(char::is_control) || target.len() > LONGEST {
        problems.add("target", "webhook-target-wrong");
    }
    if new.kinds.is_empty() {
        problems.add("kinds", "webhook-kinds-missing");
    }
    let Ok(url) = url else { return Err(Error::Invalid(problems)) };
    problems.check()?;
    let kinds: Vec<&str> = kinds().filter(|kind| new.kinds.contains(kind)).map(Into::into).collect();
    Ok(webhook::ActiveModel {
        form: Set(form),
        url: Set(url.into()),
        target: Set(if form == WebhookForm::Standard { String::new() } else { target.to_owned() }),
        secret: Set(match form {
            WebhookForm::Standard => new_secret(),
            WebhookForm::Ntfy => token.to_owned(),
            WebhookForm::Telegram => String::new(),
        }),
        kinds: Set(kinds.join(" ")),
        ..Default::default()
    })
}

fn new_secret() -> String {
    format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// Switches a webhook off or on again; one that was broken is trusted anew.
pub async fn set_active(app: &App, actor: Actor, id: i64, active: bool) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let mut row = lock(&tx, actor, id).await?.into_active_model();
    row.state = Set(if active { WebhookState::Active } else { WebhookState::Paused });
    row.failing_since = Set(None);
    row.updated_at = Set(app.clock.now());
    row.update(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Changes what a webhook is told of.
pub async fn set_kinds(app: &App, actor: Actor, id: i64, wanted: &[Kind]) -> Result<(), Error> {
    if wanted.is_empty() {
        return Err(Error::invalid("kinds", "webhook-kinds-missing"));
    }
    let tx = app.db.begin().await?;
    let mut row = lock(&tx, actor, id).await?.into_active_model();
    let kinds: Vec<&str> = kinds().filter(|kind| wanted.contains(kind)).map(Into::into).collect();
    row.kinds = Set(kinds.join(" "));
    row.updated_at = Set(app.clock.now());
    row.update(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a webhook a new secret, which is to be shown once. The old one is good no more.
///
/// # Errors
/// Not found, also where its form has no secret of ours.
pub async fn renew_secret(app: &App, actor: Actor, id: i64) -> Result<String, Error> {
    let tx = app.db.begin().await?;
    let row = lock(&tx, actor, id).await?;
    if row.form != WebhookForm::Standard {
        return Err(Error::NotFound);
    }
    let secret = new_secret();
    let mut row = row.into_active_model();
    row.secret = Set(secret.clone());
    row.updated_at = Set(app.clock.now());
    row.update(&*tx).await?;
    tx.commit().await?;
    Ok(secret)
}

/// Removes a webhook with all its messages.
pub async fn remove(app: &App, actor: Actor, id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, actor, id).await?;
    webhook::Entity::delete_by_id(id).exec(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Sends a webhook a test. One that is not active takes none.
pub async fn test(app: &App, actor: Actor, id: i64) -> Result<webhook_message::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let row = lock(&tx, actor, id).await?;
    if row.state != WebhookState::Active {
        return Err(Error::Conflict("webhook-not-active".into()));
    }
    let message = announce::message(now, row.id, Kind::Test, None).insert(&*tx).await?;
    jobs::queue::enqueue(&*tx, now, Job::SendWebhook { message_id: message.id }, now).await?;
    tx.commit().await?;
    Ok(message)
}

/// Tries a message again that was given up, or waits for a later attempt.
pub async fn send_again(app: &App, actor: Actor, webhook_id: i64, message_id: i64) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let row = lock(&tx, actor, webhook_id).await?;
    if row.state != WebhookState::Active {
        return Err(Error::Conflict("webhook-not-active".into()));
    }
    let message = webhook_message::Entity::find_by_id(message_id).one(&*tx).await?;
    let message = message.filter(|message| message.webhook_id == webhook_id).ok_or(Error::NotFound)?;
    let mut message = message.into_active_model();
    message.state = Set(MessageState::Waiting);
    message.attempts = Set(0);
    message.next_attempt_at = Set(now);
    message.update(&*tx).await?;
    // The one that waits for a later attempt has the same key.
    let job = Job::SendWebhook { message_id };
    jobs::queue::cancel(&*tx, &job.unique_key().unwrap_or_default()).await?;
    jobs::queue::enqueue(&*tx, now, job, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets messages that are old. Returns how many there were.
pub async fn forget_old(app: &App) -> Result<u64, DbErr> {
    let old = webhook_message::Entity::delete_many()
        .filter(webhook_message::COLUMN.created_at.lt(app.clock.now() - KEPT))
        .filter(webhook_message::COLUMN.state.ne(MessageState::Waiting))
        .exec(app.db.write())
        .await?;
    Ok(old.rows_affected)
}

async fn may_manage<C: ConnectionTrait>(db: &C, actor: Actor) -> Result<(), Error> {
    roles::require(db, actor.account_id, actor.user_id, Operation::ManageWebhooks).await?;
    Ok(())
}

/// A webhook of the actor's account, who may manage it.
async fn lock(tx: &Tx, actor: Actor, id: i64) -> Result<webhook::Model, Error> {
    use sea_orm::QuerySelect;
    may_manage(&**tx, actor).await?;
    let row = webhook::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    row.filter(|row| row.account_id == actor.account_id).ok_or(Error::NotFound)
}
