//! Items with all that apps show of them.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter};

use super::{FeedKey, ItemKey, numbers, split, stream};
use crate::app::App;
use crate::articles::content;
use crate::clock::Timestamp;
use crate::db::entities::account::AccountState;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::{account, outside_feed, outside_item, read_mark, saved_article, user};
use crate::outside;
use crate::page::Locale;
use crate::shown::Shown;

/// Articles whose texts are loaded by one statement.
const AT_ONCE: usize = 200;

/// An item as apps show it. Addresses are absolute.
#[derive(Clone, Debug)]
pub struct Item {
    pub number: i64,
    pub feed: FeedKey,
    pub feed_title: String,
    pub feed_page_url: String,
    pub list_id: Option<i64>,
    pub title: String,
    pub url: String,
    pub author: String,
    /// Sanitised.
    pub html: String,
    pub lang: String,
    pub published: Timestamp,
    /// When it came to be known here.
    pub arrived: Timestamp,
    pub updated: Timestamp,
    pub is_read: bool,
    pub is_starred: bool,
}

/// Items by their keys, in the order given; those that the reader may not see are left out: articles that are not
/// published and not saved by them, and items of outside feeds that they neither follow nor starred.
pub async fn load(app: &App, user_id: i64, keys: &[ItemKey]) -> Result<Vec<Item>, DbErr> {
    let numbers = numbers::of(app, keys).await?;
    let (articles, outside) = split(keys.iter().copied());
    let mut found = HashMap::new();
    for chunk in articles.chunks(AT_ONCE) {
        load_articles(app, user_id, chunk, &numbers, &mut found).await?;
    }
    for chunk in outside.chunks(AT_ONCE) {
        load_outside(app, user_id, chunk, &numbers, &mut found).await?;
    }
    let items = keys.iter().filter_map(|key| found.remove(key)).collect();
    in_script(app, user_id, items).await
}

/// Titles and texts in the script that the reader reads, like the site's pages.
async fn in_script(app: &App, user_id: i64, items: Vec<Item>) -> Result<Vec<Item>, DbErr> {
    let Some(user) = user::Entity::find_by_id(user_id).one(app.db.read()).await? else { return Ok(items) };
    let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
    let shown = Shown::chosen(Some(&user.script), None, locale);
    if !items.iter().any(|item| shown.changes(&item.lang)) {
        return Ok(items);
    }
    let convert = move || {
        let mut items = items;
        for item in items.iter_mut().filter(|item| shown.changes(&item.lang)) {
            item.title = shown.text(&item.title, &item.lang).into_owned();
            item.html = shown.html(&item.html, &item.lang).into_owned();
            item.lang = shown.lang(&item.lang).into_owned();
        }
        items
    };
    crate::blocking::run(convert).await.map_err(|why| DbErr::Custom(format!("converting items: {why}")))
}

async fn load_articles(
    app: &App,
    user_id: i64,
    ids: &[i64],
    numbers: &HashMap<ItemKey, i64>,
    found: &mut HashMap<ItemKey, Item>,
) -> Result<(), DbErr> {
    let rows = article::Entity::find()
        .filter(article::COLUMN.id.is_in(ids.iter().copied()))
        .all(app.db.read())
        .await?;
    let mut around = Around::load(app, user_id, &rows).await?;
    for row in rows {
        let key = ItemKey::Article(row.id);
        let (Some(number), Some(account)) = (numbers.get(&key), around.accounts.get(&row.account_id)) else {
            continue;
        };
        let kept = around.saved.remove(&Some(row.id));
        let is_open = row.state == ArticleState::Published && account.state == AccountState::Active;
        if !is_open && kept.is_none() {
            continue;
        }
        let follow = around.follows.get(&row.account_id);
        let published = row.published_at.unwrap_or(row.created_at);
        let read_until = follow.map(|follow| follow.read_until.unwrap_or_default());
        let is_read = around
            .marks
            .get(&row.id)
            .copied()
            .unwrap_or_else(|| read_until.is_none_or(|until| published <= until));
        let feed_page_url = app.config.url(&format!("/@{}", account.handle));
        let mut item = Item {
            number: *number,
            feed: FeedKey::Account(row.account_id),
            feed_title: account.name.clone(),
            list_id: follow.and_then(|follow| follow.list_id),
            url: format!("{feed_page_url}/{}", row.slug),
            feed_page_url,
            title: row.title,
            author: if row.author.is_empty() { account.name.clone() } else { row.author },
            html: with_cover(row.body_html, row.cover_url.as_deref()),
            lang: row.lang,
            published,
            arrived: published.max(row.created_at),
            updated: row.updated_at.max(published),
            is_read,
            is_starred: kept.as_ref().is_some_and(|kept| kept.starred),
        };
        // What was withdrawn is shown as the reader kept it.
        if let Some(kept) = kept.filter(|_| !is_open) {
            item.title = kept.title;
            item.html = with_cover(kept.body_html, kept.cover_url.as_deref());
        }
        item.html = content::absolute(&item.html, app.config.base_url.trim_end_matches('/'));
        found.insert(key, item);
    }
    Ok(())
}

