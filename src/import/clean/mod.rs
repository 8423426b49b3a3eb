//! Makes an entry fit to be an article: no trackers, no adverts of feed services, and then the
//! sanitiser that every article goes through, which also makes links and images absolute.

mod rewrite;
mod tracker;

use chrono::{DateTime, Utc};
use url::Url;

use super::markup::{Lexer, Token, decode, escape_into, plain_text};
use super::parse::{Identity, ParsedEntry};
use crate::articles::content;

/// An entry ready to become an article.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanEntry {
    pub identity: Identity,
    /// Never empty: without a title of its own, an entry is called by its first words.
    pub title: String,
    /// Sanitised HTML with absolute addresses; empty when the feed gave only a headline.
    pub html: String,
    pub summary: Option<String>,
    pub author: Option<String>,
    pub tags: Vec<String>,
    pub link: Option<Url>,
    /// The picture of the entry: its own, else the first of its text.
    pub image: Option<Url>,
    pub date: Option<DateTime<Utc>>,
}

/// Characters of the first words that stand in for a missing title.
const TITLE_FROM_TEXT: usize = 40;

/// Cleans one entry. `feed_link` (the site's page) and `url` (the feed's own address) are what
/// relative addresses fall back on.
pub fn clean_entry(entry: ParsedEntry, feed_link: Option<&Url>, url: Option<&Url>) -> CleanEntry {
    let date = entry.date();
    let base = entry.base.as_ref().or(entry.link.as_ref()).or(feed_link).or(url);
    let html = sanitise(&rewrite::rewrite(&paragraphs(&entry.html)), base);
    let html = if plain_text(&html).is_empty() && !html.contains("<img") && !html.contains("<iframe") {
        String::new()
    } else {
        html
    };
    CleanEntry {
        title: entry.title.unwrap_or_else(|| title_from(&html, entry.link.as_ref())),
        image: entry.image.or_else(|| first_image(&html)),
        identity: entry.identity,
        summary: entry.summary,
        author: entry.author,
        tags: entry.tags,
        link: entry.link,
        date,
        html,
    }
}

/// A text that is too long even for a feed is left out: the entry keeps its headline and link.
fn sanitise(html: &str, base: Option<&Url>) -> String {
    content::from_html_at(html, base).unwrap_or_default()
}

/// Text without any tag, as paragraphs.
fn paragraphs(html: &str) -> String {
    if Lexer::new(html).any(|token| matches!(token, Token::Start(_) | Token::End(_))) {
        return html.to_owned();
    }
    let mut out = String::new();
    for line in decode(html).lines().map(str::trim).filter(|line| !line.is_empty()) {
        out.push_str("<p>");
        escape_into(line, &mut out);
        out.push_str("</p>");
    }
    out
}

fn title_from(html: &str, link: Option<&Url>) -> String {
    let text = plain_text(html);
    let sentence = text.split_inclusive(['。', '！', '？', '!', '?']).next().unwrap_or_default();
    let mut title: String = sentence.chars().take(TITLE_FROM_TEXT).collect();
    if title.len() < sentence.len() {
        title.push('…');
    }
    if title.is_empty() { link.map_or_else(|| "…".to_owned(), ToString::to_string) } else { title }
}

fn first_image(html: &str) -> Option<Url> {
    Lexer::new(html).find_map(|token| match token {
        Token::Start(tag) if tag.name == "img" => Url::parse(&tag.attribute("src")?).ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(html: &str) -> String {
        let entry = ParsedEntry {
            html: html.into(),
            link: Url::parse("https://news.example.org/2026/01/a.html").ok(),
            ..ParsedEntry::default()
        };
        clean_entry(entry, None, None).html
    }

    #[test]
    fn links_and_images_become_absolute() {
        let html = cleaned(
            r#"<p><a href="../b.html?utm_source=rss&id=1">x</a> <img src="/i.jpg"><img data-src="//cdn.example.org/j.png" src="data:image/gif;base64,R0"></p>"#,
        );
        assert!(html.contains(r#"href="https://news.example.org/2026/b.html?id=1""#), "{html}");
        assert!(html.contains(r#"src="https://news.example.org/i.jpg""#), "{html}");
        assert!(html.contains(r#"src="https://cdn.example.org/j.png""#), "{html}");
    }

    #[test]
    fn trackers_and_feed_adverts_are_dropped() {
        let html = cleaned(
            r#"<p>正文</p><img src="https://t.example/p.gif" width="1" height="1"><div class="feedflare"><div><a href="https://x.example">ad</a></div></div><p>The post <a href="/a">A</a> appeared first on <a href="/">B</a>.</p>"#,
        );
        assert_eq!(html, "<p>正文</p>");
    }

    #[test]
    fn text_without_tags_becomes_paragraphs() {
        assert_eq!(cleaned("第一段 &amp; 1 &lt; 2\n\n第二段"), "<p>第一段 &amp; 1 &lt; 2</p><p>第二段</p>");
    }

    #[test]
    fn scripts_handlers_and_script_links_are_gone() {
        let html = cleaned(
            r#"<script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)><a href="javascript:alert(4)">点我</a><p style="x">正文</p>"#,
        );
        for bad in ["script", "onerror", "onload", "alert", "svg"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("正文"));
    }

    #[test]
    fn markup_made_to_explode_a_parser_stays_small() {
        let started = std::time::Instant::now();
        let many: String = (0..5_000).map(|n| format!("<b id={n}>")).collect();
        let html = cleaned(&format!("<p>{many}</p>{}", "<p>x".repeat(50_000)));
        assert!(html.len() < 4_000_000);
        let deep = cleaned(&"<div><a>".repeat(100_000));
        assert!(deep.len() < 100_000);
        assert!(started.elapsed().as_secs() < 20);
    }

    #[test]
    fn an_entry_without_a_title_is_called_by_its_first_words() {
        let entry =
            ParsedEntry { html: "<p>今天下雨。明天晴。</p>".into(), ..ParsedEntry::default() };
        assert_eq!(clean_entry(entry, None, None).title, "今天下雨。");
    }
}
