//! A lenient reader of angle-bracket markup, XML and HTML alike.
//!
//! Feeds and the HTML inside them arrive damaged. This lexer never fails, never recurses, expands no
//! entity that the document declares, and borrows from its input; what to make of the tokens is for
//! its callers: `parse::tidy` (feeds), `clean` (entries) and `discover` (pages).

mod characters;

use std::borrow::Cow;

pub use characters::{decode, escape_allowed_into, escape_into, is_allowed};

/// One piece of markup. Comments, processing instructions and DOCTYPEs are passed over.
#[derive(Debug, PartialEq)]
pub enum Token<'a> {
    Start(Tag<'a>),
    /// The element's name as written, prefix included.
    End(&'a str),
    /// Character data as written: entity references are still in it.
    Text(&'a str),
    Cdata(&'a str),
}

#[derive(Debug, PartialEq)]
pub struct Tag<'a> {
    /// As written, prefix included.
    pub name: &'a str,
    /// Names and values as written; at most [`MAX_ATTRIBUTES`], the first of each name.
    pub attributes: Vec<(&'a str, &'a str)>,
    pub self_closing: bool,
    /// The whole tag as written.
    pub raw: &'a str,
}

/// Real tags carry a handful; thousands on one tag are made to keep a parser busy.
const MAX_ATTRIBUTES: usize = 40;

impl<'a> Tag<'a> {
    /// The value of the attribute with this name (ASCII case ignored, prefix included), decoded.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| decode(value))
    }
}

pub struct Lexer<'a> {
    source: &'a str,
    position: usize,
    truncated: bool,
    /// One DOCTYPE that never closes is enough to stop looking for the end of others: otherwise a
    /// document of nothing else would be read once for each.
    open_declaration: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(source: &'a str) -> Self {
        Self { source, position: 0, truncated: false, open_declaration: false }
    }

    /// Byte offset of the next token.
    pub fn offset(&self) -> usize {
        self.position
    }

    /// Goes back to an offset that [`Lexer::offset`] gave.
    pub fn rewind(&mut self, position: usize) {
        self.position = position;
    }

    /// Whether the input ended inside a tag, a comment or a CDATA section.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    fn rest(&self) -> &'a str {
        &self.source[self.position..]
    }

    /// Passes over everything up to and including the end tag of a raw text element (`script`, ..).
    pub fn skip_raw_text(&mut self, name: &str) {
        let rest = self.rest();
        let mut from = 0;
        while let Some(at) = rest[from..].find("</") {
            let start = from + at;
            let after = &rest[start + 2..];
            if after.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
                self.position += start;
                return;
            }
            from = start + 2;
        }
        self.position = self.source.len();
        self.truncated = true;
    }

    /// Moves past `pattern`, or to the end of the input (which then counts as truncated).
    fn skip_past(&mut self, pattern: &str, from: usize) -> &'a str {
        let rest = self.rest();
        let body = rest.get(from..).unwrap_or("");
        match body.find(pattern) {
            Some(at) => {
                self.position += from + at + pattern.len();
                &body[..at]
            }
            None => {
                self.position = self.source.len();
                self.truncated = true;
                body
            }
        }
    }

    /// A DOCTYPE with its internal subset: nothing that it declares is kept.
    fn skip_declaration(&mut self) {
        let bytes = if self.open_declaration { &[] } else { self.rest().as_bytes() };
        let (mut depth, mut quote, mut at) = (0usize, None, 2);
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match (quote, byte) {
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') if depth > 0 => quote = Some(byte),
                (None, b'[') => depth += 1,
                (None, b']') => depth = depth.saturating_sub(1),
                (None, b'>') if depth == 0 => {
                    self.position += at;
                    return;
                }
                _ => {}
            }
        }
        // A quote or bracket that never closes: give up on structure, end at the first '>'.
        self.open_declaration = true;
        self.skip_past(">", 2);
    }

    fn read_tag(&mut self) -> Tag<'a> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let name_end = find_from(bytes, 1, |b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'<'));
        let mut tag = Tag { name: &rest[1..name_end], attributes: Vec::new(), self_closing: false, raw: "" };
        let mut at = name_end;
        loop {
            at = find_from(bytes, at, |b| !b.is_ascii_whitespace());
            match bytes.get(at) {
                None => {
                    self.truncated = true;
                    break;
                }
                Some(b'>') => {
                    at += 1;
                    break;
                }
                // The tag was never closed and another begins.
                Some(b'<') => break,
                Some(b'/') => {
                    at += 1;
                    tag.self_closing = bytes.get(at) == Some(&b'>');
                }
                Some(_) => at = read_attribute(rest, at, &mut tag),
            }
        }
        tag.raw = &rest[..at];
        self.position += at;
        tag
    }

    fn read_end(&mut self) -> Token<'a> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let name_end = find_from(bytes, 2, |b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'<'));
        let close = find_from(bytes, name_end, |b| matches!(b, b'>' | b'<'));
        match bytes.get(close) {
            Some(b'>') => self.position += close + 1,
            Some(_) => self.position += close,
            None => {
                self.position = self.source.len();
                self.truncated = true;
            }
        }
        Token::End(&rest[2..name_end])
    }

    /// Text up to the next `<` that begins markup; a bare `<` belongs to the text.
    fn read_text(&mut self) -> Token<'a> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut at = 1;
        loop {
            match bytes[at.min(bytes.len())..].iter().position(|b| *b == b'<') {
                None => at = bytes.len(),
                Some(found) => {
                    at += found;
                    if !begins_markup(&bytes[at..]) {
                        at += 1;
                        continue;
                    }
                }
            }
            break;
        }
        self.position += at;
        Token::Text(&rest[..at])
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            let bytes = rest.as_bytes();
            if bytes.is_empty() {
                return None;
            }
            if !begins_markup(bytes) {
                // Text begins with a whole character, which `read_text` steps over as bytes.
                return Some(self.read_text());
            }
            match bytes[1] {
                b'/' => return Some(self.read_end()),
                b'?' => {
                    self.skip_past(">", 2);
                }
                b'!' if rest.starts_with("<!--") => {
                    self.skip_past("-->", 4);
                }
                b'!' if rest.starts_with("<![CDATA[") => return Some(Token::Cdata(self.skip_past("]]>", 9))),
                b'!' => self.skip_declaration(),
                _ => return Some(Token::Start(self.read_tag())),
            }
        }
    }
}

