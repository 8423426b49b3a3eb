//! Streams: the items of a place on the shelf in the order of time, as keys. Articles and outside items are asked
//! for apart, each in its own order, and merged; a page costs what it holds and not what is on the shelf.

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::{FeedKey, ItemKey};
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::{outside_follow, outside_item, outside_mark, read_mark, saved_article};
use crate::outside::queries::noted;

/// Where on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    All,
    Starred,
    Feed(FeedKey),
    List(i64),
}

/// An item's place in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub moment: i64,
    pub key: ItemKey,
}

/// Which items of a place, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub place: Place,
    pub is_read: Option<bool>,
    pub is_starred: Option<bool>,
    pub oldest_first: bool,
    /// Published at or after, and before or at.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub after: Option<Position>,
    pub limit: u64,
}

impl Wish {
    /// The newest items of a place.
    pub fn newest(place: Place, limit: u64) -> Self {
        Self {
            place,
            is_read: None,
            is_starred: None,
            oldest_first: false,
            since: None,
            until: None,
            after: None,
            limit,
        }
    }
}

/// How an article came to be read or unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Any,
    /// Newer than what counts as read, and nothing was said of it.
    Fresh,
    /// The reader said that it is to be unread.
    Kept,
    Read,
}

/// Makes a key of a row's id.
type KeyOf = fn(i64) -> ItemKey;

