//! The mail servers of the settings: `[[mail_servers]]`, or `smtp_url` for a single one.

use figment::error::Kind;
use figment::value::Value;
use serde::{Deserialize, Serialize};

use super::line::Server;
use crate::accounts::handle::Handle;
use crate::delivery::caps::Caps;
use crate::delivery::ramp::Ramp;

/// One of several mail servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailServer {
    /// Letters, digits and hyphens. Caps and rests are remembered under it.
    pub name: String,
    /// As `smtp_url`.
    pub url: String,
    /// Servers of the lowest rank carry the mail; those of the next step in while the former rest or
    /// their caps are full.
    #[serde(default = "one")]
    pub rank: u32,
    /// Its share among the servers of its rank.
    #[serde(default = "one")]
    pub weight: u32,
    /// As `mail_caps`, of this server's messages alone.
    #[serde(default)]
    pub caps: String,
    /// As `mail_warm_up`, of this server's messages alone.
    #[serde(default)]
    pub warm_up: String,
    /// Handles of the accounts whose pushes go by this server, and by others that name them, alone. Empty
    /// for a server of everybody else's, and of all other mail.
    #[serde(default)]
    pub accounts: Vec<String>,
}

fn one() -> u32 {
    1
}

impl MailServer {
    /// The only one, as `smtp_url` says it.
    pub fn only(url: &str) -> Self {
        Self {
            name: String::new(),
            url: url.to_owned(),
            rank: 1,
            weight: 1,
            caps: String::new(),
            warm_up: String::new(),
            accounts: Vec::new(),
        }
    }
}

/// What stands under `mail_servers`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailServers(pub Vec<MailServer>);

impl MailServers {
    /// What a value of the settings is not; its texts are not quoted, for there are passwords in them.
    pub fn trouble(value: &Value) -> Option<String> {
        let error = value.deserialize::<Self>().err()?;
        let place = error.path.iter().map(|part| format!(" {part}")).collect::<String>();
        Some(match &error.kind {
            Kind::UnknownField(name, known) => {
                format!("it has an unknown key `{name}`; a server has {}", known.join(", "))
            }
            Kind::MissingField(name) => format!("a server in it has no {name}"),
            Kind::InvalidType(_, wanted) | Kind::InvalidValue(_, wanted) => {
                format!("something in it is not {wanted}{place}")
            }
            _ => format!("it cannot be read{place}"),
        })
    }

    /// What makes no sense in it, if something does not.
    pub fn problem(&self) -> Option<String> {
        for (place, server) in self.0.iter().enumerate() {
            let MailServer { name, url, rank, weight, caps, warm_up, accounts } = server;
            let is_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            if name.is_empty() || name.len() > 30 || !name.bytes().all(is_label) {
                return Some("a server's name must be letters, digits and hyphens, 30 at most".into());
            }
            if self.0[..place].iter().any(|other| other.name == *name) {
                return Some(format!("two servers are named `{name}`"));
            }
            let said = |problem: String| Some(format!("`{name}`: {problem}"));
            if Server::parse(url).is_err() {
                return said("its url must be smtp://HOST or smtps://USER:PASSWORD@HOST".into());
            }
            if !(1..=1_000).contains(weight) || !(1..=1_000).contains(rank) {
                return said("rank and weight must be from 1 to 1000".into());
            }
            if let Err(problem) = caps.parse::<Caps>() {
                return said(problem);
            }
            if let Err(problem) = Ramp::parse(warm_up) {
                return said(problem);
            }
            if let Some(handle) = accounts.iter().find(|handle| Handle::parse(handle).is_err()) {
                return said(format!("`{handle}` is not the handle of an account"));
            }
        }
        if !self.0.is_empty() && self.0.iter().all(|server| !server.accounts.is_empty()) {
            return Some("one server must be without accounts: letters about signing in go by it".into());
        }
        None
    }
}