/// What a reader's items of some articles take besides the articles.
struct Around {
    accounts: HashMap<i64, account::Model>,
    /// By account.
    follows: HashMap<i64, subscription::Model>,
    /// By article: whether it was read, where the reader said so.
    marks: HashMap<i64, bool>,
    /// By article.
    saved: HashMap<Option<i64>, saved_article::Model>,
}

impl Around {
    async fn load(app: &App, user_id: i64, articles: &[article::Model]) -> Result<Self, DbErr> {
        let db = app.db.read();
        let ids = || articles.iter().map(|row| row.id);
        let account_ids: HashSet<i64> = articles.iter().map(|row| row.account_id).collect();
        let accounts =
            account::Entity::find().filter(account::COLUMN.id.is_in(account_ids.clone())).all(db).await?;
        let follows = subscription::Entity::find()
            .filter(subscription::COLUMN.user_id.eq(Some(user_id)))
            .filter(subscription::Column::AccountId.is_in(account_ids))
            .filter(subscription::Column::State.is_in([SubscriptionState::Active, SubscriptionState::Paused]))
            .all(db)
            .await?;
        let marks = read_mark::Entity::find()
            .filter(read_mark::COLUMN.user_id.eq(user_id))
            .filter(read_mark::COLUMN.article_id.is_in(ids()))
            .all(db)
            .await?;
        let saved = saved_article::Entity::find()
            .filter(saved_article::COLUMN.user_id.eq(user_id))
            .filter(saved_article::Column::ArticleId.is_in(ids()))
            .all(db)
            .await?;
        Ok(Self {
            accounts: accounts.into_iter().map(|row| (row.id, row)).collect(),
            follows: follows.into_iter().map(|row| (row.account_id, row)).collect(),
            marks: marks.into_iter().map(|row| (row.article_id, row.is_read)).collect(),
            saved: saved.into_iter().map(|row| (row.article_id, row)).collect(),
        })
    }
}

/// Apps show no cover; where the text has no picture, it stands before it.
fn with_cover(html: String, cover: Option<&str>) -> String {
    match cover.filter(|_| !html.contains("<img")) {
        None => html,
        Some(cover) => {
            let mut whole = String::from("<p><img src=\"");
            crate::import::markup::escape_into(cover, &mut whole);
            whole.push_str("\" alt=\"\"></p>");
            whole + &html
        }
    }
}

async fn load_outside(
    app: &App,
    user_id: i64,
    ids: &[i64],
    numbers: &HashMap<ItemKey, i64>,
    found: &mut HashMap<ItemKey, Item>,
) -> Result<(), DbErr> {
    let db = app.db.read();
    let visible = outside::queries::visible(db, user_id, ids).await?;
    let unread = unread_outside(app, user_id, &visible).await?;
    let starred = outside::queries::starred(db, user_id, &visible).await?;
    let rows = outside_item::Entity::find().filter(outside_item::Column::Id.is_in(visible)).all(db).await?;
    let follows: HashMap<i64, outside::queries::FeedRow> =
        outside::queries::feeds(db, user_id).await?.into_iter().map(|row| (row.id, row)).collect();
    // Those of items that are starred only.
    let left: HashSet<i64> =
        rows.iter().map(|row| row.feed_id).filter(|feed_id| !follows.contains_key(feed_id)).collect();
    let left = outside_feed::Entity::find().filter(outside_feed::Column::Id.is_in(left)).all(db).await?;
    let left: HashMap<i64, outside_feed::Model> = left.into_iter().map(|row| (row.id, row)).collect();
    for row in rows {
        let key = ItemKey::Outside(row.id);
        let Some(number) = numbers.get(&key) else { continue };
        let follow = follows.get(&row.feed_id);
        let (feed_title, feed_page_url) = match (follow, left.get(&row.feed_id)) {
            (Some(follow), _) => (follow.title(), follow.page_url().to_owned()),
            (None, Some(feed)) => {
                (feed.title.clone(), feed.site_url.clone().unwrap_or_else(|| feed.url.clone()))
            }
            (None, None) => continue,
        };
        let item = Item {
            number: *number,
            feed: FeedKey::Outside(row.feed_id),
            feed_title,
            list_id: follow.and_then(|follow| follow.list_id),
            url: row.link.unwrap_or_else(|| feed_page_url.clone()),
            feed_page_url,
            title: row.title,
            author: row.author,
            html: row.html,
            lang: row.lang.unwrap_or_default(),
            published: row.published_at,
            arrived: row.created_at,
            updated: row.updated_at,
            is_read: !unread.contains(&row.id),
            is_starred: starred.contains(&row.id),
        };
        found.insert(key, item);
    }
    Ok(())
}

async fn unread_outside(app: &App, user_id: i64, ids: &[i64]) -> Result<HashSet<i64>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
    }
    use sea_orm::sea_query::ExprTrait;
    let mut query = stream::outside(user_id);
    query
        .column(("x", "id"))
        .and_where(Expr::col(("x", "id")).is_in(ids.iter().copied()))
        .and_where(stream::outside_is_unread());
    let rows = Row::find_by_statement(app.db.backend().build(&query)).all(app.db.read()).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
