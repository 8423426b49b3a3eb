//! The letter that carries a sign-in link.

use askama::Template;

use crate::app::App;
use crate::db::entities::sign_in_link::{LinkPurpose, Model as Link};
use crate::jobs::Outcome;
use crate::mail::{Letter, MailError};
use crate::page::Locale;

#[derive(Template)]
#[template(path = "email/sign_in/subject.txt")]
struct Subject<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "email/sign_in/body.txt")]
struct Text<'a> {
    words: &'a Words,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "email/sign_in/body.html")]
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
    validity: String,
    unasked: String,
    site_name: String,
    site_url: String,
}

impl Words {
    fn new(app: &App, locale: Locale, row: &Link) -> Self {
        let kind = match row.purpose {
            LinkPurpose::ResetPassword => "reset",
            LinkPurpose::SignIn | LinkPurpose::Setup => "sign-in",
        };
        let site = app.config.site_name_in(locale);
        let text = |key: String| {
            let args = [("site", site.clone()), ("address", row.email.clone())];
            locale.text_with(&key, &args)
        };
        Self {
            subject: text(format!("mail-{kind}-subject")),
            greeting: text("mail-greeting".into()),
            intro: text(format!("mail-{kind}-intro")),
            button: text(format!("mail-{kind}-button")),
            validity: text("mail-link-validity".into()),
            unasked: text("mail-link-unasked".into()),
            site_url: app.config.url("/"),
            site_name: site,
        }
    }
}

/// Mails a link to its address. A refusal for good ends the job; other failures are retried.
pub async fn send_link(app: &App, row: &Link, url: &str) -> anyhow::Result<Outcome> {
    let locale = Locale::from_tag(&row.locale)
        .or_else(|| Locale::from_tag(&app.config.locale))
        .unwrap_or(Locale::ZhHans);
    let words = &Words::new(app, locale, row);
    let letter = Letter {
        to: row.email.clone(),
        subject: Subject { words }.render()?.trim().to_owned(),
        text: Text { words, url }.render()?,
        html: Html { locale, words, url }.render()?,
        // Out-of-office robots are not to answer.
        headers: vec![("Auto-Submitted", "auto-generated".into())],
        ..Letter::default()
    };
    match app.mailer.send(&letter).await {
        Ok(_) => Ok(Outcome::Done),
        Err(error @ MailError::Temporary(_)) => Err(error.into()),
        Err(refusal) => {
            tracing::warn!(link = row.id, "a sign-in link was refused: {refusal}");
            Ok(Outcome::Done)
        }
    }
}
