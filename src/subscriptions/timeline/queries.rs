//! Reads of the timeline: one query a page, whose cost grows with the accounts followed and not
//! with the articles that they ever published.

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

use crate::articles::content;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::read_mark;
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::home::queries::Cursor;
use crate::text::count;

/// Articles on one page.
pub const PAGE: usize = 30;
/// Unread articles are counted up to here; more show as "99+".
pub const COUNTED: i64 = 100;
/// How much of a body is read to make an excerpt of it, in characters of HTML.
const HEAD: i32 = 1_200;
/// Length of an excerpt, in characters.
const EXCERPT: usize = 120;

/// An article on a timeline.
#[derive(Clone, Debug, FromQueryResult)]
pub struct TimelineItem {
    pub id: i64,
    pub slug: String,
    pub title: String,
    /// The author's digest, or an excerpt of the body.
    pub digest: String,
    pub cover_url: Option<String>,
    pub lang: String,
    pub word_count: i32,
    pub published_at: Option<Timestamp>,
    pub handle: String,
    /// The account's name.
    pub account: String,
    head: String,
    /// 1 where it was opened, or all until it were marked as read.
    was_read: i32,
}

impl TimelineItem {
    pub fn url(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn minutes(&self) -> i32 {
        count::minutes(self.word_count, &self.lang)
    }

    /// `read` or `unread`, as the list's classes are called.
    pub fn state(&self) -> &'static str {
        if self.was_read == 1 { "read" } else { "unread" }
    }

    pub fn cursor(&self) -> Cursor {
        Cursor { published_at: self.published_at.unwrap_or_default().0, id: self.id }
    }
}

/// One page and the cursor of the next.
#[derive(Debug)]
pub struct Timeline {
    pub items: Vec<TimelineItem>,
    pub older: Option<Cursor>,
}

/// A user's articles after a cursor, newest first; only unread ones if so wished.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    only_unread: bool,
    after: Option<Cursor>,
) -> Result<Timeline, DbErr> {
    let statement = statement(db.get_database_backend(), user_id, only_unread, after);
    let mut items = TimelineItem::find_by_statement(statement).all(db).await?;
    let more = items.len() > PAGE;
    items.truncate(PAGE);
    for item in &mut items {
        let head = std::mem::take(&mut item.head);
        if item.digest.is_empty() {
            item.digest = content::excerpt(&head, EXCERPT);
        }
    }
    let older = items.last().filter(|_| more).map(TimelineItem::cursor);
    Ok(Timeline { items, older })
}

/// The query of a page.
pub fn statement(backend: DbBackend, user_id: i64, only_unread: bool, after: Option<Cursor>) -> Statement {
    backend.build(&with_details(keys(user_id, only_unread, after), user_id))
}

/// How many articles a user has not read, up to [`COUNTED`].
pub async fn count_unread<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<i64, DbErr> {
    #[derive(FromQueryResult)]
    struct Counted {
        count: i64,
    }
    let mut unread = followed_articles(user_id);
    unread.column(("x", article::Column::Id)).and_where(is_unread("x", user_id)).limit(COUNTED as u64);
    let mut query = Query::select();
    query.expr_as(Func::count(Expr::col(("unread", "id"))), "count").from_subquery(unread, "unread");
    let counted = Counted::find_by_statement(db.get_database_backend().build(&query)).one(db).await?;
    Ok(counted.map_or(0, |counted| counted.count))
}

/// The ids of a user's unread articles from one place down to another, both included.
pub fn unread_between(user_id: i64, newest: Cursor, oldest: Cursor) -> SelectStatement {
    let mut query = followed_articles(user_id);
    query
        .column(("x", article::Column::Id))
        .and_where(is_unread("x", user_id))
        .and_where(place("x").lte(place_of(newest)))
        .and_where(place("x").gte(place_of(oldest)));
    query
}

