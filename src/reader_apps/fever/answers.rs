//! What Fever's apps are told.

use std::collections::BTreeMap;
use std::time::Duration;

use sea_orm::sea_query::{Expr, Func, Query};
use sea_orm::{DbErr, FromQueryResult};
use serde_json::{Value, json};

use crate::app::App;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::greader::subscriptions::plain;
use crate::reader_apps::shelf::numbers::From;
use crate::reader_apps::shelf::stream::{self, Place, Wish};
use crate::reader_apps::shelf::{FeedKey, ItemKey, feeds, items, numbers};

/// Items of one answer, by the protocol.
const PAGE: usize = 50;
/// What an app gets as the past: older items only where they are unread or saved.
const PAST: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Ids of unread or saved items told at most.
const MOST_IDS: u64 = 10_000;
/// Items are counted up to here.
const COUNTED: u64 = 10_000;
/// One grey dot, for all feeds: apps ask for icons as data, and ours are pictures of any size elsewhere.
const ICON: &str = "image/gif;base64,R0lGODlhAQABAIAAAObm5gAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";

pub async fn groups(app: &App, user_id: i64) -> Result<Value, DbErr> {
    let lists = feeds::lists(app.db.read(), user_id).await?;
    Ok(lists.iter().map(|(id, name)| json!({ "id": id, "title": plain(name) })).collect())
}

pub async fn feeds(app: &App, user_id: i64) -> Result<Value, DbErr> {
    let feeds = feeds::all(app, user_id).await?;
    let value = |feed: &feeds::Feed| {
        json!({
            "id": feed.key.number(),
            "favicon_id": 1,
            "title": plain(&feed.title),
            "url": feed.feed_url,
            "site_url": feed.page_url,
            "is_spark": 0,
            "last_updated_on_time": feed.updated.0 / 1_000,
        })
    };
    Ok(feeds.iter().map(value).collect())
}

pub async fn feeds_groups(app: &App, user_id: i64) -> Result<Value, DbErr> {
    let mut groups: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for feed in feeds::all(app, user_id).await? {
        if let Some(list_id) = feed.list_id {
            groups.entry(list_id).or_default().push(feed.key.number().to_string());
        }
    }
    let value = |(id, feeds): (i64, Vec<String>)| json!({ "group_id": id, "feed_ids": feeds.join(",") });
    Ok(groups.into_iter().map(value).collect())
}

pub fn favicons() -> Value {
    json!([{ "id": 1, "data": ICON }])
}

/// Fifty items: those of `with_ids`, below `max_id`, or above `since_id`.
pub async fn items(app: &App, user_id: i64, fields: &Fields) -> Result<Value, DbErr> {
    let keys: Vec<ItemKey> = if let Some(ids) = fields.get("with_ids") {
        numbers::keys(app.db.read(), &ids_of(ids)).await?
    } else if fields.has("feed_ids") || fields.has("group_ids") {
        of_feeds(app, user_id, fields).await?
    } else {
        let from = match (fields.number("max_id").filter(|id| *id > 0), fields.number("since_id")) {
            (Some(most), _) => From::Below(most),
            (None, since) => From::Above(since.unwrap_or_default()),
        };
        let since = app.clock.now() - PAST;
        numbers::page(app, user_id, since, from, PAGE as u64).await?.into_iter().map(|(_, key)| key).collect()
    };
    let items = items::load(app, user_id, &keys).await?;
    let value = |item: &items::Item| {
        json!({
            "id": item.number,
            "feed_id": item.feed.number(),
            "title": plain(&item.title),
            "author": plain(&item.author),
            "html": item.html,
            "url": item.url,
            "is_saved": i32::from(item.is_starred),
            "is_read": i32::from(item.is_read),
            "created_on_time": item.published.0 / 1_000,
        })
    };
    Ok(items.iter().map(value).collect())
}

/// The newest items of some feeds or lists.
async fn of_feeds(app: &App, user_id: i64, fields: &Fields) -> Result<Vec<ItemKey>, DbErr> {
    let feeds = ids_of(fields.get("feed_ids").unwrap_or_default());
    let lists = ids_of(fields.get("group_ids").unwrap_or_default());
    let places = feeds.into_iter().filter_map(FeedKey::of_number).map(Place::Feed);
    let mut found = Vec::new();
    for place in places.chain(lists.into_iter().map(Place::List)) {
        found.extend(stream::page(app.db.read(), user_id, &Wish::newest(place, PAGE as u64)).await?);
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    Ok(found.into_iter().take(PAGE).map(|position| position.key).collect())
}

/// `1,2,3`, fifty at most.
fn ids_of(text: &str) -> Vec<i64> {
    text.split(',').filter_map(|id| id.trim().parse().ok()).take(PAGE).collect()
}

/// How many items the shelf has, up to [`COUNTED`].
pub async fn total(app: &App, user_id: i64) -> Result<i64, DbErr> {
    #[derive(FromQueryResult)]
    struct Counted {
        count: i64,
    }
    let mut total = 0;
    for mut query in [stream::articles(user_id), stream::outside(user_id)] {
        query.column(("x", "id")).limit(COUNTED);
        let mut count = Query::select();
        count.expr_as(Func::count(Expr::col(("all", "id"))), "count").from_subquery(query, "all");
        let counted = Counted::find_by_statement(app.db.backend().build(&count)).one(app.db.read()).await?;
        total += counted.map_or(0, |counted| counted.count);
    }
    Ok(total)
}

pub async fn unread_ids(app: &App, user_id: i64) -> Result<String, DbErr> {
    ids(app, user_id, Wish { is_read: Some(false), ..Wish::newest(Place::All, MOST_IDS) }).await
}

pub async fn saved_ids(app: &App, user_id: i64) -> Result<String, DbErr> {
    ids(app, user_id, Wish::newest(Place::Starred, MOST_IDS)).await
}

async fn ids(app: &App, user_id: i64, wish: Wish) -> Result<String, DbErr> {
    let mut found = stream::page(app.db.read(), user_id, &wish).await?;
    // Oldest first, so that numbers given now follow time.
    found.reverse();
    let keys: Vec<ItemKey> = found.into_iter().map(|position| position.key).collect();
    let numbers = numbers::of(app, &keys).await?;
    let ids: Vec<String> = keys.iter().filter_map(|key| numbers.get(key)).map(i64::to_string).collect();
    Ok(ids.join(","))
}
