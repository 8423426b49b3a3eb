//! Unsaved work, kept from the editor while one types. Nothing but the editor ever reads it.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};

use super::form::ArticleForm;
use super::{Actor, content, lock};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::autosave;
use crate::error::Error;

/// Keeps what is in the editor, begun from the article's `version`; returns when.
///
/// # Errors
/// Too large; forbidden to those who may not save it either.
pub async fn autosave(
    app: &App,
    actor: Actor,
    article_id: i64,
    version: i32,
    form: &ArticleForm,
) -> Result<Timestamp, Error> {
    let fields = serde_json::to_value(form).map_err(anyhow::Error::from)?;
    if form.body.len() > content::MAX_SOURCE || form.title.len() + form.digest.len() > 16_384 {
        return Err(Error::TooLarge);
    }
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let article = lock(&*tx, actor, article_id).await?;
    actor.may_edit(&*tx, &article).await?;
    let row = autosave::ActiveModel {
        article_id: Set(article.id),
        user_id: Set(Some(actor.user_id)),
        version: Set(version),
        fields: Set(fields),
        saved_at: Set(now),
    };
    let again = OnConflict::column(autosave::Column::ArticleId)
        .update_columns([
            autosave::Column::UserId,
            autosave::Column::Version,
            autosave::Column::Fields,
            autosave::Column::SavedAt,
        ])
        .to_owned();
    autosave::Entity::insert(row).on_conflict(again).exec_without_returning(&*tx).await?;
    tx.commit().await?;
    Ok(now)
}

/// Forgets unsaved work.
pub async fn discard_autosave(app: &App, actor: Actor, article_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let article = lock(&*tx, actor, article_id).await?;
    actor.may_edit(&*tx, &article).await?;
    forget(&*tx, article.id).await?;
    tx.commit().await?;
    Ok(())
}

/// The same within a transaction that saves the work, or overtakes it.
pub async fn forget<C: ConnectionTrait>(tx: &C, article_id: i64) -> Result<(), DbErr> {
    autosave::Entity::delete_by_id(article_id).exec(tx).await?;
    Ok(())
}
