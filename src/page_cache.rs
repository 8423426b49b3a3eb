//! Pages as everybody gets them who is not signed in: made once, and given to all who ask within a moment.
//!
//! A page is kept for [`LIFE`], and no longer than until the next commit through this process. So a change
//! shows at once on the node that made it and a moment later on the others, without word between them; and a
//! page that a thousand readers open at once costs the database as much as for one: those who come while it is
//! made wait for it.
//!
//! Packed copies are kept for longer, by what they hold: a page that is made anew and says the same needs no other.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::session;
use crate::blocking;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::home::look::Look;
use crate::packing::{self, Effort, Packing};
use crate::page::{FLASH_COOKIE, Locale};
use crate::shown::Choice;

/// How long a page is given out that another node may have changed.
const LIFE: Duration = Duration::from_millis(900);
/// How long a packed copy is kept that nobody asks for.
const IDLE: Duration = Duration::from_secs(600);
/// Bytes of a page; a larger one is made for each reader.
const LARGEST: u64 = 1024 * 1024;
/// Bytes of an address; longer ones are in nobody's link.
const LONGEST_ADDRESS: usize = 512;
/// Bytes that a page takes besides its text.
const OVERHEAD: usize = 1_024;
/// Shorter pages fit into one packet as they are.
const WORTH_PACKING: usize = 1_024;

/// This node's pages; empty where the settings have no room for them.
#[derive(Debug)]
pub struct PageCache(Option<Caches>);

#[derive(Debug)]
struct Caches {
    /// Nothing is noted for a moment where what was made cannot be kept.
    pages: Cache<Key, Option<Arc<Kept>>>,
    /// By the hash of what they hold; nothing where a copy would be no smaller.
    copies: Cache<([u8; 32], Packing), Option<Bytes>>,
}

/// What a page differs by: the reader's language and script, the look that they chose or their browser asks for, and the address.
type Key = (Locale, Choice, Look, String);

#[derive(Debug)]
struct Kept {
    headers: HeaderMap,
    body: Bytes,
    hash: [u8; 32],
    made_at: Timestamp,
    /// See [`crate::db::Db::commits`].
    commits: u64,
}

impl PageCache {
    pub fn of(config: &Config) -> Self {
        let bytes = u64::from(config.page_cache) * 1_000_000;
        let of_page = |key: &Key, kept: &Option<Arc<Kept>>| {
            let body = kept.as_ref().map_or(0, |kept| kept.body.len());
            u32::try_from(key.3.len() + body + OVERHEAD).unwrap_or(u32::MAX)
        };
        let of_copy = |_: &([u8; 32], Packing), copy: &Option<Bytes>| {
            u32::try_from(copy.as_ref().map_or(0, Bytes::len) + OVERHEAD).unwrap_or(u32::MAX)
        };
        // Packed pages are a fraction of plain ones.
        let caches = || Caches {
            pages: Cache::builder().max_capacity(bytes).weigher(of_page).time_to_live(LIFE).build(),
            copies: Cache::builder().max_capacity(bytes / 4).weigher(of_copy).time_to_idle(IDLE).build(),
        };
        Self((bytes > 0).then(caches))
    }
}

/// The page that a request asks for, where it is kept and can go out as it is: the router's layers would find nothing
/// left to do.
pub fn kept<'a>(app: &'a App, request: &Request) -> impl Future<Output = Option<Response>> + use<'a> {
    let asked = Asked::of(request.headers());
    let is_plain = asked.packing == Packing::Plain;
    // Who names only packings that there are not may get no page at all.
    let is_simple = request.method() == Method::GET
        && !(is_plain && request.headers().contains_key(header::ACCEPT_ENCODING));
    let caches = app.pages.0.as_ref().filter(|_| is_simple);
    let found = caches.and_then(|caches| Some((caches, key(app, request)?)));
    async move {
        let (caches, key) = found.filter(|(_, key)| !is_of_search(&key.3))?;
        let (commits, now) = (app.db.commits(), app.clock.now());
        let kept = caches.pages.get(&key).await.flatten().filter(|kept| kept.is_fresh(now, commits))?;
        let mut answer = match kept.known(&asked) {
            Some(answer) => answer,
            None if is_plain => kept.packed(None, Packing::Plain),
            // A copy that has to be made belongs to the request that waits for it.
            None => {
                let copy = caches.copies.get(&(kept.hash, asked.packing)).await.flatten()?;
                kept.packed(Some(copy), asked.packing)
            }
        };
        if let Some(length) = answer.body().size_hint().exact() {
            answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        Some(answer)
    }
}

