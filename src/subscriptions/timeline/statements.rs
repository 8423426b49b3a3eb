//! What is asked for the timeline, in SQL. A page costs what it shows: the newest article of each account followed says
//! how far back the page can reach at most, and only accounts that reach into it are read, each no further than a page.

use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait, Func, JoinType, NullOrdering, Order, Query, SelectStatement,
    UnionType,
};
use sea_orm::{Condition, DbBackend, EntityTrait, Statement};

use super::queries::{Scope, Wanted};
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::{read_mark, saved_article};
use crate::home::queries::Cursor;
use crate::shown::head_of;

/// The query of a page.
pub fn statement(
    backend: DbBackend,
    user_id: i64,
    wanted: &Wanted,
    after: Option<Cursor>,
    limit: usize,
) -> Statement {
    backend.build(&with_details(keys(user_id, wanted, after, limit), user_id))
}

/// The ids of a user's unread articles from one place down to another, both included.
pub fn unread_between(user_id: i64, scope: &Scope, newest: Cursor, oldest: Cursor) -> SelectStatement {
    let between = |query: &mut SelectStatement| {
        query
            .column(("x", article::Column::Id))
            .and_where(Expr::col(("x", article::Column::State)).eq(ArticleState::Published))
            .and_where(place("x").lte(place_of(newest)))
            .and_where(place("x").gte(place_of(oldest)));
    };
    let mut query = followed_accounts(user_id, scope);
    then(&mut query, article::Entity, "x", is_of("x", "s"));
    query.and_where(is_unmarked("x", "s", user_id));
    between(&mut query);
    let mut marked = marked_articles(user_id);
    then_followed(&mut marked, user_id, scope);
    between(&mut marked);
    query.union(UnionType::All, marked).take()
}

/// The ids of articles published up to a moment that a user has marked as unread.
pub fn marked_unread(user_id: i64, scope: &Scope, until: Timestamp) -> SelectStatement {
    let mut query = marked_articles(user_id);
    then_followed(&mut query, user_id, scope);
    query
        .column(("x", article::Column::Id))
        .and_where(Expr::col(("x", article::Column::PublishedAt)).lte(until))
        .take()
}

