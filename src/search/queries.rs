//! Articles as the index takes them and as results show them: published ones of active accounts
//! only, whatever the index may still hold.

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::query::Part;
use super::schema::Entry;
use crate::articles::content::plain_text;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState, Tags};

/// A published article and what of its account is searched and shown with it.
#[derive(Debug, FromQueryResult)]
pub struct Published {
    pub id: i64,
    pub account_id: i64,
    pub external_id: Option<String>,
    pub slug: String,
    pub title: String,
    pub author: String,
    pub body_html: String,
    pub tags: Tags,
    pub lang: String,
    pub published_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub handle: String,
    /// The account's.
    pub name: String,
}

impl Published {
    /// `/@handle/slug`
    pub fn path(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }

    pub fn moment(&self) -> Timestamp {
        self.published_at.unwrap_or(self.created_at)
    }

    /// What the index takes of it.
    pub fn into_entry(self) -> Entry {
        Entry {
            id: self.id,
            account: self.account_id,
            published_at: self.moment().0,
            body: plain_text(&self.body_html),
            has: parts(&self.body_html),
            lang: self.lang,
            title: self.title,
            account_name: self.name,
            account_handle: self.handle,
            author: self.author,
            tags: self.tags.0,
        }
    }
}

/// What a sanitised body holds besides text.
fn parts(html: &str) -> Vec<Part> {
    let elements = [
        ("<img", Part::Image),
        ("<iframe", Part::Video),
        ("<video", Part::Video),
        ("<audio", Part::Audio),
        ("<table", Part::Table),
    ];
    let mut parts: Vec<Part> =
        elements.into_iter().filter(|(start, _)| html.contains(start)).map(|(_, part)| part).collect();
    parts.dedup();
    parts
}

/// Those of the given articles that readers may see, in no order.
pub async fn published(db: &DatabaseConnection, ids: &[i64]) -> Result<Vec<Published>, DbErr> {
    let mut select = published_articles();
    select.and_where(Expr::col(("articles", article::Column::Id)).is_in(ids.iter().copied()));
    Published::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// All that readers may see, by id, after `id`.
pub async fn published_after(db: &DatabaseConnection, id: i64, limit: u64) -> Result<Vec<Published>, DbErr> {
    let mut select = published_articles();
    select
        .and_where(Expr::col(("articles", article::Column::Id)).gt(id))
        .order_by(("articles", article::Column::Id), Order::Asc)
        .limit(limit);
    Published::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// How many there are to index, about.
pub async fn count_published(db: &DatabaseConnection) -> Result<u64, DbErr> {
    use sea_orm::PaginatorTrait;
    article::Entity::find().filter(article::COLUMN.state.eq(ArticleState::Published)).count(db).await
}

/// Ids of an account's published articles after `id`, in order.
pub async fn articles_of(
    db: &DatabaseConnection,
    account_id: i64,
    id: i64,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    article::Entity::find()
        .select_only()
        .column(article::Column::Id)
        .filter(article::COLUMN.account_id.eq(account_id))
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .filter(article::COLUMN.id.gt(id))
        .order_by_asc(article::COLUMN.id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

fn published_articles() -> SelectStatement {
    use article::Column as Article;
    let mut select = Query::select();
    select
        .from("articles")
        .join(
            JoinType::InnerJoin,
            "accounts",
            Expr::col(("accounts", account::Column::Id)).equals(("articles", Article::AccountId)),
        )
        .columns([
            ("articles", Article::Id),
            ("articles", Article::AccountId),
            ("articles", Article::ExternalId),
            ("articles", Article::Slug),
            ("articles", Article::Title),
            ("articles", Article::Author),
            ("articles", Article::BodyHtml),
            ("articles", Article::Tags),
            ("articles", Article::Lang),
            ("articles", Article::PublishedAt),
            ("articles", Article::CreatedAt),
        ])
        .columns([("accounts", account::Column::Handle), ("accounts", account::Column::Name)])
        .and_where(Expr::col(("articles", Article::State)).eq(ArticleState::Published))
        .and_where(Expr::col(("accounts", account::Column::State)).eq(AccountState::Active));
    select
}
