//! JSON Feed, read leniently and written back as the plain JSON Feed 1.1 that feed-rs expects.
//!
//! Only the members that matter are kept while reading, so a document of a million other members
//! costs no memory for them.

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::value::person_name;
use super::{MAX_CONTENT_BYTES, MAX_ENTRIES, MAX_LINE_BYTES, MAX_TAGS, ParseError, Tidied, cut};

pub(super) fn tidy(text: &str) -> Result<Tidied, ParseError> {
    let refused = |why: String| ParseError::NotJsonFeed(why);
    let feed: Document = serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_control_characters(text)))
        .map_err(|why| refused(why.to_string()))?;
    let version = feed.version.0.unwrap_or_default();
    if !version.contains("jsonfeed.org/version/") {
        return Err(refused("no \"version\" of jsonfeed.org".into()));
    }
    let Some(Items(items)) = feed.items else {
        return Err(refused("no \"items\"".into()));
    };
    let canonical = Canonical {
        version: "https://jsonfeed.org/version/1.1",
        title: feed.title.line().unwrap_or_default(),
        home_page_url: feed.home_page_url.line(),
        language: feed.language.line(),
        authors: authors(feed.authors, feed.author),
        items: items.into_iter().map(canonical_item).collect(),
    };
    let document = serde_json::to_string(&canonical).map_err(|why| refused(why.to_string()))?;
    Ok(Tidied { document, ..Tidied::default() })
}

/// Line breaks and tabs inside strings are the commonest fault of hand-made JSON.
fn without_control_characters(text: &str) -> Cow<'_, str> {
    Cow::Owned(text.replace(|c: char| c.is_control(), " "))
}

fn canonical_item(item: Item) -> CanonicalItem {
    let image = item.image.line().or_else(|| item.banner_image.line());
    CanonicalItem {
        id: item.id.line(),
        url: item.url.line().or_else(|| item.external_url.line()),
        title: item.title.line(),
        content_html: item.content_html.content(),
        content_text: item.content_text.content(),
        summary: item.summary.content(),
        date_published: item.date_published.line(),
        date_modified: item.date_modified.line(),
        authors: authors(item.authors, item.author),
        tags: item.tags.0,
        // feed-rs drops images but keeps attachments.
        attachments: image.map(|url| vec![Attachment { url, mime_type: "image/*" }]),
    }
}

fn authors(many: Authors, one: Authors) -> Option<Vec<Author>> {
    let found = if many.0.is_empty() { one.0 } else { many.0 };
    (!found.is_empty()).then(|| {
        // Mail addresses are not for publishing.
        found.iter().filter_map(|name| Some(Author { name: person_name(name)? })).collect()
    })
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    version: Lenient,
    #[serde(default)]
    title: Lenient,
    #[serde(default)]
    home_page_url: Lenient,
    #[serde(default)]
    language: Lenient,
    #[serde(default)]
    author: Authors,
    #[serde(default)]
    authors: Authors,
    items: Option<Items>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Item {
    id: Lenient,
    url: Lenient,
    external_url: Lenient,
    title: Lenient,
    content_html: Lenient,
    content_text: Lenient,
    summary: Lenient,
    image: Lenient,
    banner_image: Lenient,
    date_published: Lenient,
    date_modified: Lenient,
    author: Authors,
    authors: Authors,
    tags: Tags,
}

#[derive(Serialize)]
struct Canonical {
    version: &'static str,
    title: String,
    home_page_url: Option<String>,
    language: Option<String>,
    authors: Option<Vec<Author>>,
    items: Vec<CanonicalItem>,
}

#[derive(Serialize)]
struct CanonicalItem {
    id: Option<String>,
    url: Option<String>,
    title: Option<String>,
    content_html: Option<String>,
    content_text: Option<String>,
    summary: Option<String>,
    date_published: Option<String>,
    date_modified: Option<String>,
    authors: Option<Vec<Author>>,
    tags: Vec<String>,
    attachments: Option<Vec<Attachment>>,
}

#[derive(Serialize)]
struct Author {
    name: String,
}

#[derive(Serialize)]
struct Attachment {
    url: String,
    mime_type: &'static str,
}

/// A string, or what some generators write in its place: a number, `null`, an object, a list (then
/// its first string, or the `href`, `url` or `name` of its first object).
#[derive(Default)]
struct Lenient(Option<String>);

impl Lenient {
    fn line(self) -> Option<String> {
        self.0.map(|mut text| {
            cut(&mut text, MAX_LINE_BYTES);
            text.trim().to_owned()
        })
    }

    fn content(self) -> Option<String> {
        self.0.map(|mut text| {
            cut(&mut text, MAX_CONTENT_BYTES);
            text
        })
    }
}

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor)
    }
}

struct LenientVisitor;

impl<'de> Visitor<'de> for LenientVisitor {
    type Value = Lenient;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lenient, E> {
        Ok(Lenient((!text.trim().is_empty()).then(|| text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Lenient, E> {
        Ok(Lenient(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Lenient, E> {
        Ok(Lenient(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Lenient, E> {
        Ok(Lenient(Some(number.to_string())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_unit<E>(self) -> Result<Lenient, E> {
        Ok(Lenient(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lenient, A::Error> {
        let mut first = Lenient(None);
        while let Some(next) = list.next_element::<Lenient>()? {
            if first.0.is_none() {
                first = next;
            }
        }
        Ok(first)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lenient, A::Error> {
        let mut found = Lenient(None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if found.0.is_none() && matches!(key.trim_start_matches("@_"), "href" | "url" | "name" | "#text")
            {
                found = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// One author or several, each an object with a name or a bare string.
#[derive(Default)]
struct Authors(Vec<String>);

impl<'de> Deserialize<'de> for Authors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strings::deserialize(deserializer).map(|strings| Self(strings.0))
    }
}

#[derive(Default)]
struct Tags(Vec<String>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strings::deserialize(deserializer).map(|strings| Self(strings.0))
    }
}

/// The strings of a list, or the one string that stands in the place of a list.
struct Strings(Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringsVisitor;
        impl<'de> Visitor<'de> for StringsVisitor {
            type Value = Strings;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a list of strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Strings, A::Error> {
                let mut strings = Vec::new();
                while let Some(next) = list.next_element::<Lenient>()? {
                    strings.extend(next.line().filter(|_| strings.len() < MAX_TAGS));
                }
                Ok(Strings(strings))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Strings, A::Error> {
                LenientVisitor.visit_map(map).map(|one| Strings(one.line().into_iter().collect()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Strings, E> {
                LenientVisitor.visit_str(text).map(|one| Strings(one.line().into_iter().collect()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Strings, E> {
                Ok(Strings(vec![number.to_string()]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Strings, E> {
                Ok(Strings(vec![number.to_string()]))
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Strings, E> {
                Ok(Strings(Vec::new()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Strings, E> {
                Ok(Strings(Vec::new()))
            }
        }
        deserializer.deserialize_any(StringsVisitor)
    }
}

/// The first [`MAX_ENTRIES`] items; the rest is passed over without being kept.
struct Items(Vec<Item>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;
        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a list of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX_ENTRIES {
                    match list.next_element::<Item>()? {
                        Some(item) => items.push(item),
                        None => return Ok(Items(items)),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(ItemsVisitor)
    }
}
