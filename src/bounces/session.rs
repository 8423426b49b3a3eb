//! One conversation with a client that brings bounces: SMTP (RFC 5321) or, greeted with LHLO, LMTP
//! (RFC 2033).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::listener::receive;
use super::return_path::{self, Addressee};
use crate::app::App;

/// The largest message. A bounce needs no more than the headers of what came back.
const LARGEST: usize = 1024 * 1024;
/// How much of a larger one is read before the line is cut.
const PATIENCE_WITH_LARGE: usize = 10 * LARGEST;
/// The longest command with its line end (RFC 5321, 4.5.3.1.4, and room for parameters).
const LONGEST_COMMAND: usize = 1_000;
const MOST_COMMANDS: usize = 200;
const MOST_MISTAKES: usize = 10;
const MOST_MESSAGES: usize = 50;
const MOST_RECIPIENTS: usize = 10;
/// How long the client may take for a command, or for each piece of a message.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says to somebody for whom there is no room to come back later.
pub async fn turn_away(mut stream: TcpStream) {
    let said = stream.write_all(b"421 4.3.2 too many connections, come back later\r\n");
    let _ = tokio::time::timeout(Duration::from_secs(1), said).await;
}

/// What a client has said so far of a message.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<Addressee>,
}

/// Talks to a client until it leaves or has gone too far.
pub async fn converse(app: &App, stream: TcpStream) {
    let host = app.config.bounce_domain.clone();
    let mut session = Session {
        app,
        stream: BufReader::new(stream),
        host,
        envelope: Envelope::default(),
        is_greeted: false,
        is_lmtp: false,
        messages: 0,
        mistakes: 0,
    };
    let _ = session.run().await;
}

struct Session<'a> {
    app: &'a App,
    stream: BufReader<TcpStream>,
    /// What we call ourselves.
    host: String,
    envelope: Envelope,
    is_greeted: bool,
    is_lmtp: bool,
    messages: usize,
    mistakes: usize,
}

/// What comes after an answer.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Close,
}

impl Session<'_> {
    async fn run(&mut self) -> Option<()> {
        let greeting = format!("220 {} ESMTP for bounces\r\n", self.host);
        self.write(&greeting).await?;
        for _ in 0..MOST_COMMANDS {
            let line = match read_line(&mut self.stream, LONGEST_COMMAND).await? {
                Line::Whole(line) => line,
                Line::TooLong => {
                    self.write("500 5.5.2 the line is too long\r\n").await;
                    return None;
                }
            };
            let Ok(line) = String::from_utf8(line) else {
                self.mistake("500 5.5.2 that is no UTF-8").await?;
                continue;
            };
            if self.answer(line.trim_end_matches(['\r', '\n'])).await? == Next::Close {
                return Some(());
            }
        }
        self.write("421 4.7.0 too many commands\r\n").await
    }

    async fn write(&mut self, text: &str) -> Option<()> {
        tokio::time::timeout(PATIENCE, self.stream.write_all(text.as_bytes())).await.ok()?.ok()
    }

    async fn say(&mut self, text: &str) -> Option<Next> {
        self.write(&format!("{text}\r\n")).await?;
        Some(Next::Go)
    }

    /// Refuses a command; after many of them the line is cut.
    async fn mistake(&mut self, text: &str) -> Option<Next> {
        self.mistakes += 1;
        if self.mistakes > MOST_MISTAKES {
            self.write("421 4.7.0 too many mistakes\r\n").await?;
            return Some(Next::Close);
        }
        self.say(text).await
    }

    async fn answer(&mut self, line: &str) -> Option<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => {
                self.greet(false);
                let host = self.host.clone();
                self.say(&format!("250 {host}")).await
            }
            verb @ ("EHLO" | "LHLO") => {
                self.greet(verb == "LHLO");
                let host = self.host.clone();
                let lines = format!(
                    "250-{host}\r\n250-SIZE {LARGEST}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n\
                     250 ENHANCEDSTATUSCODES"
                );
                self.say(&lines).await
            }
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.recipient(rest).await,
            "DATA" => self.data().await,
            "RSET" => {
                self.envelope = Envelope::default();
                self.say("250 2.0.0 as you like").await
            }
            "NOOP" => self.say("250 2.0.0 nothing done").await,
            "QUIT" => {
                self.write("221 2.0.0 goodbye\r\n").await?;
                Some(Next::Close)
            }
            "VRFY" | "EXPN" | "HELP" | "AUTH" | "STARTTLS" | "BDAT" | "TURN" | "ETRN" => {
                self.mistake("502 5.5.1 not done here").await
            }
            _ => self.mistake("500 5.5.2 not a command").await,
        }
    }

    fn greet(&mut self, is_lmtp: bool) {
        self.is_greeted = true;
        self.is_lmtp = is_lmtp;
        self.envelope = Envelope::default();
    }

    async fn mail(&mut self, rest: &str) -> Option<Next> {
        if !self.is_greeted {
            return self.mistake("503 5.5.1 say hello first").await;
        }
        if self.envelope.from.is_some() {
            return self.mistake("503 5.5.1 one message at a time").await;
        }
        if self.messages >= MOST_MESSAGES {
            self.write("421 4.7.0 enough for one connection\r\n").await?;
            return Some(Next::Close);
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return self.mistake("501 5.5.4 MAIL FROM:<address> is wanted").await;
        };
        let size = parameters.split(' ').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("SIZE").then(|| value.parse::<u64>().unwrap_or(u64::MAX))
        });
        if size.is_some_and(|size| size > LARGEST as u64) {
            return self.mistake("552 5.3.4 too large for a bounce").await;
        }
        self.envelope.from = Some(from.to_owned());
        self.say("250 2.1.0 go on").await
    }

    async fn recipient(&mut self, rest: &str) -> Option<Next> {
        if self.envelope.from.is_none() {
            return self.mistake("503 5.5.1 MAIL comes first").await;
        }
        let Some((to, _)) = path(rest, "TO:") else {
            return self.mistake("501 5.5.4 RCPT TO:<address> is wanted").await;
        };
        if self.envelope.to.len() >= MOST_RECIPIENTS {
            return self.mistake("452 4.5.3 too many recipients").await;
        }
        match return_path::read(self.app, to) {
            Some(addressee) => {
                self.envelope.to.push(addressee);
                self.say("250 2.1.5 go on").await
            }
            None => self.mistake("550 5.1.1 no such address here").await,
        }
    }

    async fn data(&mut self) -> Option<Next> {
        if self.envelope.to.is_empty() {
            return self.mistake("503 5.5.1 nobody to take it").await;
        }
        self.write("354 end with a dot on a line of its own\r\n").await?;
        let message = read_message(&mut self.stream).await?;
        let envelope = std::mem::take(&mut self.envelope);
        self.messages += 1;
        let Some(message) = message else {
            let count = if self.is_lmtp { envelope.to.len() } else { 1 };
            for _ in 0..count {
                self.mistake("552 5.3.4 too large for a bounce").await?;
            }
            return Some(Next::Go);
        };
        let message = Arc::new(message);
        let mut answers = Vec::new();
        for addressee in envelope.to {
            let from = envelope.from.clone().unwrap_or_default();
            answers.push(match receive(self.app, addressee, from, message.clone()).await {
                Ok(()) => "250 2.0.0 taken",
                Err(error) => {
                    tracing::error!("a bounce could not be taken: {error:#}");
                    "451 4.3.0 not now"
                }
            });
        }
        // LMTP answers for each recipient; SMTP for all, and what was taken twice is taken once.
        if self.is_lmtp {
            return self.say(&answers.join("\r\n")).await;
        }
        let worst = answers.iter().find(|answer| !answer.starts_with('2')).unwrap_or(&"250 2.0.0 taken");
        self.say(worst).await
    }
}

