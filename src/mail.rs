//! Mail: a [`Letter`], or a [`Form`] filled for one of many, and the [`Mailer`] that carries it by one of its
//! [`Relay`]s: to an SMTP server, to files, or to memory.

mod answer;
pub mod check;
pub mod dkim;
pub mod dns;
mod form;
mod letter;
mod line;
mod notice;
pub mod relay;
pub mod servers;
pub mod spf;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyhow::Context;
use lettre::message::Mailbox;
use lettre::transport::smtp;

use crate::config::Config;
use dkim::Dkim;

pub(crate) use answer::{blame_answer, is_full, is_too_much};
pub use form::{Form, Marks, Personal};
pub use letter::Letter;
pub use notice::{Button, Notice};
pub use relay::Relay;

/// Carries letters.
#[derive(Clone, Debug)]
pub struct Mailer {
    /// Sender of all mail.
    pub from: Mailbox,
    dkim: Arc<Dkim>,
    /// In the order of the settings; at least one.
    relays: Arc<[Relay]>,
    /// How far each is behind its share.
    turns: Arc<Mutex<Vec<i64>>>,
}

/// The way of a message that its sender has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The relay's place.
    pub server: usize,
    /// Where its bounces go; none for the sender's own address.
    pub return_path: Option<String>,
}

impl Route {
    /// By a server, bounces to the sender.
    pub fn by(server: usize) -> Self {
        Self { server, return_path: None }
    }
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
    /// The server takes nothing now, whoever it is for; the letter was not handed over.
    #[error("{0}")]
    Server(String),
}

impl Mailer {
    /// # Errors
    /// When the sender, the SMTP servers or the keys of the settings cannot be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        let from: Mailbox =
            config.mail_from.parse().context("mail_from (XIANGXUN_MAIL_FROM) is not an address")?;
        let dkim = Dkim::load(&config.dkim_keys, from.email.domain())
            .with_context(|| format!("dkim_keys (XIANGXUN_DKIM_KEYS): {}", config.dkim_keys.display()))?;
        let mut relays = Vec::new();
        for server in config.servers() {
            let relay = Relay::of(&server).with_context(|| match server.name.as_str() {
                "" => "smtp_url (XIANGXUN_SMTP_URL) is not an SMTP address".to_owned(),
                name => format!("mail_servers: the url of `{name}` is not an SMTP address"),
            })?;
            relays.push(relay);
        }
        if relays.is_empty() {
            relays.push(Relay::file(config.data.join("mail"))?);
        }
        Ok(Self::of(from, dkim, relays))
    }

    /// One that keeps letters, for tests.
    pub fn memory(letters: Arc<Mutex<Vec<Letter>>>) -> Self {
        let from = Mailbox::new(None, lettre::Address::new_dangerous("news", "localhost"));
        Self::of(from, Dkim::default(), vec![Relay::memory(letters)])
    }

    fn of(from: Mailbox, dkim: Dkim, relays: Vec<Relay>) -> Self {
        let turns = Arc::new(Mutex::new(vec![0; relays.len()]));
        Self { from, dkim: Arc::new(dkim), relays: relays.into(), turns }
    }

    /// Those that carry the mail, in the order of the settings.
    pub fn relays(&self) -> &[Relay] {
        &self.relays
    }

    /// The keys that sign all mail.
    pub fn dkim(&self) -> &Dkim {
        &self.dkim
    }

    /// Of the relays that may carry the next message, the one whose turn it is: of the lowest rank,
    /// each as often as its weight says.
    pub fn next_relay(&self, may: impl Fn(usize) -> bool) -> Option<usize> {
        if let [_] = &*self.relays {
            return may(0).then_some(0);
        }
        let able: Vec<usize> = (0..self.relays.len()).filter(|place| may(*place)).collect();
        let rank = able.iter().map(|place| self.relays[*place].rank).min()?;
        let able: Vec<usize> = able.into_iter().filter(|place| self.relays[*place].rank == rank).collect();
        let mut turns = self.turns.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut whole = 0;
        for place in &able {
            let weight = i64::from(self.relays[*place].weight);
            turns[*place] += weight;
            whole += weight;
        }
        // The first of equals.
        let next = able.into_iter().rev().max_by_key(|place| turns[*place])?;
        turns[next] -= whole;
        Some(next)
    }

    /// The places of the servers that are no account's own.
    pub fn shared(&self) -> Vec<usize> {
        (0..self.relays.len()).filter(|place| self.relays[*place].accounts.is_empty()).collect()
    }

    /// Sends a letter by the route given.
    ///
    /// # Errors
    /// [`MailError`] says whether to try again, and whom to blame.
    pub async fn send_by(&self, letter: &Letter, route: &Route) -> Result<String, MailError> {
        let message = letter.compose(&self.from)?;
        if let Some(letters) = self.relays[route.server].kept() {
            return Ok(keep(letters, letter.clone()));
        }
        let to = message.envelope().to().first().map(ToString::to_string).unwrap_or_default();
        let message = String::from_utf8(message.formatted())
            .map_err(|_| MailError::Permanent("the message is not UTF-8".into()))?;
        self.carry(&to, &message, None, route).await
    }

    /// Sends a form filled for one recipient.
    ///
    /// # Errors
    /// As [`Mailer::send_by`].
    pub async fn send_filled(
        &self,
        form: &Form,
        personal: &Personal,
        route: &Route,
    ) -> Result<String, MailError> {
        let to: lettre::Address = personal
            .to
            .parse()
            .map_err(|error| MailError::BadAddress(format!("{}: {error}", personal.to)))?;
        if let Some(letters) = self.relays[route.server].kept() {
            return Ok(keep(letters, form.letter(personal)));
        }
        let message = form.message(personal, SystemTime::now());
        self.carry(to.as_ref(), &message, form.dkim.as_ref(), route).await
    }

    /// Signs a message and hands it over.
    async fn carry(
        &self,
        to: &str,
        message: &str,
        own: Option<&Dkim>,
        route: &Route,
    ) -> Result<String, MailError> {
        let now = SystemTime::now();
        let mut signed = String::new();
        for dkim in own.into_iter().chain([&*self.dkim]) {
            let signatures = dkim.signatures(message, now);
            signed += &signatures.map_err(|error| MailError::Temporary(format!("{error:#}")))?;
        }
        let message = if signed.is_empty() {
            message
        } else {
            signed.push_str(message);
            &signed
        };
        let from = route.return_path.as_deref().unwrap_or(self.from.email.as_ref());
        self.relays[route.server].carry(from, to, message).await
    }

    /// Asks each SMTP server whether it is there and lets us in; the others always do.
    ///
    /// # Errors
    /// What the first that did not, or the network, said.
    pub async fn check(&self) -> Result<(), MailError> {
        for relay in &*self.relays {
            relay.check().await?;
        }
        Ok(())
    }
}

