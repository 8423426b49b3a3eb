//! Letters about what belongs to a person: an export is ready, a link to leave by, and the last one.

use askama::Template;

use super::{export, leaving};
use crate::app::App;
use crate::db::entities::export::Model as Export;
use crate::db::entities::user::{self, UserState};
use crate::jobs::Outcome;
use crate::mail::{Letter, MailError};
use crate::page::Locale;
use sea_orm::EntityTrait;

#[derive(Template)]
#[template(path = "email/belongings/subject.txt")]
struct Subject<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/belongings/body.txt")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/belongings/body.html")]
struct Html<'a> {
    locale: Locale,
    words: &'a Words,
}

/// What a letter says, in its reader's language.
struct Words {
    subject: String,
    greeting: String,
    intro: String,
    button: String,
    /// Empty where there is nothing to open.
    url: String,
    note: String,
    site_name: String,
    site_url: String,
}

impl Words {
    /// `about` is a part of the keys of its texts.
    fn new(app: &App, locale: Locale, about: &str, path: &str, args: &[(&'static str, String)]) -> Self {
        let site_name = app.config.site_name_in(locale);
        let mut all = vec![("site", site_name.clone())];
        all.extend_from_slice(args);
        let text = |part: &str| locale.text_with(&format!("mail-{about}-{part}"), &all);
        let has_link = !path.is_empty();
        Self {
            subject: text("subject"),
            greeting: locale.text("mail-greeting"),
            intro: text("intro"),
            button: if has_link { text("button") } else { String::new() },
            url: if has_link { app.config.url(path) } else { String::new() },
            note: text("note"),
            site_url: app.config.url("/"),
            site_name,
        }
    }
}

fn locale_of(user: &user::Model) -> Locale {
    Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans)
}

pub async fn export_is_ready(app: &App, user: &user::Model, export: &Export) -> anyhow::Result<Outcome> {
    let locale = locale_of(user);
    let until = export.expires_at.unwrap_or(export.created_at + export::KEPT);
    let date = locale.date(until, user.timezone.parse().unwrap_or(chrono_tz::Tz::UTC));
    let words = Words::new(app, locale, "export", "/settings/data", &[("date", date)]);
    deliver(app, &user.email, locale, &words).await
}

/// The job: mails a link to leave by.
pub async fn send_leaving_link(app: &App, user_id: i64) -> anyhow::Result<Outcome> {
    let user = user::Entity::find_by_id(user_id).one(app.db.read()).await?;
    let Some(user) = user.filter(|user| user.state == UserState::Active) else { return Ok(Outcome::Done) };
    let locale = locale_of(&user);
    let path = leaving::link_path(app, user.id);
    let words = Words::new(app, locale, "leave", &path, &[("address", user.email.clone())]);
    deliver(app, &user.email, locale, &words).await
}

pub async fn farewell(app: &App, email: &str, locale: Locale) -> anyhow::Result<Outcome> {
    let words = Words::new(app, locale, "farewell", "", &[("address", email.to_owned())]);
    deliver(app, email, locale, &words).await
}

/// A refusal for good ends the job; other failures are retried.
async fn deliver(app: &App, to: &str, locale: Locale, words: &Words) -> anyhow::Result<Outcome> {
    let letter = Letter {
        to: to.to_owned(),
        subject: Subject { words }.render()?.trim().to_owned(),
        text: Text { words }.render()?,
        html: Html { locale, words }.render()?,
        headers: vec![("Auto-Submitted", "auto-generated".into())],
        ..Letter::default()
    };
    match app.mailer.send(&letter).await {
        Ok(_) => Ok(Outcome::Done),
        Err(error @ MailError::Temporary(_)) => Err(error.into()),
        Err(refusal) => {
            tracing::warn!("a letter about somebody's belongings was refused: {refusal}");
            Ok(Outcome::Done)
        }
    }
}
