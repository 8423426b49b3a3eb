//! Mail: a [`Letter`], or a [`Form`] filled for one of many, and the [`Mailer`] that carries it: to an
//! SMTP server, to files, or to memory.

pub mod dkim;
mod form;
mod letter;
mod line;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::transport::smtp;

use crate::config::Config;
use dkim::Dkim;
use line::{Line, Server};

pub use form::{Form, Marks, Personal};
pub use letter::Letter;

/// Carries letters.
#[derive(Clone, Debug)]
pub struct Mailer {
    /// Sender of all mail.
    pub from: Mailbox,
    dkim: Arc<Dkim>,
    way: Way,
}

/// Where letters go.
#[derive(Clone, Debug)]
enum Way {
    Smtp {
        server: Arc<Server>,
        /// Open ones that carry nothing now.
        idle: Arc<Mutex<Vec<Line>>>,
    },
    /// Writes each letter as an .eml file into a folder; names sort by time.
    File(PathBuf),
    /// Keeps letters, for tests.
    Memory(Arc<Mutex<Vec<Letter>>>),
}

/// Why a letter was not taken. The text is the remote's words where it said something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Worth another try later: no connection, a 4xx answer, or a quarrel over our own login.
    #[error("{0}")]
    Temporary(String),
    /// This letter is never going to be taken; others to the same address may be.
    #[error("{0}")]
    Permanent(String),
    /// Nothing is ever going to be taken for this address.
    #[error("{0}")]
    BadAddress(String),
}

impl Mailer {
    /// # Errors
    /// When the sender, the SMTP server or the keys of the settings cannot be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let from: Mailbox =
            config.mail_from.parse().context("mail_from (XIANGXUN_MAIL_FROM) is not an address")?;
        let dkim = Dkim::load(&config.dkim_keys, from.email.domain())
            .with_context(|| format!("dkim_keys (XIANGXUN_DKIM_KEYS): {}", config.dkim_keys.display()))?;
        let way = if config.smtp_url.is_empty() {
            let folder = config.data.join("mail");
            std::fs::create_dir_all(&folder).context("making the mail folder")?;
            Way::File(folder)
        } else {
            let server = Server::parse(&config.smtp_url)
                .context("smtp_url (XIANGXUN_SMTP_URL) is not an SMTP address")?;
            Way::Smtp { server: Arc::new(server), idle: Arc::default() }
        };
        Ok(Self { from, dkim: Arc::new(dkim), way })
    }

    /// One that keeps letters, for tests.
    pub fn memory(letters: Arc<Mutex<Vec<Letter>>>) -> Self {
        let from = Mailbox::new(None, lettre::Address::new_dangerous("news", "localhost"));
        Self { from, dkim: Arc::default(), way: Way::Memory(letters) }
    }

    /// Sends a letter; returns the server's words.
    ///
    /// # Errors
    /// [`MailError`] says whether to try again, and whom to blame.
    pub async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        let message = letter.compose(&self.from)?;
        match &self.way {
            Way::Memory(letters) => Ok(keep(letters, letter.clone())),
            Way::Smtp { .. } | Way::File(_) => {
                let to = message.envelope().to().first().map(ToString::to_string).unwrap_or_default();
                let message = String::from_utf8(message.formatted())
                    .map_err(|_| MailError::Permanent("the message is not UTF-8".into()))?;
                self.carry(&to, &message).await
            }
        }
    }

    /// Sends a form filled for one recipient.
    ///
    /// # Errors
    /// As [`Mailer::send`].
    pub async fn send_filled(&self, form: &Form, personal: &Personal) -> Result<String, MailError> {
        let to: lettre::Address = personal
            .to
            .parse()
            .map_err(|error| MailError::BadAddress(format!("{}: {error}", personal.to)))?;
        match &self.way {
            Way::Memory(letters) => Ok(keep(letters, form.letter(personal))),
            Way::Smtp { .. } | Way::File(_) => {
                self.carry(to.as_ref(), &form.message(personal, SystemTime::now())).await
            }
        }
    }

    /// Signs a message and hands it over.
    async fn carry(&self, to: &str, message: &str) -> Result<String, MailError> {
        let mut signed = self
            .dkim
            .signatures(message, SystemTime::now())
            .map_err(|error| MailError::Temporary(format!("{error:#}")))?;
        let message = if signed.is_empty() {
            message
        } else {
            signed.push_str(message);
            &signed
        };
        match &self.way {
            Way::Smtp { server, idle } => {
                hand_over(server, idle, self.from.email.as_ref(), to, message).await
            }
            Way::File(folder) => {
                let name = write_file(folder, message)
                    .await
                    .map_err(|error| MailError::Temporary(format!("writing a file: {error}")))?;
                Ok(format!("written to {name}"))
            }
            Way::Memory(_) => Ok("kept".into()),
        }
    }

    /// Asks the SMTP server whether it is there and lets us in; the others always do.
    ///
    /// # Errors
    /// What the server or the network said.
    pub async fn check(&self) -> Result<(), MailError> {
        match &self.way {
            Way::Smtp { server, .. } => Line::open(server).await?.check().await,
            Way::File(_) | Way::Memory(_) => Ok(()),
        }
    }
}

