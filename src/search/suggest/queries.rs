//! What is suggested, read from the database: published articles of active accounts, and those accounts.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, FromQueryResult};

use crate::articles;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState, Tags};
use crate::db::entities::read_mark;
use crate::db::entities::subscription::{self, SubscriptionState};

/// Rows read at a time.
const PAGE: u64 = 5_000;
/// Reads that are counted: the newest ones.
const READS: i64 = 300_000;

#[derive(Debug, Clone, FromQueryResult)]
pub struct AccountRow {
    pub id: i64,
    pub handle: String,
    pub name: String,
    pub lang: String,
}

#[derive(Debug, Clone, FromQueryResult)]
pub struct TitleRow {
    pub id: i64,
    pub title: String,
    pub slug: String,
    pub lang: String,
    pub tags: Tags,
    pub published_at: Option<Timestamp>,
    pub handle: String,
    /// The account's.
    pub name: String,
}

/// Those of the given accounts that are open to readers, in no order.
pub async fn accounts_of(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<AccountRow>, DbErr> {
    let mut select = active_accounts();
    select.and_where(Expr::col(account::Column::Id).is_in(ids.iter().copied()));
    AccountRow::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// All accounts that are open to readers, those with most subscribers first, then those with most
/// articles.
pub async fn accounts(db: &DatabaseConnection) -> Result<Vec<AccountRow>, DbErr> {
    let select = active_accounts();
    let mut rows = AccountRow::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    let mut subscribers = Query::select();
    subscribers.column(subscription::Column::AccountId).from(subscription::Entity).and_where(
        Expr::col(subscription::Column::State).is_in([SubscriptionState::Active, SubscriptionState::Paused]),
    );
    let subscribers = count(db, subscribers, "account_id").await?;
    let mut articles = Query::select();
    articles
        .column(article::Column::AccountId)
        .from(article::Entity)
        .and_where(Expr::col(article::Column::State).eq(ArticleState::Published));
    let articles = count(db, articles, "account_id").await?;
    let of = |counts: &HashMap<i64, i64>, id: i64| counts.get(&id).copied().unwrap_or(0);
    rows.sort_by_key(|row| std::cmp::Reverse((of(&subscribers, row.id), of(&articles, row.id), -row.id)));
    Ok(rows)
}

/// How often each article was read lately by readers who are signed in.
pub async fn reads(db: &DatabaseConnection) -> Result<HashMap<i64, i64>, DbErr> {
    let mut newest = Query::select();
    newest.expr_as(Func::max(Expr::col(read_mark::Column::Id)), "newest").from(read_mark::Entity);
    let newest = match db.query_one(&newest).await? {
        Some(row) => row.try_get::<Option<i64>>("", "newest")?.unwrap_or(0),
        None => 0,
    };
    let mut reads = Query::select();
    reads
        .column(read_mark::Column::ArticleId)
        .from(read_mark::Entity)
        .and_where(Expr::col(read_mark::Column::IsRead).eq(true))
        .and_where(Expr::col(read_mark::Column::Id).gt(newest - READS));
    count(db, reads, "article_id").await
}

/// The titles published last, newest first, at most `limit`.
pub async fn titles(db: &DatabaseConnection, limit: usize) -> Result<Vec<TitleRow>, DbErr> {
    let mut all: Vec<TitleRow> = Vec::new();
    loop {
        let room = (limit - all.len()).min(PAGE as usize) as u64;
        if room == 0 {
            return Ok(all);
        }
        let mut select = published_titles();
        let (moment, id) = (("articles", article::Column::PublishedAt), ("articles", article::Column::Id));
        if let Some(last) = all.last() {
            let at = last.published_at.unwrap_or_default();
            let before = Expr::col(moment).lt(at).or(Expr::col(moment).eq(at).and(Expr::col(id).lt(last.id)));
            select.and_where(Expr::col(moment).lte(at)).and_where(before);
        }
        select.order_by(moment, Order::Desc).order_by(id, Order::Desc).limit(room);
        let rows = TitleRow::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
        let ended = (rows.len() as u64) < room;
        all.extend(rows);
        if ended {
            return Ok(all);
        }
    }
}

/// Those of the given articles that readers may see, in no order.
pub async fn titles_of(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<TitleRow>, DbErr> {
    let mut all = Vec::new();
    for ids in ids.chunks(1_000) {
        let mut select = published_titles();
        select.and_where(Expr::col(("articles", article::Column::Id)).is_in(ids.iter().copied()));
        let rows = TitleRow::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
        all.extend(rows);
    }
    Ok(all)
}

fn active_accounts() -> SelectStatement {
    let mut select = Query::select();
    select
        .columns([account::Column::Id, account::Column::Handle, account::Column::Name, account::Column::Lang])
        .from(account::Entity)
        .and_where(Expr::col(account::Column::State).eq(AccountState::Active));
    select
}

fn published_titles() -> SelectStatement {
    use article::Column as Article;
    let mut select = articles::queries::public();
    select
        .columns([
            ("articles", Article::Id),
            ("articles", Article::Title),
            ("articles", Article::Slug),
            ("articles", Article::Lang),
            ("articles", Article::Tags),
            ("articles", Article::PublishedAt),
        ])
        .columns([("accounts", account::Column::Handle), ("accounts", account::Column::Name)])
        .and_where(Expr::col(("articles", Article::PublishedAt)).is_not_null());
    select
}

/// Rows of a selection by one of its columns.
async fn count(
    db: &DatabaseConnection,
    mut select: SelectStatement,
    column: &'static str,
) -> Result<HashMap<i64, i64>, DbErr> {
    select.expr_as(Func::count(Expr::val(1)), "count").add_group_by([Expr::col(column)]);
    let rows = db.query_all(&select).await?;
    rows.into_iter().map(|row| Ok((row.try_get("", column)?, row.try_get("", "count")?))).collect()
}
