//! Taking an article back, and bringing it back.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
};

use super::{Actor, lock};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::push_article;
use crate::error::Error;
use crate::jobs::{self, Job};
use crate::outbox::{self, Event};

const MAX_REASON: usize = 500;

/// Lets those who were told of an article know that it is another one now, or none.
pub(super) async fn tell_readers(
    tx: &Tx,
    now: Timestamp,
    article: &article::Model,
    words: &str,
) -> Result<(), DbErr> {
    let (article_id, version, words) = (article.id, article.version, words.to_owned());
    let job = Job::TellCorrection { article_id, version, words, after_subscription: 0 };
    if is_pushed(&**tx, article_id).await? {
        jobs::queue::enqueue(&**tx, now, job, now).await
    } else {
        Ok(())
    }
}

async fn is_pushed<C: ConnectionTrait>(db: &C, article_id: i64) -> Result<bool, DbErr> {
    let pushed = push_article::Entity::find().filter(push_article::COLUMN.article_id.eq(article_id));
    Ok(pushed.one(db).await?.is_some())
}

/// Takes a published article back: its page says so, with the reason if one is given. One that is
/// withdrawn already is left as it is.
///
/// # Errors
/// Conflict for articles that are not public; forbidden to authors and analysts.
pub async fn withdraw(
    app: &App,
    actor: Actor,
    article_id: i64,
    reason: &str,
) -> Result<article::Model, Error> {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if reason.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", "article-reason-too-long"));
    }
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    actor.may(&*tx, Operation::Withdraw).await?;
    let article = lock(&*tx, actor, article_id).await?;
    match article.state {
        ArticleState::Withdrawn => return Ok(article),
        ArticleState::Published => {}
        ArticleState::Draft | ArticleState::Scheduled => {
            return Err(Error::Conflict("article-is-not-published".into()));
        }
    }
    let version = article.version + 1;
    let mut row = article.into_active_model();
    row.state = Set(ArticleState::Withdrawn);
    row.withdrawn_at = Set(Some(now));
    row.withdrawn_reason = Set(Some(reason).filter(|reason| !reason.is_empty()));
    row.updated_at = Set(now);
    row.version = Set(version);
    let withdrawn = row.update(&*tx).await?;
    let event = Event::ArticleWithdrawn { account_id: withdrawn.account_id, article_id: withdrawn.id };
    outbox::record(&tx, now, event).await?;
    tell_readers(&tx, now, &withdrawn, withdrawn.withdrawn_reason.as_deref().unwrap_or_default()).await?;
    tx.commit().await?;
    Ok(withdrawn)
}

/// Makes a withdrawn article public again, at its old address and with its old date.
///
/// # Errors
/// Conflict for articles that were never public; forbidden to authors and analysts.
pub async fn reinstate(app: &App, actor: Actor, article_id: i64) -> Result<article::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    actor.may(&*tx, Operation::Withdraw).await?;
    let article = lock(&*tx, actor, article_id).await?;
    match article.state {
        ArticleState::Published => return Ok(article),
        ArticleState::Withdrawn => {}
        ArticleState::Draft | ArticleState::Scheduled => {
            return Err(Error::Conflict("article-is-not-published".into()));
        }
    }
    let version = article.version + 1;
    let mut row = article.into_active_model();
    row.state = Set(ArticleState::Published);
    row.withdrawn_at = Set(None);
    row.withdrawn_reason = Set(None);
    row.updated_at = Set(now);
    row.version = Set(version);
    let published = row.update(&*tx).await?;
    let event =
        Event::ArticlePublished { account_id: published.account_id, article_id: published.id, news: false };
    outbox::record(&tx, now, event).await?;
    tx.commit().await?;
    Ok(published)
}
