//! The bulk door: published articles from imports and sources, thousands a second.
//!
//! The importer makes [`NewArticle`]s outside of any transaction (sanitising takes time), then
//! hands over a batch. No statement is sent per row.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect,
};
use sha2::{Digest, Sha256};

use super::form::{Content, words};
use super::tags::{self, Tagged};
use super::{Note, content, draft, slugs};
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use crate::db::entities::article_slug;
use crate::error::Error;
use crate::outbox::{self, Event};
use crate::text;

/// Rows of one statement: SQLite takes 32,766 values, and an article has 26.
const CHUNK: usize = 1_000;

/// A published article from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArticle {
    pub account_id: i64,
    /// What tells it from the account's others where it comes from.
    pub external_id: String,
    pub title: String,
    pub digest: String,
    pub author: String,
    /// Sanitised, by one of the functions of [`content`].
    pub body_html: String,
    pub word_count: i32,
    pub cover_url: Option<String>,
    pub tags: Vec<String>,
    pub lang: String,
    pub original_url: Option<String>,
    /// None: now.
    pub published_at: Option<Timestamp>,
    /// None: made from the title.
    pub slug: Option<String>,
    /// Published, or a draft for a member to look at.
    pub state: ArticleState,
    /// Those who wait for new articles are told of it; see [`Event::ArticlePublished`].
    pub news: bool,
}

impl NewArticle {
    /// An article with a sanitised body, in Simplified Chinese unless said otherwise.
    pub fn new(account_id: i64, external_id: &str, title: &str, body_html: String) -> Self {
        Self {
            account_id,
            external_id: external_id.to_owned(),
            title: title.to_owned(),
            digest: String::new(),
            author: String::new(),
            word_count: words(&body_html),
            body_html,
            cover_url: None,
            tags: Vec::new(),
            lang: "zh-Hans".into(),
            original_url: None,
            published_at: None,
            slug: None,
            state: ArticleState::Published,
            news: false,
        }
    }

