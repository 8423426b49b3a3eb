//! The mail that tells an account's owners that a webhook was switched off.

use askama::Template;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::app::App;
use crate::db::entities::member::{self, Role};
use crate::db::entities::webhook::{self, WebhookState};
use crate::db::entities::{account, user};
use crate::jobs::Outcome;
use crate::mail::{Letter, MailError};
use crate::page::Locale;

#[derive(Template)]
#[template(path = "email/webhook/subject.txt")]
struct Subject<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/webhook/body.txt")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/webhook/body.html")]
struct Html<'a> {
    locale: Locale,
    words: &'a Words,
}

/// What the letter says, in its reader's language.
struct Words {
    subject: String,
    greeting: String,
    intro: String,
    answer: String,
    next: String,
    button: String,
    url: String,
    site_name: String,
    site_url: String,
}

impl Words {
    fn new(app: &App, locale: Locale, account: &account::Model, webhook: &webhook::Model) -> Self {
        let site_name = app.config.site_name_in(locale);
        let args = [
            ("site", site_name.clone()),
            ("account", account.name.clone()),
            ("host", super::pages::host(webhook)),
            ("answer", webhook.last_answer.clone().unwrap_or_default()),
        ];
        let text = |key: &str| locale.text_with(key, &args);
        Self {
            subject: text("mail-webhook-subject"),
            greeting: text("mail-greeting"),
            intro: text("mail-webhook-intro"),
            answer: text("mail-webhook-answer"),
            next: text("mail-webhook-next"),
            button: text("mail-webhook-button"),
            url: app.config.url(&format!("/studio/@{}/webhooks/{}", account.handle, webhook.id)),
            site_url: app.config.url("/"),
            site_name,
        }
    }
}

/// Does the job. Done twice, its readers get two mails of the same words.
pub async fn send(app: &App, webhook_id: i64) -> anyhow::Result<Outcome> {
    let db = app.db.read();
    let Some(webhook) = webhook::Entity::find_by_id(webhook_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    let account = account::Entity::find_by_id(webhook.account_id).one(db).await?;
    let Some(account) = account.filter(|_| webhook.state == WebhookState::Broken) else {
        return Ok(Outcome::Done);
    };
    let owners = member::Entity::find()
        .filter(member::COLUMN.account_id.eq(account.id))
        .filter(member::Column::Role.eq(Role::Owner))
        .all(db)
        .await?;
    for owner in owners {
        let Some(user) = user::Entity::find_by_id(owner.user_id).one(db).await? else { continue };
        let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
        deliver(app, &user.email, locale, &Words::new(app, locale, &account, &webhook)).await?;
    }
    Ok(Outcome::Done)
}

async fn deliver(app: &App, to: &str, locale: Locale, words: &Words) -> anyhow::Result<()> {
    let letter = Letter {
        to: to.to_owned(),
        subject: Subject { words }.render()?.trim().to_owned(),
        text: Text { words }.render()?,
        html: Html { locale, words }.render()?,
        headers: vec![("Auto-Submitted", "auto-generated".into())],
        ..Letter::default()
    };
    match app.mailer.send(&letter).await {
        Ok(_) => Ok(()),
        Err(error @ MailError::Temporary(_)) => Err(error.into()),
        Err(refusal) => {
            tracing::warn!("a note about a webhook was refused: {refusal}");
            Ok(())
        }
    }
}
