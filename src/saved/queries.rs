//! Reads of saved articles; each is its reader's alone.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QuerySelect, Select,
};

use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState, Tags};
use crate::db::entities::{highlight, saved_article};
use crate::error::Error;
use crate::shown::{Digest, head_of};

/// Saved articles on one page.
pub const PAGE: usize = 30;

/// The place in the list, last saved first, after which a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub saved_at: i64,
    pub id: i64,
}

impl Cursor {
    /// Reads `1769875200000-42`; anything else is no cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let (moment, id) = text.split_once('-')?;
        Some(Self { saved_at: moment.parse().ok()?, id: id.parse().ok()? })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.saved_at, self.id)
    }
}

/// A saved article in a list, without its text.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Card {
    pub id: i64,
    pub article_id: Option<i64>,
    pub saved_at: Timestamp,
    pub url: String,
    pub account_handle: String,
    pub account_name: String,
    pub title: String,
    #[sea_orm(nested)]
    pub digest: Digest,
    pub author: String,
    pub tags: Tags,
    pub lang: String,
    pub published_at: Option<Timestamp>,
    pub cover_url: Option<String>,
}

impl Card {
    pub fn cursor(&self) -> Cursor {
        Cursor { saved_at: self.saved_at.0, id: self.id }
    }

    /// A card of a whole copy.
    pub fn of(row: saved_article::Model) -> Self {
        Self {
            id: row.id,
            article_id: row.article_id,
            saved_at: row.saved_at,
            url: row.url,
            account_handle: row.account_handle,
            account_name: row.account_name,
            title: row.title,
            digest: Digest::of(row.digest, &row.body_html),
            author: row.author,
            tags: row.tags,
            lang: row.lang,
            published_at: row.published_at,
            cover_url: row.cover_url,
        }
    }
}

/// How many articles a reader has saved.
pub async fn count<C: ConnectionTrait>(db: &C, user_id: i64) -> Result<u64, DbErr> {
    saved_article::Entity::find().filter(saved_article::COLUMN.user_id.eq(user_id)).count(db).await
}

/// Up to `limit` of what a reader has saved, after a cursor, last saved first; and the cursor of the next page.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Card>, Option<Cursor>), DbErr> {
    let column = |column| (saved_article::Entity, column);
    let columns = [
        saved_article::Column::Id,
        saved_article::Column::ArticleId,
        saved_article::Column::SavedAt,
        saved_article::Column::Url,
        saved_article::Column::AccountHandle,
        saved_article::Column::AccountName,
        saved_article::Column::Title,
        saved_article::Column::Digest,
        saved_article::Column::Author,
        saved_article::Column::Tags,
        saved_article::Column::Lang,
        saved_article::Column::PublishedAt,
        saved_article::Column::CoverUrl,
    ];
    let place = Expr::tuple([
        Expr::col(column(saved_article::Column::SavedAt)),
        Expr::col(column(saved_article::Column::Id)),
    ]);
    let mut query = Query::select();
    query
        .columns(columns.map(column))
        .expr_as(head_of(Expr::col(column(saved_article::Column::BodyHtml))), "head")
        .from(saved_article::Entity)
        .and_where(Expr::col(column(saved_article::Column::UserId)).eq(user_id))
        .order_by(column(saved_article::Column::SavedAt), Order::Desc)
        .order_by(column(saved_article::Column::Id), Order::Desc)
        .limit(limit as u64 + 1);
    if let Some(after) = after {
        query.and_where(place.lt(Expr::tuple([Expr::val(after.saved_at), Expr::val(after.id)])));
    }
    let mut rows = Card::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let older = rows.last().filter(|_| more).map(Card::cursor);
    Ok((rows, older))
}

/// A reader's copy of an article.
pub async fn of_article<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    article_id: i64,
) -> Result<Option<saved_article::Model>, DbErr> {
    select_of_article(user_id, article_id).one(db).await
}

pub(super) fn select_of_article(user_id: i64, article_id: i64) -> Select<saved_article::Entity> {
    saved_article::Entity::find()
        .filter(saved_article::COLUMN.user_id.eq(user_id))
        .filter(saved_article::COLUMN.article_id.eq(Some(article_id)))
}

