//! Publishing: from now on everyone can read it.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{Actor, Note, form, lock, revise, schedule, tags};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::article::{self, ArticleState};
use crate::error::Error;
use crate::outbox::{self, Event};

/// Publishes a draft or scheduled article; one that is published already is left as it is, so a
/// double submit publishes once.
///
/// # Errors
/// Forbidden to authors and analysts; invalid without title or body; conflict when it was
/// withdrawn, or changed since `version` was read.
pub async fn publish(
    app: &App,
    actor: Actor,
    article_id: i64,
    version: Option<i32>,
) -> Result<article::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    actor.may(&*tx, Operation::Publish).await?;
    let article = lock(&*tx, actor, article_id).await?;
    match article.state {
        ArticleState::Published => return Ok(article),
        ArticleState::Withdrawn => return Err(Error::Conflict("article-is-withdrawn".into())),
        ArticleState::Draft | ArticleState::Scheduled => {}
    }
    if version.is_some_and(|version| version != article.version) {
        return Err(Error::Conflict("article-conflict".into()));
    }
    let published = make_public(&tx, now, article, Some(actor.user_id)).await?;
    tx.commit().await?;
    Ok(published)
}

/// Article, revision and event of a publication.
pub async fn make_public(
    tx: &Tx,
    now: Timestamp,
    article: article::Model,
    editor_id: Option<i64>,
) -> Result<article::Model, Error> {
    form::check_complete(&article.title, &article.body_html)?;
    let version = article.version + 1;
    let mut row = article.into_active_model();
    row.state = Set(ArticleState::Published);
    row.publish_at = Set(None);
    row.published_at = Set(Some(now));
    row.updated_at = Set(now);
    row.version = Set(version);
    let published = row.update(&**tx).await?;
    revise::record(&**tx, now, &published, editor_id, Note::default()).await?;
    tags::rewrite(&**tx, &published).await?;
    schedule::cancel_job(&**tx, published.id).await?;
    let event =
        Event::ArticlePublished { account_id: published.account_id, article_id: published.id, news: true };
    outbox::record(tx, now, event).await?;
    Ok(published)
}
