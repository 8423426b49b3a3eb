//! The text inside one element of a feed, in the forms that feeds write it.

use base64::Engine;
use std::borrow::Cow;
use url::Url;

use super::{MAX_LINE_BYTES, cut};
use crate::import::markup::{Lexer, Tag, Token, decode, escape_into, local_name};

/// A text that knows whether it is HTML.
pub(super) struct Value {
    pub text: String,
    pub html: bool,
    pub shortened: bool,
}

impl Value {
    pub fn write(&self, name: &str, out: &mut String) {
        let kind = if self.html { "html" } else { "text" };
        out.push_str(&format!("<{name} type=\"{kind}\">"));
        write_cdata(&self.text, out);
        out.push_str(&format!("</{name}>"));
    }
}

/// Reads an element that holds text or HTML; `None` when it holds nothing.
///
/// In RSS the text is HTML, escaped, in CDATA or (wrongly) as it is. In Atom `type` (and in Atom 0.3
/// `mode`) says what it is.
pub(super) fn read(tag: &Tag, inner: &str, atom: bool, limit: usize) -> Option<Value> {
    let kind = tag.attribute("type").map_or(Cow::Borrowed(""), |v| Cow::Owned(v.trim().to_ascii_lowercase()));
    let mode = tag.attribute("mode").map_or(Cow::Borrowed(""), |v| Cow::Owned(v.trim().to_ascii_lowercase()));
    let (mut text, html) = if mode == "base64" || (atom && is_binary(&kind)) {
        (from_base64(&as_text(inner, limit))?, kind.contains("html") || kind.is_empty())
    } else if kind.contains("xhtml") || has_markup(inner) {
        (as_markup(inner, atom, limit), true)
    } else {
        let text = as_text(inner, limit);
        let html =
            !atom || kind.contains("html") || (kind.is_empty() && looks_like_html(&text) && mode != "xml");
        (text, html)
    };
    let shortened = inner.len() > limit || cut(&mut text, limit);
    (!text.trim().is_empty()).then_some(Value { text, html, shortened })
}

/// One line of text; `None` when it is empty.
pub(super) fn text(inner: &str) -> Option<String> {
    Some(line(&as_text(inner, MAX_LINE_BYTES))).filter(|text| !text.is_empty())
}

pub(super) fn line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&mut line, MAX_LINE_BYTES);
    line
}

fn is_binary(kind: &str) -> bool {
    kind.contains('/') && !kind.starts_with("text/") && !kind.contains("xml") && !kind.contains("html")
}

fn from_base64(text: &str) -> Option<String> {
    let packed: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn has_markup(inner: &str) -> bool {
    Lexer::new(inner).any(|token| matches!(token, Token::Start(_)))
}

fn looks_like_html(text: &str) -> bool {
    text.contains("</") || text.contains("<br") || text.contains("<img") || text.contains("<p>")
}

/// Character data with its references decoded; tags are left out.
fn as_text(inner: &str, limit: usize) -> String {
    let mut text = String::new();
    for token in Lexer::new(inner) {
        match token {
            Token::Text(raw) => text.push_str(&decode(raw)),
            Token::Cdata(raw) => text.push_str(raw),
            _ => {}
        }
        if text.len() > limit {
            break;
        }
    }
    cut(&mut text, limit);
    text
}

/// Markup that stands in the feed unescaped, as HTML: prefixes dropped. CDATA inside it is text in
/// Atom and, as everything else there, HTML in RSS.
fn as_markup(inner: &str, atom: bool, limit: usize) -> String {
    let mut html = String::new();
    for token in Lexer::new(inner) {
        match token {
            Token::Text(raw) => html.push_str(raw),
            Token::Cdata(raw) if atom => escape_into(raw, &mut html),
            Token::Cdata(raw) => html.push_str(raw),
            Token::Start(tag) => {
                html.push('<');
                html.push_str(local_name(tag.name));
                html.push_str(&tag.raw[1 + tag.name.len()..]);
                if !tag.raw.ends_with('>') {
                    html.push('>');
                }
            }
            Token::End(name) => {
                html.push_str("</");
                html.push_str(local_name(name));
                html.push('>');
            }
        }
        if html.len() > limit {
            break;
        }
    }
    html
}

/// A person's name: Atom's `<name>`, or RSS's `mail@example.org (Name)` without the address.
pub(super) fn person(inner: &str) -> Option<String> {
    let mut lexer = Lexer::new(inner);
    let mut name = None;
    let mut nested = false;
    while let Some(token) = lexer.next() {
        if let Token::Start(tag) = token {
            nested = true;
            if local_name(tag.name).eq_ignore_ascii_case("name") {
                let rest = &inner[lexer.offset()..];
                name = Some(&rest[..rest.find("</").unwrap_or(rest.len())]);
                break;
            }
        }
    }
    let found = if nested { text(name?)? } else { text(inner)? };
    person_name(&found)
}

/// Takes mail addresses out of a name. They are not for publishing.
pub(super) fn person_name(text: &str) -> Option<String> {
    let plain = crate::import::markup::plain_text(text);
    if !plain.contains('@') {
        return Some(plain.chars().take(100).collect::<String>()).filter(|name| !name.is_empty());
    }
    let brackets = |c: char| "()（）<>[]".contains(c);
    let parts = plain.split(|c: char| c.is_whitespace() || brackets(c)).filter(|part| !part.contains('@'));
    let name = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Some(name.chars().take(100).collect::<String>()).filter(|name| !name.is_empty())
}

/// The picture that an enclosure, a Media RSS element or an iTunes image points to.
pub(super) fn image(tag: &Tag) -> Option<String> {
    let address = tag.attribute("url").or_else(|| tag.attribute("href"))?;
    let kind = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
    let medium = tag.attribute("medium").unwrap_or_default().to_ascii_lowercase();
    let name = local_name(tag.name).to_ascii_lowercase();
    let is_image = name == "thumbnail" || name == "image" || medium == "image" || kind.starts_with("image");
    is_image.then(|| line(&address)).filter(|address| !address.is_empty())
}

/// The tag's own `xml:base` against the base around it. A base that is no http address is not one.
pub(super) fn joined_base(tag: &Tag, around: Option<&Url>, document: Option<&Url>) -> Option<Url> {
    let Some(own) = tag.attribute("xml:base") else { return around.cloned() };
    let joined = match around.or(document) {
        Some(base) => base.join(own.trim()),
        None => Url::parse(own.trim()),
    };
    joined.ok().filter(|url| matches!(url.scheme(), "http" | "https")).or_else(|| around.cloned())
}

pub(super) fn write_line(name: &str, text: &str, out: &mut String) {
    out.push_str(&format!("<{name}>"));
    write_cdata(text, out);
    out.push_str(&format!("</{name}>"));
}

pub(super) fn write_empty(name: &str, attributes: &[(&str, &str)], out: &mut String) {
    out.push('<');
    out.push_str(name);
    for (key, value) in attributes {
        out.push_str(&format!(" {key}=\""));
        escape_into(value, out);
        out.push('"');
    }
    out.push_str("/>");
}

/// CDATA, not escapes: the text does not grow, however hostile.
fn write_cdata(text: &str, out: &mut String) {
    out.push_str("<![CDATA[");
    out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
    out.push_str("]]>");
}
