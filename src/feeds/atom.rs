//! Atom 1.0 (RFC 4287), with tombstones (RFC 6721).

use super::xml::Xml;
use super::{Feed, Format, Item};

pub(super) fn write(feed: &Feed, base_url: &str) -> String {
    let mut attributes = vec![("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", feed.lang.as_str())];
    if !feed.gone.is_empty() {
        attributes.push(("xmlns:at", "http://purl.org/atompub/tombstones/1.0"));
    }
    let mut xml = Xml::new("feed", &attributes);
    xml.text("id", &feed.id);
    xml.text("title", &feed.title);
    if !feed.description.is_empty() {
        xml.text("subtitle", &feed.description);
    }
    xml.text("updated", &feed.updated.rfc3339());
    let kind = Format::Atom.content_type().split(';').next().unwrap_or_default();
    xml.empty("link", &[("rel", "self"), ("type", kind), ("href", &feed.self_url)]);
    for hub in &feed.hubs {
        xml.empty("link", &[("rel", "hub"), ("href", hub)]);
    }
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &feed.page_url)]);
    if let Some(icon) = &feed.icon_url {
        xml.text("icon", icon);
    }
    xml.text_with("generator", &[("uri", base_url)], "Xiangxun");
    for item in &feed.items {
        write_entry(&mut xml, item, base_url);
    }
    for (id, when) in &feed.gone {
        xml.empty("at:deleted-entry", &[("ref", id), ("when", &when.rfc3339())]);
    }
    xml.finish()
}

fn write_entry(xml: &mut Xml, item: &Item, base_url: &str) {
    let article = &item.article;
    xml.start("entry", &[("xml:lang", &article.lang)]);
    xml.text("id", &item.id);
    xml.text("title", &article.title);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &item.url)]);
    if let Some(original) = &article.original_url {
        xml.empty("link", &[("rel", "via"), ("href", original)]);
    }
    xml.text("published", &item.published().rfc3339());
    xml.text("updated", &article.updated_at.max(item.published()).rfc3339());
    xml.start("author", &[]);
    xml.text("name", item.author());
    xml.text("uri", &item.account_url);
    xml.end();
    for tag in &article.tags.0 {
        xml.empty("category", &[("term", tag)]);
    }
    if !article.digest.is_empty() {
        xml.text("summary", &article.digest);
    }
    xml.text_with("content", &[("type", "html")], &item.body(base_url));
    xml.end();
}
