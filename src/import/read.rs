//! Fetching and reading feeds, off the threads that serve requests.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use url::Url;

use super::clean::{CleanEntry, clean_entry};
use super::discover::{FoundFeed, feeds_in_page, usual_feeds};
use super::fetch::{ACCEPT_FEEDS, FetchError, FetchRequest, Fetched, read_address};
use super::parse::{self, MAX_DOCUMENT_BYTES, ParseError, Repair, parse_feed};
use crate::app::App;

/// Documents read at the same time: each may take a few times its size in memory.
static READING: Semaphore = Semaphore::const_new(2);
/// Usual places tried on a site whose page names no feed, and how long all of them may take.
const USUAL_TRIES: usize = 5;
const USUAL_TIME: Duration = Duration::from_secs(10);

/// Why a source was not read, as its page says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The translation key of what it means and what to do.
    pub key: String,
    /// The remote's words, or the reader's.
    pub detail: String,
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        Self { key: error.key().into(), detail: error.to_string() }
    }
}

impl From<&ParseError> for Failure {
    fn from(error: &ParseError) -> Self {
        Self { key: error.key().into(), detail: error.to_string() }
    }
}

/// A feed that was read, with entries ready to become articles.
#[derive(Clone, Debug)]
pub struct ReadFeed {
    pub title: String,
    pub link: Option<Url>,
    pub lang: Option<String>,
    pub ttl: Option<Duration>,
    pub entries: Vec<CleanEntry>,
    pub repairs: Vec<Repair>,
}

/// Reads a document that has been fetched.
pub async fn read_document(
    app: &App,
    bytes: Vec<u8>,
    content_type: Option<String>,
    url: Option<Url>,
) -> Result<ReadFeed, ParseError> {
    let now = app.clock.now().utc();
    let read = move || {
        let feed = parse_feed(&bytes, content_type.as_deref(), url.as_ref(), now)?;
        drop(bytes);
        let link = feed.link;
        let clean = |entry| clean_entry(entry, link.as_ref(), url.as_ref());
        let entries = feed.entries.into_iter().map(clean).collect();
        Ok(ReadFeed {
            title: feed.title.unwrap_or_default(),
            lang: feed.lang,
            ttl: feed.ttl_minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
            repairs: feed.repairs,
            entries,
            link,
        })
    };
    let _permit = READING.acquire().await;
    // A panic in there is ours to fix, and the document's to be blamed for meanwhile.
    crate::blocking::run(read).await.unwrap_or_else(|why| Err(ParseError::Unreadable(why.to_string())))
}

/// What was found at an address that someone typed.
#[derive(Debug)]
pub enum Preview {
    Feed {
        url: Url,
        feed: Box<ReadFeed>,
    },
    /// A page that names several feeds.
    Choices(Vec<FoundFeed>),
}

/// Looks at an address that someone typed: a feed, or a page that names feeds.
pub async fn preview(app: &App, typed: &str) -> Result<Preview, Failure> {
    let url = read_address(typed).map_err(|why| Failure::from(&why))?;
    let fetched = fetch(app, &url).await.map_err(|why| Failure::from(&why))?;
    let page_url = fetched.url.clone();
    let body = fetched.body.clone().unwrap_or_default();
    let content_type = fetched.content_type.clone();
    match read_fetched(app, fetched).await {
        Ok(found) => return Ok(found),
        Err(ParseError::WebPage) => {}
        Err(why) => return Err(Failure::from(&why)),
    }
    let text = parse::decode(&body, content_type.as_deref(), &mut Vec::new()).into_owned();
    let mut found = feeds_in_page(&text, &page_url);
    match found.len() {
        0 => usual(app, &page_url).await,
        1 => {
            let only = found.remove(0);
            let fetched = fetch(app, &only.url).await.map_err(|why| Failure::from(&why))?;
            read_fetched(app, fetched).await.map_err(|why| Failure::from(&why))
        }
        _ => Ok(Preview::Choices(found)),
    }
}

async fn read_fetched(app: &App, fetched: Fetched) -> Result<Preview, ParseError> {
    // The new address of a feed that moved for good; else the one that was asked for is kept by
    // the caller of `connect`, and redirects are followed each time.
    let url = fetched.url;
    let body = fetched.body.unwrap_or_default();
    let feed = read_document(app, body, fetched.content_type, Some(url.clone())).await?;
    Ok(Preview::Feed { url, feed: Box::new(feed) })
}

async fn usual(app: &App, page: &Url) -> Result<Preview, Failure> {
    let nothing = Failure { key: "import-error-no-feed-on-page".into(), detail: page.to_string() };
    let tries = async {
        for url in usual_feeds(page).into_iter().take(USUAL_TRIES) {
            if let Ok(fetched) = fetch(app, &url).await
                && let Ok(found) = read_fetched(app, fetched).await
            {
                return Some(found);
            }
        }
        None
    };
    tokio::time::timeout(USUAL_TIME, tries).await.ok().flatten().ok_or(nothing)
}

async fn fetch(app: &App, url: &Url) -> Result<Fetched, FetchError> {
    let request = FetchRequest {
        url,
        accept: ACCEPT_FEEDS,
        etag: None,
        last_modified: None,
        max_bytes: MAX_DOCUMENT_BYTES,
    };
    app.fetcher.fetch(request).await
}
