//! Articles: written as drafts, published at once or at a set time, revised, withdrawn.
//!
//! The operations here are the only writers of `articles`, `article_slugs`, `article_tags`, `revisions` and
//! `autosaves`. Each opens one transaction, asks [`roles`] whether the member may, changes rows
//! and records the event that tells the search index, feeds and caches.

pub mod api;
mod autosave;
mod batch;
pub mod content;
mod draft;
mod form;
pub mod pages;
mod publish;
pub mod queries;
mod revise;
mod schedule;
mod slugs;
pub mod tags;
mod withdraw;

pub use autosave::{autosave, discard_autosave};
pub use batch::{Imported, NewArticle, insert_imported, revise_imported};
pub use draft::{Note, create, delete, save};
pub use form::{ArticleForm, Content, MAX_TAGS};
pub use publish::publish;
pub use schedule::{publish_due, schedule, unschedule};
pub use slugs::{lock_account, with_suffix};
pub use withdraw::{reinstate, withdraw};

use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};

use crate::accounts::roles::{self, Operation};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::member::Role;
use crate::error::Error;

/// Who does something, in which account; every operation takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    pub account_id: i64,
    pub user_id: i64,
}

impl Actor {
    /// The actor's role, if it allows the operation.
    async fn may<C: ConnectionTrait>(self, db: &C, operation: Operation) -> Result<Role, Error> {
        roles::require(db, self.account_id, self.user_id, operation).await
    }

    /// Fails unless the actor may change this article: editors any, authors drafts of their own.
    async fn may_edit<C: ConnectionTrait>(self, db: &C, article: &article::Model) -> Result<(), Error> {
        let role = self.may(db, Operation::ReadStudio).await?;
        if may_edit(role, self.user_id, article) { Ok(()) } else { Err(Error::forbidden()) }
    }
}

/// Whether a member may change an article.
pub fn may_edit(role: Role, user_id: i64, article: &article::Model) -> bool {
    let is_own_draft = article.state == ArticleState::Draft && article.created_by == Some(user_id);
    roles::allows(role, Operation::EditArticle)
        || (is_own_draft && roles::allows(role, Operation::WriteOwnDraft))
}

/// Loads an article of the actor's account for changing it; nobody else changes it until `tx` ends.
async fn lock<C: ConnectionTrait>(tx: &C, actor: Actor, article_id: i64) -> Result<article::Model, Error> {
    let article = article::Entity::find_by_id(article_id).lock_exclusive().one(tx).await?;
    article.filter(|article| article.account_id == actor.account_id).ok_or(Error::NotFound)
}
