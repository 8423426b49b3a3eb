//! Finds the feeds of a site from one of its pages.

use url::Url;

use super::markup::{Lexer, Token, plain_text};

/// A feed that a page names, or that may be at a usual place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFeed {
    pub url: Url,
    /// The name that the page gives it.
    pub title: Option<String>,
}

const FEED_TYPES: [&str; 6] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/x.atom+xml",
    "application/json+feed",
];

/// Where site software puts feeds when its pages do not say so.
const USUAL_PATHS: [&str; 10] = [
    "/feed",
    "/rss.xml",
    "/feed.xml",
    "/atom.xml",
    "/index.xml",
    "/rss",
    "/feed.json",
    "/feed/",
    "/?feed=rss2",
    "/rss2.xml",
];

const MAX_FOUND: usize = 20;

/// Feeds that the page names in `<link rel=alternate>`, then those it links to in its text, in the
/// page's order; comment feeds last. `url` is the address of the page.
pub fn feeds_in_page(html: &str, url: &Url) -> Vec<FoundFeed> {
    let mut base = url.clone();
    let mut named = Vec::new();
    let mut linked = Vec::new();
    let mut lexer = Lexer::new(html);
    while let Some(token) = lexer.next() {
        let Token::Start(tag) = token else { continue };
        match tag.name.to_ascii_lowercase().as_str() {
            name @ ("script" | "style") => lexer.skip_raw_text(name),
            "base" => {
                if let Some(joined) = tag.attribute("href").and_then(|href| url.join(&href).ok()) {
                    base = joined;
                }
            }
            "link" => {
                let rel = tag.attribute("rel").unwrap_or_default().to_ascii_lowercase();
                let kind = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
                let kind = kind.split(';').next().unwrap_or_default().trim();
                if rel.split_whitespace().any(|r| r == "alternate" || r == "feed")
                    && FEED_TYPES.contains(&kind)
                {
                    let title = tag.attribute("title").map(|t| plain_text(&t)).filter(|t| !t.is_empty());
                    push(&mut named, &base, tag.attribute("href").as_deref(), title);
                }
            }
            "a" => {
                let href = tag.attribute("href").unwrap_or_default();
                if looks_like_feed(&href) {
                    push(&mut linked, &base, Some(&href), None);
                }
            }
            _ => {}
        }
    }
    named.sort_by_key(|found: &FoundFeed| found.url.path().contains("comments"));
    for found in linked {
        if named.len() < MAX_FOUND && !named.iter().any(|n: &FoundFeed| n.url == found.url) {
            named.push(found);
        }
    }
    named
}

/// The addresses worth a try on a site whose pages name no feed.
pub fn usual_feeds(url: &Url) -> Vec<Url> {
    USUAL_PATHS.iter().filter_map(|path| url.join(path).ok()).collect()
}

fn push(found: &mut Vec<FoundFeed>, base: &Url, href: Option<&str>, title: Option<String>) {
    let Some(url) = href.and_then(|href| base.join(href.trim()).ok()) else { return };
    let known = found.iter().any(|f| f.url == url);
    if found.len() < MAX_FOUND && !known && matches!(url.scheme(), "http" | "https") {
        found.push(FoundFeed { url, title });
    }
}

fn looks_like_feed(href: &str) -> bool {
    let path = href.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').to_ascii_lowercase();
    let last = path.rsplit('/').next().unwrap_or_default();
    let file = matches!(
        last,
        "feed"
            | "rss"
            | "atom"
            | "rss.xml"
            | "atom.xml"
            | "feed.xml"
            | "index.xml"
            | "feed.json"
            | "rss2.xml"
    );
    file || last.ends_with(".rss") || last.ends_with(".atom")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_found_in_links_with_the_base_of_the_page() {
        let page = r#"<html><head><base href="/zh/"><link rel="stylesheet" href="x.css">
            <link rel="alternate" type="application/rss+xml" title="评论" href="/comments/feed">
            <LINK REL='alternate' TYPE='application/atom+xml; charset=utf-8' href='atom.xml'>
            <link rel="alternate" hreflang="en" href="/en/"></head>
            <body><script>'<a href="/no/feed">'</script><a href="https://other.example.org/feed/">RSS</a><a href="/zh/atom.xml">同上</a></body>"#;
        let url = Url::parse("https://example.org/a/b").expect("a url");
        let found: Vec<_> = feeds_in_page(page, &url).into_iter().map(|f| f.url.to_string()).collect();
        assert_eq!(
            found,
            [
                "https://example.org/zh/atom.xml",
                "https://example.org/comments/feed",
                "https://other.example.org/feed/"
            ]
        );
    }
}