/// Middleware: answers with a page that is kept, or keeps the one that is made.
pub async fn give(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let (Some(caches), Some(key)) = (&app.pages.0, key(&app, &request)) else {
        return next.run(request).await;
    };
    // What is committed before a page is made is in it.
    let (commits, now) = (app.db.commits(), app.clock.now());
    let is_good = |kept: &Option<Arc<Kept>>| kept.as_ref().is_some_and(|kept| kept.is_fresh(now, commits));
    let asked = Asked::of(request.headers());
    if let Some(kept) = caches.pages.get(&key).await.filter(is_good).flatten() {
        return caches.answer(&kept, &asked).await;
    }
    // A kept page has a body, whoever asks for it first; the router leaves it out of answers to HEAD.
    *request.method_mut() = Method::GET;
    if !knows_without_making(&key.3) {
        request.headers_mut().remove(header::IF_NONE_MATCH);
    }
    let (mut unasked, mut own) = (Some((request, next)), None);
    while unasked.is_some() {
        let make = async {
            let (commits, made_at) = (app.db.commits(), app.clock.now());
            let (request, next) = unasked.take()?;
            match keep(next.run(request).await, made_at, commits).await {
                Ok(kept) => Some(Arc::new(kept)),
                Err(response) => {
                    own = Some(response);
                    None
                }
            }
        };
        let made = caches.pages.entry_by_ref(&key).or_insert_with_if(make, |kept| !is_good(kept)).await;
        let is_own = made.is_fresh();
        match made.into_value() {
            Some(kept) if is_own || kept.is_fresh(now, commits) => return caches.answer(&kept, &asked).await,
            // Somebody began to make it before this one asked: there may be news.
            Some(_) => {}
            None => break,
        }
    }
    match (own, unasked) {
        (Some(response), _) => {
            caches.pages.invalidate(&key).await;
            response
        }
        // What another one was given cannot be kept, so this one asks for itself.
        (None, Some((request, next))) => next.run(request).await,
        (None, None) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Feeds and sitemaps know by the newest event whether there is anything new; a page has to be made to know, and the
/// feed of a search has to search.
fn knows_without_making(address: &str) -> bool {
    address.contains("/feed.") && !is_of_search(address) || address.starts_with("/sitemap")
}

/// The feed of a search is counted as one, kept or not.
fn is_of_search(address: &str) -> bool {
    address.starts_with("/search/")
}

/// Under what to find the page that a request asks for; `None` where the answer is for one reader only.
fn key(app: &App, request: &Request) -> Option<Key> {
    let headers = request.headers();
    let address = request.uri().path_and_query()?.as_str();
    // Feeds know better what came since then; who names a tag as well means the tag.
    let asks_by_time =
        headers.contains_key(header::IF_MODIFIED_SINCE) && !headers.contains_key(header::IF_NONE_MATCH);
    let is_everybodys = matches!(*request.method(), Method::GET | Method::HEAD)
        && address.len() <= LONGEST_ADDRESS
        && !asks_by_time
        && !headers.contains_key(header::AUTHORIZATION);
    if !is_everybodys {
        return None;
    }
    let jar = CookieJar::from_headers(headers);
    // Who a session is of, if it still is one, is found out further in.
    if jar.get(session::cookie_name(app)).is_some() || jar.get(FLASH_COOKIE).is_some() {
        return None;
    }
    let locale = Locale::of_request(app, &jar, headers, None);
    let script = Choice::of_request(&jar, headers, request.uri().query(), None);
    Some((locale, script, Look::of(&jar, headers), address.to_owned()))
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
    let (mut headers, hash) = (parts.headers, Sha256::digest(&body).into());
    if !headers.contains_key(header::ETAG)
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", &hex::encode(hash)[..32]))
    {
        headers.insert(header::ETAG, tag);
    }
    Ok(Kept { headers, body, hash, made_at, commits })
}

impl Kept {
    /// Whether it may be given to somebody who asked at a moment, after so many commits.
    fn is_fresh(&self, now: Timestamp, commits: u64) -> bool {
        self.commits >= commits && (self.made_at - LIFE..self.made_at + LIFE).contains(&now)
    }

    /// That it is still the one that the reader has.
    fn known(&self, asked: &Asked) -> Option<Response> {
        let tag = self.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let known = packing::known(&asked.known, tag)?;
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        if let Ok(known) = HeaderValue::from_str(known) {
            response.headers_mut().insert(header::ETAG, known);
        }
        Some(response)
    }

    /// The page, as a copy that is packed so where there is one.
    fn packed(&self, copy: Option<Bytes>, packing: Packing) -> Response {
        let packing = if copy.is_some() { packing } else { Packing::Plain };
        let mut response = Response::new(Body::from(copy.unwrap_or_else(|| self.body.clone())));
        *response.headers_mut() = self.headers.clone();
        packing.mark(response.headers_mut());
        response
    }
}

/// What a client says of the bytes that it has and takes.
struct Asked {
    known: HeaderMap,
    packing: Packing,
}

impl Asked {
    fn of(headers: &HeaderMap) -> Self {
        let tags = headers.get_all(header::IF_NONE_MATCH).iter();
        let known = tags.map(|tag| (header::IF_NONE_MATCH, tag.clone())).collect();
        Self { known, packing: Packing::accepted(headers) }
    }
}

impl Caches {
    /// The page, or that it is still the one that the reader has.
    async fn answer(&self, kept: &Kept, asked: &Asked) -> Response {
        match kept.known(asked) {
            Some(answer) => answer,
            None => kept.packed(self.copy(kept, asked.packing).await, asked.packing),
        }
    }

    /// A packed copy, where one is worth it.
    async fn copy(&self, kept: &Kept, packing: Packing) -> Option<Bytes> {
        if packing == Packing::Plain || kept.body.len() < WORTH_PACKING {
            return None;
        }
        let body = kept.body.clone();
        let pack = async move {
            let packed = blocking::run(move || packing.pack(&body, Effort::Waited)).await;
            packed.ok().flatten().map(Bytes::from)
        };
        self.copies.get_with((kept.hash, packing), pack).await
    }
}
