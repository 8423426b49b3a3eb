//! Reads of outside feeds: always through what one reader follows or starred.

use std::collections::HashSet;

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use crate::clock::Timestamp;
use crate::db::entities::{outside_feed, outside_follow, outside_item, outside_mark};
use crate::home::queries::Cursor;
use crate::import::Failure;
use crate::page::Page;
use crate::shown::{Digest, head_of};

/// Items on one page.
pub const PAGE: usize = 30;

/// Which of a reader's feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    One(i64),
    List(i64),
}

/// A followed feed.
#[derive(Clone, Debug, FromQueryResult)]
pub struct FeedRow {
    pub id: i64,
    pub url: String,
    feed_title: String,
    /// The reader's own name for it.
    pub own_title: String,
    pub site_url: Option<String>,
    pub list_id: Option<i64>,
    pub failures: i32,
    last_error: Option<String>,
    pub gone: bool,
    pub last_success_at: Option<Timestamp>,
    pub read_until: Timestamp,
    pub created_at: Timestamp,
}

impl FeedRow {
    /// What the reader calls it, else what it calls itself, else its host.
    pub fn title(&self) -> String {
        named(&self.own_title, &self.feed_title, &self.url)
    }

    /// Where people read it.
    pub fn page_url(&self) -> &str {
        self.site_url.as_deref().unwrap_or(&self.url)
    }

    /// Why it could not be read the last time.
    pub fn failure(&self) -> Option<Failure> {
        serde_json::from_str(self.last_error.as_deref()?).ok()
    }
}

fn named(own: &str, feed: &str, url: &str) -> String {
    let host = || url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    [own, feed]
        .into_iter()
        .find(|title| !title.is_empty())
        .map(str::to_owned)
        .or_else(host)
        .unwrap_or_default()
}

/// An item in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ItemRow {
    pub id: i64,
    pub feed_id: i64,
    pub title: String,
    pub author: String,
    pub link: Option<String>,
    pub lang: Option<String>,
    pub published_at: Timestamp,
    feed_title: String,
    own_title: Option<String>,
    feed_url: String,
    head: String,
    /// 1 where it counts as read.
    was_read: i32,
    pub starred_at: Option<Timestamp>,
}

impl ItemRow {
    pub fn url(&self) -> String {
        format!("/outside/items/{}", self.id)
    }

    pub fn is_read(&self) -> bool {
        self.was_read == 1
    }

    /// `read` or `unread`, as the list's classes are called.
    pub fn state(&self) -> &'static str {
        if self.is_read() { "read" } else { "unread" }
    }

    pub fn feed(&self) -> String {
        named(self.own_title.as_deref().unwrap_or_default(), &self.feed_title, &self.feed_url)
    }

    /// The language tag; empty where it is not known.
    pub fn lang(&self) -> &str {
        self.lang.as_deref().unwrap_or_default()
    }

    /// What it begins with, as a reader is shown it.
    pub fn excerpt(&self, page: &Page) -> String {
        Digest::of(String::new(), &self.head).in_script(page.script.shown, self.lang()).into_owned()
    }

    pub fn cursor(&self) -> Cursor {
        Cursor { published_at: self.published_at.0, id: self.id }
    }
}

/// What a list shows.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub which: Which,
    pub only_unread: bool,
    pub only_starred: bool,
    pub after: Option<Cursor>,
}

/// One page of items, newest first, and the cursor of the next.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    wish: Wish,
) -> Result<(Vec<ItemRow>, Option<Cursor>), DbErr> {
    let mut query = items(user_id);
    match wish.which {
        Which::All => {}
        Which::One(feed_id) => {
            query.and_where(Expr::col(("x", outside_item::Column::FeedId)).eq(feed_id));
        }
        Which::List(list_id) => {
            query.and_where(Expr::col(("f", outside_follow::Column::ListId)).eq(list_id));
        }
    }
    if wish.only_starred {
        query.and_where(Expr::col(("m", outside_mark::Column::StarredAt)).is_not_null());
    } else {
        query.and_where(Expr::col(("f", outside_follow::Column::Id)).is_not_null());
    }
    if wish.only_unread {
        query.and_where(is_unread());
    }
    if let Some(after) = wish.after {
        query.and_where(place().lt(Expr::tuple([Expr::val(after.published_at), Expr::val(after.id)])));
    }
    query
        .order_by(("x", outside_item::Column::PublishedAt), Order::Desc)
        .order_by(("x", outside_item::Column::Id), Order::Desc)
        .limit(PAGE as u64 + 1);
    let mut rows = ItemRow::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let older = rows.last().filter(|_| more).map(ItemRow::cursor);
    Ok((rows, older))
}

