//! Article bodies: from what an author typed or a feed sent to HTML that is safe to show as it is.
//!
//! Markdown is rendered by [`markdown`]; HTML, whoever wrote it, goes through [`clean`], which
//! writes a new, small document out of it, and then through [`guard`], which knows nothing of
//! `clean` and lets only listed elements, attributes and URL schemes pass. Every function here
//! takes time in proportion to its input, however the input is made.

mod addresses;
mod attributes;
mod breaks;
mod clean;
mod elements;
mod embed;
mod emphasis;
mod guard;
mod headings;
mod links;
mod markdown;
mod plain;
mod styles;

use std::borrow::Cow;

use url::Url;

pub use addresses::{absolute, is_uploaded};
pub use embed::{PLAYER_HOSTS, Video};
pub use headings::{Heading, with_headings};
pub use plain::{excerpt, plain_text, skipped_until, tag_end};

/// A sanitised body as a page shows it, in its language: long words may break, and what is not Chinese is not
/// emphasised as if it were.
pub fn typeset(html: &str, lang: &str) -> String {
    let broken = breaks::with_breaks(html);
    let has_dots = lang.starts_with("zh") || lang.starts_with("ja");
    if !has_dots {
        return broken.into_owned();
    }
    match emphasis::with_foreign_emphasis(&broken) {
        Cow::Owned(marked) => marked,
        Cow::Borrowed(_) => broken.into_owned(),
    }
}

/// The same HTML with a piece at some places, which are in order.
fn with_inserted<'a>(html: &'a str, places: &[usize], piece: &str) -> Cow<'a, str> {
    if places.is_empty() {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + places.len() * piece.len());
    let mut from = 0;
    for &place in places {
        out.push_str(&html[from..place]);
        out.push_str(piece);
        from = place;
    }
    out.push_str(&html[from..]);
    Cow::Owned(out)
}

/// The longest body an author may send, in bytes of Markdown or HTML.
pub const MAX_SOURCE: usize = 1 << 20;

/// The longest body kept, in bytes of sanitised HTML. Markdown can grow on the way.
pub const MAX_HTML: usize = 4 << 20;

/// A body is longer than we keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is longer than {MAX_SOURCE} bytes, or than {MAX_HTML} bytes of HTML")]
pub struct TooLong;

/// Renders Markdown (CommonMark with tables, strikethrough, autolinks, task lists and footnotes;
/// raw HTML is allowed and sanitised) to safe HTML.
pub fn from_markdown(source: &str) -> Result<String, TooLong> {
    if source.len() > MAX_SOURCE {
        return Err(TooLong);
    }
    let html = markdown::render(source);
    // A thousand marks for one footnote make a thousand ways back: not worth reading any further.
    if html.len() > 2 * MAX_HTML {
        return Err(TooLong);
    }
    sanitise(&html, None)
}

/// Sanitises HTML written in the studio or sent to the API.
pub fn from_html(source: &str) -> Result<String, TooLong> {
    if source.len() > MAX_SOURCE {
        return Err(TooLong);
    }
    sanitise(source, None)
}

/// Sanitises HTML from a feed or an export; relative links and images are taken as relative to
/// `base`, the page that the HTML came from.
pub fn from_html_at(source: &str, base: Option<&Url>) -> Result<String, TooLong> {
    if source.len() > MAX_HTML {
        return Err(TooLong);
    }
    sanitise(source, base)
}

/// Paragraphs of plain text, one a line, as HTML.
pub fn from_plain_text(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        let line = line.trim();
        if !line.is_empty() {
            html.push_str("<p>");
            clean::push_text(&mut html, line);
            html.push_str("</p>");
        }
    }
    html
}

fn sanitise(html: &str, base: Option<&Url>) -> Result<String, TooLong> {
    let canonical = clean::clean(html, base);
    if canonical.len() > MAX_HTML {
        return Err(TooLong);
    }
    Ok(guard::pass(&canonical))
}
