//! Reads OPML as it is found: with folders within folders, markup that is not closed, entities that are not there.
//! What could make a reader of XML grow without bound is refused: nothing declared in a document is expanded.

use crate::import::markup::{Lexer, Tag, Token, decode, plain_text};
use crate::import::parse::decode as decode_bytes;

/// Documents longer than this are refused; the longest real list seen has 190 kB for 640 feeds.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Feeds of one document.
pub const MAX_FEEDS: usize = 2_000;
/// Folders within folders.
const MAX_DEPTH: usize = 32;
const MAX_TITLE: usize = 200;
const MAX_URL: usize = 2_048;

/// A feed that a document names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub title: String,
    /// As written.
    pub url: String,
    /// The name of the innermost folder around it.
    pub folder: Option<String>,
}

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpmlError {
    TooLong,
    NotOpml,
    /// It declares entities.
    Hostile,
    TooDeep,
    TooMany,
    Nothing,
}

impl OpmlError {
    pub fn key(self) -> &'static str {
        match self {
            Self::TooLong => "opml-too-long",
            Self::NotOpml => "opml-not-opml",
            Self::Hostile => "opml-hostile",
            Self::TooDeep => "opml-too-deep",
            Self::TooMany => "opml-too-many",
            Self::Nothing => "opml-nothing",
        }
    }
}

/// The feeds of a document in its order, each address once.
pub fn parse(bytes: &[u8]) -> Result<Vec<Outline>, OpmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(OpmlError::TooLong);
    }
    let text = decode_bytes(bytes, None, &mut Vec::new());
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if declares_entities(text) {
        return Err(OpmlError::Hostile);
    }
    let (mut folders, mut found): (Vec<Option<String>>, Vec<Outline>) = Default::default();
    let mut seen = std::collections::HashSet::new();
    let mut is_opml = false;
    for token in Lexer::new(text) {
        match token {
            Token::Start(tag) if !is_opml => {
                // The first element says what the document is.
                if !tag.name.eq_ignore_ascii_case("opml") {
                    return Err(OpmlError::NotOpml);
                }
                is_opml = true;
            }
            Token::Start(tag) if tag.name.eq_ignore_ascii_case("outline") => {
                let folder = || folders.iter().rev().flatten().next().cloned();
                let feed = read_feed(&tag, folder);
                let name = if feed.is_some() { None } else { title_of(&tag) };
                if let Some(feed) = feed
                    && seen.insert(feed.url.clone())
                {
                    if found.len() == MAX_FEEDS {
                        return Err(OpmlError::TooMany);
                    }
                    found.push(feed);
                }
                if !tag.self_closing {
                    folders.push(name);
                    if folders.len() > MAX_DEPTH {
                        return Err(OpmlError::TooDeep);
                    }
                }
            }
            Token::End(name) if name.eq_ignore_ascii_case("outline") => {
                folders.pop();
            }
            _ => {}
        }
    }
    match (is_opml, found.is_empty()) {
        (false, _) => Err(OpmlError::NotOpml),
        (true, true) => Err(OpmlError::Nothing),
        (true, false) => Ok(found),
    }
}

/// Whether a document type is declared with anything in it. A plain `<!DOCTYPE opml>` does no harm.
fn declares_entities(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.contains("<!ENTITY")
        || upper.find("<!DOCTYPE").is_some_and(|at| {
            let rest = &upper[at..];
            let end = rest.find('>').unwrap_or(rest.len());
            rest[..end].contains('[')
        })
}

fn read_feed(tag: &Tag<'_>, folder: impl Fn() -> Option<String>) -> Option<Outline> {
    // `url` is how some write links to feeds (OPML's own type "link" and "include" are other things).
    let url = tag.attribute("xmlUrl")?.trim().to_owned();
    if url.is_empty() || url.len() > MAX_URL {
        return None;
    }
    let title = title_of(tag).unwrap_or_else(|| url.chars().take(MAX_TITLE).collect());
    Some(Outline { title, folder: folder().or_else(|| category_of(tag)), url })
}

