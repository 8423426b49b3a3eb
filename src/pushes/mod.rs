//! Pushes: one sending (群发) of published articles to an account's subscribers. An article is
//! pushed at most once, however often and by however many editors it is asked for.

pub mod api;
pub mod pages;
pub mod queries;
pub mod steer;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
};

use crate::accounts::roles::{self, Operation};
use crate::accounts::{self};
use crate::app::App;
use crate::auth::token;
use crate::db::entities::article::ArticleState;
use crate::db::entities::push::{self, PushState};
use crate::db::entities::push_article;
use crate::error::{Error, Message};
use crate::outbox::{self, Event};
use queries::Candidate;

/// The most articles of one push.
pub const MOST_ARTICLES: usize = 8;
const LONGEST_KEY: usize = 200;

/// What is to be pushed.
#[derive(Clone, Debug)]
pub struct NewPush {
    /// In the order in which readers see them.
    pub article_ids: Vec<i64>,
    /// The same key again is the same push; empty for a new one.
    pub idempotency_key: String,
}

/// A push, and whether this call made it.
#[derive(Clone, Debug)]
pub struct Created {
    pub push: push::Model,
    pub new: bool,
}

/// Pushes articles: the rows, the event and the job that tells the subscribers are one transaction.
/// Asked again for the same articles, or with the same key, it answers with the push that is there.
///
/// # Errors
/// Forbidden for roles without `Push` and in suspended accounts; invalid `articles`; conflict when
/// some of them were pushed before, or the key was used for others.
pub async fn create(app: &App, user_id: i64, account_id: i64, new: &NewPush) -> Result<Created, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::Push).await?;
    let ids = distinct(&new.article_ids)?;
    // Two editors of one account wait for each other here; articles have one account.
    let account = accounts::lock(&tx, account_id).await?;
    accounts::require_active(&account)?;
    if let Some(push) = existing(&tx, account_id, &ids, &new.idempotency_key).await? {
        return Ok(Created { push, new: false });
    }
    let candidates = require_pushable(&*tx, account_id, &ids).await?;
    let push = push::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        created_by: Set(Some(user_id)),
        idempotency_key: Set(key_or_random(&new.idempotency_key)),
        state: Set(PushState::FanningOut),
        created_at: Set(now),
        finished_at: Set(None),
        stopped_at: Set(None),
        untold: Set(None),
    }
    .insert(&*tx)
    .await?;
    let rows = candidates.iter().enumerate().map(|(position, article)| push_article::ActiveModel {
        id: NotSet,
        push_id: Set(push.id),
        article_id: Set(article.id),
        position: Set(position as i32),
    });
    push_article::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
    outbox::record(&tx, now, Event::PushCreated { account_id, push_id: push.id }).await?;
    tx.commit().await?;
    Ok(Created { push, new: true })
}

/// The ids in order, each once.
fn distinct(ids: &[i64]) -> Result<Vec<i64>, Error> {
    let mut distinct = Vec::new();
    for id in ids {
        if !distinct.contains(id) {
            distinct.push(*id);
        }
    }
    match distinct.len() {
        0 => Err(Error::invalid("articles", "push-articles-none")),
        1..=MOST_ARTICLES => Ok(distinct),
        _ => Err(Error::invalid("articles", Message::from("push-articles-many").with("most", MOST_ARTICLES))),
    }
}

fn key_or_random(key: &str) -> String {
    if key.is_empty() { token::new() } else { key.chars().take(LONGEST_KEY).collect() }
}

/// The push that this request has made before, by its key or by its articles.
async fn existing(
    tx: &DatabaseTransaction,
    account_id: i64,
    ids: &[i64],
    key: &str,
) -> Result<Option<push::Model>, Error> {
    if !key.is_empty() {
        let key: String = key.chars().take(LONGEST_KEY).collect();
        let same_key = push::Entity::find()
            .filter(push::COLUMN.account_id.eq(account_id))
            .filter(push::COLUMN.idempotency_key.eq(key))
            .one(tx)
            .await?;
        if let Some(push) = same_key {
            let is_same = has_exactly(tx, push.id, ids).await?;
            return if is_same { Ok(Some(push)) } else { Err(Error::Conflict("push-key-reused".into())) };
        }
    }
    let Some(first) =
        push_article::Entity::find().filter(push_article::COLUMN.article_id.eq(ids[0])).one(tx).await?
    else {
        return Ok(None);
    };
    if !has_exactly(tx, first.push_id, ids).await? {
        return Ok(None);
    }
    let push = push::Entity::find_by_id(first.push_id).filter(push::COLUMN.account_id.eq(account_id));
    Ok(push.one(tx).await?)
}

/// Whether a push is of these articles, in whatever order.
async fn has_exactly(tx: &DatabaseTransaction, push_id: i64, ids: &[i64]) -> Result<bool, Error> {
    let rows = push_article::Entity::find()
        .filter(push_article::COLUMN.push_id.eq(push_id))
        .order_by_asc(push_article::COLUMN.position)
        .all(tx)
        .await?;
    Ok(rows.len() == ids.len() && rows.iter().all(|row| ids.contains(&row.article_id)))
}

/// The articles in the given order, if all of them may be pushed now.
///
/// # Errors
/// As [`create`].
pub async fn require_pushable<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    ids: &[i64],
) -> Result<Vec<Candidate>, Error> {
    let ids = distinct(ids)?;
    let mut articles = queries::candidates(db, account_id, &ids).await?;
    if articles.len() < ids.len() {
        return Err(Error::invalid("articles", "push-article-missing"));
    }
    articles.sort_by_key(|article| ids.iter().position(|id| *id == article.id));
    let unpublished = titles(articles.iter().filter(|article| article.state != ArticleState::Published));
    if !unpublished.is_empty() {
        let message = Message::from("push-article-not-published").with("titles", unpublished);
        return Err(Error::invalid("articles", message));
    }
    let pushed =
        push_article::Entity::find().filter(push_article::Column::ArticleId.is_in(ids)).all(db).await?;
    let is_pushed = |article: &&Candidate| pushed.iter().any(|row| row.article_id == article.id);
    let pushed = titles(articles.iter().filter(is_pushed));
    if !pushed.is_empty() {
        return Err(Error::Conflict(Message::from("push-articles-pushed").with("titles", pushed)));
    }
    Ok(articles)
}

fn titles<'a>(articles: impl Iterator<Item = &'a Candidate>) -> String {
    articles.map(|article| format!("《{}》", article.title)).collect()
}
