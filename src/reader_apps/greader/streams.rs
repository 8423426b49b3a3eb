//! Streams of items: `stream/contents`, `stream/items/ids`, `stream/items/contents`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use super::ids::{READ, READING_LIST, STARRED, Stream, feed_id, item_id, item_number, label_id};
use super::subscriptions::plain;
use super::{Answer, Refusal, json as answer};
use crate::app::App;
use crate::clock::Timestamp;
use crate::lists;
use crate::path::Path;
use crate::reader_apps::AppReader;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::shelf::items::{self, Item};
use crate::reader_apps::shelf::stream::{self, Place, Position, Wish};
use crate::reader_apps::shelf::{FeedKey, ItemKey, feeds, numbers};

/// Items of one answer with their texts, and as ids alone.
const MOST_CONTENTS: u64 = 1_000;
const MOST_IDS: u64 = 10_000;
const USUAL: u64 = 20;

/// `GET reader/api/0/stream/contents`: the stream that `s` names, else all.
pub async fn show_any_contents(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    let name = fields.get("s").unwrap_or(READING_LIST).to_owned();
    contents(&app, &reader, Stream::parse(&name), &name, &fields).await
}

/// `GET reader/api/0/stream/contents/{stream}`
pub async fn show_contents(
    State(app): State<Arc<App>>,
    reader: AppReader,
    Path(name): Path<String>,
    fields: Fields,
) -> Answer {
    contents(&app, &reader, Stream::of_path(&name), &name, &fields).await
}

async fn contents(
    app: &App,
    reader: &AppReader,
    stream: Option<Stream>,
    name: &str,
    fields: &Fields,
) -> Answer {
    let stream = stream.ok_or_else(|| Refusal::bad("Unknown stream"))?;
    let found = page(app, reader.user.id, &stream, fields, MOST_CONTENTS).await?;
    let items = items::load(app, reader.user.id, &found.keys()).await?;
    let labels = labels(app, reader.user.id).await?;
    let mut document = json!({
        "direction": "ltr",
        "id": name,
        "title": "",
        "self": [],
        "author": reader.user.name,
        "updated": app.clock.now().0 / 1000,
        "items": items.iter().map(|item| item_value(item, &labels)).collect::<Vec<_>>(),
    });
    if let Some(continuation) = found.continuation(app).await? {
        document["continuation"] = continuation.into();
    }
    answer(&document)
}

/// `GET reader/api/0/stream/items/ids`: numbers to the base of ten of a stream's items.
pub async fn list_ids(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    let stream = Stream::parse(fields.get("s").unwrap_or(READING_LIST))
        .ok_or_else(|| Refusal::bad("Unknown stream"))?;
    let found = page(&app, reader.user.id, &stream, &fields, MOST_IDS).await?;
    let numbers = numbers::of(&app, &found.keys()).await?;
    let refs: Vec<Value> = found
        .positions
        .iter()
        .filter_map(|position| {
            let number = numbers.get(&position.key)?;
            Some(json!({
                "id": number.to_string(),
                "directStreamIds": [],
                "timestampUsec": (position.moment * 1_000).to_string(),
            }))
        })
        .collect();
    let mut document = json!({ "items": [], "itemRefs": refs });
    if let Some(continuation) = found.continuation(&app).await? {
        document["continuation"] = continuation.into();
    }
    answer(&document)
}

/// `POST reader/api/0/stream/items/contents`: the items `i`, in the order asked for.
pub async fn show_items(State(app): State<Arc<App>>, reader: AppReader, fields: Fields) -> Answer {
    let numbers: Vec<i64> = fields
        .all("i")
        .filter_map(item_number)
        .take(usize::try_from(MOST_CONTENTS).unwrap_or(1_000))
        .collect();
    let keys = numbers::keys(app.db.read(), &numbers).await?;
    let items = items::load(&app, reader.user.id, &keys).await?;
    let labels = labels(&app, reader.user.id).await?;
    answer(&json!({
        "direction": "ltr",
        "id": READING_LIST,
        "title": "",
        "updated": app.clock.now().0 / 1000,
        "items": items.iter().map(|item| item_value(item, &labels)).collect::<Vec<_>>(),
    }))
}

/// One page of a stream, and whether there may be more.
pub(super) struct Found {
    positions: Vec<Position>,
    is_full: bool,
}

impl Found {
    pub fn keys(&self) -> Vec<ItemKey> {
        self.positions.iter().map(|position| position.key).collect()
    }

    /// The number of the last item: digits, as apps expect, which name its place for good.
    async fn continuation(&self, app: &App) -> Result<Option<String>, Refusal> {
        let Some(last) = self.positions.last().filter(|_| self.is_full) else { return Ok(None) };
        let numbers = numbers::of(app, &[last.key]).await?;
        // The moment too: it is what the place is known by, should the item be gone by then.
        Ok(numbers.get(&last.key).map(|number| format!("{:013}{number:010}", last.moment)))
    }
}

