//! From feed-rs's model to what an article needs.

use chrono::{DateTime, Utc};
use feed_rs::model::{Entry, Feed, Link, Text};
use std::panic::{AssertUnwindSafe, catch_unwind};
use url::Url;

use super::{DateContext, Identity, MAX_TITLE_CHARS, ParseError, ParsedEntry, ParsedFeed, Tidied, value};
use crate::import::markup::{escape_into, plain_text};

pub(super) fn read(tidied: &Tidied, url: Option<&Url>, dates: DateContext) -> Result<ParsedFeed, ParseError> {
    let feed = parse_document(&tidied.document, dates)?;
    let link = feed.links.first().and_then(|link| absolute(&link.href, url, None));
    let entries = feed.entries.into_iter().enumerate().map(|(at, entry)| {
        let base = tidied.bases.get(at).cloned().flatten();
        read_entry(entry, base, link.as_ref(), url)
    });
    Ok(ParsedFeed {
        title: feed.title.as_ref().and_then(title_of),
        lang: tidied.language.clone().or(feed.language).map(|lang| lang.chars().take(20).collect()),
        ttl_minutes: tidied.ttl.as_ref().and_then(|ttl| ttl.parse().ok()),
        entries: entries.filter(says_something).collect(),
        repairs: Vec::new(),
        link,
    })
}

/// feed-rs has panicked on odd input before; a feed must not take a worker down.
fn parse_document(document: &str, dates: DateContext) -> Result<Feed, ParseError> {
    let parser = feed_rs::parser::Builder::new()
        .sanitize_content(false)
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(move |text| dates.parse(text))
        .build();
    match catch_unwind(AssertUnwindSafe(|| parser.parse(document.as_bytes()))) {
        Ok(Ok(feed)) => Ok(feed),
        Ok(Err(why)) => Err(ParseError::Unreadable(why.to_string())),
        Err(_) => Err(ParseError::Unreadable("the reader of feeds failed".into())),
    }
}

fn read_entry(entry: Entry, base: Option<Url>, feed_link: Option<&Url>, url: Option<&Url>) -> ParsedEntry {
    let is_image = |link: &&Link| link.media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"));
    let page = entry.links.iter().find(|link| !is_image(link));
    let link = page.and_then(|link| absolute(&link.href, feed_link, url));
    let image =
        entry.links.iter().find(is_image).and_then(|image| absolute(&image.href, link.as_ref(), feed_link));
    let content =
        entry.content.and_then(|content| Some(as_html(content.body?, content.content_type.subty().as_str())));
    let summary =
        entry.summary.map(|summary| as_html(summary.content, summary.content_type.subty().as_str()));
    let (html, summary) = match (content.filter(|html| !html.trim().is_empty()), summary) {
        (Some(html), summary) => (html, summary.map(|s| plain_text(&s)).filter(|s| !s.is_empty())),
        (None, summary) => (summary.unwrap_or_default(), None),
    };
    let summary = summary.filter(|summary| !plain_text(&html).starts_with(summary.as_str()));
    let names = entry.authors.iter().filter_map(|author| value::person_name(author.name.as_deref()?));
    let author = Some(names.collect::<Vec<_>>().join("、")).filter(|names| !names.is_empty());
    let tags = entry.categories.iter().map(|tag| plain_text(&tag.term)).filter(|tag| !tag.is_empty());
    ParsedEntry {
        guid: Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty()),
        title: entry.title.as_ref().and_then(title_of),
        tags: tags.map(|tag| tag.chars().take(50).collect()).collect(),
        published: entry.published,
        updated: entry.updated,
        identity: Identity::default(),
        author,
        html,
        summary,
        image,
        link,
        base,
    }
}

/// An address made absolute; only http and https are addresses.
fn absolute(href: &str, base: Option<&Url>, other: Option<&Url>) -> Option<Url> {
    let href = href.trim();
    let url = Url::parse(href).or_else(|why| base.or(other).map_or(Err(why), |base| base.join(href))).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// feed-rs calls what we wrote as `type="html"` text/html, and as `type="text"` text/plain.
fn as_html(text: String, subtype: &str) -> String {
    if subtype.contains("html") {
        return text;
    }
    let mut html = String::with_capacity(text.len());
    escape_into(&text, &mut html);
    html
}

fn title_of(text: &Text) -> Option<String> {
    let html = text.content_type.subty().as_str().contains("html");
    // JSON Feed calls its titles plain text, and many of its writers escape them all the same.
    let title =
        if html || text.content.contains('&') { plain_text(&text.content) } else { text.content.clone() };
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = title.chars().take(MAX_TITLE_CHARS).collect();
    let short = if short.len() < title.len() { format!("{short}…") } else { short };
    (!short.is_empty()).then_some(short)
}

fn says_something(entry: &ParsedEntry) -> bool {
    let shows =
        |html: &str| !plain_text(html).is_empty() || html.contains("<img") || html.contains("<iframe");
    entry.title.is_some() || entry.link.is_some() || shows(&entry.html)
}

/// The time an entry is dated by.
impl ParsedEntry {
    pub fn date(&self) -> Option<DateTime<Utc>> {
        self.published.or(self.updated)
    }
}
