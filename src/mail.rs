//! Mail: a [`Letter`] and the [`Mailer`] that carries it: to an SMTP server, to files, or to memory.

mod letter;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::config::Config;

pub use letter::Letter;

/// Connections kept open to the SMTP server: as many letters are under way at a time.
pub const CONNECTIONS: u32 = 8;
/// How long the SMTP server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Carries letters.
#[derive(Clone, Debug)]
pub enum Mailer {
    Smtp {
        from: Mailbox,
        transport: AsyncSmtpTransport<Tokio1Executor>,
    },
    /// Writes each letter as an .eml file into a folder; names sort by time.
    File {
        from: Mailbox,
        folder: PathBuf,
    },
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
    /// When the sender or the SMTP server of the settings cannot be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let from = config.mail_from.parse().context("mail_from (XIANGXUN_MAIL_FROM) is not an address")?;
        if config.smtp_url.is_empty() {
            let folder = config.data.join("mail");
            std::fs::create_dir_all(&folder).context("making the mail folder")?;
            return Ok(Self::File { from, folder });
        }
        let pool = PoolConfig::new().max_size(CONNECTIONS).idle_timeout(Duration::from_secs(30));
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url)
            .context("smtp_url (XIANGXUN_SMTP_URL) is not an SMTP address")?
            .timeout(Some(PATIENCE))
            .pool_config(pool)
            .build();
        Ok(Self::Smtp { from, transport })
    }

    /// Sends a letter; returns the server's words.
    ///
    /// # Errors
    /// [`MailError`] says whether to try again, and whom to blame.
    pub async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        match self {
            Self::Smtp { from, transport } => {
                let answer = transport.send(letter.compose(from)?).await.map_err(|error| blame(&error))?;
                Ok(answer.message().collect::<Vec<_>>().join(" "))
            }
            Self::File { from, folder } => {
                let name = write_file(folder, &letter.compose(from)?)
                    .await
                    .map_err(|error| MailError::Temporary(format!("writing a file: {error}")))?;
                Ok(format!("written to {name}"))
            }
            Self::Memory(letters) => {
                letter.compose(&Mailbox::new(None, lettre::Address::new_dangerous("news", "localhost")))?;
                letters.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(letter.clone());
                Ok("kept".into())
            }
        }
    }

    /// Asks the SMTP server whether it is there and lets us in; the others always do.
    ///
    /// # Errors
    /// What the server or the network said.
    pub async fn check(&self) -> Result<(), MailError> {
        match self {
            Self::Smtp { transport, .. } => match transport.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(MailError::Temporary("the server did not answer NOOP".into())),
                Err(error) => Err(blame(&error)),
            },
            Self::File { .. } | Self::Memory(_) => Ok(()),
        }
    }
}

/// Writes a whole file or none, so that who looks into the folder never sees a half letter.
async fn write_file(folder: &Path, message: &Message) -> std::io::Result<String> {
    let moment = chrono::Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
    let name = format!("{moment}-{:08x}.eml", rand::random::<u32>());
    let (half, whole) = (folder.join(format!(".{name}.part")), folder.join(&name));
    tokio::fs::write(&half, message.formatted()).await?;
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