fn keep(letters: &Mutex<Vec<Letter>>, letter: Letter) -> String {
    letters.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(letter);
    "kept".into()
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

/// What a failure before any recipient was named means: it is the server's own, or about our sender.
fn blame_server(error: &smtp::Error) -> MailError {
    match blame(error) {
        MailError::Temporary(words) => MailError::Server(words),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_take_turns_by_rank_and_weight() {
        let server = |name: &str, rank, weight| servers::MailServer {
            name: name.into(),
            rank,
            weight,
            ..servers::MailServer::only("smtp://127.0.0.1:1")
        };
        let relays = [server("a", 1, 3), server("b", 1, 1), server("c", 2, 1)];
        let relays = relays.iter().map(|server| Relay::of(server).unwrap()).collect();
        let mailer = Mailer::of("a@example.org".parse().unwrap(), Dkim::default(), relays);
        let take = |may: fn(usize) -> bool, count| {
            let turns: Vec<_> = (0..count).map(|_| mailer.next_relay(may)).collect();
            (0..3).map(|place| turns.iter().filter(|turn| **turn == Some(place)).count()).collect::<Vec<_>>()
        };
        assert_eq!(take(|_| true, 400), [300, 100, 0]);
        assert_eq!(take(|place| place > 0, 8), [0, 8, 0]);
        assert_eq!(take(|place| place == 2, 8), [0, 0, 8]);
        assert_eq!(take(|_| false, 8), [0, 0, 0]);
        assert_eq!(take(|_| true, 400), [300, 100, 0], "who rested is not flooded afterwards");
    }
}
