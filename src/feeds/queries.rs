//! Reads for feeds and sitemaps: committed rows of accounts that are to be seen.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};

use super::MAX_ARTICLES;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::{article_tag, collection, collection_article, event};
use crate::outbox::Event;

/// The newest event that changed the feed of an account, or that of the site: its id and time. What was written then
/// is in a feed read now.
pub(super) async fn newest_event<C: ConnectionTrait>(
    db: &C,
    account_id: Option<i64>,
) -> Result<(i64, Timestamp), DbErr> {
    let mut query = event::Entity::find().filter(event::COLUMN.kind.is_in(Event::of_feeds()));
    if let Some(id) = account_id {
        query = query.filter(event::COLUMN.account_id.eq(id));
    }
    let newest = query
        .select_only()
        .column(event::Column::Id)
        .column(event::Column::CreatedAt)
        .order_by_desc(event::COLUMN.id)
        .limit(1)
        .into_tuple::<(i64, Timestamp)>()
        .one(db)
        .await?;
    Ok(newest.unwrap_or_default())
}

/// The newest published articles, newest first; of one account, or of all that are to be seen.
pub(super) async fn newest_articles<C: ConnectionTrait>(
    db: &C,
    account_id: Option<i64>,
) -> Result<Vec<article::Model>, DbErr> {
    let mut query = article::Entity::find().filter(article::COLUMN.state.eq(ArticleState::Published));
    query = match account_id {
        Some(id) => query.filter(article::COLUMN.account_id.eq(id)),
        None => query.filter(article::Column::AccountId.not_in_subquery(hidden())),
    };
    query
        .order_by_desc(article::COLUMN.published_at)
        .order_by_desc(article::COLUMN.id)
        .limit(MAX_ARTICLES)
        .all(db)
        .await
}

