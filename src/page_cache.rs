//! Pages as everybody gets them who is not signed in: made once, and given to all who ask within a moment.
//!
//! A page is kept for [`LIFE`], and no longer than until the next commit through this process. So a change
//! shows at once on the node that made it and a moment later on the others, without word between them; and a
//! page that a thousand readers open at once costs the database as much as for one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::home::look::Look;
use crate::page::{FLASH_COOKIE, Locale};
use crate::shown::Choice;

/// How long a page is given out that another node may have changed.
const LIFE: Duration = Duration::from_millis(900);
/// Bytes of a page; a larger one is made for each reader.
const LARGEST: u64 = 1024 * 1024;
/// Bytes of an address; longer ones are in nobody's link.
const LONGEST_ADDRESS: usize = 512;
/// Bytes that a page takes besides its text.
const OVERHEAD: usize = 1_024;

/// This node's pages; empty where the settings have no room for them.
#[derive(Debug)]
pub struct PageCache(Option<Cache<Key, Arc<Kept>>>);

/// What a page differs by: the reader's language and script, the look that they chose or their browser asks for, and the address.
type Key = (Locale, Choice, Look, String);

#[derive(Debug)]
struct Kept {
    headers: HeaderMap,
    body: Bytes,
    made_at: Timestamp,
    /// See [`crate::db::Db::commits`].
    commits: u64,
}

impl PageCache {
    pub fn of(config: &Config) -> Self {
        let bytes = u64::from(config.page_cache) * 1_000_000;
        let weight = |key: &Key, kept: &Arc<Kept>| {
            u32::try_from(key.3.len() + kept.body.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let cache = || Cache::builder().max_capacity(bytes).weigher(weight).time_to_live(LIFE).build();
        Self((bytes > 0).then(cache))
    }
}

/// Middleware: answers with a page that is kept, or keeps the one that is made.
pub async fn give(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (Some(cache), Some(key)) = (&app.pages.0, key(&app, &request)) else {
        return next.run(request).await;
    };
    // Before anything is read, so that what is committed meanwhile makes the page stale.
    let (commits, made_at) = (app.db.commits(), app.clock.now());
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    if let Some(kept) = cache.get(&key).await
        && kept.is_fresh(made_at, commits)
    {
        return kept.answer(known.as_ref());
    }
    match keep(next.run(request).await, made_at, commits).await {
        Ok(kept) => {
            let kept = Arc::new(kept);
            cache.insert(key, kept.clone()).await;
            kept.answer(known.as_ref())
        }
        Err(response) => response,
    }
}

/// Under what to find the page that a request asks for; `None` where the answer is for one reader only.
fn key(app: &App, request: &Request) -> Option<Key> {
    let headers = request.headers();
    let address = request.uri().path_and_query()?.as_str();
    let is_everybodys = request.method() == Method::GET
        && address.len() <= LONGEST_ADDRESS
        && request.extensions().get::<SignedIn>().is_none()
        // Feeds know better what came since then.
        && !headers.contains_key(header::IF_MODIFIED_SINCE)
        && !headers.contains_key(header::AUTHORIZATION);
    if !is_everybodys {
        return None;
    }
    let jar = CookieJar::from_headers(headers);
    let locale = Locale::of_request(app, &jar, headers, None);
    let script = Choice::of_request(&jar, headers, request.uri().query(), None);
    jar.get(FLASH_COOKIE).is_none().then(|| (locale, script, Look::of(&jar, headers), address.to_owned()))
}

/// A page that everybody may have; anything else is given back.
async fn keep(response: Response, made_at: Timestamp, commits: u64) -> Result<Kept, Response> {
    let is_page = response.status() == StatusCode::OK && !response.headers().contains_key(header::SET_COOKIE);
    let size = response.body().size_hint().exact().unwrap_or(u64::MAX);
    if !is_page || size > LARGEST {
        return Err(response);
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LARGEST as usize).await else {
        return Err(Response::from_parts(parts, Body::empty()));
    };
    let mut headers = parts.headers;
    if !headers.contains_key(header::ETAG) {
        // Weak: what goes out may be compressed.
        let tag = format!("W/\"{}\"", &hex::encode(Sha256::digest(&body))[..32]);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
    }
    Ok(Kept { headers, body, made_at, commits })
}

impl Kept {
    fn is_fresh(&self, now: Timestamp, commits: u64) -> bool {
        self.commits == commits && (self.made_at..self.made_at + LIFE).contains(&now)
    }

    /// The page, or that it is still the one that the reader has.
    fn answer(&self, known: Option<&HeaderValue>) -> Response {
        let text =
            |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let known = text(known).unwrap_or_default();
        let tag = text(self.headers.get(header::ETAG)).unwrap_or_default();
        // Compression makes a tag weak.
        let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let is_known = known.split(',').any(|one| one.trim() == "*" || strong(one) == strong(&tag));
        let body = if is_known { Body::empty() } else { Body::from(self.body.clone()) };
        let mut response = Response::new(body);
        *response.headers_mut() = self.headers.clone();
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        response
    }
}