/// Ids of one page, newest first, from indexes alone, with what the page needs of their accounts.
pub(super) fn keys(user_id: i64, wanted: &Wanted, after: Option<Cursor>, limit: usize) -> SelectStatement {
    let followed = CommonTableExpression::new()
        .table_name("f")
        .columns(["account_id", "handle", "name", "read_until", "newest"])
        .query(followed_with_newest(user_id, wanted, after))
        .to_owned();
    let lowest = floor_of_account(user_id, wanted, after, limit);
    let mut query = Query::select();
    query.from("f");
    then(&mut query, article::Entity, "x", is_of("x", "f"));
    query
        .and_where(Expr::col(("x", article::Column::State)).eq(ArticleState::Published))
        .and_where(Expr::col(("f", "newest")).gte(floor(limit)))
        .and_where(Expr::col(("x", article::Column::PublishedAt)).gte(lowest));
    if wanted.only_unread {
        query.and_where(is_unmarked("x", "f", user_id));
    }
    with_key_columns(&mut query, after);
    if wanted.only_unread {
        let mut marked = marked_articles(user_id);
        marked.cross_join("f").and_where(is_of("x", "f"));
        with_key_columns(&mut marked, after);
        query.union(UnionType::All, marked);
    }
    query
        .order_by("published_at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(limit as u64)
        .with_cte(followed)
        .take()
}

fn with_key_columns(query: &mut SelectStatement, after: Option<Cursor>) {
    query.columns([("x", article::Column::Id), ("x", article::Column::PublishedAt)]).columns([
        ("f", "handle"),
        ("f", "name"),
        ("f", "read_until"),
    ]);
    if let Some(after) = after {
        query.and_where(place("x").lt(place_of(after)));
    }
}

/// As far back as a page can reach: so many accounts have something that is as new, or newer.
fn floor(limit: usize) -> Expr {
    let newest = Query::select()
        .column(("n", "newest"))
        .from_as("f", "n")
        .and_where(Expr::col(("n", "newest")).is_not_null())
        .order_by_with_nulls(("n", "newest"), Order::Desc, NullOrdering::Last)
        .limit(1)
        .offset(limit as u64 - 1)
        .take();
    Func::coalesce([Expr::SubQuery(None, Box::new(newest.into())), Expr::val(0i64)]).into()
}

/// The same within an account that alone could fill the page.
fn floor_of_account(user_id: i64, wanted: &Wanted, after: Option<Cursor>, limit: usize) -> Expr {
    let mut threshold = newest_of("f", user_id, wanted, after);
    threshold
        .and_where(Expr::col(("b", article::Column::PublishedAt)).gte(floor(limit)))
        .offset(limit as u64 - 1);
    Func::coalesce([Expr::SubQuery(None, Box::new(threshold.into())), floor(limit)]).into()
}

/// When an article of an account's first came after a cursor; what is marked as unread does not count here.
fn newest_of(of: &'static str, user_id: i64, wanted: &Wanted, after: Option<Cursor>) -> SelectStatement {
    let mut newest = Query::select();
    newest
        .column(("b", article::Column::PublishedAt))
        .from_as(article::Entity, "b")
        .and_where(is_of("b", of))
        .and_where(Expr::col(("b", article::Column::State)).eq(ArticleState::Published))
        .order_by(("b", article::Column::PublishedAt), Order::Desc)
        .order_by(("b", article::Column::Id), Order::Desc)
        .limit(1);
    if let Some(after) = after {
        newest.and_where(place("b").lt(place_of(after)));
    }
    if wanted.only_unread {
        newest.and_where(is_unmarked("b", of, user_id));
    }
    newest
}

/// Accounts with their newest article after a cursor.
pub(super) fn followed_with_newest(user_id: i64, wanted: &Wanted, after: Option<Cursor>) -> SelectStatement {
    let newest = newest_of("s", user_id, wanted, after);
    let mut query = followed_accounts(user_id, &wanted.scope);
    query
        .column(("s", subscription::Column::AccountId))
        .columns([("c", account::Column::Handle), ("c", account::Column::Name)])
        .expr_as(read_until("s"), "read_until")
        .expr_as(Expr::SubQuery(None, Box::new(newest.into())), "newest");
    query
}

/// Adds what a page shows to the ids of [`keys`].
fn with_details(keys: SelectStatement, user_id: i64) -> SelectStatement {
    let until = Expr::col(("k", article::Column::PublishedAt)).lte(Expr::col(("k", "read_until")));
    let unmarked = Expr::col(("r", read_mark::Column::Id)).is_null();
    let was_read = Expr::col(("r", read_mark::Column::IsRead)).eq(true).or(unmarked.and(until));
    let of_reader = |table: &'static str| {
        let is_of_user = Expr::col((table, "user_id")).eq(user_id);
        Expr::col((table, "article_id")).equals(("k", "id")).and(is_of_user)
    };
    let columns = [
        article::Column::Id,
        article::Column::Slug,
        article::Column::Title,
        article::Column::Digest,
        article::Column::CoverUrl,
        article::Column::Lang,
        article::Column::WordCount,
        article::Column::PublishedAt,
        article::Column::Tags,
    ];
    let mut query = Query::select();
    query
        .columns(columns.map(|column| ("a", column)))
        .column(("k", account::Column::Handle))
        .expr_as(Expr::col(("k", account::Column::Name)), "account")
        .expr_as(Expr::col(("v", saved_article::Column::Id)), "saved_id")
        .expr_as(head_of(Expr::col(("a", article::Column::BodyHtml))), "head")
        .expr_as(Expr::case(was_read, 1).finally(0), "was_read")
        .from_subquery(keys, "k");
    then(&mut query, article::Entity, "a", Expr::col(("a", article::Column::Id)).equals(("k", "id")));
    query
        .join_as(JoinType::LeftJoin, read_mark::Entity, "r", of_reader("r"))
        .join_as(JoinType::LeftJoin, saved_article::Entity, "v", of_reader("v"))
        .order_by(("k", article::Column::PublishedAt), Order::Desc)
        .order_by(("k", article::Column::Id), Order::Desc);
    query
}

