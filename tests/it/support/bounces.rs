//! What other servers send back, and how they bring it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use xiangxun::app::App;
use xiangxun::bounces::listener;

/// A message of `tests/fixtures/bounces`, its blanks filled and its lines ended as mail ends them.
pub fn fixture(name: &str, blanks: &[(&str, &str)]) -> Vec<u8> {
    let path = format!("tests/fixtures/bounces/{name}.eml");
    let mut text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    for (blank, value) in blanks {
        text = text.replace(&format!("@{blank}@"), value);
    }
    text.replace('\n', "\r\n").into_bytes()
}

/// The listener on an address of its own; it ends with the test.
pub async fn listen(app: &Arc<App>) -> SocketAddr {
    let listener = listener::bind(app).await.unwrap().expect("bounce_listen is set");
    let address = listener.local_addr().unwrap();
    tokio::spawn(listener::run(app.clone(), listener, CancellationToken::new()));
    address
}

/// A client that speaks line by line.
pub struct Caller(BufReader<TcpStream>);

impl Caller {
    /// Connects, and reads the greeting.
    pub async fn call(address: SocketAddr) -> Self {
        let mut caller = Self(BufReader::new(TcpStream::connect(address).await.unwrap()));
        let greeting = caller.hear().await;
        assert!(greeting.starts_with("220 "), "{greeting}");
        caller
    }

    /// An answer of one or many lines; empty when the line is closed.
    pub async fn hear(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return answer;
            }
            answer.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return answer;
            }
        }
    }

    /// Says a line and hears the answer.
    pub async fn say(&mut self, line: &str) -> String {
        self.write(format!("{line}\r\n").as_bytes()).await;
        self.hear().await
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
        let _ = self.0.flush().await;
    }

    /// Brings a message to an address, as mail servers do; returns the last answer.
    pub async fn bring(&mut self, hello: &str, to: &str, message: &[u8]) -> String {
        self.say(hello).await;
        assert!(self.say("MAIL FROM:<> SIZE=5000 BODY=8BITMIME").await.starts_with("250"));
        let taken = self.say(&format!("RCPT TO:<{to}>")).await;
        if !taken.starts_with("250") {
            return taken;
        }
        assert!(self.say("DATA").await.starts_with("354"));
        let text = String::from_utf8_lossy(message).replace("\r\n.", "\r\n..");
        self.write(text.as_bytes()).await;
        self.say("\r\n.").await
    }
}
