//! Revisions: each version that readers have been shown, with its editor and time.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
};

use super::Note;
use super::form::Content;
use crate::clock::Timestamp;
use crate::db::entities::{article, revision};

/// Writes the article as it is now as its next revision.
pub async fn record<C: ConnectionTrait>(
    tx: &C,
    now: Timestamp,
    article: &article::Model,
    editor_id: Option<i64>,
    note: Note<'_>,
) -> Result<(), DbErr> {
    let newest = revision::Entity::find()
        .filter(revision::COLUMN.article_id.eq(article.id))
        .order_by_desc(revision::COLUMN.number)
        .one(tx)
        .await?;
    row(article, newest.map_or(1, |newest| newest.number + 1), editor_id, note, now).insert(tx).await?;
    Ok(())
}

/// Writes the article as it was before a change as its first revision, where it has none: bulk
/// imports write none, for most articles never change.
pub async fn record_baseline<C: ConnectionTrait>(tx: &C, article: &article::Model) -> Result<(), DbErr> {
    let any = revision::Entity::find().filter(revision::COLUMN.article_id.eq(article.id)).one(tx).await?;
    if any.is_none() {
        let since = article.published_at.unwrap_or(article.created_at);
        row(article, 1, article.created_by, Note::default(), since).insert(tx).await?;
    }
    Ok(())
}

/// The changes that turn an article into this content.
pub fn apply(row: &mut article::ActiveModel, content: Content) {
    row.title = Set(content.title);
    row.digest = Set(content.digest);
    row.author = Set(content.author);
    row.body_format = Set(content.body_format);
    row.body_source = Set(content.body_source);
    row.body_html = Set(content.body_html);
    row.word_count = Set(content.word_count);
    row.cover_url = Set(content.cover_url);
    row.tags = Set(content.tags);
    row.lang = Set(content.lang);
    row.original_url = Set(content.original_url);
}

fn row(
    article: &article::Model,
    number: i32,
    editor_id: Option<i64>,
    note: Note<'_>,
    created_at: Timestamp,
) -> revision::ActiveModel {
    revision::ActiveModel {
        id: NotSet,
        article_id: Set(article.id),
        number: Set(number),
        editor_id: Set(editor_id),
        title: Set(article.title.clone()),
        digest: Set(article.digest.clone()),
        body_format: Set(article.body_format),
        body_source: Set(article.body_source.clone()),
        body_html: Set(article.body_html.clone()),
        note: Set(note.words.to_owned()),
        note_shown: Set(note.is_shown()),
        created_at: Set(created_at),
    }
}
