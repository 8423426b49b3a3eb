//! Sums of what was looked for.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};

use crate::db::entities::{search_click, search_query};

/// What was looked for in some days.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Asked {
    pub shown: String,
    pub searches: i64,
    /// Searches that found nothing.
    pub empty: i64,
    pub clicks: i64,
}

/// How often the result at a rank was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct Clicked {
    pub rank: i64,
    pub clicks: i64,
}

/// Queries since a day, the most frequent first; `account` is 0 for the whole site.
pub async fn top(db: &DatabaseConnection, account: i64, since: i64, limit: u64) -> Result<Vec<Asked>, DbErr> {
    let mut select = asked(since);
    select.and_where(Expr::col(search_query::Column::AccountId).eq(account)).limit(limit);
    Asked::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// Queries since a day that found nothing, each time they were asked, the most frequent first.
pub async fn not_found(
    db: &DatabaseConnection,
    account: i64,
    since: i64,
    limit: u64,
) -> Result<Vec<Asked>, DbErr> {
    let mut select = asked(since);
    select
        .and_where(Expr::col(search_query::Column::AccountId).eq(account))
        .and_having(Expr::expr(sum(search_query::Column::Empty)).gte(sum(search_query::Column::Searches)))
        .and_having(Expr::expr(sum(search_query::Column::Searches)).gt(0))
        .limit(limit);
    Asked::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// Queries since a day that were asked at least `times`, and found something, with how often; the most
/// frequent first.
pub async fn frequent(
    db: &DatabaseConnection,
    since: i64,
    times: i64,
    limit: u64,
) -> Result<Vec<Asked>, DbErr> {
    let mut select = asked(since);
    select
        .and_having(Expr::expr(sum(search_query::Column::Searches)).gte(times))
        .and_having(Expr::expr(sum(search_query::Column::Empty)).lt(sum(search_query::Column::Searches)))
        .limit(limit);
    Asked::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// Opened results since a day by rank, the first rank first.
pub async fn clicks(db: &DatabaseConnection, account: i64, since: i64) -> Result<Vec<Clicked>, DbErr> {
    let mut select = Query::select();
    let clicks = Func::sum(Expr::col(search_click::Column::Clicks));
    select
        .column(search_click::Column::Rank)
        .expr_as(Func::cast_as(clicks, Alias::new("bigint")), "clicks")
        .from(search_click::Entity)
        .and_where(Expr::col(search_click::Column::AccountId).eq(account))
        .and_where(Expr::col(search_click::Column::Day).gte(since))
        .group_by_col(search_click::Column::Rank)
        .order_by(search_click::Column::Rank, Order::Asc);
    Clicked::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

fn asked(since: i64) -> SelectStatement {
    use search_query::Column::{Clicks, Day, Empty, Query as Asked, Searches, Shown};
    let mut select = Query::select();
    select
        .expr_as(Func::min(Expr::col(Shown)), "shown")
        .expr_as(sum(Searches), "searches")
        .expr_as(sum(Empty), "empty")
        .expr_as(sum(Clicks), "clicks")
        .from(search_query::Entity)
        .and_where(Expr::col(Day).gte(since))
        .group_by_col(Asked)
        .order_by_expr(Expr::expr(sum(Searches)), Order::Desc)
        .order_by(Asked, Order::Asc);
    select
}

/// A sum that is a 64-bit number on both databases.
fn sum(column: search_query::Column) -> sea_orm::sea_query::FunctionCall {
    Func::cast_as(Func::sum(Expr::col(column)), Alias::new("bigint"))
}