fn begins_markup(bytes: &[u8]) -> bool {
    match bytes {
        [b'<', b'/', next, ..] => next.is_ascii_alphabetic() || *next == b'_',
        [b'<', b'!', next, ..] => *next == b'-' || *next == b'[' || next.is_ascii_alphabetic(),
        [b'<', next, ..] => next.is_ascii_alphabetic() || matches!(next, b'_' | b'?'),
        _ => false,
    }
}

fn find_from(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    bytes[from.min(bytes.len())..].iter().position(|b| wanted(*b)).map_or(bytes.len(), |at| from + at)
}

/// Reads one attribute that begins at `at` and answers where the next may begin.
fn read_attribute<'a>(rest: &'a str, at: usize, tag: &mut Tag<'a>) -> usize {
    let bytes = rest.as_bytes();
    let ends_name = |b: u8| b.is_ascii_whitespace() || matches!(b, b'=' | b'/' | b'>' | b'<');
    // A stray '=' or quote is taken as a one-byte name, so that the reader always moves on.
    let name_end = find_from(bytes, at, ends_name).max(at + 1);
    let equals = find_from(bytes, name_end, |b| !b.is_ascii_whitespace());
    let name = &rest[at..name_end];
    if bytes.get(equals) != Some(&b'=') {
        keep_attribute(tag, name, "");
        return name_end;
    }
    let start = find_from(bytes, equals + 1, |b| !b.is_ascii_whitespace());
    let (value, next) = match bytes.get(start) {
        Some(quote @ (b'"' | b'\'')) => match bytes[start + 1..].iter().position(|b| b == quote) {
            Some(len) => (&rest[start + 1..start + 1 + len], start + len + 2),
            // Never closed: it ends where the tag does.
            None => {
                let end = find_from(bytes, start, |b| b == b'>');
                (&rest[start + 1..end.max(start + 1)], end.max(start + 1))
            }
        },
        _ => {
            let end = find_from(bytes, start, |b| b.is_ascii_whitespace() || matches!(b, b'>' | b'<'));
            (&rest[start..end], end)
        }
    };
    keep_attribute(tag, name, value);
    next
}

