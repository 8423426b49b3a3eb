//! The mail that tells a person of their membership.

use std::time::Duration;

use askama::Template;
use sea_orm::EntityTrait;

use crate::app::App;
use crate::auth::links::{self, LinkPurpose};
use crate::auth::{Address, LocalPath};
use crate::db::entities::member::Role;
use crate::db::entities::{account, member, user};
use crate::jobs::Outcome;
use crate::mail::{Letter, MailError};
use crate::page::Locale;

/// How long the link of an invitation signs a new user in.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[derive(Template)]
#[template(path = "email/invitation/subject.txt")]
struct Subject<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/invitation/body.txt")]
struct Text<'a> {
    words: &'a Words,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "email/invitation/body.html")]
struct Html<'a> {
    locale: Locale,
    words: &'a Words,
    url: &'a str,
}

/// What the letter says, in its reader's language.
struct Words {
    subject: String,
    greeting: String,
    intro: String,
    button: String,
    note: String,
    unasked: String,
    site_name: String,
    site_url: String,
}

impl Words {
    fn new(app: &App, locale: Locale, account: &account::Model, role: Role, new_user: bool) -> Self {
        let role: &'static str = role.into();
        let site_name = app.config.site_name_in(locale);
        let args = [
            ("site", site_name.clone()),
            ("account", account.name.clone()),
            ("role", locale.text(&format!("role-{role}"))),
        ];
        let text = |key: &str| locale.text_with(key, &args);
        Self {
            subject: text("mail-invitation-subject"),
            greeting: text("mail-greeting"),
            intro: text("mail-invitation-intro"),
            button: text("mail-invitation-button"),
            note: text(if new_user { "mail-invitation-validity" } else { "mail-invitation-sign-in" }),
            unasked: text("mail-invitation-unasked"),
            site_url: app.config.url("/"),
            site_name,
        }
    }
}

/// The job: mails the invitation. Done twice, both mails' links are good.
pub async fn send(app: &App, member_id: i64, new_user: bool) -> anyhow::Result<Outcome> {
    let db = app.db.read();
    let Some(member) = member::Entity::find_by_id(member_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    let (Some(account), Some(user)) = (
        account::Entity::find_by_id(member.account_id).one(db).await?,
        user::Entity::find_by_id(member.user_id).one(db).await?,
    ) else {
        return Ok(Outcome::Done);
    };
    let path = format!("/studio/@{}", account.handle);
    let url = match Address::parse(&user.email) {
        Ok(address) if new_user => {
            links::create(app, &address, LinkPurpose::SignIn, &LocalPath::new(&path), LIFETIME)
                .await
                .map_err(|error| anyhow::anyhow!("making the link: {error}"))?
        }
        _ => app.config.url(&path),
    };
    let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
    let words = Words::new(app, locale, &account, member.role, new_user);
    deliver(app, &user.email, locale, &words, &url).await
}

/// A refusal for good ends the job; other failures are retried.
async fn deliver(app: &App, to: &str, locale: Locale, words: &Words, url: &str) -> anyhow::Result<Outcome> {
    let letter = Letter {
        to: to.to_owned(),
        subject: Subject { words }.render()?.trim().to_owned(),
        text: Text { words, url }.render()?,
        html: Html { locale, words, url }.render()?,
        headers: vec![("Auto-Submitted", "auto-generated".into())],
        ..Letter::default()
    };
    match app.mailer.send(&letter).await {
        Ok(_) => Ok(Outcome::Done),
        Err(error @ MailError::Temporary(_)) => Err(error.into()),
        Err(refusal) => {
            tracing::warn!("an invitation was refused: {refusal}");
            Ok(Outcome::Done)
        }
    }
}
