//! Reads of collections. Readers see what is published, whatever else is in a collection.

use sea_orm::sea_query::{Expr, ExprTrait, Func, JoinType, LikeExpr, Order, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
};

use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::{collection, collection_article};
use crate::home::queries::{ArticleCard, PAGE, by_ids};

/// A collection in a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Listed {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub intro: String,
    /// Published articles in it.
    pub count: i64,
}

/// Those of an account's collections that readers find something in, in its order.
pub async fn to_read<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Vec<Listed>, DbErr> {
    let mut rows = of_account(db, account_id).await?;
    rows.retain(|row| row.count > 0);
    Ok(rows)
}

/// An account's collections in its order.
pub async fn of_account<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Vec<Listed>, DbErr> {
    let count = Query::select()
        .expr(Func::count(Expr::col(("collection_articles", collection_article::Column::Id))))
        .from("collection_articles")
        .join(
            JoinType::InnerJoin,
            "articles",
            Expr::col(("articles", article::Column::Id))
                .equals(("collection_articles", collection_article::Column::ArticleId)),
        )
        .and_where(
            Expr::col(("collection_articles", collection_article::Column::CollectionId))
                .equals(("collections", collection::Column::Id)),
        )
        .and_where(Expr::col(("articles", article::Column::State)).eq(ArticleState::Published))
        .to_owned();
    let select = Query::select()
        .from("collections")
        .columns([
            collection::Column::Id,
            collection::Column::Slug,
            collection::Column::Title,
            collection::Column::Intro,
        ])
        .expr_as(Expr::SubQuery(None, Box::new(count.into())), "count")
        .and_where(Expr::col(collection::Column::AccountId).eq(account_id))
        .order_by(collection::Column::Position, Order::Asc)
        .order_by(collection::Column::Id, Order::Asc)
        .to_owned();
    Listed::find_by_statement(db.get_database_backend().build(&select)).all(db).await
}

/// The rows themselves, in the account's order.
pub(super) async fn in_order<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
) -> Result<Vec<collection::Model>, DbErr> {
    collection::Entity::find()
        .filter(collection::COLUMN.account_id.eq(account_id))
        .order_by_asc(collection::COLUMN.position)
        .order_by_asc(collection::COLUMN.id)
        .all(db)
        .await
}

pub async fn by_slug<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    slug: &str,
) -> Result<Option<collection::Model>, DbErr> {
    collection::Entity::find()
        .filter(collection::COLUMN.account_id.eq(account_id))
        .filter(collection::COLUMN.slug.eq(slug))
        .one(db)
        .await
}

/// One of an account.
pub async fn one<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    id: i64,
) -> Result<Option<collection::Model>, DbErr> {
    let row = collection::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.account_id == account_id))
}

/// One page of what readers see in a collection: each card with its place in the order of all, from 1.
#[derive(Debug)]
pub struct Cards {
    pub items: Vec<(u64, ArticleCard)>,
    pub total: u64,
    /// What the next page begins behind; see [`cards`].
    pub more: Option<u64>,
}

/// Published articles of a collection, from `skip` on.
pub async fn cards(db: &DatabaseConnection, id: i64, skip: u64) -> Result<Cards, DbErr> {
    let ids = published_ids(db, id).await?;
    let total = ids.len() as u64;
    let page: Vec<i64> =
        ids.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(PAGE).collect();
    let items = by_ids(db, &page).await?;
    let place = |card: &ArticleCard| skip + 1 + page.iter().position(|id| *id == card.id).unwrap_or(0) as u64;
    let items: Vec<_> = items.into_iter().map(|card| (place(&card), card)).collect();
    let end = skip.saturating_add(PAGE as u64);
    Ok(Cards { items, total, more: (end < total).then_some(end) })
}

/// Ids of the published articles of a collection, in its order; there are `MOST_ARTICLES` at most.
pub async fn published_ids<C: ConnectionTrait>(db: &C, id: i64) -> Result<Vec<i64>, DbErr> {
    collection_article::Entity::find()
        .select_only()
        .column(collection_article::Column::ArticleId)
        .join(JoinType::InnerJoin, article_of())
        .filter(collection_article::COLUMN.collection_id.eq(id))
        .filter(Expr::col((article::Entity, article::Column::State)).eq(ArticleState::Published))
        .order_by_asc(collection_article::COLUMN.position)
        .order_by_asc(collection_article::COLUMN.id)
        .into_tuple()
        .all(db)
        .await
}

