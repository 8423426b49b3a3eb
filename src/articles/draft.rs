//! Beginning, saving and deleting.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};

use super::form::Content;
use super::{Actor, autosave, lock, revise, slugs, tags, withdraw};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::error::Error;
use crate::outbox::{self, Event};

/// Begins a draft. The same `key` sent twice begins one.
///
/// # Errors
/// Forbidden for analysts; invalid when the slug that was asked for is taken.
pub async fn create(
    app: &App,
    actor: Actor,
    content: Content,
    key: Option<&str>,
) -> Result<article::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    actor.may(&*tx, Operation::WriteOwnDraft).await?;
    slugs::lock_account(&*tx, actor.account_id).await?;
    if let Some(existing) = by_key(&*tx, actor, key).await? {
        return Ok(existing);
    }
    let slug = match &content.slug {
        Some(slug) => free_slug(&*tx, actor, slug, None).await?,
        None => slugs::from_title(&*tx, actor.account_id, &content.title).await?,
    };
    let mut row = new_row(actor, now, slug, key);
    revise::apply(&mut row, content);
    let article = row.insert(&*tx).await?;
    tx.commit().await?;
    Ok(article)
}

/// What an editor says of a new version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Note<'a> {
    /// Kept with the revision.
    pub words: &'a str,
    /// Whether readers find it with the article.
    pub show: bool,
    /// Whether readers who were told of the article are told this too; then it is shown as well.
    pub tell: bool,
}

impl Note<'_> {
    /// Whether anybody but members sees it.
    pub fn is_shown(&self) -> bool {
        (self.show || self.tell) && !self.words.is_empty()
    }
}

/// Saves an article that was read at `version`. A draft just changes; a published article gets a
/// revision, and its readers see it at once.
///
/// # Errors
/// Conflict when somebody else saved in between, unless they saved the same; forbidden to authors
/// once an article is not their draft; invalid where readers would be shown no title or body.
pub async fn save(
    app: &App,
    actor: Actor,
    article_id: i64,
    version: i32,
    content: Content,
    note: Note<'_>,
) -> Result<article::Model, Error> {
    if (note.tell || note.show) && note.words.is_empty() {
        return Err(Error::invalid("note", "article-correct-words-missing"));
    }
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let article = lock(&*tx, actor, article_id).await?;
    actor.may_edit(&*tx, &article).await?;
    let slug = next_slug(&*tx, actor, &article, &content).await?;
    if content.is_of(&article) && slug == article.slug {
        autosave::forget(&*tx, article.id).await?;
        tx.commit().await?;
        return Ok(article);
    }
    if article.version != version {
        return Err(Error::Conflict("article-conflict".into()));
    }
    if article.state != ArticleState::Draft {
        content.check_complete()?;
    }
    let saved = write(&*tx, now, article, content, slug, Some(actor.user_id), note).await?;
    autosave::forget(&*tx, saved.id).await?;
    if saved.state == ArticleState::Published {
        let event = Event::ArticleRevised { account_id: saved.account_id, article_id: saved.id };
        outbox::record(&tx, now, event).await?;
        if note.tell {
            withdraw::tell_readers(&tx, now, &saved, note.words).await?;
        }
    }
    tx.commit().await?;
    Ok(saved)
}

/// Writes new content into an article that has been locked and checked.
pub async fn write<C: ConnectionTrait>(
    tx: &C,
    now: Timestamp,
    article: article::Model,
    content: Content,
    slug: String,
    editor_id: Option<i64>,
    note: Note<'_>,
) -> Result<article::Model, Error> {
    // Readers have seen it: what they saw is kept, and its addresses go on to work.
    let was_public = article.published_at.is_some();
    if was_public {
        revise::record_baseline(tx, &article).await?;
        if slug != article.slug {
            slugs::leave(tx, now, &article, &slug).await?;
        }
    }
    let version = article.version + 1;
    let mut row = article.into_active_model();
    revise::apply(&mut row, content);
    row.slug = Set(slug);
    row.version = Set(version);
    row.updated_at = Set(now);
    let saved = row.update(tx).await?;
    if was_public {
        tags::rewrite(tx, &saved).await?;
        revise::record(tx, now, &saved, editor_id, note).await?;
    }
    Ok(saved)
}

/// Deletes a draft that has never been published.
///
/// # Errors
/// Conflict for any other article; forbidden unless it is one's own or one edits all.
pub async fn delete(app: &App, actor: Actor, article_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let article = lock(&*tx, actor, article_id).await?;
    actor.may_edit(&*tx, &article).await?;
    if article.state != ArticleState::Draft || article.published_at.is_some() {
        return Err(Error::Conflict("article-delete-drafts-only".into()));
    }
    article::Entity::delete_by_id(article.id).exec(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn by_key<C: ConnectionTrait>(
    tx: &C,
    actor: Actor,
    key: Option<&str>,
) -> Result<Option<article::Model>, Error> {
    let Some(key) = key else { return Ok(None) };
    let found = article::Entity::find()
        .filter(article::COLUMN.account_id.eq(actor.account_id))
        .filter(article::COLUMN.idempotency_key.eq(key))
        .one(tx)
        .await?;
    Ok(found)
}

/// The slug that an article will have with this content.
async fn next_slug<C: ConnectionTrait>(
    tx: &C,
    actor: Actor,
    article: &article::Model,
    content: &Content,
) -> Result<String, Error> {
    let asked = content.slug.as_deref().filter(|slug| *slug != article.slug);
    // Until it is public, a slug made from the title changes with the title.
    let follows_title = article.published_at.is_none()
        && content.title != article.title
        && slugs::is_from_title(&article.slug, &article.title);
    if asked.is_none() && !follows_title {
        return Ok(article.slug.clone());
    }
    slugs::lock_account(tx, actor.account_id).await?;
    match asked {
        Some(slug) => free_slug(tx, actor, slug, Some(article.id)).await,
        None => Ok(slugs::from_title(tx, actor.account_id, &content.title).await?),
    }
}

async fn free_slug<C: ConnectionTrait>(
    tx: &C,
    actor: Actor,
    slug: &str,
    article_id: Option<i64>,
) -> Result<String, Error> {
    if slugs::is_free(tx, actor.account_id, slug, article_id).await? {
        return Ok(slug.to_owned());
    }
    Err(Error::invalid("slug", "article-slug-taken"))
}

fn new_row(actor: Actor, now: Timestamp, slug: String, key: Option<&str>) -> article::ActiveModel {
    article::ActiveModel {
        id: NotSet,
        account_id: Set(actor.account_id),
        external_id: Set(None),
        slug: Set(slug),
        state: Set(ArticleState::Draft),
        version: Set(1),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(now),
        updated_at: Set(now),
        publish_at: Set(None),
        published_at: Set(None),
        withdrawn_at: Set(None),
        withdrawn_reason: Set(None),
        idempotency_key: Set(key.map(str::to_owned)),
        ..Default::default()
    }
}
