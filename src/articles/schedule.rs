//! Publishing at a set time: the article's row says when, a job does it.

use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QuerySelect,
};

use super::{Actor, form, lock, publish};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::user;
use crate::error::Error;
use crate::jobs::{Job, Outcome, queue};

/// How far ahead an article can be scheduled.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Sets, or changes, the time at which a draft is published.
///
/// # Errors
/// Invalid for a time that is past or over a year ahead, or without title or body; conflict once
/// it has been published.
pub async fn schedule(
    app: &App,
    actor: Actor,
    article_id: i64,
    publish_at: Timestamp,
) -> Result<article::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    actor.may(&*tx, Operation::Publish).await?;
    if publish_at <= now {
        return Err(Error::invalid("publish_at", "article-time-past"));
    }
    if publish_at > now + FURTHEST {
        return Err(Error::invalid("publish_at", "article-time-too-far"));
    }
    let article = lock(&*tx, actor, article_id).await?;
    check_unpublished(&article)?;
    form::check_complete(&article.title, &article.body_html)?;
    let version = article.version + 1;
    let mut row = article.into_active_model();
    row.state = Set(ArticleState::Scheduled);
    row.publish_at = Set(Some(publish_at));
    row.updated_at = Set(now);
    row.version = Set(version);
    let scheduled = row.update(&*tx).await?;
    let job = Job::PublishArticle { article_id, user_id: actor.user_id };
    cancel_job(&*tx, article_id).await?;
    queue::enqueue(&*tx, now, job, publish_at).await?;
    tx.commit().await?;
    Ok(scheduled)
}

/// Makes a scheduled article a draft again; a draft is left as it is.
///
/// # Errors
/// Conflict once it has been published.
pub async fn unschedule(app: &App, actor: Actor, article_id: i64) -> Result<article::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    actor.may(&*tx, Operation::Publish).await?;
    let article = lock(&*tx, actor, article_id).await?;
    check_unpublished(&article)?;
    if article.state == ArticleState::Draft {
        return Ok(article);
    }
    let version = article.version + 1;
    let mut row = article.into_active_model();
    row.state = Set(ArticleState::Draft);
    row.publish_at = Set(None);
    row.updated_at = Set(now);
    row.version = Set(version);
    let draft = row.update(&*tx).await?;
    cancel_job(&*tx, article_id).await?;
    tx.commit().await?;
    Ok(draft)
}

/// The job: publishes an article whose time has come. One that was published, taken off the
/// schedule or deleted in the meantime is left alone.
pub async fn publish_due(app: &App, article_id: i64, user_id: i64) -> anyhow::Result<Outcome> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let article = article::Entity::find_by_id(article_id).lock_exclusive().one(&*tx).await?;
    let Some(article) = article.filter(|article| article.state == ArticleState::Scheduled) else {
        return Ok(Outcome::Done);
    };
    match article.publish_at {
        Some(publish_at) if publish_at > now => {
            return Ok(Outcome::Again {
                job: Job::PublishArticle { article_id, user_id },
                run_at: publish_at,
            });
        }
        _ => {}
    }
    // Who scheduled it may have left meanwhile.
    let user = user::Entity::find_by_id(user_id).one(&*tx).await?;
    publish::make_public(&tx, now, article, user.map(|user| user.id)).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// Forgets the time that was set, if one was.
pub async fn cancel_job<C: ConnectionTrait>(tx: &C, article_id: i64) -> Result<(), DbErr> {
    let job = Job::PublishArticle { article_id, user_id: 0 };
    match job.unique_key() {
        Some(key) => queue::cancel(tx, &key).await,
        None => Ok(()),
    }
}

fn check_unpublished(article: &article::Model) -> Result<(), Error> {
    match article.state {
        ArticleState::Draft | ArticleState::Scheduled => Ok(()),
        ArticleState::Published => Err(Error::Conflict("article-is-published".into())),
        ArticleState::Withdrawn => Err(Error::Conflict("article-is-withdrawn".into())),
    }
}