/// Ids of one page and the next article, from the index alone. Each account followed gives its own
/// newest page, down to `threshold`; the newest of them all are kept.
fn keys(user_id: i64, only_unread: bool, after: Option<Cursor>) -> SelectStatement {
    let mut threshold = Query::select();
    threshold
        .column(("b", article::Column::PublishedAt))
        .from_as(article::Entity, "b")
        .and_where(
            Expr::col(("b", article::Column::AccountId)).equals(("s", subscription::Column::AccountId)),
        )
        .and_where(Expr::col(("b", article::Column::State)).eq(ArticleState::Published))
        .order_by(("b", article::Column::PublishedAt), Order::Desc)
        .order_by(("b", article::Column::Id), Order::Desc)
        .limit(1)
        .offset(PAGE as u64);
    let mut query = followed_articles(user_id);
    if only_unread {
        threshold.and_where(is_unread("b", user_id));
        query.and_where(is_unread("x", user_id));
    }
    if let Some(after) = after {
        threshold.and_where(place("b").lt(place_of(after)));
        query.and_where(place("x").lt(place_of(after)));
    }
    let threshold = Func::coalesce([Expr::SubQuery(None, Box::new(threshold.into())), Expr::val(0i64)]);
    query
        .columns([("x", article::Column::Id), ("x", article::Column::PublishedAt)])
        .columns([("c", account::Column::Handle), ("c", account::Column::Name)])
        .expr_as(read_until(), "read_until")
        .and_where(Expr::col(("x", article::Column::PublishedAt)).gte(threshold))
        .order_by(("x", article::Column::PublishedAt), Order::Desc)
        .order_by(("x", article::Column::Id), Order::Desc)
        .limit(PAGE as u64 + 1);
    query
}

/// Adds what a page shows to the ids of [`keys`].
fn with_details(keys: SelectStatement, user_id: i64) -> SelectStatement {
    let head = Func::cust("substr").args([
        Expr::col(("a", article::Column::BodyHtml)),
        Expr::val(1),
        Expr::val(HEAD),
    ]);
    let was_read = Expr::col(("r", read_mark::Column::Id)).is_not_null().or(Expr::col((
        "k",
        article::Column::PublishedAt,
    ))
    .lte(Expr::col(("k", "read_until"))));
    let mut query = Query::select();
    query
        .columns(
            [
                article::Column::Id,
                article::Column::Slug,
                article::Column::Title,
                article::Column::Digest,
                article::Column::CoverUrl,
                article::Column::Lang,
                article::Column::WordCount,
                article::Column::PublishedAt,
            ]
            .map(|column| ("a", column)),
        )
        .column(("k", account::Column::Handle))
        .expr_as(Expr::col(("k", account::Column::Name)), "account")
        .expr_as(head, "head")
        .expr_as(Expr::case(was_read, 1).finally(0), "was_read")
        .from_subquery(keys, "k")
        .join_as(
            JoinType::InnerJoin,
            article::Entity,
            "a",
            Expr::col(("a", article::Column::Id)).equals(("k", "id")),
        )
        .join_as(
            JoinType::LeftJoin,
            read_mark::Entity,
            "r",
            Expr::col(("r", read_mark::Column::ArticleId))
                .equals(("k", "id"))
                .and(Expr::col(("r", read_mark::Column::UserId)).eq(user_id)),
        )
        .order_by(("k", article::Column::PublishedAt), Order::Desc)
        .order_by(("k", article::Column::Id), Order::Desc);
    query
}

/// Published articles `x` of the accounts `c` that a user follows by `s`, without columns.
fn followed_articles(user_id: i64) -> SelectStatement {
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

fn is_unread(table: &'static str, user_id: i64) -> Expr {
    let mark = Query::select()
        .expr(Expr::val(1))
        .from_as(read_mark::Entity, "m")
        .and_where(Expr::col(("m", read_mark::Column::UserId)).eq(user_id))
        .and_where(Expr::col(("m", read_mark::Column::ArticleId)).equals((table, article::Column::Id)))
        .take();
    Expr::col((table, article::Column::PublishedAt)).gt(read_until()).and(Expr::not_exists(mark))
}

fn read_until() -> Expr {
    Func::coalesce([Expr::col(("s", subscription::Column::ReadUntil)), Expr::val(0i64)]).into()
}

fn place(table: &'static str) -> Expr {
    Expr::tuple([Expr::col((table, article::Column::PublishedAt)), Expr::col((table, article::Column::Id))])
}

fn place_of(cursor: Cursor) -> Expr {
    Expr::tuple([Expr::val(cursor.published_at), Expr::val(cursor.id)])
}