/// One item that the reader may see, with its text.
pub async fn item<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    id: i64,
) -> Result<Option<(ItemRow, String)>, DbErr> {
    let mut query = items(user_id);
    query.and_where(Expr::col(("x", outside_item::Column::Id)).eq(id)).and_where(is_visible());
    let Some(row) = ItemRow::find_by_statement(db.get_database_backend().build(&query)).one(db).await? else {
        return Ok(None);
    };
    let item = outside_item::Entity::find_by_id(id).one(db).await?;
    Ok(item.map(|item| (row, item.html)))
}

/// Those of the given items that the reader may see: of feeds that they follow, or starred.
pub async fn visible<C: ConnectionTrait>(db: &C, user_id: i64, ids: &[i64]) -> Result<Vec<i64>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
    }
    let mut query = noted(user_id, JoinType::LeftJoin);
    query
        .column(("x", outside_item::Column::Id))
        .and_where(Expr::col(("x", outside_item::Column::Id)).is_in(ids.iter().copied()))
        .and_where(is_visible());
    let rows = Row::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// How many unread items each of a reader's feeds has, and when the newest was published.
pub async fn unread_counts<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
) -> Result<Vec<(i64, i64, Timestamp)>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        feed_id: i64,
        count: i64,
        newest: Timestamp,
    }
    let mut query = noted(user_id, JoinType::LeftJoin);
    query
        .column(("x", outside_item::Column::FeedId))
        .expr_as(Func::count(Expr::col(("x", outside_item::Column::Id))), "count")
        .expr_as(Func::max(Expr::col(("x", outside_item::Column::PublishedAt))), "newest")
        .and_where(Expr::col(("f", outside_follow::Column::Id)).is_not_null())
        .and_where(is_unread())
        .group_by_col(("x", outside_item::Column::FeedId));
    let rows = Row::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.feed_id, row.count, row.newest)).collect())
}

/// A reader's feeds, in the order in which they came.
pub async fn feeds<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<FeedRow>, DbErr> {
    let query = feeds_of(user_id);
    FeedRow::find_by_statement(db.get_database_backend().build(&query)).all(db).await
}

/// One of a reader's feeds.
pub async fn feed<C: ConnectionTrait>(db: &C, user_id: i64, id: i64) -> Result<Option<FeedRow>, DbErr> {
    let mut query = feeds_of(user_id);
    query.and_where(Expr::col(("e", outside_feed::Column::Id)).eq(id));
    FeedRow::find_by_statement(db.get_database_backend().build(&query)).one(db).await
}

/// The feed of an address, if the reader follows it.
pub async fn feed_at<C: ConnectionTrait>(db: &C, user_id: i64, url: &str) -> Result<Option<FeedRow>, DbErr> {
    let mut query = feeds_of(user_id);
    query.and_where(Expr::col(("e", outside_feed::Column::Url)).eq(url));
    FeedRow::find_by_statement(db.get_database_backend().build(&query)).one(db).await
}

fn feeds_of(user_id: i64) -> SelectStatement {
    use outside_feed::Column as Feed;
    use outside_follow::Column as Follow;
    let mut query = Query::select();
    query
        .columns(
            [
                Feed::Id,
                Feed::Url,
                Feed::SiteUrl,
                Feed::Failures,
                Feed::LastError,
                Feed::Gone,
                Feed::LastSuccessAt,
            ]
            .map(|column| ("e", column)),
        )
        .expr_as(Expr::col(("e", Feed::Title)), "feed_title")
        .expr_as(Expr::col(("f", Follow::Title)), "own_title")
        .columns([Follow::ListId, Follow::ReadUntil, Follow::CreatedAt].map(|column| ("f", column)))
        .from_as(outside_follow::Entity, "f")
        .join_as(
            JoinType::InnerJoin,
            outside_feed::Entity,
            "e",
            Expr::col(("e", Feed::Id)).equals(("f", Follow::FeedId)),
        )
        .and_where(Expr::col(("f", Follow::UserId)).eq(user_id))
        .order_by(("f", Follow::Id), Order::Asc);
    query
}