fn title_of(tag: &Tag<'_>) -> Option<String> {
    ["text", "title"].into_iter().filter_map(|name| tag.attribute(name)).find_map(|text| {
        // Twice: some write markup, or escape what was escaped.
        let line = plain_text(&decode(&text)).split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = line.chars().take(MAX_TITLE).collect();
        (!title.is_empty()).then_some(title)
    })
}

/// The last part of the first of `category="/Boston/Weather,/Harvard"`.
fn category_of(tag: &Tag<'_>) -> Option<String> {
    let categories = tag.attribute("category")?;
    let first = categories.split(',').next()?.trim().trim_end_matches('/');
    let name = first.rsplit('/').next()?.trim();
    (!name.is_empty()).then(|| name.chars().take(MAX_TITLE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(title: &str, url: &str, folder: Option<&str>) -> Outline {
        Outline { title: title.into(), url: url.into(), folder: folder.map(str::to_owned) }
    }

    #[test]
    fn folders_categories_and_damage_are_read() {
        let document = r#"<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE opml><OPML version="1.1"><head><title>x</title></head><body>
            <outline text="新闻"><outline TYPE="rss" text="甲 &amp; 乙" xmlUrl="https://a.example/feed?x=1&y=2"/>
              <outline text="港台"><outline text="" title="丙" xmlurl=" https://c.example/rss "></outline></outline>
              <outline title="丁" xmlUrl="https://d.example/"/></outline>
            <outline xmlUrl="https://e.example/" category="/Boston/Weather,/x"/>
            <outline text="again" xmlUrl="https://e.example/"/>
            <outline text="empty folder"/><outline type="link" text="no feed" url="https://f.example/"/></body>"#;
        let found = parse(document.as_bytes()).unwrap();
        assert_eq!(
            found,
            [
                feed("甲 & 乙", "https://a.example/feed?x=1&y=2", Some("新闻")),
                feed("丙", "https://c.example/rss", Some("港台")),
                feed("丁", "https://d.example/", Some("新闻")),
                feed("https://e.example/", "https://e.example/", Some("Weather")),
            ]
        );
    }

    #[test]
    fn hostile_and_strange_documents_are_refused() {
        let bomb = r#"<!DOCTYPE opml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><opml><body><outline text="&b;" xmlUrl="https://a.example/"/></body></opml>"#;
        let deep = format!("<opml><body>{}", "<outline text='x'>".repeat(100_000));
        let many: String =
            (0..=MAX_FEEDS).map(|n| format!("<outline xmlUrl='https://a.example/{n}'/>")).collect();
        let outside = r#"<!DOCTYPE opml SYSTEM "file:///etc/passwd" [ ]><opml/>"#;
        for (document, why) in [
            (bomb, OpmlError::Hostile),
            (outside, OpmlError::Hostile),
            (&deep, OpmlError::TooDeep),
            (&format!("<opml>{many}</opml>"), OpmlError::TooMany),
            (&" ".repeat(MAX_BYTES + 1), OpmlError::TooLong),
            ("", OpmlError::NotOpml),
            ("{\"opml\":1}", OpmlError::NotOpml),
            ("<html><body><outline xmlUrl='https://a.example/'/></body></html>", OpmlError::NotOpml),
            ("<opml><body><outline text='x'/></body></opml>", OpmlError::Nothing),
        ] {
            assert_eq!(parse(document.as_bytes()), Err(why), "{:.80}", document);
        }
    }

    #[test]
    fn real_lists_are_read() {
        let bytes = include_bytes!("../../tests/fixtures/opml/feedly.opml");
        let found = parse(bytes).unwrap();
        assert!(found.len() > 30, "{}", found.len());
        assert!(found.iter().all(|feed| feed.folder.is_some() && feed.url.starts_with("http")));
    }
}
