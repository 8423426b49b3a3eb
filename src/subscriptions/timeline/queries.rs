//! Reads of the timeline. A page costs what it shows: the newest article of each account followed says how far
//! back the page can reach at most, and only accounts that reach into it are read, each no further than a page.

use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait, Func, JoinType, NullOrdering, Order, Query, SelectStatement,
    UnionType,
};
use sea_orm::{Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, Statement};

use super::mute::Mute;
use crate::articles::content;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState, Tags};
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::{read_mark, saved_article};
use crate::home::queries::Cursor;
use crate::text::{count, fold};

/// Articles on one page.
pub const PAGE: usize = 30;
/// Unread articles are counted up to here; more show as "99+".
pub const COUNTED: i64 = 100;
/// Unread articles that are looked at for a count without those that words hide.
const LOOKED_AT: usize = 200;
/// Articles read at once, where some of them will not be shown.
const SIFTED: usize = 90;
/// How often that is done for one page; what is further down comes on the next.
const ROUNDS: usize = 8;
/// How much of a body is read to make an excerpt of it, in characters of HTML.
const HEAD: i32 = 1_200;
/// Length of an excerpt, in characters.
const EXCERPT: usize = 120;

/// A part of a user's timeline: one account, one list, or all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub account: Option<i64>,
    pub list: Option<i64>,
}

/// What of a timeline is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub only_unread: bool,
    pub scope: Scope,
    /// Articles with this tag only, in either script; empty: all.
    pub tag: String,
}

impl Wanted {
    pub fn unread() -> Self {
        Self { only_unread: true, ..Self::default() }
    }
}

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
    pub tags: Tags,
    pub handle: String,
    /// The account's name.
    pub account: String,
    /// The reader's copy, where it is saved.
    pub saved_id: Option<i64>,
    head: String,
    /// 1 where it counts as read.
    was_read: i32,
}

impl TimelineItem {
    pub fn url(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn minutes(&self) -> i32 {
        count::minutes(self.word_count, &self.lang)
    }

    pub fn is_read(&self) -> bool {
        self.was_read == 1
    }

    /// `read` or `unread`, as the list's classes are called.
    pub fn state(&self) -> &'static str {
        if self.is_read() { "read" } else { "unread" }
    }

    pub fn cursor(&self) -> Cursor {
        Cursor { published_at: self.published_at.unwrap_or_default().0, id: self.id }
    }

    fn with_excerpt(mut self) -> Self {
        let head = std::mem::take(&mut self.head);
        if self.digest.is_empty() {
            self.digest = content::excerpt(&head, EXCERPT);
        }
        self
    }

    /// What of it a reader sees before opening it.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.0.iter().map(String::as_str);
        [self.title.as_str(), self.digest.as_str()].into_iter().chain(tags)
    }
}

/// One page and the cursor of the next.
#[derive(Debug, Default)]
pub struct Timeline {
    pub items: Vec<TimelineItem>,
    pub older: Option<Cursor>,
    /// Articles left out because of the reader's words.
    pub hidden: usize,
}

/// A user's articles after a cursor, newest first, without those that words hide.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    wanted: &Wanted,
    mute: &Mute,
    after: Option<Cursor>,
) -> Result<Timeline, DbErr> {
    let tag = fold::letters(&wanted.tag);
    let is_sifted = !mute.is_empty() || !tag.is_empty();
    let (limit, rounds) = if is_sifted { (SIFTED, ROUNDS) } else { (PAGE, 1) };
    let mut timeline = Timeline::default();
    let mut after = after;
    for _ in 0..rounds {
        let statement = statement(db.get_database_backend(), user_id, wanted, after, limit + 1);
        let rows = TimelineItem::find_by_statement(statement).all(db).await?;
        let more = rows.len() > limit;
        let count = rows.len().min(limit);
        for (index, row) in rows.into_iter().take(limit).enumerate() {
            let item = row.with_excerpt();
            after = Some(item.cursor());
            if !tag.is_empty() && !item.tags.0.iter().any(|own| fold::letters(own) == tag) {
                continue;
            }
            if mute.hides(item.texts()) {
                timeline.hidden += 1;
                continue;
            }
            timeline.items.push(item);
            if timeline.items.len() == PAGE {
                timeline.older = after.filter(|_| more || index + 1 < count);
                return Ok(timeline);
            }
        }
        if !more {
            return Ok(timeline);
        }
    }
    timeline.older = after;
    Ok(timeline)
}

/// How many articles a user has not read, up to [`COUNTED`], without those that words hide. The answer is at
/// least what it says where so many are hidden that not all were looked at.
pub async fn count_unread<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    scope: &Scope,
    mute: &Mute,
) -> Result<i64, DbErr> {
    let wanted = Wanted { scope: *scope, ..Wanted::unread() };
    let backend = db.get_database_backend();
    if !mute.is_empty() {
        let rows = statement(backend, user_id, &wanted, None, LOOKED_AT);
        let rows = TimelineItem::find_by_statement(rows).all(db).await?;
        let shown = rows.into_iter().map(TimelineItem::with_excerpt).filter(|row| !mute.hides(row.texts()));
        return Ok(Ord::min(shown.count() as i64, COUNTED));
    }
    #[derive(FromQueryResult)]
    struct Counted {
        count: i64,
    }
    let keys = keys(user_id, &wanted, None, COUNTED as usize);
    let mut query = Query::select();
    query.expr_as(Func::count(Expr::col(("unread", "id"))), "count").from_subquery(keys, "unread");
    let counted = Counted::find_by_statement(backend.build(&query)).one(db).await?;
    Ok(counted.map_or(0, |counted| counted.count))
}

/// An account that a reader follows, as it stands beside the timeline.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Followed {
    pub subscription_id: i64,
    pub account_id: i64,
    pub handle: String,
    pub name: String,
    pub list_id: Option<i64>,
    pub cadence: Cadence,
    /// Of the newest unread article; none where all is read.
    pub newest: Option<Timestamp>,
}

impl Followed {
    pub fn has_unread(&self) -> bool {
        self.newest.is_some()
    }

    pub fn pace(&self) -> Cadence {
        self.cadence
    }

    /// The list that it is in.
    pub fn list(&self) -> Option<i64> {
        self.list_id
    }
}

/// The accounts that a user follows, those with something unread first, then by name.
pub async fn followed<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<Vec<Followed>, DbErr> {
    let mut query = followed_with_newest(user_id, &Wanted::unread(), None);
    query
        .expr_as(Expr::col(("s", subscription::Column::Id)), "subscription_id")
        .columns([("s", subscription::Column::ListId), ("s", subscription::Column::Cadence)])
        .order_by(("c", account::Column::Name), Order::Asc)
        .order_by(("s", subscription::Column::Id), Order::Asc);
    let mut rows = Followed::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    rows.sort_by_key(|row| !row.has_unread());
    Ok(rows)
}

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
fn keys(user_id: i64, wanted: &Wanted, after: Option<Cursor>, limit: usize) -> SelectStatement {
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
fn followed_with_newest(user_id: i64, wanted: &Wanted, after: Option<Cursor>) -> SelectStatement {
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
    let head = Func::cust("substr").args([
        Expr::col(("a", article::Column::BodyHtml)),
        Expr::val(1),
        Expr::val(HEAD),
    ]);
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
        .expr_as(head, "head")
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
