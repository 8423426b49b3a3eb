//! Mail: a [`Letter`] and the [`Mailer`] that carries it: to an SMTP server, to files, or to memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::config::Config;

/// A mail to one recipient, in plain text and HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// The recipient's address.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// With angle brackets; empty lets the mailer make one.
    pub message_id: String,
    /// Further headers, such as List-Unsubscribe.
    pub headers: Vec<(&'static str, String)>,
}

/// Carries letters.
#[derive(Clone, Debug)]
pub enum Mailer {
    Smtp {
        from: Mailbox,
        transport: AsyncSmtpTransport<Tokio1Executor>,
    },
    /// Writes each letter as an .eml file into a folder.
    File {
        from: Mailbox,
        folder: PathBuf,
    },
    /// Keeps letters, for tests.
    Memory(Arc<Mutex<Vec<Letter>>>),
}

/// Why a letter was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Worth another try later: no connection, or a 4xx answer.
    #[error("{0}")]
    Temporary(String),
    /// Never going to work: a 5xx answer, or an address that cannot be written.
    #[error("{0}")]
    Permanent(String),
}

impl Mailer {
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let from = config.mail_from.parse().context("mail_from (XIANGXUN_MAIL_FROM) is not an address")?;
        if config.smtp_url.is_empty() {
            let folder = config.data.join("mail");
            std::fs::create_dir_all(&folder).context("making the mail folder")?;
            return Ok(Self::File { from, folder });
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url)
            .context("smtp_url (XIANGXUN_SMTP_URL) is not an SMTP address")?
            .build();
        Ok(Self::Smtp { from, transport })
    }

    /// Sends a letter; returns the server's words.
    pub async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        match self {
            Self::Smtp { from, transport } => {
                let message = compose(from, letter)?;
                let answer = transport.send(message).await.map_err(|error| {
                    if error.is_permanent() {
                        MailError::Permanent(error.to_string())
                    } else {
                        MailError::Temporary(error.to_string())
                    }
                })?;
                Ok(answer.message().collect::<Vec<_>>().join(" "))
            }
            Self::File { from, folder } => {
                let message = compose(from, letter)?;
                let id = AsyncFileTransport::<Tokio1Executor>::new(folder)
                    .send(message)
                    .await
                    .map_err(|error| MailError::Temporary(error.to_string()))?;
                Ok(format!("written to {id}.eml"))
            }
            Self::Memory(letters) => {
                letters.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(letter.clone());
                Ok("kept".into())
            }
        }
    }
}

fn compose(from: &Mailbox, letter: &Letter) -> Result<Message, MailError> {
    let permanent = |error: &dyn std::fmt::Display| MailError::Permanent(error.to_string());
    let to: Mailbox = letter.to.parse().map_err(|error: lettre::address::AddressError| permanent(&error))?;
    let mut builder = Message::builder().from(from.clone()).to(to).subject(&letter.subject);
    builder = builder.message_id(Some(letter.message_id.clone()).filter(|id| !id.is_empty()));
    let mut message = builder
        .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
        .map_err(|error| permanent(&error))?;
    for (name, value) in &letter.headers {
        let name = HeaderName::new_from_ascii_str(name);
        message.headers_mut().insert_raw(HeaderValue::new(name, value.clone()));
    }
    Ok(message)
}
