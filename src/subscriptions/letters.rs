//! The one letter that follows when somebody types an address.

use std::time::Duration;

use askama::Template;
use sea_orm::EntityTrait;

use crate::app::App;
use crate::db::entities::account;
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::delivery;
use crate::jobs::Outcome;
use crate::mail::{Letter, MailError};
use crate::page::Locale;
use crate::subscriptions::links;

/// An address that failed is written to again this long after, if its owner asks.
const FORGIVEN_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Which letter: to confirm, or to say that there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Confirm,
    Already,
}

#[derive(Template)]
#[template(path = "email/subscription/subject.txt")]
struct Subject<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/subscription/body.txt")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/subscription/body.html")]
struct Html<'a> {
    locale: Locale,
    words: &'a Words,
}

/// What the letter says, in its reader's language.
struct Words {
    subject: String,
    intro: String,
    button: String,
    note: String,
    url: String,
    site_name: String,
    site_url: String,
}

/// Does the job: writes to whoever owns the address, if there still is a reason to.
pub async fn send(app: &App, subscription_id: i64) -> anyhow::Result<Outcome> {
    let db = app.db.read();
    let Some(row) = subscription::Entity::find_by_id(subscription_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    let kind = match row.state {
        SubscriptionState::Pending => Kind::Confirm,
        SubscriptionState::Active | SubscriptionState::Paused => Kind::Already,
        SubscriptionState::Ended => return Ok(Outcome::Done),
    };
    let Some(account) = account::Entity::find_by_id(row.account_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    if let Some(suppression) = delivery::queries::suppression(db, &row.email).await?
        && suppression.created_at > app.clock.now() - FORGIVEN_AFTER
    {
        tracing::info!(subscription = row.id, "no letter: the address has just failed");
        return Ok(Outcome::Done);
    }
    let letter = compose(app, &row, &account, kind)?;
    match app.mailer.send(&letter).await {
        Ok(_) => Ok(Outcome::Done),
        Err(error @ MailError::Temporary(_)) => Err(error.into()),
        Err(refusal) => {
            tracing::warn!(subscription = row.id, "a letter about subscribing was refused: {refusal}");
            Ok(Outcome::Done)
        }
    }
}

fn compose(
    app: &App,
    row: &subscription::Model,
    account: &account::Model,
    kind: Kind,
) -> anyhow::Result<Letter> {
    let locale = Locale::from_tag(&row.locale).unwrap_or(Locale::ZhHans);
    let words = &Words::new(app, locale, row, account, kind);
    Ok(Letter {
        to: row.email.clone(),
        subject: Subject { words }.render()?.trim().to_owned(),
        text: Text { words }.render()?,
        html: Html { locale, words }.render()?,
        // Out-of-office robots are not to answer.
        headers: vec![("Auto-Submitted", "auto-generated".into())],
        ..Letter::default()
    })
}

impl Words {
    fn new(
        app: &App,
        locale: Locale,
        row: &subscription::Model,
        account: &account::Model,
        kind: Kind,
    ) -> Self {
        let site_name = app.config.site_name_in(locale);
        let args = [("name", account.name.clone()), ("site", site_name.clone())];
        let text = |key: &str| locale.text_with(key, &args);
        let (subject, intro, button, note, path) = match kind {
            Kind::Confirm => (
                text("subscription-letter-confirm-subject"),
                text("subscription-letter-confirm-intro"),
                text("subscription-letter-confirm-button"),
                text("subscription-letter-confirm-note"),
                links::confirm_path(app, row.id),
            ),
            Kind::Already => (
                text("subscription-letter-already-subject"),
                text("subscription-letter-already-intro"),
                text("subscription-letter-already-button"),
                text("subscription-letter-already-note"),
                links::manage_path(app, row.id),
            ),
        };
        let (url, site_url) = (app.config.url(&path), app.config.url("/"));
        Self { subject, intro, button, note, url, site_name, site_url }
    }
}