fn keep(letters: &Mutex<Vec<Letter>>, letter: Letter) -> String {
    letters.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(letter);
    "kept".into()
}

/// Gives a message to a line that is open, or to a new one. Lines are as many as messages under way.
async fn hand_over(
    server: &Server,
    idle: &Mutex<Vec<Line>>,
    from: &str,
    to: &str,
    message: &str,
) -> Result<String, MailError> {
    loop {
        let open = {
            let mut idle = idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            idle.retain(Line::is_usable);
            idle.pop()
        };
        let mut line = match open {
            Some(line) => line,
            None => Line::open(server).await?,
        };
        let sent = line.send(from, to, message).await;
        if line.is_usable() {
            idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(line);
        }
        match sent {
            Ok(words) => return Ok(words),
            // Idle lines that are all closed run out; a new one is never stale.
            Err(refusal) if refusal.was_stale => {}
            Err(refusal) => return Err(refusal.error),
        }
    }
}

/// Writes a whole file or none, so that who looks into the folder never sees a half letter.
async fn write_file(folder: &Path, message: &str) -> std::io::Result<String> {
    let moment = chrono::Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
    let name = format!("{moment}-{:08x}.eml", rand::random::<u32>());
    let (half, whole) = (folder.join(format!(".{name}.part")), folder.join(&name));
    tokio::fs::write(&half, message).await?;
    tokio::fs::rename(&half, &whole).await?;
    Ok(name)
}

/// What a failure means for the letter and for its address.
fn blame(error: &smtp::Error) -> MailError {
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let Some(code) = error.status() else {
        // Nothing was answered. "Client" is about this letter, such as an address that needs SMTPUTF8.
        let words = error.to_string();
        return if error.is_client() { MailError::Permanent(words) } else { MailError::Temporary(words) };
    };
    let words = format!("{code} {said}").trim_end().to_owned();
    blame_answer(&code.to_string(), &said, words)
}

/// Sorts an answer by its reply code (RFC 5321) and the enhanced code before its text (RFC 3463).
fn blame_answer(code: &str, said: &str, words: String) -> MailError {
    if !code.starts_with('5') || matches!(code, "530" | "534" | "535" | "538") {
        return MailError::Temporary(words);
    }
    let enhanced = said.split(|c: char| c.is_whitespace() || c == '-').next().unwrap_or("");
    let mut parts = enhanced.split('.');
    let about = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("5"), Some(subject), Some(detail), None) => Some((subject, detail)),
        _ => None,
    };
    let bad_address = match about {
        // 5.1.7 and 5.1.8 are about the sender's address.
        Some(("1", detail)) => !matches!(detail, "7" | "8"),
        // Mailbox disabled; 5.2.2 is merely full.
        Some(("2", "1")) => true,
        // No such recipient, in Exchange's words; no route to the host.
        Some(("4", "1" | "4")) => true,
        Some(("0", "0")) | None => matches!(code, "550" | "551" | "553" | "521" | "556"),
        Some(_) => false,
    };
    if bad_address { MailError::BadAddress(words) } else { MailError::Permanent(words) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("451", "4.7.1 Greylisted", "temporary")]
    #[case("550", "5.1.1 no such user", "bad address")]
    #[case("550", "Mailbox not found", "bad address")]
    #[case("550", "5.7.1 looks like spam", "permanent")]
    #[case("550", "5.4.1 Recipient address rejected: Access denied", "bad address")]
    #[case("552", "5.2.2 mailbox full", "permanent")]
    #[case("553", "5.1.8 bad sender", "permanent")]
    #[case("554", "Transaction failed", "permanent")]
    #[case("535", "5.7.8 wrong password", "temporary")]
    #[case("556", "5.1.10 no mail here", "bad address")]
    fn an_answer_is_blamed_on_the_right_one(#[case] code: &str, #[case] said: &str, #[case] blamed: &str) {
        let got = match blame_answer(code, said, String::new()) {
            MailError::Temporary(_) => "temporary",
            MailError::Permanent(_) => "permanent",
            MailError::BadAddress(_) => "bad address",
        };
        assert_eq!(got, blamed);
    }
}
