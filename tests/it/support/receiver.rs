//! Somebody else's server, on a loopback address, that messages are posted to: it keeps what it was sent and
//! answers as a test tells it to.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// A parameter of the query.
    pub fn param(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Decides about an answer: status and body.
type Answer = Box<dyn Fn(&Received) -> (u16, String) + Send>;

struct Desk {
    received: Vec<Received>,
    answer: Answer,
}

/// The server; it stops with the test.
#[derive(Clone)]
pub struct Receiver {
    pub address: String,
    desk: Arc<Mutex<Desk>>,
}

impl Receiver {
    /// Takes everything, and repeats the challenge of a hub.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answer: Answer = Box::new(|received| (200, received.param("hub.challenge").to_owned()));
        let desk = Arc::new(Mutex::new(Desk { received: Vec::new(), answer }));
        let router = Router::new().fallback(take).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, desk }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Answers so from now on.
    pub fn answer(&self, answer: impl Fn(&Received) -> (u16, String) + Send + 'static) {
        self.desk.lock().unwrap().answer = Box::new(answer);
    }

    pub fn answer_status(&self, status: u16) {
        self.answer(move |_| (status, format!("says {status}")));
    }

    /// What came in since the last call.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.desk.lock().unwrap().received)
    }

    /// The only one that came in since the last call.
    #[track_caller]
    pub fn take_one(&self) -> Received {
        let mut received = self.take();
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }
}

async fn take(State(desk): State<Arc<Mutex<Desk>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let received = Received {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: query.into_owned().collect(),
        headers: parts.headers,
        body,
    };
    let mut desk = desk.lock().unwrap();
    let (status, words) = (desk.answer)(&received);
    desk.received.push(received);
    Response::builder().status(status).body(Body::from(words)).unwrap()
}
