//! Tags as they are looked up: 台风, 颱風 and ＃台风 are one. The rows follow `articles.tags` of every article that is or
//! was public, and are written in the same transaction.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::clock::Timestamp;
use crate::db::Db;
use crate::db::entities::article::{self, Tags};
use crate::db::entities::{article_tag, setting};
use crate::text::fold;

/// The setting that says that older articles have their rows.
const FILLED: &str = "article_tags";
/// Articles that are read at once to give them rows.
const BATCH: u64 = 1_000;
/// Rows of one statement.
const CHUNK: usize = 4_000;
/// Characters of a folded tag.
const LONGEST: usize = 60;

/// The form under which a tag is looked up; empty for one without a letter.
pub fn folded(tag: &str) -> String {
    if fold::letters(tag).is_empty() {
        return String::new();
    }
    let folded = fold::fold(tag.trim_start_matches(['#', '＃']));
    folded.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

/// What is written of one article.
#[derive(Clone, Debug)]
pub struct Tagged {
    pub article_id: i64,
    pub account_id: i64,
    pub published_at: Timestamp,
    pub tags: Tags,
}

/// Writes the tags of an article that is public anew; of one that never was, nothing.
pub async fn rewrite<C: ConnectionTrait>(tx: &C, article: &article::Model) -> Result<(), DbErr> {
    let Some(published_at) = article.published_at else { return Ok(()) };
    article_tag::Entity::delete_many().filter(article_tag::COLUMN.article_id.eq(article.id)).exec(tx).await?;
    let tagged = Tagged {
        article_id: article.id,
        account_id: article.account_id,
        published_at,
        tags: article.tags.clone(),
    };
    write(tx, vec![tagged]).await
}

/// Writes the tags of articles that have none yet.
pub async fn write<C: ConnectionTrait>(tx: &C, articles: Vec<Tagged>) -> Result<(), DbErr> {
    let rows: Vec<article_tag::ActiveModel> = articles.into_iter().flat_map(rows).collect();
    for chunk in rows.chunks(CHUNK) {
        let same = OnConflict::columns([article_tag::Column::ArticleId, article_tag::Column::Folded])
            .do_nothing()
            .to_owned();
        article_tag::Entity::insert_many(chunk.to_vec()).on_conflict(same).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn rows(tagged: Tagged) -> Vec<article_tag::ActiveModel> {
    let mut seen: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for name in tagged.tags.0 {
        let folded = folded(&name);
        if folded.is_empty() || seen.contains(&folded) {
            continue;
        }
        seen.push(folded.clone());
        rows.push(article_tag::ActiveModel {
            article_id: Set(tagged.article_id),
            folded: Set(folded),
            name: Set(name),
            account_id: Set(tagged.account_id),
            published_at: Set(tagged.published_at),
        });
    }
    rows
}

/// Gives articles of before there were such rows theirs; once, and again from the start if it was cut short.
pub async fn fill(db: &Db) -> Result<(), DbErr> {
    if setting::Entity::find_by_id(FILLED).one(db.read()).await?.is_some() {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let batch: Vec<(i64, i64, Timestamp, Tags)> = article::Entity::find()
            .select_only()
            .columns([
                article::Column::Id,
                article::Column::AccountId,
                article::Column::PublishedAt,
                article::Column::Tags,
            ])
            .filter(article::COLUMN.id.gt(after))
            .filter(article::COLUMN.published_at.is_not_null())
            .order_by_asc(article::COLUMN.id)
            .limit(BATCH)
            .into_tuple()
            .all(db.read())
            .await?;
        let Some(last) = batch.last() else { break };
        after = last.0;
        let tagged = batch.into_iter().map(|(article_id, account_id, published_at, tags)| Tagged {
            article_id,
            account_id,
            published_at,
            tags,
        });
        let tx = db.begin().await?;
        write(&*tx, tagged.collect()).await?;
        tx.commit().await?;
    }
    let done = setting::ActiveModel { name: Set(FILLED.into()), value: Set("filled".into()) };
    let same = OnConflict::column(setting::Column::Name).do_nothing().to_owned();
    setting::Entity::insert(done).on_conflict(same).exec_without_returning(db.write()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scripts_widths_and_cases_are_one_tag() {
        assert_eq!(folded("颱風"), folded("台风"));
        assert_eq!(folded("ＡＩ"), folded("ai"));
        assert_eq!(folded("＃New  York"), "new york");
        assert_ne!(folded("C++"), folded("C"));
        for empty in ["", "——", "#", " "] {
            assert_eq!(folded(empty), "", "{empty:?}");
        }
    }
}