/// The address of `FROM:<address> PARAMETERS`, and the parameters.
fn path<'a>(text: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let text = text.trim_start();
    let head = text.get(..keyword.len())?;
    let rest = head.eq_ignore_ascii_case(keyword).then(|| text[keyword.len()..].trim_start())?;
    let (address, parameters) = rest.strip_prefix('<')?.split_once('>')?;
    // A route before the address is legal and ignored (RFC 5321, 4.1.1.3).
    let address =
        address.rsplit_once(':').filter(|_| address.starts_with('@')).map_or(address, |(_, own)| own);
    Some((address, parameters.trim()))
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// A line with its end; none when the client is gone or too slow.
async fn read_line(stream: &mut (impl AsyncBufRead + Unpin), longest: usize) -> Option<Line> {
    let mut line = Vec::new();
    let mut bounded = stream.take(longest as u64);
    let read = bounded.read_until(b'\n', &mut line);
    tokio::time::timeout(PATIENCE, read).await.ok()?.ok()?;
    match line.last() {
        Some(b'\n') => Some(Line::Whole(line)),
        Some(_) if line.len() == longest => Some(Line::TooLong),
        _ => None,
    }
}

/// A message up to its dot, dots at the beginnings of lines taken away; the inner none is one that is too
/// large. A line ends where CR LF stands, and nowhere else.
async fn read_message(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut read = 0;
    let mut begins_line = true;
    loop {
        let piece = match read_line(stream, 8 * 1024).await? {
            Line::Whole(piece) => piece,
            // The rest of the line follows.
            Line::TooLong => {
                read += 8 * 1024;
                if read > PATIENCE_WITH_LARGE {
                    return None;
                }
                // What is this long is no line of a report; its bytes are of no use.
                begins_line = false;
                continue;
            }
        };
        read += piece.len();
        if read > PATIENCE_WITH_LARGE {
            return None;
        }
        if begins_line && piece == b".\r\n" {
            return Some((read <= LARGEST).then_some(message));
        }
        let piece = if begins_line && piece.starts_with(b".") { &piece[1..] } else { &piece[..] };
        if read <= LARGEST {
            message.extend_from_slice(piece);
        }
        begins_line = piece.ends_with(b"\r\n");
    }
}
