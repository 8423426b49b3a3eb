//! An outlet's web server, on a loopback address, that answers as a test tells it to.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// What is served at a path.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How long the server thinks before each 64 kilobytes.
    pub pause: Duration,
}

impl Page {
    pub fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
            pause: Duration::ZERO,
        }
    }

    pub fn feed(body: impl Into<Vec<u8>>) -> Self {
        Self::new("application/rss+xml", body)
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::new("text/plain", "") }
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).with("location", to)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

#[derive(Default)]
struct Shelf {
    pages: HashMap<String, Page>,
    requests: Vec<(String, HeaderMap)>,
}

/// The server; it stops with the test.
#[derive(Clone)]
pub struct Outlet {
    pub address: String,
    shelf: Arc<Mutex<Shelf>>,
}

impl Outlet {
    pub async fn start() -> Self {
        Self::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    pub async fn start_at(ip: IpAddr) -> Self {
        let listener = tokio::net::TcpListener::bind((ip, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let router = Router::new().fallback(answer).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shelf }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Puts a page at a path, in the place of what was there.
    pub fn serve(&self, path: &str, page: Page) {
        self.shelf.lock().unwrap().pages.insert(path.to_owned(), page);
    }

    /// Headers of the requests for a path, in order.
    pub fn requests(&self, path: &str) -> Vec<HeaderMap> {
        let shelf = self.shelf.lock().unwrap();
        shelf.requests.iter().filter(|(asked, _)| asked == path).map(|(_, headers)| headers.clone()).collect()
    }
}

async fn answer(State(shelf): State<Arc<Mutex<Shelf>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let page = {
        let mut shelf = shelf.lock().unwrap();
        shelf.requests.push((path.clone(), request.headers().clone()));
        shelf.pages.get(&path).cloned()
    };
    let Some(page) = page else {
        return Response::builder().status(StatusCode::NOT_FOUND).body(Body::empty()).unwrap();
    };
    let header = |name: &str| page.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
    let known = request.headers().get("if-none-match").and_then(|value| value.to_str().ok());
    let not_modified = known.is_some() && known == header("etag");
    let mut response = Response::builder().status(if not_modified { 304 } else { page.status });
    for (name, value) in &page.headers {
        response = response.header(*name, value);
    }
    let body = if not_modified { Vec::new() } else { page.body };
    if page.pause.is_zero() {
        return response.body(Body::from(body)).unwrap();
    }
    let pieces: Vec<Vec<u8>> = body.chunks(64 * 1024).map(<[u8]>::to_vec).collect();
    let pause = page.pause;
    let stream = futures::stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        tokio::time::sleep(pause).await;
        let piece = pieces.next()?;
        Some((Ok::<_, std::io::Error>(piece), pieces))
    });
    response.body(Body::from_stream(stream)).unwrap()
}