/// A user's follow of a feed.
pub async fn follow<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    feed_id: i64,
) -> Result<Option<outside_follow::Model>, DbErr> {
    outside_follow::Entity::find()
        .filter(outside_follow::COLUMN.user_id.eq(user_id))
        .filter(outside_follow::COLUMN.feed_id.eq(feed_id))
        .one(db)
        .await
}

/// The ids of a reader's feeds.
pub fn feed_ids(user_id: i64, which: Which) -> SelectStatement {
    let mut query = Query::select();
    query
        .column(outside_follow::Column::FeedId)
        .from(outside_follow::Entity)
        .and_where(Expr::col(outside_follow::Column::UserId).eq(user_id));
    match which {
        Which::All => {}
        Which::One(id) => {
            query.and_where(Expr::col(outside_follow::Column::FeedId).eq(id));
        }
        Which::List(id) => {
            query.and_where(Expr::col(outside_follow::Column::ListId).eq(id));
        }
    }
    query
}

/// Items `x` with what the reader follows (`f`) and noted (`m`), without columns; of feeds that they do not follow
/// too where that is a left join.
pub fn noted(user_id: i64, follow: JoinType) -> SelectStatement {
    let mut query = Query::select();
    query
        .from_as(outside_item::Entity, "x")
        .join_as(
            follow,
            outside_follow::Entity,
            "f",
            Expr::col(("f", outside_follow::Column::FeedId))
                .equals(("x", outside_item::Column::FeedId))
                .and(Expr::col(("f", outside_follow::Column::UserId)).eq(user_id)),
        )
        .join_as(
            JoinType::LeftJoin,
            outside_mark::Entity,
            "m",
            Expr::col(("m", outside_mark::Column::ItemId))
                .equals(("x", outside_item::Column::Id))
                .and(Expr::col(("m", outside_mark::Column::UserId)).eq(user_id)),
        );
    query
}

fn items(user_id: i64) -> SelectStatement {
    use outside_item::Column as Item;
    let mut query = noted(user_id, JoinType::LeftJoin);
    query
        .join_as(
            JoinType::InnerJoin,
            outside_feed::Entity,
            "e",
            Expr::col(("e", outside_feed::Column::Id)).equals(("x", Item::FeedId)),
        )
        .columns(
            [Item::Id, Item::FeedId, Item::Title, Item::Author, Item::Link, Item::Lang, Item::PublishedAt]
                .map(|column| ("x", column)),
        )
        .expr_as(Expr::col(("e", outside_feed::Column::Title)), "feed_title")
        .expr_as(Expr::col(("e", outside_feed::Column::Url)), "feed_url")
        .expr_as(Expr::col(("f", outside_follow::Column::Title)), "own_title")
        .column(("m", outside_mark::Column::StarredAt))
        .expr_as(head_of(Expr::col(("x", Item::Html))), "head")
        .expr_as(Expr::case(is_unread(), 0).finally(1), "was_read");
    query
}

/// What the reader said of it, else whether it came after what counts as read.
fn is_unread() -> Expr {
    let said = Expr::col(("m", outside_mark::Column::IsRead));
    let newer = Expr::col(("x", outside_item::Column::PublishedAt))
        .gt(Expr::col(("f", outside_follow::Column::ReadUntil)));
    said.clone().eq(false).or(said.is_null().and(newer))
}

fn is_visible() -> Expr {
    Expr::col(("f", outside_follow::Column::Id)).is_not_null().or(Expr::col((
        "m",
        outside_mark::Column::StarredAt,
    ))
    .is_not_null())
}

fn place() -> Expr {
    Expr::tuple([
        Expr::col(("x", outside_item::Column::PublishedAt)),
        Expr::col(("x", outside_item::Column::Id)),
    ])
}

/// Those of the given items that the reader starred.
pub async fn starred<C: ConnectionTrait>(db: &C, user_id: i64, ids: &[i64]) -> Result<HashSet<i64>, DbErr> {
    let rows = outside_mark::Entity::find()
        .select_only()
        .column(outside_mark::Column::ItemId)
        .filter(outside_mark::COLUMN.user_id.eq(user_id))
        .filter(outside_mark::COLUMN.item_id.is_in(ids.iter().copied()))
        .filter(outside_mark::COLUMN.starred_at.is_not_null());
    Ok(rows.into_tuple::<i64>().all(db).await?.into_iter().collect())
}