fn article_of() -> RelationDef {
    collection_article::Entity::belongs_to(article::Entity)
        .from(collection_article::Column::ArticleId)
        .to(article::Column::Id)
        .into()
}

/// Where an article stands in a collection.
#[derive(Clone, Debug)]
pub struct Stand {
    pub collection: collection::Model,
    /// From 1, among what readers see.
    pub number: usize,
    pub total: usize,
    pub previous: Option<Step>,
    pub next: Option<Step>,
}

/// An article before or after another one.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Step {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub lang: String,
}

/// Collections named on one article's page.
const STANDS: u64 = 3;

/// The collections that a published article is in, and its neighbours there.
pub async fn stands(db: &DatabaseConnection, article_id: i64) -> Result<Vec<Stand>, DbErr> {
    let rows = collection_article::Entity::find()
        .filter(collection_article::COLUMN.article_id.eq(article_id))
        .order_by_asc(collection_article::COLUMN.collection_id)
        .limit(STANDS)
        .all(db)
        .await?;
    let mut stands = Vec::new();
    for row in rows {
        let Some(collection) = collection::Entity::find_by_id(row.collection_id).one(db).await? else {
            continue;
        };
        let ids = published_ids(db, collection.id).await?;
        let Some(at) = ids.iter().position(|id| *id == article_id) else { continue };
        let before = at.checked_sub(1).and_then(|at| ids.get(at)).copied();
        let after = ids.get(at + 1).copied();
        let mut steps = steps(db, &[before, after].into_iter().flatten().collect::<Vec<_>>()).await?;
        let mut take = |wanted: Option<i64>| {
            steps.iter().position(|step| Some(step.id) == wanted).map(|at| steps.swap_remove(at))
        };
        let (previous, next) = (take(before), take(after));
        stands.push(Stand { collection, number: at + 1, total: ids.len(), previous, next });
    }
    stands.sort_by_key(|stand| (stand.collection.position, stand.collection.id));
    Ok(stands)
}

async fn steps<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<Step>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    article::Entity::find()
        .select_only()
        .columns([article::Column::Id, article::Column::Slug, article::Column::Title, article::Column::Lang])
        .filter(article::Column::Id.is_in(ids.iter().copied()))
        .into_model()
        .all(db)
        .await
}

/// An article as the studio lists it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Candidate {
    pub id: i64,
    pub title: String,
    pub lang: String,
    pub state: ArticleState,
    pub published_at: Option<Timestamp>,
}

/// All in a collection, in its order, whatever their state.
pub async fn held<C: ConnectionTrait>(db: &C, id: i64) -> Result<Vec<Candidate>, DbErr> {
    candidates()
        .join(JoinType::InnerJoin, collection_article_of())
        .filter(collection_article::COLUMN.collection_id.eq(id))
        .order_by_asc(collection_article::COLUMN.position)
        .order_by_asc(collection_article::COLUMN.id)
        .into_model()
        .all(db)
        .await
}

/// Published articles of an account that are not in a collection, newest first: those whose titles hold some words, or
/// all.
pub async fn not_held<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    id: i64,
    words: &str,
    limit: u64,
) -> Result<Vec<Candidate>, DbErr> {
    let held = Query::select()
        .column(collection_article::Column::ArticleId)
        .from(collection_article::Entity)
        .and_where(Expr::col(collection_article::Column::CollectionId).eq(id))
        .to_owned();
    let mut find = candidates()
        .filter(article::COLUMN.account_id.eq(account_id))
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .filter(article::Column::Id.not_in_subquery(held));
    if !words.trim().is_empty() {
        let words = words.trim().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        find = find.filter(article::Column::Title.like(LikeExpr::new(format!("%{words}%")).escape('\\')));
    }
    find.order_by_desc(article::Column::PublishedAt)
        .order_by_desc(article::Column::Id)
        .limit(limit)
        .into_model()
        .all(db)
        .await
}

fn candidates() -> sea_orm::Select<article::Entity> {
    article::Entity::find().select_only().columns([
        article::Column::Id,
        article::Column::Title,
        article::Column::Lang,
        article::Column::State,
        article::Column::PublishedAt,
    ])
}

fn collection_article_of() -> RelationDef {
    article::Entity::belongs_to(collection_article::Entity)
        .from(article::Column::Id)
        .to(collection_article::Column::ArticleId)
        .into()
}
