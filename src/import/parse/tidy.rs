//! Any XML feed, however damaged, rewritten as one plain Atom document for feed-rs to read.
//!
//! feed-rs stops at the first fault (an empty Atom title, an undeclared entity, a tag not closed) and
//! real feeds have them. Here every dialect (RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, CDF) is walked
//! with the lenient lexer, its fields are told by namespace and name, and what is written out has no
//! fault left: no DOCTYPE, balanced tags, text in CDATA, bounded counts and lengths.

use std::borrow::Cow;
use std::collections::HashMap;
use url::Url;

use super::field::{Field, Namespace, field_of};
use super::value::{self, Value};
use super::{MAX_CONTENT_BYTES, MAX_ENTRIES, MAX_LINE_BYTES, MAX_TAGS, ParseError, Repair, Tidied};
use crate::import::markup::{Lexer, Tag, Token, local_name};

pub(super) fn tidy(text: &str, url: Option<&Url>, repairs: &mut Vec<Repair>) -> Result<Tidied, ParseError> {
    let mut walk = Walk::new(text);
    walk.find_root(url, repairs)?;
    walk.read_document();
    repairs.append(&mut walk.repairs);
    Ok(walk.finish())
}

struct Walk<'a> {
    source: &'a str,
    lexer: Lexer<'a>,
    /// Atom elements say what type their text is; RSS ones hold HTML.
    atom: bool,
    prefixes: HashMap<&'a str, Namespace>,
    /// Effective `xml:base` of the document and of the open entry.
    feed_base: Option<Url>,
    feed: Draft,
    entry: Option<Draft>,
    document: String,
    bases: Vec<Option<Url>>,
    complete: bool,
    repairs: Vec<Repair>,
}

/// The fields of the feed or of one entry, as far as they have been read.
#[derive(Default)]
struct Draft {
    base: Option<Url>,
    title: Option<Value>,
    id: Option<String>,
    /// Whether `id` may also be the link (RSS: `isPermaLink` is not "false").
    id_is_link: bool,
    link: Option<String>,
    /// The link that a feed service put its own in front of.
    original_link: Option<String>,
    summary: Option<Value>,
    content: Option<Value>,
    content_base: Option<Url>,
    published: Option<String>,
    updated: Option<String>,
    authors: Vec<String>,
    tags: Vec<String>,
    image: Option<String>,
    language: Option<String>,
    ttl: Option<String>,
}

