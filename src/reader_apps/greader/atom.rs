//! `reader/atom/{stream}`: a stream as Atom, as Google's own reader had it. Older readers in a terminal
//! (newsboat's `feedhq` before 2.24) read feeds this way.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::ids::{READ, READING_LIST, STARRED, Stream, item_id};
use super::streams::page;
use super::{Answer, Refusal};
use crate::app::App;
use crate::feeds::xml::Xml;
use crate::path::Path;
use crate::reader_apps::AppReader;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::shelf::items::{self, Item};

/// What the states of items are named in.
const SCHEME: &str = "http://www.google.com/reader/";
const MOST: u64 = 200;

/// `GET reader/atom/{stream}`
pub async fn show_stream(
    State(app): State<Arc<App>>,
    reader: AppReader,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer {
    let stream = Stream::of_path(&name).ok_or_else(|| Refusal::bad("Unknown stream"))?;
    let found = page(&app, reader.user.id, &stream, &fields, MOST).await?;
    let items = items::load(&app, reader.user.id, &found.keys()).await?;
    let title = match (&stream, items.first()) {
        (Stream::Feed(_) | Stream::FeedAt(_), Some(item)) => item.feed_title.clone(),
        _ => name.clone(),
    };
    let mut xml = Xml::new("feed", &[("xmlns", "http://www.w3.org/2005/Atom")]);
    xml.text("id", &format!("{}/{name}", app.config.url(super::PATH)));
    xml.text("title", &title);
    xml.text("updated", &app.clock.now().rfc3339());
    if let Some(item) = items.first() {
        xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &item.feed_page_url)]);
    }
    for item in &items {
        write_entry(&mut xml, item);
    }
    let kind = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    Ok((kind, xml.finish()).into_response())
}

fn write_entry(xml: &mut Xml, item: &Item) {
    xml.start("entry", &[]);
    xml.text("id", &item_id(item.number));
    xml.text_with("title", &[("type", "text")], &item.title);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &item.url)]);
    xml.text("published", &item.published.rfc3339());
    xml.text("updated", &item.updated.rfc3339());
    xml.start("author", &[]);
    xml.text("name", if item.author.is_empty() { &item.feed_title } else { &item.author });
    xml.end();
    let state = if item.is_read { (READ, "read") } else { ("user/-/state/com.google/fresh", "fresh") };
    let starred = item.is_starred.then_some((STARRED, "starred"));
    for (term, label) in [(READING_LIST, "reading-list"), state].into_iter().chain(starred) {
        xml.empty("category", &[("term", term), ("scheme", SCHEME), ("label", label)]);
    }
    xml.text_with("content", &[("type", "html")], &item.html);
    xml.end();
}