/// Has a reader saved an article?
pub async fn is_saved<C: ConnectionTrait>(db: &C, user_id: i64, article_id: i64) -> Result<bool, DbErr> {
    Ok(ids_of(db, user_id, &[article_id]).await?.contains_key(&article_id))
}

/// A reader's copies of some articles: their ids by those of the articles.
pub async fn ids_of<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    articles: &[i64],
) -> Result<HashMap<i64, i64>, DbErr> {
    if articles.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, i64)> = saved_article::Entity::find()
        .select_only()
        .columns([saved_article::Column::ArticleId, saved_article::Column::Id])
        .filter(saved_article::COLUMN.user_id.eq(user_id))
        .filter(saved_article::Column::ArticleId.is_in(articles.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// A copy of the reader's own.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn get_own<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    id: i64,
) -> Result<saved_article::Model, Error> {
    let found = saved_article::Entity::find_by_id(id).one(db).await?;
    found.filter(|saved| saved.user_id == user_id).ok_or(Error::NotFound)
}

/// What has become of the article behind a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// As it was copied.
    Same,
    /// Saved anew by its authors since.
    Changed,
    /// Nobody can see it any more.
    Gone,
}

/// The fates of the articles behind copies, by the ids of the articles, with their versions; those that readers
/// cannot see are left out.
pub async fn versions<C: ConnectionTrait>(db: &C, articles: &[i64]) -> Result<HashMap<i64, i32>, DbErr> {
    use crate::db::entities::account::{self, AccountState};
    if articles.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = Query::select();
    query
        .columns([("a", article::Column::Id), ("a", article::Column::Version)])
        .from_as(article::Entity, "a")
        .join_as(
            sea_orm::sea_query::JoinType::InnerJoin,
            account::Entity,
            "c",
            Expr::col(("c", account::Column::Id)).equals(("a", article::Column::AccountId)),
        )
        .and_where(Expr::col(("a", article::Column::Id)).is_in(articles.iter().copied()))
        .and_where(Expr::col(("a", article::Column::State)).eq(ArticleState::Published))
        .and_where(Expr::col(("c", account::Column::State)).eq(AccountState::Active));
    let mut versions = HashMap::new();
    for row in db.query_all(&query).await? {
        versions.insert(row.try_get("", "id")?, row.try_get("", "version")?);
    }
    Ok(versions)
}

/// What has become of the article behind a copy.
pub async fn fate<C: ConnectionTrait>(db: &C, saved: &saved_article::Model) -> Result<Fate, DbErr> {
    let Some(article_id) = saved.article_id else { return Ok(Fate::Gone) };
    Ok(match versions(db, &[article_id]).await?.get(&article_id) {
        None => Fate::Gone,
        Some(version) if *version == saved.version => Fate::Same,
        Some(_) => Fate::Changed,
    })
}

/// A reader's copies in whole after a cursor, last saved first, for taking them out.
pub async fn whole<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Vec<saved_article::Model>, DbErr> {
    use sea_orm::QueryOrder;
    let mut select = saved_article::Entity::find()
        .filter(saved_article::COLUMN.user_id.eq(user_id))
        .order_by_desc(saved_article::Column::SavedAt)
        .order_by_desc(saved_article::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        let place =
            Expr::tuple([Expr::col(saved_article::Column::SavedAt), Expr::col(saved_article::Column::Id)]);
        select = select.filter(place.lt(Expr::tuple([Expr::val(after.saved_at), Expr::val(after.id)])));
    }
    select.all(db).await
}

/// The highlights in some copies, as they were made.
pub async fn highlights<C: ConnectionTrait>(
    db: &C,
    saved: &[i64],
) -> Result<HashMap<i64, Vec<highlight::Model>>, DbErr> {
    use sea_orm::QueryOrder;
    let rows = highlight::Entity::find()
        .filter(highlight::Column::SavedId.is_in(saved.iter().copied()))
        .order_by_asc(highlight::Column::Id)
        .all(db)
        .await?;
    let mut of_copy: HashMap<i64, Vec<highlight::Model>> = HashMap::new();
    for row in rows {
        of_copy.entry(row.saved_id).or_default().push(row);
    }
    Ok(of_copy)
}
