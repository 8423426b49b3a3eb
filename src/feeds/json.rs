//! JSON Feed 1.1.

use serde_json::{Map, Value, json};

use super::{Feed, Item};
use crate::import::markup::is_allowed;

pub(super) fn write(feed: &Feed, base_url: &str) -> String {
    let mut document = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": clean(&feed.title),
        "home_page_url": feed.page_url,
        "feed_url": feed.self_url,
        "language": feed.lang,
        "items": feed.items.iter().map(|item| item_value(item, base_url)).collect::<Vec<_>>(),
    });
    if let Value::Object(members) = &mut document {
        put(members, "description", Some(&feed.description));
        put(members, "icon", feed.icon_url.as_ref());
        if !feed.hubs.is_empty() {
            let hubs = feed.hubs.iter().map(|hub| json!({ "type": "WebSub", "url": hub })).collect();
            members.insert("hubs".into(), Value::Array(hubs));
        }
    }
    document.to_string()
}

/// JSON could carry control characters, but they are no more wanted here than in the other formats.
fn clean(text: &str) -> String {
    text.chars().filter(|c| is_allowed(*c)).collect()
}

fn item_value(item: &Item, base_url: &str) -> Value {
    let article = &item.article;
    let mut value = json!({
        "id": item.id,
        "url": item.url,
        "title": clean(&article.title),
        "content_html": clean(&item.body(base_url)),
        "date_published": item.published().rfc3339(),
        "date_modified": article.updated_at.max(item.published()).rfc3339(),
        "authors": [{ "name": item.author(), "url": item.account_url }],
        "tags": article.tags.0,
        "language": article.lang,
    });
    if let Value::Object(members) = &mut value {
        put(members, "summary", Some(&article.digest));
        put(members, "external_url", article.original_url.as_ref());
        let cover = article.cover_url.as_ref().map(|cover| super::pages::absolute(base_url, cover));
        put(members, "image", cover.as_ref());
    }
    value
}

fn put(members: &mut Map<String, Value>, name: &str, text: Option<&String>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        members.insert(name.to_owned(), Value::String(clean(text)));
    }
}
