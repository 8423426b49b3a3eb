//! An article's place in its account's addresses. A slug is taken for good: one that an article
//! gave up still leads to it.

use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};

use crate::clock::Timestamp;
use crate::db::entities::{account, article, article_slug};
use crate::error::Error;
use crate::text;

/// Paths under `/@handle/` that are no articles.
const RESERVED: &[&str] = &[
    "about",
    "archive",
    "collections",
    "feed",
    "follow",
    "rss",
    "search",
    "settings",
    "subscribe",
    "tag",
    "unsubscribe",
];

/// Makes other writers of this account's slugs wait until `tx` ends. SQLite has one writer anyway.
pub async fn lock_account<C: ConnectionTrait>(tx: &C, account_id: i64) -> Result<account::Model, Error> {
    account::Entity::find_by_id(account_id).lock(LockType::NoKeyUpdate).one(tx).await?.ok_or(Error::NotFound)
}

/// Whether a slug is the path of something else.
pub fn is_reserved(slug: &str) -> bool {
    RESERVED.contains(&slug)
}

/// A free slug made from a title.
pub async fn from_title<C: ConnectionTrait>(tx: &C, account_id: i64, title: &str) -> Result<String, DbErr> {
    let base = text::slug::slug(title);
    for number in 1..20 {
        let slug = if number == 1 { base.clone() } else { numbered(&base, number) };
        if is_free(tx, account_id, &slug, None).await? {
            return Ok(slug);
        }
    }
    Ok(with_suffix(&base, &hex::encode(rand::random::<[u8; 4]>())))
}

/// Whether a slug was made from this title, and so may change with it.
pub fn is_from_title(slug: &str, title: &str) -> bool {
    let base = text::slug::slug(title);
    let base = base.as_str();
    slug == base
        || slug.rsplit_once('-').is_some_and(|(front, back)| {
            base.starts_with(front)
                && (1..=8).contains(&back.len())
                && back.bytes().all(|b| b.is_ascii_hexdigit())
        })
}

/// Whether no article of the account has or had this slug; `article_id` itself aside.
pub async fn is_free<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    slug: &str,
    article_id: Option<i64>,
) -> Result<bool, DbErr> {
    if is_reserved(slug) {
        return Ok(false);
    }
    let mut present = article::Entity::find()
        .filter(article::COLUMN.account_id.eq(account_id))
        .filter(article::COLUMN.slug.eq(slug));
    let mut former = article_slug::Entity::find()
        .filter(article_slug::COLUMN.account_id.eq(account_id))
        .filter(article_slug::COLUMN.slug.eq(slug));
    if let Some(id) = article_id {
        present = present.filter(article::COLUMN.id.ne(id));
        former = former.filter(article_slug::COLUMN.article_id.ne(id));
    }
    Ok(present.count(db).await? == 0 && former.count(db).await? == 0)
}

/// Notes that `article` is about to leave its slug for `slug`, so that the old one leads to it.
pub async fn leave<C: ConnectionTrait>(
    tx: &C,
    now: Timestamp,
    article: &article::Model,
    slug: &str,
) -> Result<(), DbErr> {
    // It may go back to a slug that it had before.
    article_slug::Entity::delete_many()
        .filter(article_slug::COLUMN.account_id.eq(article.account_id))
        .filter(article_slug::COLUMN.slug.eq(slug))
        .exec(tx)
        .await?;
    let row = article_slug::ActiveModel {
        id: NotSet,
        account_id: Set(article.account_id),
        slug: Set(article.slug.clone()),
        article_id: Set(article.id),
        created_at: Set(now),
    };
    let same = OnConflict::columns([article_slug::Column::AccountId, article_slug::Column::Slug])
        .update_column(article_slug::Column::ArticleId)
        .to_owned();
    article_slug::Entity::insert(row).on_conflict(same).exec_without_returning(tx).await?;
    Ok(())
}

fn numbered(base: &str, number: usize) -> String {
    with_suffix(base, &number.to_string())
}

/// The base, shortened where it must be, a hyphen and the suffix.
pub fn with_suffix(base: &str, suffix: &str) -> String {
    let room = text::slug::MAX_LENGTH - suffix.len() - 1;
    // Slugs are ASCII.
    let base = base[..base.len().min(room)].trim_end_matches('-');
    format!("{base}-{suffix}")
}