fn keep_attribute<'a>(tag: &mut Tag<'a>, name: &'a str, value: &'a str) {
    if tag.attributes.len() < MAX_ATTRIBUTES && !tag.attributes.iter().any(|(n, _)| *n == name) {
        tag.attributes.push((name, value));
    }
}

/// The part of a name after its prefix.
pub fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The words a reader would see in a piece of HTML: tags gone, references decoded, white space joined.
pub fn plain_text(html: &str) -> String {
    let mut text = String::new();
    let mut lexer = Lexer::new(html);
    while let Some(token) = lexer.next() {
        match token {
            Token::Text(raw) => text.push_str(&decode(raw)),
            Token::Cdata(raw) => text.push_str(raw),
            Token::Start(tag) => {
                if tag.name.eq_ignore_ascii_case("script") || tag.name.eq_ignore_ascii_case("style") {
                    lexer.skip_raw_text(tag.name);
                } else if separates_words(tag.name) {
                    text.push(' ');
                }
            }
            Token::End(name) if separates_words(name) => text.push(' '),
            Token::End(_) => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn separates_words(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "p" | "br"
            | "div"
            | "li"
            | "ul"
            | "ol"
            | "tr"
            | "td"
            | "th"
            | "section"
            | "blockquote"
            | "figure"
            | "figcaption"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "pre"
            | "table"
            | "dd"
            | "dt"
            | "article"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(source: &str) -> Vec<String> {
        Lexer::new(source).map(|t| format!("{t:?}")).collect()
    }

    #[test]
    fn a_bare_angle_bracket_is_text() {
        assert_eq!(text_of("1 < 2 & <标题> 3<"), [r#"Text("1 < 2 & <标题> 3<")"#]);
    }

    #[test]
    fn a_doctype_with_an_internal_subset_is_passed_over() {
        let source = r#"<!DOCTYPE r [<!ENTITY x "a > b"><!ENTITY y SYSTEM 'file:///etc/passwd'>]><r>&x;</r>"#;
        let tokens: Vec<_> = Lexer::new(source).collect();
        assert_eq!(tokens.len(), 3);
        assert_eq!(tokens[1], Token::Text("&x;"));
        assert_eq!(decode("&x;"), "&x;");
    }

    #[test]
    fn attributes_may_be_unquoted_empty_repeated_or_never_closed() {
        let Some(Token::Start(tag)) =
            Lexer::new("<a href=x.html title='a>b' checked href=y ==\" z=\"1>").next()
        else {
            panic!("no tag")
        };
        assert_eq!(tag.attribute("HREF").as_deref(), Some("x.html"));
        assert_eq!(tag.attribute("title").as_deref(), Some("a>b"));
        assert_eq!(tag.attribute("checked").as_deref(), Some(""));
    }

    #[test]
    fn input_that_stops_anywhere_is_read_to_its_end() {
        let source = "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'b'>]><r a=\"1\" b='2'>文字<!-- c --><![CDATA[<p>]]></r>";
        for (at, _) in source.char_indices() {
            let mut lexer = Lexer::new(&source[..at]);
            while lexer.next().is_some() {}
            assert_eq!(lexer.offset(), at);
        }
    }

    #[test]
    fn plain_text_drops_tags_scripts_and_joins_white_space() {
        assert_eq!(plain_text("<p>甲&nbsp;乙</p><script>1<2</script><p>丙 <b>丁</b></p>"), "甲 乙 丙 丁");
    }
}
