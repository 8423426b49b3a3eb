//! Feeds that we serve: Atom, RSS 2.0 and JSON Feed with full content, for each account, for the site,
//! for tags, collections and any search; sitemaps and robots.txt for search engines. Nothing here writes a table.
//!
//! What changes a feed is always an event, so the newest event's id is the validator (`ETag`): a
//! reader that asks every few minutes costs one indexed row.

pub mod address;
mod atom;
pub mod collections;
mod json;
pub mod opensearch;
pub mod pages;
pub mod ping;
mod queries;
mod rss;
mod script;
pub mod search;
pub mod sitemap;
pub mod tags;
pub(crate) mod xml;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::articles::content;
use crate::clock::Timestamp;
use crate::db::entities::article;

/// Articles in one feed.
pub const MAX_ARTICLES: u64 = 50;

/// The formats of feeds; `feed.{extension}` at the site's root and under each account. As an
/// extractor it is the one that the path ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Format {
    Atom,
    Rss,
    Json,
}

impl Format {
    pub fn file(self) -> &'static str {
        match self {
            Self::Atom => "feed.atom",
            Self::Rss => "feed.rss",
            Self::Json => "feed.json",
        }
    }

    /// That of a feed's address.
    pub fn of_path(path: &str) -> Option<Self> {
        [Self::Atom, Self::Rss, Self::Json].into_iter().find(|format| path.ends_with(format.file()))
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Json => "application/feed+json; charset=utf-8",
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of_path(parts.uri.path()).unwrap_or(Self::Atom))
    }
}

/// A feed with everything in it, ready to be written in any format. Addresses are absolute.
#[derive(Debug)]
pub struct Feed {
    /// Stays the same when names and addresses change.
    pub id: String,
    pub title: String,
    pub description: String,
    pub lang: String,
    /// The page that it is the feed of.
    pub page_url: String,
    pub self_url: String,
    /// Who tells of its changes, so that nobody has to ask.
    pub hubs: Vec<String>,
    pub icon_url: Option<String>,
    pub updated: Timestamp,
    pub items: Vec<Item>,
    /// Ids of articles that were taken back, and when; only Atom has words for it.
    pub gone: Vec<(String, Timestamp)>,
}

/// One article in a feed.
#[derive(Debug)]
pub struct Item {
    pub id: String,
    pub url: String,
    pub account_name: String,
    pub account_url: String,
    pub article: article::Model,
}

impl Item {
    /// Who wrote it, as far as it says so; else the account.
    pub fn author(&self) -> &str {
        if self.article.author.is_empty() { &self.account_name } else { &self.article.author }
    }

    pub fn published(&self) -> Timestamp {
        self.article.published_at.unwrap_or(self.article.created_at)
    }

    /// The body with addresses that work outside this site.
    pub fn body(&self, base_url: &str) -> String {
        content::absolute(&self.article.body_html, base_url)
    }
}

/// When what is shown of these changed last.
fn newest_change(items: &[Item]) -> Timestamp {
    items.iter().map(|item| item.article.updated_at.max(item.published())).max().unwrap_or_default()
}

impl Feed {
    /// Writes it.
    pub fn write(&self, format: Format, base_url: &str) -> String {
        match format {
            Format::Atom => atom::write(self, base_url),
            Format::Rss => rss::write(self, base_url),
            Format::Json => json::write(self, base_url),
        }
    }
}
