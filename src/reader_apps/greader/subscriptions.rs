//! `subscription/*` and `unread-count`: feeds of a reader's, followed, named, put into lists and left.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use super::ids::{READING_LIST, Stream, feed_id, label_id};
use super::login::check_token;
use super::streams::feed_of;
use super::{Answer, Refusal, json as answer, ok};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::reader_apps::AppReader;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::shelf::feeds::{self, Unread};
use crate::reader_apps::shelf::states;

/// Feeds that one request may change.
const MOST_AT_ONCE: usize = 200;

/// `GET reader/api/0/subscription/list`
pub async fn list_subscriptions(State(app): State<Arc<App>>, reader: AppReader) -> Answer {
    let lists: HashMap<i64, String> =
        feeds::lists(app.db.read(), reader.user.id).await?.into_iter().collect();
    let site_icon = app.config.url("/static/favicon.svg");
    let subscriptions: Vec<Value> = feeds::all(&app, reader.user.id)
        .await?
        .into_iter()
        .map(|feed| {
            let list = feed.list_id.and_then(|id| lists.get(&id));
            json!({
                "id": feed_id(feed.key),
                "title": plain(&feed.title),
                "categories": list.map(|name| json!({ "id": label_id(name), "label": name, "type": "folder" }))
                    .into_iter().collect::<Vec<_>>(),
                "url": feed.feed_url,
                "htmlUrl": feed.page_url,
                "iconUrl": feed.icon_url.as_deref().unwrap_or(&site_icon),
                "sortid": format!("{:08X}", feed.key.number()),
                "firstitemmsec": "0",
            })
        })
        .collect();
    answer(&json!({ "subscriptions": subscriptions }))
}

/// `POST reader/api/0/subscription/edit`: `ac` is subscribe, unsubscribe or edit, `s` the feeds, `t` their names,
/// `a` the list to put them into, `r` the one to take them out of.
pub async fn edit_subscriptions(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    check_token(&app, &reader, &fields)?;
    let streams: Vec<&str> = fields.all("s").take(MOST_AT_ONCE).collect();
    let titles: Vec<&str> = fields.all("t").collect();
    if streams.is_empty() {
        return Err(Refusal::bad("Missing stream"));
    }
    let action = fields.get("ac").unwrap_or_default();
    let label = |name: &str| fields.all(name).find_map(label_of);
    let (into, out_of) = (label("a"), label("r"));
    let user_id = reader.user.id;
    for (at, text) in streams.into_iter().enumerate() {
        let stream = Stream::parse(text).ok_or_else(|| Refusal::bad("Unknown stream"))?;
        let title = titles.get(at).copied().unwrap_or_default();
        let feed = match (action, stream) {
            ("subscribe", Stream::FeedAt(address)) => {
                states::follow(&app, &reader.user, &address, title, true).await?
            }
            ("subscribe" | "edit" | "unsubscribe", stream) => {
                feed_of(&app, user_id, &stream).await?.ok_or_else(Refusal::not_found)?
            }
            _ => return Err(Refusal::bad("Unknown action")),
        };
        if action == "unsubscribe" {
            states::unfollow(&app, user_id, feed).await?;
            continue;
        }
        if action == "edit" && !title.is_empty() {
            states::rename(&app, user_id, feed, title).await?;
        }
        if into.is_some() || out_of.is_some() {
            states::put_in_list(&app, user_id, feed, into.as_deref()).await?;
        }
    }
    ok()
}

fn label_of(text: &str) -> Option<String> {
    match Stream::parse(text)? {
        Stream::Label(name) => Some(name),
        _ => None,
    }
}

/// `POST reader/api/0/subscription/quickadd`: follows what is at an address, a page's or a feed's.
pub async fn quick_add(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    check_token(&app, &reader, &fields)?;
    let query = fields.get("quickadd").unwrap_or_default();
    let address = query.strip_prefix("feed/").unwrap_or(query);
    let feed = match states::follow(&app, &reader.user, address, "", true).await {
        Ok(feed) => feed,
        Err(Error::Invalid(problems)) => {
            let words: Vec<String> =
                problems.0.iter().map(|(_, message)| message.text(crate::page::Locale::En)).collect();
            return answer(&json!({ "query": query, "numResults": 0, "error": words.join(" ") }));
        }
        Err(error) => return Err(error.into()),
    };
    let found = feeds::all(&app, reader.user.id).await?.into_iter().find(|known| known.key == feed);
    let title = found.map(|feed| feed.title).unwrap_or_default();
    answer(&json!({
        "query": query,
        "numResults": 1,
        "streamId": feed_id(feed),
        "streamName": plain(&title),
    }))
}

/// `GET reader/api/0/unread-count`
pub async fn count_unread(State(app): State<Arc<App>>, reader: AppReader) -> Answer {
    let unread = feeds::unread(&app, reader.user.id).await?;
    let (mut rows, mut all, mut by_list) = (Vec::new(), Unread::default(), HashMap::<i64, Unread>::new());
    let add = |sum: &mut Unread, one: &Unread| {
        sum.count += one.count;
        sum.newest = sum.newest.max(one.newest);
    };
    for feed in feeds::all(&app, reader.user.id).await? {
        let found = unread.get(&feed.key).copied().unwrap_or_default();
        rows.push(counted(&feed_id(feed.key), found));
        add(&mut all, &found);
        if let Some(list_id) = feed.list_id {
            add(by_list.entry(list_id).or_default(), &found);
        }
    }
    for (id, name) in feeds::lists(app.db.read(), reader.user.id).await? {
        rows.push(counted(&label_id(&name), by_list.get(&id).copied().unwrap_or_default()));
    }
    rows.push(counted(READING_LIST, all));
    answer(&json!({ "max": all.count, "unreadcounts": rows }))
}

fn counted(id: &str, unread: Unread) -> Value {
    let Timestamp(newest) = unread.newest;
    json!({ "id": id, "count": unread.count, "newestItemTimestampUsec": (newest * 1000).to_string() })
}

/// A title for apps of which some take it for HTML and some do not: without what would be markup.
pub fn plain(title: &str) -> String {
    let mut plain = String::with_capacity(title.len());
    for (at, c) in title.char_indices() {
        match c {
            '<' => plain.push('＜'),
            '>' => plain.push('＞'),
            '&' if title[at..].bytes().take(12).any(|byte| byte == b';') => plain.push('＆'),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn titles_hold_no_markup() {
        assert_eq!(plain("A & B <b>x</b> &lt;i&gt; 1 < 2"), "A & B ＜b＞x＜/b＞ ＆lt;i＆gt; 1 ＜ 2");
    }
}