    /// The same with paragraphs of plain text, one a line.
    pub fn from_plain_text(account_id: i64, external_id: &str, title: &str, text: &str) -> Self {
        Self::new(account_id, external_id, title, content::from_plain_text(text))
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Ids of the articles that are new, in the batch's order.
    pub inserted: Vec<i64>,
    /// How many were there already.
    pub skipped: usize,
}

/// Writes published articles with their events; those whose `external_id` their account already
/// has are skipped, so the same batch may come again.
pub async fn insert_imported(tx: &Tx, now: Timestamp, batch: Vec<NewArticle>) -> Result<Imported, Error> {
    let mut imported = Imported::default();
    let mut account_ids: Vec<i64> = batch.iter().map(|new| new.account_id).collect();
    account_ids.sort_unstable();
    account_ids.dedup();
    // In order of id, so that two imports never wait for each other.
    for account_id in account_ids {
        slugs::lock_account(&**tx, account_id).await?;
    }
    let mut batch = batch.into_iter().peekable();
    while batch.peek().is_some() {
        let chunk: Vec<NewArticle> = batch.by_ref().take(CHUNK).collect();
        insert_chunk(tx, now, chunk, &mut imported).await?;
    }
    Ok(imported)
}

async fn insert_chunk(
    tx: &Tx,
    now: Timestamp,
    mut chunk: Vec<NewArticle>,
    imported: &mut Imported,
) -> Result<(), Error> {
    let before = chunk.len();
    let mut known = known_ids(tx, &chunk).await?;
    chunk.retain(|new| known.insert((new.account_id, new.external_id.clone())));
    imported.skipped += before - chunk.len();
    if chunk.is_empty() {
        return Ok(());
    }
    let slugs = free_slugs(tx, &chunk).await?;
    let published: Vec<_> = chunk
        .iter()
        .map(|new| (new.state == ArticleState::Published).then_some((new.account_id, new.news)))
        .collect();
    let tagged: Vec<_> = chunk.iter().map(|new| tagged(new, now)).collect();
    let rows = chunk.into_iter().zip(slugs).map(|(new, slug)| row(new, slug, now));
    let ids = article::Entity::insert_many(rows).exec_with_returning_keys(&**tx).await?;
    let events = ids.iter().zip(published).filter_map(|(id, published)| {
        let (account_id, news) = published?;
        Some(Event::ArticlePublished { account_id, article_id: *id, news })
    });
    outbox::record_many(tx, now, events.collect()).await?;
    let tagged =
        ids.iter().zip(tagged).filter_map(|(id, tagged)| Some(Tagged { article_id: *id, ..tagged? }));
    tags::write(&**tx, tagged.collect()).await?;
    imported.inserted.extend(ids);
    Ok(())
}

/// The tags of an article that will be public; its id is not known yet.
fn tagged(new: &NewArticle, now: Timestamp) -> Option<Tagged> {
    (new.state == ArticleState::Published && !new.tags.is_empty()).then(|| Tagged {
        article_id: 0,
        account_id: new.account_id,
        published_at: new.published_at.unwrap_or(now),
        tags: Tags(new.tags.clone()),
    })
}

/// The articles of a chunk that are in the database, by account and external id.
async fn known_ids(tx: &Tx, chunk: &[NewArticle]) -> Result<HashSet<(i64, String)>, DbErr> {
    let mut by_account: HashMap<i64, Vec<&str>> = HashMap::new();
    for new in chunk {
        by_account.entry(new.account_id).or_default().push(&new.external_id);
    }
    let mut known = HashSet::new();
    for (account_id, external_ids) in by_account {
        let rows: Vec<Option<String>> = article::Entity::find()
            .select_only()
            .column(article::Column::ExternalId)
            .filter(article::COLUMN.account_id.eq(account_id))
            .filter(article::Column::ExternalId.is_in(external_ids))
            .into_tuple()
            .all(&**tx)
            .await?;
        known.extend(rows.into_iter().flatten().map(|external_id| (account_id, external_id)));
    }
    Ok(known)
}

/// A slug for each article of a chunk: of its title where that is free, else with a suffix made
/// of its external id, so that an import gives the same addresses each time.
async fn free_slugs(tx: &Tx, chunk: &[NewArticle]) -> Result<Vec<String>, DbErr> {
    let wishes: Vec<(i64, String)> = chunk
        .iter()
        .map(|new| (new.account_id, text::slug::slug(new.slug.as_deref().unwrap_or(&new.title))))
        .collect();
    let mut taken = taken_slugs(tx, &wishes).await?;
    let mut slugs = Vec::with_capacity(chunk.len());
    for (new, (account_id, wish)) in chunk.iter().zip(wishes) {
        let slug = if slugs::is_reserved(&wish) || taken.contains(&(account_id, wish.clone())) {
            let digest = hex::encode(Sha256::digest(new.external_id.as_bytes()));
            slugs::with_suffix(&wish, &digest[..12])
        } else {
            wish
        };
        taken.insert((account_id, slug.clone()));
        slugs.push(slug);
    }
    Ok(slugs)
}

async fn taken_slugs(tx: &Tx, wishes: &[(i64, String)]) -> Result<HashSet<(i64, String)>, DbErr> {
    let mut by_account: HashMap<i64, HashSet<&str>> = HashMap::new();
    for (account_id, slug) in wishes {
        by_account.entry(*account_id).or_default().insert(slug);
    }
    let mut taken = HashSet::new();
    for (account_id, slugs) in by_account {
        let present: Vec<String> = article::Entity::find()
            .select_only()
            .column(article::Column::Slug)
            .filter(article::COLUMN.account_id.eq(account_id))
            .filter(article::Column::Slug.is_in(slugs.iter().copied()))
            .into_tuple()
            .all(&**tx)
            .await?;
        let former: Vec<String> = article_slug::Entity::find()
            .select_only()
            .column(article_slug::Column::Slug)
            .filter(article_slug::COLUMN.account_id.eq(account_id))
            .filter(article_slug::Column::Slug.is_in(slugs))
            .into_tuple()
            .all(&**tx)
            .await?;
        taken.extend(present.into_iter().chain(former).map(|slug| (account_id, slug)));
    }
    Ok(taken)
}

fn row(new: NewArticle, slug: String, now: Timestamp) -> article::ActiveModel {
    let published_at = new.published_at.unwrap_or(now);
    article::ActiveModel {
        id: NotSet,
        account_id: Set(new.account_id),
        external_id: Set(Some(new.external_id)),
        slug: Set(slug),
        title: Set(new.title),
        digest: Set(new.digest),
        author: Set(new.author),
        body_format: Set(BodyFormat::Html),
        body_source: Set(None),
        body_html: Set(new.body_html),
        cover_url: Set(new.cover_url),
        tags: Set(Tags(new.tags)),
        lang: Set(new.lang),
        original_url: Set(new.original_url),
        state: Set(new.state),
        version: Set(1),
        word_count: Set(new.word_count),
        created_by: Set(None),
        created_at: Set(now),
        updated_at: Set(published_at),
        publish_at: Set(None),
        published_at: Set((new.state == ArticleState::Published).then_some(published_at)),
        withdrawn_at: Set(None),
        withdrawn_reason: Set(None),
        idempotency_key: Set(None),
    }
}

/// Changes an imported article as its source did: a revision without an editor. The slug and the
/// time of publication stay. Returns the article if anything changed. An article that was
/// withdrawn here is changed too, and stays withdrawn. The caller writes the event of a published one, when it has
/// locked all that it changes: whoever changes the next article may be waiting to write theirs.
///
/// # Errors
/// Conflict where a member has edited the article since: their words are not written over.
pub async fn revise_imported(
    tx: &Tx,
    now: Timestamp,
    article_id: i64,
    new: NewArticle,
) -> Result<Option<article::Model>, Error> {
    let article = article::Entity::find_by_id(article_id).lock_exclusive().one(&**tx).await?;
    let article = article.ok_or(Error::NotFound)?;
    let content = Content {
        title: new.title,
        digest: new.digest,
        author: new.author,
        body_format: BodyFormat::Html,
        body_source: None,
        body_html: new.body_html,
        word_count: new.word_count,
        cover_url: new.cover_url,
        tags: Tags(new.tags),
        lang: new.lang,
        original_url: new.original_url,
        slug: None,
    };
    if content.is_of(&article) {
        return Ok(None);
    }
    if was_edited_here(&**tx, article.id).await? {
        return Err(Error::Conflict("article-edited-here".into()));
    }
    let slug = article.slug.clone();
    let saved = draft::write(&**tx, now, article, content, slug, None, Note::default()).await?;
    Ok(Some(saved))
}

async fn was_edited_here<C: ConnectionTrait>(tx: &C, article_id: i64) -> Result<bool, DbErr> {
    use crate::db::entities::revision;
    let edited = revision::Entity::find()
        .select_only()
        .column(revision::Column::Id)
        .filter(revision::COLUMN.article_id.eq(article_id))
        .filter(Expr::col(revision::Column::EditorId).is_not_null())
        .into_tuple::<i64>()
        .one(tx)
        .await?;
    Ok(edited.is_some())
}
