//! Bytes of a feed document to [`ParsedFeed`]: RSS 0.9x to 2.0, RDF, Atom, JSON Feed, and what real
//! servers send in their place.
//!
//! `charset` makes text of the bytes, `tidy` (XML) and `json` rewrite it as the plain canonical
//! document the publisher meant, feed-rs reads that, and `entries` takes from its model what an
//! article needs. Nothing declared in a document is expanded or fetched, and every count and length
//! is bounded, so that no document takes more than a few times its own size.

mod charset;
mod date;
mod entries;
mod field;
mod identity;
mod json;
mod tidy;
mod value;

use chrono::{DateTime, Utc};
use url::Url;

pub use charset::decode;
pub use date::DateContext;
pub use identity::Identity;

/// Documents longer than this (after decompression) are not fetched, so not parsed.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;
/// Entries kept of one document: the first ones, which in feeds are the newest.
pub const MAX_ENTRIES: usize = 5_000;
/// Bytes kept of one entry's content; the longest real article seen has 400 kB with its markup.
pub const MAX_CONTENT_BYTES: usize = 1024 * 1024;
/// Bytes kept of a title, a name, a tag or a URL.
const MAX_LINE_BYTES: usize = 4096;
const MAX_TITLE_CHARS: usize = 200;
const MAX_TAGS: usize = 20;

/// A feed document, read.
#[derive(Debug, Default, PartialEq)]
pub struct ParsedFeed {
    pub title: Option<String>,
    /// The site's page, absolute.
    pub link: Option<Url>,
    /// As declared: `zh-cn`, `zh-Hant-TW`, `en`.
    pub lang: Option<String>,
    /// Minutes the publisher asks readers to wait between fetches.
    pub ttl_minutes: Option<u32>,
    /// In the document's order.
    pub entries: Vec<ParsedEntry>,
    /// What had to be put right to read it.
    pub repairs: Vec<Repair>,
}

/// One item, not yet cleaned: `html` and `summary` are as hostile as they came.
#[derive(Debug, Default, PartialEq)]
pub struct ParsedEntry {
    pub guid: Option<String>,
    /// Absolute, http or https.
    pub link: Option<Url>,
    /// Plain text.
    pub title: Option<String>,
    pub author: Option<String>,
    /// The full content if the feed has it, else the summary.
    pub html: String,
    /// Plain text; only when it says something else than `html`.
    pub summary: Option<String>,
    pub published: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    pub tags: Vec<String>,
    pub image: Option<Url>,
    pub identity: Identity,
    /// `xml:base` of the content, if it has one: what its relative links are relative to.
    pub base: Option<Url>,
}

/// A fault of the document that did not keep us from reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Repair {
    WrongCharset,
    BadBytes,
    ControlCharacters,
    /// Something stood before the document's first tag.
    LeadingJunk,
    /// The document stops in the middle; the entry it stopped in was left out.
    Truncated,
    /// Tags not closed or closed twice, markup not escaped.
    BadMarkup,
    /// Several entries carry the same id, which was then not believed.
    RepeatedIds,
    TooManyEntries,
    /// A title or content too long to keep whole.
    Shortened,
}

/// Why a document could not be read. `key` is the message for the page of the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("the document is empty")]
    Empty,
    #[error("the document is a web page, not a feed")]
    WebPage,
    #[error("the document is a list of subscriptions (OPML), not a feed")]
    SubscriptionList,
    #[error("the document is neither XML nor JSON")]
    NotAFeed,
    #[error("the document's outermost element, <{0}>, is not that of a feed")]
    UnknownRoot(String),
    #[error("the JSON document is not a JSON Feed: {0}")]
    NotJsonFeed(String),
    #[error("the feed has neither a title nor entries")]
    NothingInside,
    #[error("the document is too long")]
    TooLong,
    #[error("the feed could not be read: {0}")]
    Unreadable(String),
}

impl ParseError {
    /// The translation key of the message a publisher reads.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Empty => "import-error-empty",
            Self::WebPage => "import-error-web-page",
            Self::SubscriptionList => "import-error-subscription-list",
            Self::NotAFeed | Self::UnknownRoot(_) => "import-error-not-a-feed",
            Self::NotJsonFeed(_) => "import-error-not-json-feed",
            Self::NothingInside => "import-error-nothing-inside",
            Self::TooLong => "import-error-too-long",
            Self::Unreadable(_) => "import-error-unreadable",
        }
    }
}

/// Reads a feed document.
///
/// `content_type` is the HTTP header as sent; `url` is where the document came from, for relative
/// links; `now` is the time of the fetch, for dates like "3小时前".
pub fn parse_feed(
    bytes: &[u8],
    content_type: Option<&str>,
    url: Option<&Url>,
    now: DateTime<Utc>,
) -> Result<ParsedFeed, ParseError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(ParseError::TooLong);
    }
    let mut repairs = Vec::new();
    let text = charset::decode(bytes, content_type, &mut repairs);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let tidied =
        if text.starts_with(['{', '[']) { json::tidy(text)? } else { tidy::tidy(text, url, &mut repairs)? };
    let dates = DateContext { now, chinese: is_chinese(text) };
    let mut feed = entries::read(&tidied, url, dates)?;
    drop(tidied);
    identity::tell_apart(&mut feed.entries, &mut repairs);
    if feed.title.is_none() && feed.entries.is_empty() {
        return Err(ParseError::NothingInside);
    }
    feed.repairs = repairs;
    Ok(feed)
}

/// What `tidy` and `json` hand to feed-rs, and what feed-rs would lose.
#[derive(Default)]
struct Tidied {
    document: String,
    /// For each entry, in order: the base of its relative links, where the document gives one.
    bases: Vec<Option<Url>>,
    language: Option<String>,
    ttl: Option<String>,
}

/// Whether the opening of a document is mostly written in Han characters without kana.
fn is_chinese(text: &str) -> bool {
    let (mut han, mut other) = (0, 0);
    for c in text.chars().take(20_000) {
        match c {
            '\u{4e00}'..='\u{9fff}' => han += 1,
            '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' => other += 1,
            _ => {}
        }
    }
    han > 4 * other && han > 0
}

/// Cuts a string to at most `limit` bytes, between characters.
fn cut(text: &mut String, limit: usize) -> bool {
    let too_long = text.len() > limit;
    if too_long {
        text.truncate(text.floor_char_boundary(limit));
    }
    too_long
}
