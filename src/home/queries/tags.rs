//! Articles with a tag, and how tags are written.

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{Cards, Cursor, PAGE, in_pages};
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::article_tag;

/// Published articles with a tag, of one account or of all, newest first. `folded` is as of
/// [`crate::articles::tags::folded`].
pub async fn of(
    db: &DatabaseConnection,
    folded: &str,
    account_id: Option<i64>,
    after: Option<Cursor>,
) -> Result<Cards, DbErr> {
    in_pages(db, ids(db, folded, account_id, after, PAGE as u64 + 1).await?).await
}

/// The ids of those.
pub async fn ids(
    db: &DatabaseConnection,
    folded: &str,
    account_id: Option<i64>,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    use article_tag::Column as Tag;
    let of = |column: Tag| Expr::col(("article_tags", column));
    let mut select = Query::select();
    select
        .column(("article_tags", Tag::ArticleId))
        .from("article_tags")
        .join(
            JoinType::InnerJoin,
            "articles",
            Expr::col(("articles", article::Column::Id)).equals(("article_tags", Tag::ArticleId)),
        )
        .join(
            JoinType::InnerJoin,
            "accounts",
            Expr::col(("accounts", account::Column::Id)).equals(("article_tags", Tag::AccountId)),
        )
        .and_where(of(Tag::Folded).eq(folded))
        .and_where(Expr::col(("articles", article::Column::State)).eq(ArticleState::Published))
        .and_where(Expr::col(("accounts", account::Column::State)).eq(AccountState::Active))
        .order_by(("article_tags", Tag::PublishedAt), Order::Desc)
        .order_by(("article_tags", Tag::ArticleId), Order::Desc)
        .limit(limit);
    if let Some(id) = account_id {
        select.and_where(of(Tag::AccountId).eq(id));
    }
    if let Some(cursor) = after {
        let place = Expr::tuple([of(Tag::PublishedAt), of(Tag::ArticleId)]);
        select.and_where(place.lt(Expr::tuple([Expr::val(cursor.published_at), Expr::val(cursor.id)])));
    }
    db.query_all(&select).await?.iter().map(|row| row.try_get_by(0)).collect()
}

/// How a tag was written lately.
pub async fn names(
    db: &DatabaseConnection,
    folded: &str,
    account_id: Option<i64>,
) -> Result<Vec<String>, DbErr> {
    /// Uses that are looked at.
    const LATELY: u64 = 50;
    let mut find = article_tag::Entity::find()
        .select_only()
        .column(article_tag::Column::Name)
        .filter(article_tag::COLUMN.folded.eq(folded));
    if let Some(id) = account_id {
        find = find.filter(article_tag::COLUMN.account_id.eq(id));
    }
    find.order_by_desc(article_tag::Column::PublishedAt).limit(LATELY).into_tuple().all(db).await
}

/// The tags that an account uses most, folded, and how one of its articles writes each.
pub async fn top(db: &DatabaseConnection, account_id: i64) -> Result<Vec<(String, String)>, DbErr> {
    /// Tags that are named, and how often each must have been used.
    const NAMED: u64 = 12;
    const OFTEN: i64 = 2;
    let uses = || article_tag::Column::ArticleId.count();
    article_tag::Entity::find()
        .select_only()
        .column(article_tag::Column::Folded)
        .column_as(article_tag::Column::Name.max(), "name")
        .filter(article_tag::COLUMN.account_id.eq(account_id))
        .group_by(article_tag::Column::Folded)
        .having(uses().gte(OFTEN))
        .order_by_desc(uses())
        .order_by_asc(article_tag::Column::Folded)
        .limit(NAMED)
        .into_tuple()
        .all(db)
        .await
}
