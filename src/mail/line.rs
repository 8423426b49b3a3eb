//! [`Line`]: a connection to the mail server that carries many messages.
//!
//! Connecting, TLS and login are lettre's; on top of them the envelope goes out in one piece where the
//! server allows it (RFC 2920), so a message takes two turns of the line and not four.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::transport::smtp::{self, response::Response};
use url::Url;

use super::{MailError, blame, blame_server};

/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// And for letting us in.
const DOOR: Duration = Duration::from_secs(30);
/// A line not used for so long is not trusted to be open.
const FRESH: Duration = Duration::from_secs(30);

/// Where mail is handed over, as the setting `smtp_url` says it.
#[derive(Clone)]
pub struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    /// What we call ourselves.
    hello: ClientId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    None,
    IfOffered,
    Required,
    FromTheStart,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

impl Server {
    /// `smtp://` or `smtps://`, `?tls=required` or `?tls=opportunistic` for STARTTLS; the path is the
    /// name for EHLO.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let url = Url::parse(text)?;
        let host = url.host_str().ok_or_else(|| anyhow::anyhow!("it names no host"))?.to_owned();
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value);
        let (tls, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", _) => (Tls::FromTheStart, 465),
            ("smtp", None) => (Tls::None, 25),
            ("smtp", Some("required")) => (Tls::Required, 587),
            ("smtp", Some("opportunistic")) => (Tls::IfOffered, 587),
            _ => anyhow::bail!("it must begin with smtp:// or smtps://; tls is required or opportunistic"),
        };
        let decoded = |text: &str| {
            let bytes: Cow<'_, [u8]> = percent_encoding::percent_decode_str(text).into();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let credentials =
            url.password().map(|password| Credentials::new(decoded(url.username()), decoded(password)));
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self { host, port: url.port().unwrap_or(port), tls, credentials, hello })
    }

    /// Where it is.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// An open connection.
pub struct Line {
    connection: AsyncSmtpConnection,
    /// The server takes commands before it has answered the last (PIPELINING).
    pipelines: bool,
    /// A transaction is left open by a refused recipient.
    dirty: bool,
    broken: bool,
    /// The server was given the text of a message, and may have it whatever is heard of it.
    gave_text: bool,
    /// When it was last used; none for one that carried nothing yet.
    used: Option<Instant>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// Why a line did not carry a message.
pub(super) struct Refusal {
    pub error: MailError,
    /// The server had closed the line long before; another line may carry it at once.
    pub was_stale: bool,
}

impl Line {
    /// # Errors
    /// When the server cannot be reached, or does not let us in.
    pub async fn open(server: &Server) -> Result<Self, MailError> {
        match tokio::time::timeout(DOOR, Self::connect(server)).await {
            // Whatever it is, nobody's letter is to blame.
            Ok(line) => line.map_err(|error| match blame(&error) {
                MailError::Temporary(words)
                | MailError::Permanent(words)
                | MailError::BadAddress(words)
                | MailError::Server(words) => MailError::Server(words),
            }),
            Err(_) => Err(MailError::Server(silence(DOOR))),
        }
    }

    async fn connect(server: &Server) -> Result<Self, smtp::Error> {
        let wrapper = match server.tls {
            Tls::FromTheStart => Some(TlsParameters::new(server.host.clone())?),
            _ => None,
        };
        let address = (server.host.as_str(), server.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(DOOR), &server.hello, wrapper, None).await?;
        if server.tls == Tls::Required || server.tls == Tls::IfOffered && connection.can_starttls() {
            connection.starttls(TlsParameters::new(server.host.clone())?, &server.hello).await?;
        }
        if let Some(credentials) = &server.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        // Asked once more, because lettre keeps only those extensions that it uses itself.
        let extensions = connection.command(Ehlo::new(server.hello.clone())).await?;
        let pipelines = extensions.message().any(|line| line.trim().eq_ignore_ascii_case("PIPELINING"));
        Ok(Self { connection, pipelines, dirty: false, broken: false, gave_text: false, used: None })
    }

    /// Whether another message may be given to it.
    pub fn is_usable(&self) -> bool {
        !self.broken && self.used.is_none_or(|used| used.elapsed() < FRESH)
    }

    /// Asks whether the server is there.
    pub async fn check(&mut self) -> Result<(), MailError> {
        self.connection.command("NOOP\r\n").await.map(|_| ()).map_err(|error| blame(&error))
    }

