//! A mail server in this process that answers as it is told, recipient by recipient, and keeps the moment
//! of each message.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Backend, TestApp};

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub at: Instant,
    /// Of the envelope.
    pub from: String,
    pub to: String,
    pub bytes: Vec<u8>,
}

type Answers = Arc<dyn Fn(&str) -> Option<&'static str> + Send + Sync>;

/// The server; it ends with its test.
#[derive(Clone)]
pub struct MailHost {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
    asked: Arc<Mutex<Vec<String>>>,
    sulks: Arc<AtomicBool>,
}

impl MailHost {
    /// `answers` says what a recipient is refused with; none takes the message.
    pub async fn start(answers: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static) -> Self {
        Self::start_with("250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n", answers).await
    }

    /// With other extensions than usual.
    pub async fn start_with(
        extensions: &'static str,
        answers: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = Self { port, taken: Arc::default(), asked: Arc::default(), sulks: Arc::default() };
        let (answers, own): (Answers, _) = (Arc::new(answers), host.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (own, answers) = (own.clone(), answers.clone());
                tokio::spawn(async move { own.talk(stream, extensions, answers).await });
            }
        });
        host
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// From now on it takes nothing and closes every line; or it is itself again.
    pub fn sulk(&self, sulks: bool) {
        self.sulks.store(sulks, Ordering::SeqCst);
    }

    /// What was taken, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// The recipients that were asked for, taken or not.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn talk(&self, stream: TcpStream, extensions: &str, answers: Answers) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let sulk = || self.sulks.load(Ordering::SeqCst);
        if sulk() {
            stream.write_all(b"421 4.3.2 host is busy with itself\r\n").await.ok()?;
            return None;
        }
        stream.write_all(b"220 host ESMTP\r\n").await.ok()?;
        let (mut from, mut to): (String, Option<String>) = Default::default();
        let mut is_open = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let command = line.trim_end();
            let verb = command.split([' ', ':']).next().unwrap_or("").to_uppercase();
            let answer = match verb.as_str() {
                "EHLO" => format!("250-host\r\n{extensions}250 HELP\r\n"),
                "MAIL" if sulk() => {
                    stream.write_all(b"421 4.3.2 host is busy with itself\r\n").await.ok()?;
                    return None;
                }
                "MAIL" if is_open => "503 5.5.1 nested MAIL\r\n".into(),
                "MAIL" => {
                    from = command.split(['<', '>']).nth(1).unwrap_or("").to_owned();
                    is_open = true;
                    "250 2.1.0 Ok\r\n".into()
                }
                "RCPT" => {
                    let address = command.split(['<', '>']).nth(1).unwrap_or("").to_owned();
                    self.asked.lock().unwrap().push(address.clone());
                    match answers(&address) {
                        Some(refusal) => format!("{refusal}\r\n"),
                        None => {
                            to = Some(address);
                            "250 2.1.5 Ok\r\n".into()
                        }
                    }
                }
                "DATA" if to.is_none() => "554 5.5.1 no valid recipients\r\n".into(),
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    let bytes = read_message(&mut stream).await?;
                    let to = to.take().unwrap_or_default();
                    self.taken.lock().unwrap().push(Taken {
                        at: Instant::now(),
                        from: from.clone(),
                        to,
                        bytes,
                    });
                    is_open = false;
                    "250 2.0.0 Ok: queued\r\n".into()
                }
                "RSET" => {
                    (is_open, to) = (false, None);
                    "250 2.0.0 Ok\r\n".into()
                }
                "NOOP" => "250 Ok\r\n".into(),
                "QUIT" => {
                    stream.write_all(b"221 Bye\r\n").await.ok()?;
                    return None;
                }
                _ => "500 5.5.2 what?\r\n".into(),
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

async fn read_message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        if stream.read_until(b'\n', &mut bytes).await.ok()? == 0 {
            return None;
        }
        match &bytes[start..] {
            b".\r\n" => {
                bytes.truncate(start);
                return Some(bytes);
            }
            [b'.', ..] => {
                bytes.remove(start);
            }
            _ => {}
        }
    }
}

/// A site that sends by one connection to a server which thinks about each recipient first.
pub async fn behind_slow_server(
    backend: Backend,
    think: impl Fn() + Send + Sync + 'static,
) -> (MailHost, TestApp) {
    let host = MailHost::start(move |_| {
        tokio::task::block_in_place(&think);
        None
    })
    .await;
    let url = host.url();
    let app = TestApp::start_with(backend, move |config| {
        config.smtp_url = url;
        config.smtp_connections = 1;
    })
    .await;
    (host, app)
}
