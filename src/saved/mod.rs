//! Articles that readers keep. A saved article is a copy of the reader's own: what the outlet changes, withdraws or
//! removes later changes nothing of it, and its page says so. In it, the reader marks passages and writes notes.
//!
//! The operations here and in [`highlights`] are the only writers of `saved_articles` and `highlights`.
//!
//! - [`queries`]: reads; [`find`]: search inside
//! - [`highlights`]: passages that are marked; [`marks`]: where they stand in a text
//! - [`export`]: what is saved as EPUB, Markdown and HTML

pub mod export;
pub mod find;
pub mod highlights;
pub mod marks;
pub mod pages;
pub mod queries;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, ModelTrait, QueryFilter, QuerySelect,
};

use crate::app::App;
use crate::articles::content::plain_text;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::saved_article;
use crate::error::{Error, Message};
use crate::text::fold;

/// Articles that one reader can keep.
pub const MOST_SAVED: u64 = 10_000;

/// Keeps a published article for a reader; one that is kept already stays as it is, and has its star again.
///
/// # Errors
/// Not found where readers cannot see the article; invalid `article` where the reader has too many.
pub async fn save(app: &App, user_id: i64, article_id: i64) -> Result<saved_article::Model, Error> {
    let db = app.db.read();
    if let Some(known) = queries::of_article(db, user_id, article_id).await?
        && (known.starred || set_star(app.db.write(), known.id, true).await?)
    {
        return Ok(saved_article::Model { starred: true, ..known });
    }
    let (account, article) = published(db, article_id).await?;
    if queries::count(db, user_id).await? >= MOST_SAVED {
        return Err(Error::invalid("article", Message::from("saved-too-many").with("most", MOST_SAVED)));
    }
    let mut row = copy(&account, article);
    row.user_id = Set(user_id);
    row.saved_at = Set(app.clock.now());
    saved_article::Entity::insert(row)
        .on_conflict_do_nothing_on([saved_article::Column::UserId, saved_article::Column::ArticleId])
        .exec(app.db.write())
        .await?;
    let saved = queries::of_article(app.db.write(), user_id, article_id).await?;
    saved.ok_or_else(|| anyhow::anyhow!("the article that was just saved is gone").into())
}

/// Takes the article over as it is now into the reader's copy.
///
/// # Errors
/// Not found where the copy is not the reader's own, or readers cannot see the article any more.
pub async fn refresh(app: &App, user_id: i64, saved_id: i64) -> Result<(), Error> {
    let known = queries::get_own(app.db.read(), user_id, saved_id).await?;
    let (account, article) = published(app.db.read(), known.article_id.ok_or(Error::NotFound)?).await?;
    let mut row = copy(&account, article);
    row.id = Set(known.id);
    (row.user_id, row.saved_at, row.starred) = (NotSet, NotSet, NotSet);
    row.update(app.db.write()).await?;
    Ok(())
}

/// Gives up a copy, with all that was marked in it. Nothing happens where there is none.
pub async fn unsave(app: &App, user_id: i64, article_id: i64) -> Result<(), DbErr> {
    saved_article::Entity::delete_many()
        .filter(saved_article::COLUMN.user_id.eq(user_id))
        .filter(saved_article::COLUMN.article_id.eq(Some(article_id)))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// Takes the star away that reader apps see. Apps ask nobody first, so the copy goes only where nothing is lost: one
/// with highlights, or of an article that was changed since or that nobody can see any more, stays.
pub async fn unstar(app: &App, user_id: i64, article_id: i64) -> Result<(), DbErr> {
    let tx = app.db.begin().await?;
    // Whoever marks a passage meanwhile waits, or was first.
    let known = queries::select_of_article(user_id, article_id).lock_exclusive().one(&*tx).await?;
    let Some(known) = known else { return Ok(()) };
    let is_marked = queries::highlights(&*tx, &[known.id]).await?.contains_key(&known.id);
    if is_marked || queries::fate(&*tx, &known).await? != queries::Fate::Same {
        set_star(&*tx, known.id, false).await?;
    } else {
        known.delete(&*tx).await?;
    }
    tx.commit().await
}

/// False where the copy is gone.
async fn set_star<C: ConnectionTrait>(db: &C, saved_id: i64, is_starred: bool) -> Result<bool, DbErr> {
    let update = saved_article::Entity::update_many()
        .col_expr(saved_article::Column::Starred, Expr::value(is_starred))
        .filter(saved_article::COLUMN.id.eq(saved_id));
    Ok(update.exec(db).await?.rows_affected == 1)
}

/// The same as [`unsave`], by the copy's own id.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn remove(app: &App, user_id: i64, saved_id: i64) -> Result<(), Error> {
    let removed = saved_article::Entity::delete_many()
        .filter(saved_article::COLUMN.id.eq(saved_id))
        .filter(saved_article::COLUMN.user_id.eq(user_id))
        .exec(app.db.write())
        .await?;
    if removed.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// An article that anybody may see, and its account.
async fn published<C: ConnectionTrait>(
    db: &C,
    article_id: i64,
) -> Result<(account::Model, article::Model), Error> {
    let article = article::Entity::find_by_id(article_id).one(db).await?;
    let article =
        article.filter(|article| article.state == ArticleState::Published).ok_or(Error::NotFound)?;
    let account = account::Entity::find_by_id(article.account_id).one(db).await?;
    let account = account.filter(|account| account.state == AccountState::Active).ok_or(Error::NotFound)?;
    Ok((account, article))
}

fn copy(account: &account::Model, article: article::Model) -> saved_article::ActiveModel {
    let body = plain_text(&article.body_html);
    let texts = [&article.title, &article.digest, &article.author, &account.name, &account.handle, &body];
    let tags = article.tags.0.iter();
    let letters: Vec<String> = texts.into_iter().chain(tags).map(|text| fold::letters(text)).collect();
    saved_article::ActiveModel {
        id: NotSet,
        user_id: NotSet,
        article_id: Set(Some(article.id)),
        saved_at: NotSet,
        starred: Set(true),
        version: Set(article.version),
        url: Set(format!("/@{}/{}", account.handle, article.slug)),
        account_handle: Set(account.handle.clone()),
        account_name: Set(account.name.clone()),
        title: Set(article.title),
        digest: Set(article.digest),
        author: Set(article.author),
        tags: Set(article.tags),
        lang: Set(article.lang),
        published_at: Set(article.published_at),
        cover_url: Set(article.cover_url),
        letters: Set(letters.join("\n")),
        body_html: Set(article.body_html),
    }
}
