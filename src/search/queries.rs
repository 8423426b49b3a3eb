//! Articles as the index takes them and as results show them: published ones of active accounts
//! only, whatever the index may still hold.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::query::Part;
use super::schema::Entry;
use crate::articles;
use crate::articles::content::plain_text;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::account_handle;
use crate::db::entities::article::{self, ArticleState, Tags};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::text::fold;

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

    /// An article as it would be found, whether it is published or not.
    pub fn of(article: &article::Model, account: &account::Model) -> Self {
        Self {
            id: article.id,
            account_id: article.account_id,
            external_id: article.external_id.clone(),
            slug: article.slug.clone(),
            title: article.title.clone(),
            author: article.author.clone(),
            body_html: article.body_html.clone(),
            tags: article.tags.clone(),
            lang: article.lang.clone(),
            published_at: article.published_at,
            created_at: article.created_at,
            handle: account.handle.clone(),
            name: account.name.clone(),
        }
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
pub fn parts(html: &str) -> Vec<Part> {
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

/// An article's address and its account's name.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Place {
    pub id: i64,
    pub slug: String,
    pub handle: String,
    /// The account's.
    pub name: String,
}

impl Place {
    /// `/@handle/slug`
    pub fn path(&self) -> String {
        format!("/@{}/{}", self.handle, self.slug)
    }
}

/// Addresses of those of the given articles that readers may see, by id.
pub async fn places(db: &DatabaseConnection, ids: &[i64]) -> Result<HashMap<i64, Place>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = published_articles();
    select
        .clear_selects()
        .columns([("articles", article::Column::Id), ("articles", article::Column::Slug)])
        .columns([("accounts", account::Column::Handle), ("accounts", account::Column::Name)])
        .and_where(Expr::col(("articles", article::Column::Id)).is_in(ids.iter().copied()));
    let rows = Place::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// An account as searches name it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Bearer {
    pub id: i64,
    pub handle: String,
    pub name: String,
}

/// Accounts that names are looked among, of those whose names are as long as one asked for.
const MAX_NAMES: u64 = 5_000;

/// Active accounts by what they are asked for as, in lower case: a handle, a former handle, or the
/// whole name in either script.
pub async fn bearers(
    db: &DatabaseConnection,
    asked: &HashSet<&str>,
) -> Result<HashMap<String, Bearer>, DbErr> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    #[derive(FromQueryResult)]
    struct Borne {
        borne: String,
        id: i64,
        handle: String,
        name: String,
    }
    let mut select = active_accounts();
    select
        .expr_as(Expr::col(("accounts", account::Column::Handle)), "borne")
        .and_where(Expr::col(("accounts", account::Column::Handle)).is_in(asked.iter().copied()));
    let mut former = active_accounts();
    former
        .join(
            JoinType::InnerJoin,
            "account_handles",
            Expr::col(("account_handles", account_handle::Column::AccountId))
                .equals(("accounts", account::Column::Id)),
        )
        .expr_as(Expr::col(("account_handles", account_handle::Column::Handle)), "borne")
        .and_where(
            Expr::col(("account_handles", account_handle::Column::Handle)).is_in(asked.iter().copied()),
        );
    select.union(UnionType::All, former);
    let rows = Borne::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    let mut found = HashMap::new();
    for Borne { borne, id, handle, name } in rows {
        // The present bearer of a handle stands before a former one.
        if handle == borne || !found.contains_key(&borne) {
            found.insert(borne, Bearer { id, handle, name });
        }
    }
    let names: Vec<&str> = asked.iter().copied().filter(|asked| !found.contains_key(*asked)).collect();
    let named = bearers_of_names(db, &names).await?;
    found.extend(named);
    Ok(found)
}

/// Accounts by their names; the oldest of those with the same name. Handles are no names.
async fn bearers_of_names(db: &DatabaseConnection, names: &[&str]) -> Result<Vec<(String, Bearer)>, DbErr> {
    let is_handle = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let names: Vec<(&str, String)> =
        names.iter().filter(|name| !is_handle(name)).map(|name| (*name, fold::letters(name))).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let name = ("accounts", account::Column::Name);
    let lengths: HashSet<i64> = names.iter().map(|(name, _)| name.chars().count() as i64).collect();
    let mut select = active_accounts();
    select
        .and_where(Expr::expr(Func::char_length(Expr::col(name))).is_in(lengths))
        .order_by(("accounts", account::Column::Id), Order::Asc)
        .limit(MAX_NAMES);
    let rows = Bearer::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    let folded: Vec<String> = rows.iter().map(|row| fold::letters(&row.name)).collect();
    let found = names.into_iter().filter_map(|(asked, letters)| {
        let at = folded.iter().position(|name| *name == letters)?;
        Some((asked.to_owned(), rows[at].clone()))
    });
    Ok(found.collect())
}

/// Active accounts by id.
pub async fn accounts(db: &DatabaseConnection, ids: &[i64]) -> Result<HashMap<i64, Bearer>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = active_accounts();
    select.and_where(Expr::col(("accounts", account::Column::Id)).is_in(ids.iter().copied()));
    let rows = Bearer::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Ids of the accounts that a user follows, paused or not.
pub async fn followed_accounts(db: &DatabaseConnection, user_id: i64) -> Result<Vec<i64>, DbErr> {
    subscription::Entity::find()
        .select_only()
        .column(subscription::Column::AccountId)
        .filter(subscription::COLUMN.user_id.eq(user_id))
        .filter(subscription::Column::State.is_in([SubscriptionState::Active, SubscriptionState::Paused]))
        .into_tuple()
        .all(db)
        .await
}

fn active_accounts() -> SelectStatement {
    let mut select = Query::select();
    select
        .from("accounts")
        .columns([
            ("accounts", account::Column::Id),
            ("accounts", account::Column::Handle),
            ("accounts", account::Column::Name),
        ])
        .and_where(Expr::col(("accounts", account::Column::State)).eq(AccountState::Active));
    select
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
    let mut select = articles::queries::public();
    select
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
        .columns([("accounts", account::Column::Handle), ("accounts", account::Column::Name)]);
    select
}
