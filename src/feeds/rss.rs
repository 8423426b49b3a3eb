//! RSS 2.0, with the content, Dublin Core, Atom and Media modules that readers know.

use super::xml::Xml;
use super::{Feed, Format, Item};

pub(super) fn write(feed: &Feed, base_url: &str) -> String {
    let namespaces = [
        ("version", "2.0"),
        ("xmlns:atom", "http://www.w3.org/2005/Atom"),
        ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
        ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
        ("xmlns:media", "http://search.yahoo.com/mrss/"),
    ];
    let mut xml = Xml::new("rss", &namespaces);
    xml.start("channel", &[]);
    xml.text("title", &feed.title);
    xml.text("link", &feed.page_url);
    // Required, so it repeats the title where there is nothing to say.
    xml.text("description", if feed.description.is_empty() { &feed.title } else { &feed.description });
    xml.text("language", &feed.lang);
    xml.text("lastBuildDate", &feed.updated.utc().to_rfc2822());
    xml.text("generator", "Xiangxun");
    let kind = Format::Rss.content_type().split(';').next().unwrap_or_default();
    xml.empty("atom:link", &[("rel", "self"), ("type", kind), ("href", &feed.self_url)]);
    for hub in &feed.hubs {
        xml.empty("atom:link", &[("rel", "hub"), ("href", hub)]);
    }
    if let Some(icon) = &feed.icon_url {
        xml.start("image", &[]);
        xml.text("url", icon);
        xml.text("title", &feed.title);
        xml.text("link", &feed.page_url);
        xml.end();
    }
    for item in &feed.items {
        write_item(&mut xml, item, base_url);
    }
    xml.finish()
}

fn write_item(xml: &mut Xml, item: &Item, base_url: &str) {
    let article = &item.article;
    xml.start("item", &[]);
    xml.text("title", &article.title);
    xml.text("link", &item.url);
    xml.text_with("guid", &[("isPermaLink", "false")], &item.id);
    xml.text("pubDate", &item.published().utc().to_rfc2822());
    xml.text("dc:creator", item.author());
    for tag in &article.tags.0 {
        xml.text("category", tag);
    }
    if !article.digest.is_empty() {
        xml.text("description", &article.digest);
    }
    if let Some(cover) = &article.cover_url {
        let cover = super::pages::absolute(base_url, cover);
        xml.empty("media:content", &[("url", &cover), ("medium", "image")]);
    }
    xml.text("content:encoded", &item.body(base_url));
    xml.end();
}