/// Those of the given articles that are to be seen, in the given order.
pub(super) async fn articles<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<article::Model>, DbErr> {
    let rows = article::Entity::find()
        .filter(article::COLUMN.id.is_in(ids.iter().copied()))
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .filter(article::Column::AccountId.not_in_subquery(hidden()))
        .all(db)
        .await?;
    let mut rows: HashMap<i64, article::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

/// Ids of the newest published articles of some accounts that are to be seen, newest first.
pub(super) async fn newest_ids<C: ConnectionTrait>(
    db: &C,
    account_ids: impl IntoIterator<Item = i64>,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    let of = article::COLUMN.account_id.is_in(account_ids);
    newest(db, article::Entity::find().filter(of), ArticleState::Published, limit).await
}

/// The newest of the given articles that are in a state, newest first; published ones that are to be seen.
pub(super) async fn newest_of<C: ConnectionTrait>(
    db: &C,
    ids: impl IntoIterator<Item = i64>,
    state: ArticleState,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    newest(db, article::Entity::find().filter(article::COLUMN.id.is_in(ids)), state, limit).await
}

async fn newest<C: ConnectionTrait>(
    db: &C,
    query: Select<article::Entity>,
    state: ArticleState,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    let hides = (state == ArticleState::Published).then(hidden);
    query
        .apply_if(hides, |query, hidden| query.filter(article::Column::AccountId.not_in_subquery(hidden)))
        .select_only()
        .column(article::Column::Id)
        .filter(article::COLUMN.state.eq(state))
        .order_by_desc(article::COLUMN.published_at)
        .order_by_desc(article::COLUMN.id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Accounts by id.
pub(super) async fn accounts<C: ConnectionTrait>(
    db: &C,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, account::Model>, DbErr> {
    let rows = account::Entity::find().filter(account::COLUMN.id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// What a sitemap says of an article.
pub(super) struct Place {
    pub account_id: i64,
    pub slug: String,
    pub updated_at: Timestamp,
}

/// Published articles with ids in a range.
pub(super) async fn places<C: ConnectionTrait>(
    db: &C,
    ids: std::ops::Range<i64>,
) -> Result<Vec<Place>, DbErr> {
    let rows = article::Entity::find()
        .filter(article::COLUMN.id.gte(ids.start))
        .filter(article::COLUMN.id.lt(ids.end))
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .filter(article::Column::AccountId.not_in_subquery(hidden()))
        .select_only()
        .column(article::Column::AccountId)
        .column(article::Column::Slug)
        .column(article::Column::UpdatedAt)
        .order_by_asc(article::COLUMN.id)
        .into_tuple::<(i64, String, Timestamp)>()
        .all(db)
        .await?;
    let place = |(account_id, slug, updated_at)| Place { account_id, slug, updated_at };
    Ok(rows.into_iter().map(place).collect())
}

/// The highest id of an article, 0 when there is none.
pub(super) async fn last_article_id<C: ConnectionTrait>(db: &C) -> Result<i64, DbErr> {
    let query = article::Entity::find().select_only().column(article::Column::Id);
    let newest = query.order_by_desc(article::COLUMN.id).limit(1).into_tuple::<i64>().one(db).await?;
    Ok(newest.unwrap_or_default())
}

/// Accounts to be seen, by id.
pub(super) async fn active_accounts<C: ConnectionTrait>(
    db: &C,
    limit: u64,
) -> Result<Vec<account::Model>, DbErr> {
    account::Entity::find()
        .filter(account::COLUMN.state.eq(AccountState::Active))
        .order_by_asc(account::COLUMN.id)
        .limit(limit)
        .all(db)
        .await
}

/// Collections that readers find something in: their accounts' handles, slugs, and when they changed.
pub(super) async fn collections<C: ConnectionTrait>(
    db: &C,
    limit: u64,
) -> Result<Vec<(String, String, Timestamp)>, DbErr> {
    let mut filled = Query::select();
    filled
        .column(collection_article::Column::CollectionId)
        .from(collection_article::Entity)
        .inner_join(
            article::Entity,
            Expr::col((article::Entity, article::Column::Id))
                .equals((collection_article::Entity, collection_article::Column::ArticleId)),
        )
        .and_where(Expr::col((article::Entity, article::Column::State)).eq(ArticleState::Published));
    let mut select = Query::select();
    select
        .column((account::Entity, account::Column::Handle))
        .columns([
            (collection::Entity, collection::Column::Slug),
            (collection::Entity, collection::Column::UpdatedAt),
        ])
        .from(collection::Entity)
        .inner_join(
            account::Entity,
            Expr::col((account::Entity, account::Column::Id))
                .equals((collection::Entity, collection::Column::AccountId)),
        )
        .and_where(Expr::col((account::Entity, account::Column::State)).eq(AccountState::Active))
        .and_where(Expr::col((collection::Entity, collection::Column::Id)).in_subquery(filled))
        .order_by((collection::Entity, collection::Column::Id), Order::Asc)
        .limit(limit);
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| Ok((row.try_get_by(0)?, row.try_get_by(1)?, row.try_get_by(2)?))).collect()
}

/// Articles published since a moment, newest first.
pub(super) async fn published_since<C: ConnectionTrait>(
    db: &C,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<article::Model>, DbErr> {
    article::Entity::find()
        .filter(article::COLUMN.state.eq(ArticleState::Published))
        .filter(article::Column::PublishedAt.gte(since))
        .filter(article::Column::AccountId.not_in_subquery(hidden()))
        .order_by_desc(article::COLUMN.published_at)
        .limit(limit)
        .all(db)
        .await
}

fn hidden() -> sea_orm::sea_query::SelectStatement {
    let mut query = sea_orm::sea_query::Query::select();
    query
        .column(account::Column::Id)
        .from(account::Entity)
        .and_where(sea_orm::sea_query::Expr::col(account::Column::State).ne(AccountState::Active));
    query
}

/// An article that was taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone {
    pub id: i64,
    pub created_at: Timestamp,
    pub at: Timestamp,
}

/// What events say of a feed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub article_ids: HashSet<i64>,
    /// Every entry may look different.
    pub all: bool,
    /// Accounts of which every entry may look different, where the feed is of several.
    pub accounts: HashSet<i64>,
}

impl Changes {
    pub fn are_none(&self) -> bool {
        self.article_ids.is_empty() && self.accounts.is_empty() && !self.all
    }
}

/// Articles that events after `after` up to `until` name, of one account or of all; and those put into a collection,
/// where the feed is its. So many events, the newest, are read at most; where there are more, everything may be another.
pub(super) async fn changes<C: ConnectionTrait>(
    db: &C,
    account_id: Option<i64>,
    collection_id: Option<i64>,
    (after, until): (i64, i64),
    limit: u64,
) -> Result<Changes, DbErr> {
    let mut kinds = Event::of_feeds().to_vec();
    kinds.extend(collection_id.map(|_| Event::of_collections()));
    let mut query = event::Entity::find()
        .filter(event::COLUMN.id.gt(after))
        .filter(event::COLUMN.id.lte(until))
        .filter(event::COLUMN.kind.is_in(kinds))
        .select_only()
        .column(event::Column::Payload);
    if let Some(id) = account_id {
        query = query.filter(event::COLUMN.account_id.eq(id));
    }
    let rows: Vec<serde_json::Value> =
        query.order_by_desc(event::COLUMN.id).limit(limit).into_tuple().all(db).await?;
    let mut changes = Changes { all: rows.len() as u64 == limit, ..Changes::default() };
    for event in rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()) {
        match event {
            Event::AccountChanged { .. } if account_id.is_some() => changes.all = true,
            Event::AccountChanged { account_id } => drop(changes.accounts.insert(account_id)),
            Event::CollectionChanged { collection_id: id, article_ids, .. } if collection_id == Some(id) => {
                changes.all |= article_ids.is_empty();
                changes.article_ids.extend(article_ids);
            }
            event => changes.article_ids.extend(event.article_id()),
        }
    }
    Ok(changes)
}

/// Of the given articles, those that have a folded tag, or had it when they were taken back.
pub(super) async fn tagged<C: ConnectionTrait>(
    db: &C,
    folded: &str,
    article_ids: &HashSet<i64>,
) -> Result<HashSet<i64>, DbErr> {
    let tagged: Vec<i64> = article_tag::Entity::find()
        .select_only()
        .column(article_tag::Column::ArticleId)
        .filter(article_tag::COLUMN.folded.eq(folded))
        .filter(article_tag::COLUMN.article_id.is_in(article_ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(tagged.into_iter().collect())
}

/// Of the given articles, those that are in a collection, which holds a few hundred.
pub(super) async fn held_by<C: ConnectionTrait>(
    db: &C,
    collection_id: i64,
    article_ids: &HashSet<i64>,
) -> Result<HashSet<i64>, DbErr> {
    let held: Vec<i64> = collection_article::Entity::find()
        .select_only()
        .column(collection_article::Column::ArticleId)
        .filter(collection_article::COLUMN.collection_id.eq(collection_id))
        .into_tuple()
        .all(db)
        .await?;
    Ok(held.into_iter().filter(|id| article_ids.contains(id)).collect())
}

/// Those of the given articles that were taken back, the last one first.
pub(super) async fn withdrawn<C: ConnectionTrait>(
    db: &C,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<Gone>, DbErr> {
    let mut ids = ids.into_iter().peekable();
    if ids.peek().is_none() {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, Timestamp, Option<Timestamp>, Timestamp)> = article::Entity::find()
        .filter(article::COLUMN.id.is_in(ids))
        .filter(article::COLUMN.state.eq(ArticleState::Withdrawn))
        .select_only()
        .column(article::Column::Id)
        .column(article::Column::CreatedAt)
        .column(article::Column::WithdrawnAt)
        .column(article::Column::UpdatedAt)
        .order_by_desc(article::COLUMN.withdrawn_at)
        .order_by_desc(article::COLUMN.id)
        .into_tuple()
        .all(db)
        .await?;
    let gone = |(id, created_at, withdrawn_at, updated_at): (_, _, Option<Timestamp>, _)| Gone {
        id,
        created_at,
        at: withdrawn_at.unwrap_or(updated_at),
    };
    Ok(rows.into_iter().map(gone).collect())
}

/// Articles by id, whatever their state.
pub(super) async fn by_id<C: ConnectionTrait>(db: &C, ids: &[i64]) -> Result<Vec<article::Model>, DbErr> {
    article::Entity::find().filter(article::COLUMN.id.is_in(ids.iter().copied())).all(db).await
}
