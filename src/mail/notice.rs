//! [`Notice`]: a letter to one person about their own business, such as a link to sign in, an invitation, or word
//! that something is ready or broken. All of them look alike.

use askama::Template;

use super::{Letter, MailError};
use crate::app::App;
use crate::delivery;
use crate::jobs::Outcome;
use crate::page::Locale;

/// What a notice says, in its reader's language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    pub subject: String,
    pub paragraphs: Vec<String>,
    pub button: Option<Button>,
    /// Small print under the button.
    pub notes: Vec<String>,
}

/// What a notice asks its reader to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    /// Absolute.
    pub url: String,
}

#[derive(Template)]
#[template(path = "email/notice/subject.txt")]
struct Subject<'a> {
    notice: &'a Notice,
}

#[derive(Template)]
#[template(path = "email/notice/body.txt")]
struct Text<'a> {
    notice: &'a Notice,
    site_name: &'a str,
    site_url: &'a str,
}

#[derive(Template)]
#[template(path = "email/notice/body.html")]
struct Html<'a> {
    locale: Locale,
    notice: &'a Notice,
    site_name: &'a str,
    site_url: &'a str,
}

impl Notice {
    /// Sends it, as a job does: a refusal for good ends the job.
    ///
    /// # Errors
    /// A refusal that may pass: the job is tried again.
    pub async fn deliver(&self, app: &App, to: &str, locale: Locale) -> anyhow::Result<Outcome> {
        let (site_name, site_url) = (&app.config.site_name_in(locale), &app.config.url("/"));
        let letter = Letter {
            to: to.to_owned(),
            subject: Subject { notice: self }.render()?.trim().to_owned(),
            text: Text { notice: self, site_name, site_url }.render()?,
            html: Html { locale, notice: self, site_name, site_url }.render()?,
            // Out-of-office robots are not to answer.
            headers: vec![("Auto-Submitted", "auto-generated".into())],
            ..Letter::default()
        };
        match delivery::letter::send(app, &letter).await {
            Ok(_) => Ok(Outcome::Done),
            Err(error @ MailError::Temporary(_)) => Err(error.into()),
            Err(refusal) => {
                tracing::warn!(subject = self.subject, "a notice was refused: {refusal}");
                Ok(Outcome::Done)
            }
        }
    }
}
