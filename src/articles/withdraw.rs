//! Taking an article back, and bringing it back.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{Actor, lock};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::db::entities::article::{self, ArticleState};
use crate::error::Error;
use crate::outbox::{self, Event};

const MAX_REASON: usize = 500;

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