/// The accounts `c` that a user follows by `s`, without columns.
fn followed_accounts(user_id: i64, scope: &Scope) -> SelectStatement {
    let mut query = Query::select();
    query.from_as(subscription::Entity, "s");
    only_followed(&mut query, user_id, scope);
    query
}

/// The articles `x` that a user has marked as unread, by `m`, without columns.
fn marked_articles(user_id: i64) -> SelectStatement {
    let mut query = Query::select();
    query
        .from_as(read_mark::Entity, "m")
        .and_where(Expr::col(("m", read_mark::Column::UserId)).eq(user_id))
        // Said as the index of unread marks says it.
        .and_where(Expr::cust("m.is_read = FALSE"));
    let is_marked = Expr::col(("x", article::Column::Id)).equals(("m", read_mark::Column::ArticleId));
    then(&mut query, article::Entity, "x", is_marked);
    query.and_where(Expr::col(("x", article::Column::State)).eq(ArticleState::Published));
    query
}

/// Narrows articles `x` to accounts that a user follows.
fn then_followed(query: &mut SelectStatement, user_id: i64, scope: &Scope) {
    then(query, subscription::Entity, "s", is_of("x", "s"));
    only_followed(query, user_id, scope);
}

/// Narrows subscriptions `s` to those of a user that count, and adds their accounts `c`.
fn only_followed(query: &mut SelectStatement, user_id: i64, scope: &Scope) {
    let followed = [SubscriptionState::Active, SubscriptionState::Paused];
    let is_account = Expr::col(("c", account::Column::Id)).equals(("s", subscription::Column::AccountId));
    then(query, account::Entity, "c", is_account);
    query
        .and_where(Expr::col(("s", subscription::Column::UserId)).eq(user_id))
        .and_where(Expr::col(("s", subscription::Column::State)).is_in(followed))
        .and_where(Expr::col(("c", account::Column::State)).eq(AccountState::Active));
    if let Some(account_id) = scope.account {
        query.and_where(Expr::col(("s", subscription::Column::AccountId)).eq(account_id));
    }
    if let Some(list_id) = scope.list {
        query.and_where(Expr::col(("s", subscription::Column::ListId)).eq(list_id));
    }
}

/// Joins a table that is to be read after those that are there: SQLite takes the order of a cross join for
/// settled, and is not tempted to begin with all articles that are published.
fn then<T: EntityTrait>(query: &mut SelectStatement, table: T, name: &'static str, on: Expr) {
    query.join_as(JoinType::CrossJoin, table, name, Condition::all()).and_where(on);
}

fn is_of(articles: &'static str, of: &'static str) -> Expr {
    Expr::col((articles, article::Column::AccountId)).equals((of, "account_id"))
}

/// Newer than all that counts as read in its account, and not marked in either way.
fn is_unmarked(articles: &'static str, of: &'static str, user_id: i64) -> Expr {
    let mark = Query::select()
        .expr(Expr::val(1))
        .from_as(read_mark::Entity, "m")
        .and_where(Expr::col(("m", read_mark::Column::UserId)).eq(user_id))
        .and_where(Expr::col(("m", read_mark::Column::ArticleId)).equals((articles, article::Column::Id)))
        .take();
    Expr::col((articles, article::Column::PublishedAt)).gt(read_until(of)).and(Expr::not_exists(mark))
}

fn read_until(of: &'static str) -> Expr {
    Func::coalesce([Expr::col((of, "read_until")), Expr::val(0i64)]).into()
}

fn place(table: &'static str) -> Expr {
    Expr::tuple([Expr::col((table, article::Column::PublishedAt)), Expr::col((table, article::Column::Id))])
}

fn place_of(cursor: Cursor) -> Expr {
    Expr::tuple([Expr::val(cursor.published_at), Expr::val(cursor.id)])
}