/// The page of a stream that an app asks for: `n` items, newest first unless `r` is `o`, without those of `xt`,
/// only those of `it`, published from `ot` to `nt`, going on after `c`.
pub(super) async fn page(
    app: &App,
    user_id: i64,
    stream: &Stream,
    fields: &Fields,
    most: u64,
) -> Result<Found, Refusal> {
    let limit = fields.number("n").and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    let limit = limit.unwrap_or(USUAL).min(most);
    let empty = Found { positions: Vec::new(), is_full: false };
    let place = match stream {
        Stream::Read | Stream::Unread => Some(Place::All),
        _ => place_of(app, user_id, stream).await?,
    };
    let Some(place) = place else { return Ok(empty) };
    let seconds =
        |name: &str| fields.number(name).filter(|n| *n > 0).map(|n| Timestamp(n.saturating_mul(1000)));
    let mut wish = Wish {
        oldest_first: fields.get("r") == Some("o"),
        since: seconds("ot"),
        until: seconds("nt"),
        ..Wish::newest(place, limit)
    };
    match stream {
        Stream::Read => wish.is_read = Some(true),
        Stream::Unread => wish.is_read = Some(false),
        _ => {}
    }
    for (name, is_wanted) in [("it", true), ("xt", false)] {
        for stream in fields.all(name).filter_map(Stream::parse) {
            match stream {
                Stream::Read => wish.is_read = Some(is_wanted),
                Stream::Unread => wish.is_read = Some(!is_wanted),
                Stream::Starred => wish.is_starred = Some(is_wanted),
                _ => {}
            }
        }
    }
    if let Some(continuation) = fields.get("c").filter(|c| !c.is_empty()) {
        let Some(position) = position_of(app, continuation).await? else { return Ok(empty) };
        wish.after = Some(position);
    }
    let positions = stream::page(app.db.read(), user_id, &wish).await?;
    let is_full = positions.len() as u64 == limit;
    Ok(Found { positions, is_full })
}

/// The place that [`Found::continuation`] named.
async fn position_of(app: &App, text: &str) -> Result<Option<Position>, Refusal> {
    let Some((moment, number)) = text.split_at_checked(13) else { return Ok(None) };
    let (Ok(moment), Ok(number)) = (moment.parse(), number.parse()) else { return Ok(None) };
    let key = numbers::keys(app.db.read(), &[number]).await?.first().copied();
    Ok(Some(Position { moment, key: key.unwrap_or(ItemKey::Article(0)) }))
}

/// The place on the shelf of a stream; none where the reader has no such feed or list.
pub(super) async fn place_of(app: &App, user_id: i64, stream: &Stream) -> Result<Option<Place>, Refusal> {
    Ok(match stream {
        Stream::ReadingList => Some(Place::All),
        Stream::Starred => Some(Place::Starred),
        Stream::Label(name) => {
            lists::queries::of_name(app.db.read(), user_id, name).await?.map(|list| Place::List(list.id))
        }
        Stream::Feed(_) | Stream::FeedAt(_) => feed_of(app, user_id, stream).await?.map(Place::Feed),
        Stream::Read | Stream::Unread | Stream::Other => None,
    })
}

/// The feed of a reader's that a stream names, by number or by address.
pub(super) async fn feed_of(app: &App, user_id: i64, stream: &Stream) -> Result<Option<FeedKey>, Refusal> {
    let all = feeds::all(app, user_id).await?;
    Ok(match stream {
        Stream::Feed(key) => all.iter().find(|feed| feed.key == *key).map(|feed| feed.key),
        Stream::FeedAt(address) => all.iter().find(|feed| feed.feed_url == *address).map(|feed| feed.key),
        _ => None,
    })
}

/// Names of lists by id.
pub(super) async fn labels(app: &App, user_id: i64) -> Result<HashMap<i64, String>, Refusal> {
    Ok(feeds::lists(app.db.read(), user_id).await?.into_iter().collect())
}

fn item_value(item: &Item, labels: &HashMap<i64, String>) -> Value {
    let mut categories = vec![READING_LIST.to_owned()];
    categories.extend(item.list_id.and_then(|id| labels.get(&id)).map(|name| label_id(name)));
    if item.is_read {
        categories.push(READ.into());
    }
    if item.is_starred {
        categories.push(STARRED.into());
    }
    let mut value = json!({
        "id": item_id(item.number),
        "crawlTimeMsec": item.arrived.0.to_string(),
        "timestampUsec": (item.arrived.0 * 1_000).to_string(),
        "published": item.published.0 / 1_000,
        "updated": item.updated.0 / 1_000,
        "title": plain(&item.title),
        "canonical": [{ "href": item.url }],
        "alternate": [{ "href": item.url, "type": "text/html" }],
        "summary": { "direction": "ltr", "content": item.html },
        "categories": categories,
        "origin": {
            "streamId": feed_id(item.feed),
            "title": plain(&item.feed_title),
            "htmlUrl": item.feed_page_url,
        },
    });
    if !item.author.is_empty() {
        value["author"] = plain(&item.author).into();
    }
    value
}