impl<'a> Walk<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            lexer: Lexer::new(source),
            atom: false,
            prefixes: HashMap::new(),
            feed_base: None,
            feed: Draft::default(),
            entry: None,
            document: String::new(),
            bases: Vec::new(),
            complete: false,
            repairs: Vec::new(),
        }
    }

    fn repaired(&mut self, repair: Repair) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }

    /// Moves to the feed's outermost element, wherever it is.
    fn find_root(&mut self, url: Option<&Url>, repairs: &mut Vec<Repair>) -> Result<(), ParseError> {
        let mut first: Option<&str> = None;
        let mut junk = false;
        while let Some(token) = self.lexer.next() {
            let tag = match token {
                Token::Start(tag) => tag,
                Token::Text(text) => {
                    junk |= !text.trim().is_empty();
                    continue;
                }
                _ => continue,
            };
            let name = local_name(tag.name).to_ascii_lowercase();
            match name.as_str() {
                "rss" | "rdf" | "channel" | "feed" | "entry" => {
                    if junk {
                        repairs.push(Repair::LeadingJunk);
                    }
                    self.enter_root(&name, &tag, url);
                    return Ok(());
                }
                "html" | "head" | "body" | "script" => return Err(ParseError::WebPage),
                // A page that leaves out its outermost tags, as HTML may.
                "meta" | "link" | "title" | "div" | "p" | "h1" | "table" | "style" if first.is_none() => {
                    return Err(ParseError::WebPage);
                }
                "opml" => return Err(ParseError::SubscriptionList),
                _ => {
                    first.get_or_insert(tag.name);
                }
            }
        }
        Err(match first {
            Some(name) => ParseError::UnknownRoot(name.chars().take(40).collect()),
            None => ParseError::NotAFeed,
        })
    }

    fn enter_root(&mut self, name: &str, tag: &Tag<'a>, url: Option<&Url>) {
        self.atom = matches!(name, "feed" | "entry");
        self.declare_prefixes(tag);
        self.feed_base = value::joined_base(tag, None, url);
        self.feed.language = tag.attribute("xml:lang").map(Cow::into_owned);
        match name {
            "entry" => self.open_entry(tag),
            "channel" => self.take_attributes(tag),
            _ => {}
        }
    }

    fn declare_prefixes(&mut self, tag: &Tag<'a>) {
        for (name, uri) in &tag.attributes {
            if let Some(prefix) = name.strip_prefix("xmlns:")
                && let Some(namespace) = Namespace::of_uri(uri)
            {
                self.prefixes.insert(prefix, namespace);
            }
        }
    }

    fn namespace_of(&self, tag: &Tag<'a>) -> Namespace {
        match tag.name.split_once(':') {
            Some((prefix, _)) => {
                self.prefixes.get(prefix).copied().unwrap_or_else(|| Namespace::of_prefix(prefix))
            }
            None => {
                let own = tag.attributes.iter().find(|(name, _)| *name == "xmlns");
                own.and_then(|(_, uri)| Namespace::of_uri(uri)).unwrap_or(Namespace::Feed)
            }
        }
    }

    fn read_document(&mut self) {
        while let Some(token) = self.lexer.next() {
            match token {
                Token::Start(tag) => self.read_element(tag),
                Token::End(name) => match local_name(name).to_ascii_lowercase().as_str() {
                    "item" | "entry" => self.close_entry(),
                    "rss" | "rdf" | "feed" => {
                        self.close_entry();
                        self.complete = true;
                        return;
                    }
                    "channel" => {
                        self.close_entry();
                        // In RDF, and where RSS forgets its root, entries may still follow.
                        self.complete = true;
                    }
                    _ => {}
                },
                Token::Text(_) | Token::Cdata(_) => {}
            }
        }
        // An entry that is still open is half of one; the next fetch may bring it whole.
        if !self.complete || self.entry.is_some() {
            self.repaired(Repair::Truncated);
        }
    }

    fn read_element(&mut self, tag: Tag<'a>) {
        self.declare_prefixes(&tag);
        let local = local_name(tag.name).to_ascii_lowercase();
        match local.as_str() {
            "item" | "entry" => {
                if self.entry.is_some() {
                    self.repaired(Repair::BadMarkup);
                    self.close_entry();
                }
                self.open_entry(&tag);
                if tag.self_closing {
                    self.close_entry();
                }
                return;
            }
            "channel" => return self.take_attributes(&tag),
            _ => {}
        }
        let field = field_of(self.namespace_of(&tag), &local, self.entry.is_some());
        match field {
            Field::Wrapper => {}
            field => {
                let inner = self.capture(&tag);
                self.take(field, &tag, inner);
            }
        }
    }

    fn open_entry(&mut self, tag: &Tag<'a>) {
        self.complete = false;
        let base = value::joined_base(tag, self.feed_base.as_ref(), None);
        self.entry = Some(Draft { base, ..Draft::default() });
        self.take_attributes(tag);
    }

    /// What RDF and CDF write as attributes of the item itself.
    fn take_attributes(&mut self, tag: &Tag<'a>) {
        let draft = self.entry.as_mut().unwrap_or(&mut self.feed);
        for (name, field) in
            [("rdf:about", &mut draft.id), ("href", &mut draft.link), ("lastmod", &mut draft.updated)]
        {
            if let Some(value) = tag.attribute(name).filter(|v| !v.trim().is_empty()) {
                field.get_or_insert(value::line(&value));
            }
        }
        if draft.id.is_some() {
            draft.id_is_link = true;
        }
    }

    /// The source between a start tag and its end tag. An element that never ends, ends where its
    /// entry does.
    fn capture(&mut self, tag: &Tag<'a>) -> &'a str {
        if tag.self_closing {
            return "";
        }
        let start = self.lexer.offset();
        let mut depth = 0usize;
        loop {
            let before = self.lexer.offset();
            let Some(token) = self.lexer.next() else {
                return &self.source[start..];
            };
            let (name, ends) = match &token {
                Token::Start(inner) if !inner.self_closing => (inner.name, false),
                Token::End(name) => (*name, true),
                _ => continue,
            };
            if name == tag.name {
                match (ends, depth) {
                    (true, 0) => return &self.source[start..before],
                    (true, _) => depth -= 1,
                    (false, _) => depth += 1,
                }
            } else if is_boundary(name, ends) {
                self.repaired(Repair::BadMarkup);
                self.lexer.rewind(before);
                return &self.source[start..before];
            }
        }
    }

    fn take(&mut self, field: Field, tag: &Tag<'a>, inner: &'a str) {
        let atom = self.atom;
        let in_entry = self.entry.is_some();
        let base = self.entry.as_ref().map_or(&self.feed_base, |entry| &entry.base).clone();
        let base = value::joined_base(tag, base.as_ref(), None);
        let draft = self.entry.as_mut().unwrap_or(&mut self.feed);
        match field {
            Field::Title => first(&mut draft.title, value::read(tag, inner, atom, MAX_LINE_BYTES)),
            Field::Summary => first(&mut draft.summary, value::read(tag, inner, atom, MAX_CONTENT_BYTES)),
            Field::Content => {
                let read = value::read(tag, inner, atom, MAX_CONTENT_BYTES);
                if read
                    .as_ref()
                    .is_some_and(|r| r.text.len() > draft.content.as_ref().map_or(0, |c| c.text.len()))
                {
                    draft.content = read;
                    draft.content_base = base;
                }
            }
            Field::Id => {
                first(&mut draft.id, value::text(inner));
                draft.id_is_link = tag.attribute("isPermaLink").is_none_or(|v| v != "false") && !atom;
            }
            Field::Link => take_link(draft, tag, inner, base.as_ref(), in_entry),
            Field::OriginalLink => first(&mut draft.original_link, value::text(inner)),
            Field::Published => first(&mut draft.published, value::text(inner)),
            Field::Updated => first(&mut draft.updated, value::text(inner)),
            Field::Author => {
                let name = value::person(inner)
                    .filter(|name| !draft.authors.contains(name) && draft.authors.len() < 5);
                draft.authors.extend(name);
            }
            Field::Tag => {
                let attribute =
                    tag.attribute("label").or_else(|| tag.attribute("term")).map(|v| value::line(&v));
                let found = attribute.filter(|v| !v.is_empty()).or_else(|| value::text(inner));
                draft.tags.extend(found.filter(|_| draft.tags.len() < MAX_TAGS));
            }
            Field::Image => first(&mut draft.image, value::image(tag)),
            Field::Language => first(&mut draft.language, value::text(inner)),
            Field::Ttl => first(&mut draft.ttl, value::text(inner)),
            Field::Wrapper | Field::Other => {}
        }
    }

    fn close_entry(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        if self.bases.len() >= MAX_ENTRIES {
            self.repaired(Repair::TooManyEntries);
            return;
        }
        let cut_short =
            [&entry.title, &entry.summary, &entry.content].into_iter().flatten().any(|v| v.shortened);
        if cut_short {
            self.repaired(Repair::Shortened);
        }
        self.bases.push(entry.content_base.clone());
        self.document.push_str("<entry>");
        entry.write(&mut self.document);
        self.document.push_str("</entry>");
    }

    fn finish(self) -> Tidied {
        let mut document = String::with_capacity(self.document.len() + 1024);
        document.push_str("<feed xmlns=\"http://www.w3.org/2005/Atom\">");
        self.feed.write(&mut document);
        document.push_str(&self.document);
        document.push_str("</feed>");
        Tidied { document, bases: self.bases, language: self.feed.language, ttl: self.feed.ttl }
    }
}