    /// Hands a message over, whose lines all end as they should; returns the server's words.
    pub(super) async fn send(&mut self, from: &str, to: &str, message: &str) -> Result<String, Refusal> {
        // Unless the server has its say, the line is left in the middle of something.
        self.broken = true;
        self.gave_text = false;
        let sent = tokio::time::timeout(PATIENCE, self.try_to_send(from, to, message)).await;
        self.used = Some(Instant::now());
        let nothing = |error| Err(Refusal { error, was_stale: false });
        match (sent, self.gave_text) {
            (Ok(sent), _) => sent,
            (Err(_), true) => nothing(MailError::Temporary(silence(PATIENCE))),
            (Err(_), false) => nothing(MailError::Server(silence(PATIENCE))),
        }
    }

    async fn try_to_send(&mut self, from: &str, to: &str, message: &str) -> Result<String, Refusal> {
        let is_ascii = to.is_ascii() && message.is_ascii();
        if !is_ascii && !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            self.broken = false;
            let words = "the mail server takes no address outside ASCII (SMTPUTF8)".to_owned();
            return Err(Refusal { error: MailError::Permanent(words), was_stale: false });
        }
        self.begin(from, to, is_ascii).await?;
        self.gave_text = true;
        let answer = self.connection.command(Body(message)).await;
        match self.heard(answer) {
            Ok(response) => Ok(response.message().collect::<Vec<_>>().join(" ")),
            Err(error) => Err(Refusal { error: blame(&error), was_stale: false }),
        }
    }

    /// Says from whom and to whom, and that the message follows.
    async fn begin(&mut self, from: &str, to: &str, is_ascii: bool) -> Result<(), Refusal> {
        let options = if is_ascii { "" } else { " BODY=8BITMIME SMTPUTF8" };
        let mut commands = vec![
            format!("MAIL FROM:<{from}>{options}\r\n"),
            format!("RCPT TO:<{to}>\r\n"),
            "DATA\r\n".into(),
        ];
        if std::mem::take(&mut self.dirty) {
            commands.insert(0, "RSET\r\n".into());
        }
        let mut refused = None;
        let mut awaits_text = false;
        for (number, command) in commands.iter().enumerate() {
            let answer = match (self.pipelines, number) {
                (true, 0) => self.connection.command(commands.concat()).await,
                (true, _) => self.connection.read_response().await,
                (false, _) => self.connection.command(command).await,
            };
            match self.heard(answer) {
                Ok(_) => awaits_text = number + 1 == commands.len(),
                Err(error) => {
                    let is_about_sender = command.starts_with("MAIL") || command.starts_with("RSET");
                    let blamed = if is_about_sender { blame_server(&error) } else { blame(&error) };
                    let was_stale = number == 0 && self.used.is_some() && self.broken;
                    if self.broken {
                        return Err(Refusal { error: blamed, was_stale });
                    }
                    refused.get_or_insert(blamed);
                    if !self.pipelines {
                        break;
                    }
                }
            }
        }
        let Some(error) = refused else { return Ok(()) };
        // Some servers ask for the text though nobody is left to get it; they refuse it then.
        if awaits_text {
            let answer = self.connection.command(".\r\n").await;
            let _ = self.heard(answer);
        }
        self.dirty = true;
        Err(Refusal { error, was_stale: false })
    }

    /// An answer, however it turned out, leaves the line in order; its absence does not, nor does a
    /// goodbye.
    fn heard(&mut self, answer: Result<Response, smtp::Error>) -> Result<Response, smtp::Error> {
        self.broken = match &answer {
            Ok(_) => false,
            Err(error) => error.status().is_none_or(|code| code.to_string() == "421"),
        };
        answer
    }
}

fn silence(patience: Duration) -> String {
    format!("the mail server did not answer within {} s", patience.as_secs())
}

/// A message as it goes over the wire, its end marked.
struct Body<'a>(&'a str);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.contains("\r\n.") {
            true => f.write_str(&self.0.replace("\r\n.", "\r\n.."))?,
            false => f.write_str(self.0)?,
        }
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_dot_ends_no_message() {
        assert_eq!(Body("a\r\n.\r\n..b\r\n").to_string(), "a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(Body("a").to_string(), "a\r\n.\r\n");
    }

    #[test]
    fn servers_are_read_from_their_addresses() {
        let server = Server::parse("smtps://news:p%40ss@mail.example").unwrap();
        assert_eq!((server.port, server.tls, server.credentials.is_some()), (465, Tls::FromTheStart, true));
        let server = Server::parse("smtp://mail.example?tls=required").unwrap();
        assert_eq!((server.port, server.tls), (587, Tls::Required));
        assert_eq!(Server::parse("smtp://127.0.0.1:2525").unwrap().port, 2525);
        for wrong in ["http://mail.example", "smtp://mail.example?tls=maybe", "mail.example"] {
            assert!(Server::parse(wrong).is_err(), "{wrong}");
        }
    }
}