/// The places of one page of items.
pub async fn page<C: ConnectionTrait>(db: &C, user_id: i64, wish: &Wish) -> Result<Vec<Position>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        published_at: Timestamp,
    }
    let mut found = Vec::new();
    // What is unread is found by two indexes: one query would use neither.
    let parts: &[Part] = match wish.is_read {
        None => &[Part::Any],
        Some(true) => &[Part::Read],
        Some(false) => &[Part::Fresh, Part::Kept],
    };
    let mut statements: Vec<(SelectStatement, KeyOf)> = Vec::new();
    for part in parts {
        if let Some(query) = article_page(user_id, wish, *part) {
            statements.push((query, ItemKey::Article));
        }
    }
    if let Some(query) = outside_page(user_id, wish) {
        statements.push((query, ItemKey::Outside));
    }
    for (query, key) in statements {
        let rows = Row::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
        found.extend(rows.into_iter().map(|row| Position { moment: row.published_at.0, key: key(row.id) }));
    }
    found.sort_unstable();
    if !wish.oldest_first {
        found.reverse();
    }
    found.dedup();
    found.truncate(usize::try_from(wish.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Articles `x` of the accounts `c` that a reader follows by `s`, without columns.
pub fn articles(user_id: i64) -> SelectStatement {
    let followed = [SubscriptionState::Active, SubscriptionState::Paused];
    let mut query = Query::select();
    query
        .from_as(subscription::Entity, "s")
        .join_as(
            JoinType::InnerJoin,
            account::Entity,
            "c",
            Expr::col(("c", account::Column::Id)).equals(("s", subscription::Column::AccountId)),
        )
        .join_as(
            JoinType::InnerJoin,
            article::Entity,
            "x",
            Expr::col(("x", article::Column::AccountId)).equals(("s", subscription::Column::AccountId)),
        )
        .and_where(Expr::col(("s", subscription::Column::UserId)).eq(user_id))
        .and_where(Expr::col(("s", subscription::Column::State)).is_in(followed))
        .and_where(Expr::col(("c", account::Column::State)).eq(AccountState::Active))
        .and_where(Expr::col(("x", article::Column::State)).eq(ArticleState::Published));
    query
}

/// Articles `x` that a reader saved and that have their star, with their subscription `s` where there is one, without columns.
fn saved(user_id: i64) -> SelectStatement {
    let followed = [SubscriptionState::Active, SubscriptionState::Paused];
    let mut query = Query::select();
    query
        .from_as(saved_article::Entity, "v")
        .join_as(
            JoinType::InnerJoin,
            article::Entity,
            "x",
            Expr::col(("x", article::Column::Id)).equals(("v", saved_article::Column::ArticleId)),
        )
        .join_as(
            JoinType::LeftJoin,
            subscription::Entity,
            "s",
            Expr::col(("s", subscription::Column::AccountId))
                .equals(("x", article::Column::AccountId))
                .and(Expr::col(("s", subscription::Column::UserId)).eq(user_id))
                .and(Expr::col(("s", subscription::Column::State)).is_in(followed)),
        )
        .and_where(Expr::col(("v", saved_article::Column::UserId)).eq(user_id))
        .and_where(Expr::col(("v", saved_article::Column::Starred)).eq(true))
        .and_where(Expr::col(("x", article::Column::PublishedAt)).is_not_null());
    query
}

/// Items `x` of the outside feeds that a reader follows by `f`, with what they noted `m`, without columns.
pub fn outside(user_id: i64) -> SelectStatement {
    let mut query = noted(user_id, JoinType::InnerJoin);
    query.and_where(Expr::col(("f", outside_follow::Column::UserId)).eq(user_id));
    query
}

fn article_page(user_id: i64, wish: &Wish, part: Part) -> Option<SelectStatement> {
    let mut query = if wish.place == Place::Starred { saved(user_id) } else { articles(user_id) };
    match wish.place {
        Place::Feed(FeedKey::Outside(_)) => return None,
        Place::Feed(FeedKey::Account(id)) => {
            query.and_where(Expr::col(("s", subscription::Column::AccountId)).eq(id));
        }
        Place::List(id) => {
            query.and_where(Expr::col(("s", subscription::Column::ListId)).eq(id));
        }
        Place::All | Place::Starred => {}
    }
    if matches!(wish.place, Place::All | Place::List(_)) {
        query.and_where(within_reach(user_id, wish, part));
    }
    narrow_articles(&mut query, "x", user_id, wish, part);
    Some(ordered(query, wish))
}

/// Of each account no more than the page can hold is looked at: its newest articles down to the one after the
/// last that fits (or its oldest ones up to it).
fn within_reach(user_id: i64, wish: &Wish, part: Part) -> Expr {
    let order = if wish.oldest_first { Order::Asc } else { Order::Desc };
    let mut edge = Query::select();
    edge.column(("b", article::Column::PublishedAt))
        .from_as(article::Entity, "b")
        .and_where(
            Expr::col(("b", article::Column::AccountId)).equals(("s", subscription::Column::AccountId)),
        )
        .and_where(Expr::col(("b", article::Column::State)).eq(ArticleState::Published))
        .order_by(("b", article::Column::PublishedAt), order.clone())
        .order_by(("b", article::Column::Id), order)
        .limit(1)
        .offset(wish.limit);
    narrow_articles(&mut edge, "b", user_id, wish, part);
    let published = Expr::col(("x", article::Column::PublishedAt));
    let furthest = if wish.oldest_first { i64::MAX } else { 0 };
    let edge = Func::coalesce([Expr::SubQuery(None, Box::new(edge.into())), Expr::val(furthest)]);
    if wish.oldest_first { published.lte(edge) } else { published.gte(edge) }
}

fn narrow_articles(query: &mut SelectStatement, table: &'static str, user_id: i64, wish: &Wish, part: Part) {
    let id = (table, article::Column::Id);
    let mark = |is_read: Option<bool>| {
        let mut mark = Query::select();
        mark.expr(Expr::val(1))
            .from_as(read_mark::Entity, "m")
            .and_where(Expr::col(("m", read_mark::Column::UserId)).eq(user_id))
            .and_where(Expr::col(("m", read_mark::Column::ArticleId)).equals(id));
        if let Some(is_read) = is_read {
            mark.and_where(Expr::col(("m", read_mark::Column::IsRead)).eq(is_read));
        }
        mark
    };
    let published = Expr::col((table, article::Column::PublishedAt));
    // What is not followed any more counts as read.
    let nothing = if wish.place == Place::Starred { i64::MAX } else { 0 };
    let read_until = Func::coalesce([Expr::col(("s", subscription::Column::ReadUntil)), Expr::val(nothing)]);
    match part {
        Part::Any => {}
        Part::Fresh => {
            query.and_where(published.clone().gt(read_until)).and_where(Expr::not_exists(mark(None)));
        }
        Part::Kept => {
            query.and_where(Expr::exists(mark(Some(false))));
        }
        Part::Read => {
            let said = Expr::exists(mark(Some(true)));
            let passed = published.clone().lte(read_until).and(Expr::not_exists(mark(Some(false))));
            query.and_where(said.or(passed));
        }
    }
    if let Some(is_starred) = wish.is_starred {
        let mut star = Query::select();
        star.expr(Expr::val(1))
            .from_as(saved_article::Entity, "w")
            .and_where(Expr::col(("w", saved_article::Column::UserId)).eq(user_id))
            .and_where(Expr::col(("w", saved_article::Column::Starred)).eq(true))
            .and_where(Expr::col(("w", saved_article::Column::ArticleId)).equals(id));
        query.and_where(if is_starred { Expr::exists(star) } else { Expr::not_exists(star) });
    }
    // Where the page begins, among items of both kinds: see the order of `ItemKey`.
    let after = wish.after.map(|after| match after.key {
        ItemKey::Article(id) => (after.moment, id),
        ItemKey::Outside(_) => (after.moment, i64::MAX),
    });
    narrow_times(query, published, Expr::col(id), wish, after);
}

fn outside_page(user_id: i64, wish: &Wish) -> Option<SelectStatement> {
    let mut query = match wish.place {
        Place::Starred => noted(user_id, JoinType::LeftJoin),
        _ => outside(user_id),
    };
    match wish.place {
        Place::Feed(FeedKey::Account(_)) => return None,
        Place::Feed(FeedKey::Outside(id)) => {
            query.and_where(Expr::col(("x", outside_item::Column::FeedId)).eq(id));
        }
        Place::List(id) => {
            query.and_where(Expr::col(("f", outside_follow::Column::ListId)).eq(id));
        }
        Place::All | Place::Starred => {}
    }
    let starred = Expr::col(("m", outside_mark::Column::StarredAt));
    let is_starred = if wish.place == Place::Starred { Some(true) } else { wish.is_starred };
    if let Some(is_starred) = is_starred {
        query.and_where(if is_starred { starred.is_not_null() } else { starred.is_null() });
    }
    if let Some(is_read) = wish.is_read {
        let unread = outside_is_unread();
        // What is not followed any more counts as read, and compares to nothing.
        let read = Expr::expr(Func::coalesce([unread.clone(), Expr::val(false)])).eq(false);
        query.and_where(if is_read { read } else { unread });
    }
    let after = wish.after.map(|after| match after.key {
        ItemKey::Outside(id) => (after.moment, id),
        ItemKey::Article(_) => (after.moment, 0),
    });
    let published = Expr::col(("x", outside_item::Column::PublishedAt));
    narrow_times(&mut query, published, Expr::col(("x", outside_item::Column::Id)), wish, after);
    Some(ordered(query, wish))
}

/// Whether an outside item `x` is unread by what was noted (`m`), else by what counts as read (`f`).
pub fn outside_is_unread() -> Expr {
    let said = Expr::col(("m", outside_mark::Column::IsRead));
    let newer = Expr::col(("x", outside_item::Column::PublishedAt))
        .gt(Expr::col(("f", outside_follow::Column::ReadUntil)));
    said.clone().eq(false).or(said.is_null().and(newer))
}

fn narrow_times(
    query: &mut SelectStatement,
    published: Expr,
    id: Expr,
    wish: &Wish,
    after: Option<(i64, i64)>,
) {
    if let Some(since) = wish.since {
        query.and_where(published.clone().gte(since));
    }
    if let Some(until) = wish.until {
        query.and_where(published.clone().lte(until));
    }
    if let Some((moment, last)) = after {
        let place = Expr::tuple([published, id]);
        let edge = Expr::tuple([Expr::val(moment), Expr::val(last)]);
        query.and_where(if wish.oldest_first { place.gt(edge) } else { place.lt(edge) });
    }
}

fn ordered(mut query: SelectStatement, wish: &Wish) -> SelectStatement {
    let order = if wish.oldest_first { Order::Asc } else { Order::Desc };
    query
        .column(("x", "id"))
        .column(("x", "published_at"))
        .order_by(("x", "published_at"), order.clone())
        .order_by(("x", "id"), order)
        .limit(wish.limit)
        .take()
}