/// Tags that no text field can hold: they end one that was never closed.
fn is_boundary(name: &str, ends: bool) -> bool {
    let local = local_name(name);
    let is = |names: &[&str]| names.iter().any(|n| local.eq_ignore_ascii_case(n));
    is(&["item", "entry"]) || (ends && is(&["channel", "rss", "rdf", "feed"]))
}

fn first<T>(slot: &mut Option<T>, found: Option<T>) {
    if slot.is_none() {
        *slot = found;
    }
}

fn take_link(draft: &mut Draft, tag: &Tag, inner: &str, base: Option<&Url>, in_entry: bool) {
    let href = tag.attribute("href").map(|v| value::line(&v)).or_else(|| value::text(inner));
    let Some(href) = href.filter(|href| !href.is_empty()) else { return };
    let href = base.and_then(|base| base.join(&href).ok()).map_or(href, String::from);
    let rel = tag.attribute("rel").unwrap_or(Cow::Borrowed("alternate")).to_ascii_lowercase();
    let kind = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
    match rel.as_str() {
        "alternate" => first(&mut draft.link, Some(href)),
        "enclosure" if kind.starts_with("image/") && in_entry => first(&mut draft.image, Some(href)),
        _ => {}
    }
}

impl Draft {
    /// Writes the fields as the children of an Atom feed or entry.
    fn write(&self, out: &mut String) {
        self.title.iter().for_each(|v| v.write("title", out));
        self.summary.iter().for_each(|v| v.write("summary", out));
        self.content.iter().for_each(|v| v.write("content", out));
        let permalink = self.id.as_ref().filter(|id| self.id_is_link && id.starts_with("http"));
        let lines = [("id", &self.id), ("published", &self.published), ("updated", &self.updated)];
        for (name, text) in lines {
            text.iter().for_each(|text| value::write_line(name, text, out));
        }
        self.authors.iter().for_each(|name| {
            out.push_str("<author>");
            value::write_line("name", name, out);
            out.push_str("</author>");
        });
        self.tags.iter().for_each(|tag| value::write_empty("category", &[("term", tag)], out));
        if let Some(link) = self.original_link.as_ref().or(self.link.as_ref()).or(permalink) {
            value::write_empty("link", &[("href", link)], out);
        }
        if let Some(image) = &self.image {
            value::write_empty("link", &[("rel", "enclosure"), ("type", "image/*"), ("href", image)], out);
        }
    }
}
