//! Which field of an article an element of a feed is, by its namespace and name.

/// The vocabularies that feeds mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// The feed's own: RSS of any version, or Atom.
    Feed,
    Content,
    DublinCore,
    Media,
    Itunes,
    Xhtml,
    Feedburner,
    Other,
}

/// Parts of the addresses that versions of RSS and Atom are known by.
const FEEDS: [&str; 6] =
    ["2005/atom", "purl.org/atom", "purl.org/rss/1.0/", "netscape.com/rdf", "userland.com/rss", "/rss2"];

impl Namespace {
    pub fn of_uri(uri: &str) -> Option<Self> {
        let uri = uri.trim().to_ascii_lowercase();
        let has = |part: &str| uri.contains(part);
        Some(if has("modules/content") {
            Self::Content
        } else if has("purl.org/dc") || has("modules/dc") {
            Self::DublinCore
        } else if has("search.yahoo.com/mrss") || has("mediarss") {
            Self::Media
        } else if has("itunes.com") {
            Self::Itunes
        } else if has("1999/xhtml") {
            Self::Xhtml
        } else if has("feedburner") {
            Self::Feedburner
        } else if FEEDS.iter().any(|part| has(part)) && !has("modules") || uri.is_empty() {
            Self::Feed
        } else {
            return None;
        })
    }

    /// The prefixes everyone uses, for documents that forget to declare them.
    pub fn of_prefix(prefix: &str) -> Self {
        match prefix.to_ascii_lowercase().as_str() {
            "content" => Self::Content,
            "dc" | "dcterms" => Self::DublinCore,
            "media" => Self::Media,
            "itunes" => Self::Itunes,
            "xhtml" | "html" => Self::Xhtml,
            "feedburner" => Self::Feedburner,
            "atom" | "atom10" | "a10" | "rss" => Self::Feed,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Id,
    Link,
    OriginalLink,
    Summary,
    Content,
    Published,
    Updated,
    Author,
    Tag,
    Image,
    Language,
    Ttl,
    /// Nothing itself, but its children are fields of the entry.
    Wrapper,
    /// Nothing we keep, children included.
    Other,
}

/// `local` is in lower case; `in_entry` tells an entry's elements from the feed's own.
pub(super) fn field_of(namespace: Namespace, local: &str, in_entry: bool) -> Field {
    use Namespace as N;
    match (namespace, local) {
        (N::Feed | N::DublinCore, "title") => Field::Title,
        (N::Feed, "link") => Field::Link,
        (N::Feed, "guid" | "id") => Field::Id,
        (N::Feedburner, "origlink") => Field::OriginalLink,
        (N::Feed | N::DublinCore, "description") => Field::Summary,
        (N::Feed, "summary" | "abstract" | "subtitle" | "tagline") => Field::Summary,
        (N::Itunes, "summary") => Field::Summary,
        (N::Content, "encoded") => Field::Content,
        (N::Feed, "content" | "fullitem") if in_entry => Field::Content,
        (N::Feed | N::Xhtml, "body") | (N::Xhtml, "div") if in_entry => Field::Content,
        (N::Feed, "pubdate" | "published" | "issued" | "created") if in_entry => Field::Published,
        (N::DublinCore, "date" | "issued" | "created" | "available") if in_entry => Field::Published,
        (N::Feed, "updated" | "modified") | (N::DublinCore, "modified") if in_entry => Field::Updated,
        (N::Feed | N::Itunes, "author") | (N::DublinCore, "creator" | "author") => Field::Author,
        (N::Feed, "category" | "keywords") | (N::DublinCore, "subject") if in_entry => Field::Tag,
        (N::Feed, "enclosure") | (N::Media, "content" | "thumbnail") | (N::Itunes, "image") if in_entry => {
            Field::Image
        }
        (N::Media, "group") if in_entry => Field::Wrapper,
        (N::Feed | N::DublinCore, "language") if !in_entry => Field::Language,
        (N::Feed, "ttl") if !in_entry => Field::Ttl,
        _ => Field::Other,
    }
}
