//! Collections (合集): an account's ordered sets of articles, such as a series. An article may be in several.
//!
//! The operations here are the only writers of `collections` and `collection_articles`. What they change shows on pages
//! and feeds that are read from the rows themselves; the event of it is for those who are told of the feed.

pub mod api;
pub mod pages;
pub mod queries;
mod shift;
pub mod studio;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, SqlErr,
};
use serde::{Deserialize, Serialize};

use crate::accounts::profile::parse_name;
use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::articles::Actor;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::{account, article, collection, collection_article};
use crate::error::{Error, Message, Problems};
use crate::outbox::{self, Event};
use crate::text::slug;

pub use shift::Shift;

/// Collections of one account, and articles of one collection.
pub const MOST: u64 = 100;
pub const MOST_ARTICLES: u64 = 500;
const LONGEST_INTRO: usize = 500;

/// A collection as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CollectionForm {
    pub title: String,
    pub intro: String,
}

impl CollectionForm {
    pub fn of(row: &collection::Model) -> Self {
        Self { title: row.title.clone(), intro: row.intro.clone() }
    }

    /// # Errors
    /// Problems of `title` and `intro`.
    fn parse(&self) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let title = parse_name(&self.title).unwrap_or_else(|message| {
            let key =
                if message.key == "account-name-wrong" { "collection-title-wrong" } else { message.key };
            let message = Message { key, ..message };
            problems.add("title", message);
            String::new()
        });
        let intro = self.intro.replace("\r\n", "\n").trim().to_owned();
        if intro.chars().count() > LONGEST_INTRO {
            problems.add("intro", Message::from("collection-intro-long").with("most", LONGEST_INTRO));
        }
        problems.check()?;
        Ok(Self { title, intro })
    }
}

/// Makes an empty collection, behind the account's others.
///
/// # Errors
/// Forbidden to authors and analysts; invalid `title`, `intro`; conflict where there are as many as there may be.
pub async fn create(app: &App, actor: Actor, form: &CollectionForm) -> Result<collection::Model, Error> {
    let form = form.parse()?;
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    may_manage(&*tx, actor).await?;
    // Others who make one wait here, so that counts, slugs and places stay true.
    account::Entity::find_by_id(actor.account_id).lock_exclusive().one(&*tx).await?;
    let all = || collection::Entity::find().filter(collection::COLUMN.account_id.eq(actor.account_id));
    if all().count(&*tx).await? >= MOST {
        return Err(Error::Conflict(Message::from("collections-too-many").with("most", MOST)));
    }
    let last = all().order_by_desc(collection::COLUMN.position).one(&*tx).await?;
    let row = collection::ActiveModel {
        id: NotSet,
        account_id: Set(actor.account_id),
        slug: Set(free_slug(&*tx, actor.account_id, &form.title).await?),
        title: Set(form.title),
        intro: Set(form.intro),
        position: Set(last.map_or(0, |last| last.position + 1)),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let row = row.insert(&*tx).await.map_err(taken_meanwhile)?;
    tx.commit().await?;
    Ok(row)
}

async fn free_slug<C: ConnectionTrait>(tx: &C, account_id: i64, title: &str) -> Result<String, DbErr> {
    let base = slug::slug(title);
    for number in 1..=MOST + 1 {
        let slug = match number {
            1 => base.clone(),
            number => crate::articles::with_suffix(&base, &number.to_string()),
        };
        if queries::by_slug(tx, account_id, &slug).await?.is_none() {
            return Ok(slug);
        }
    }
    Ok(crate::articles::with_suffix(&base, &hex::encode(rand::random::<[u8; 4]>())))
}

fn taken_meanwhile(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Conflict("collection-taken".into()),
        _ => error.into(),
    }
}

/// Changes title and intro; the address stays.
///
/// # Errors
/// As of [`create`].
pub async fn change(
    app: &App,
    actor: Actor,
    id: i64,
    form: &CollectionForm,
) -> Result<collection::Model, Error> {
    let form = form.parse()?;
    let tx = app.db.begin().await?;
    let present = lock(&tx, actor, id).await?;
    let is_new = (&present.title, &present.intro) != (&form.title, &form.intro);
    let mut row = present.into_active_model();
    row.title = Set(form.title);
    row.intro = Set(form.intro);
    row.updated_at = Set(app.clock.now());
    let row = row.update(&*tx).await?;
    if is_new {
        tell(app, &tx, &row, Vec::new()).await?;
    }
    tx.commit().await?;
    Ok(row)
}

/// Deletes a collection; its articles stay.
pub async fn delete(app: &App, actor: Actor, id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, actor, id).await?;
    collection::Entity::delete_by_id(id).exec(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts a collection before or behind its neighbour.
pub async fn shift(app: &App, actor: Actor, id: i64, by: Shift) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, actor, id).await?;
    account::Entity::find_by_id(actor.account_id).lock_exclusive().one(&*tx).await?;
    let rows = queries::in_order(&*tx, actor.account_id).await?;
    let mut order: Vec<i64> = rows.iter().map(|row| row.id).collect();
    by.apply(&mut order, id);
    for (position, id) in (0..).zip(order) {
        let changed = rows.iter().any(|row| row.id == id && row.position != position);
        if changed {
            let row = collection::ActiveModel { id: Set(id), position: Set(position), ..Default::default() };
            row.update(&*tx).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Puts articles of the account at the end of a collection, in the given order; those that are in it stay where they
/// are. Returns how many came.
///
/// # Errors
/// Invalid `articles` that are not the account's; conflict where the collection would become too large.
pub async fn add(app: &App, actor: Actor, id: i64, article_ids: &[i64]) -> Result<usize, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let row = lock(&tx, actor, id).await?;
    require_own(&*tx, actor, article_ids).await?;
    let present = members(&*tx, id).await?;
    let mut fresh: Vec<i64> = Vec::new();
    for article_id in article_ids {
        if !present.iter().any(|row| row.article_id == *article_id) && !fresh.contains(article_id) {
            fresh.push(*article_id);
        }
    }
    if (present.len() + fresh.len()) as u64 > MOST_ARTICLES {
        return Err(Error::Conflict(Message::from("collection-full").with("most", MOST_ARTICLES)));
    }
    let next = present.last().map_or(0, |last| last.position + 1);
    insert(&tx, id, now, next, &fresh).await?;
    touch(&tx, id, now).await?;
    let count = fresh.len();
    if count > 0 {
        tell(app, &tx, &row, fresh).await?;
    }
    tx.commit().await?;
    Ok(count)
}

/// Makes exactly these the articles of a collection, in this order.
///
/// # Errors
/// As of [`add`].
pub async fn set_articles(app: &App, actor: Actor, id: i64, article_ids: &[i64]) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let row = lock(&tx, actor, id).await?;
    require_own(&*tx, actor, article_ids).await?;
    let mut order: Vec<i64> = Vec::new();
    for article_id in article_ids {
        if !order.contains(article_id) {
            order.push(*article_id);
        }
    }
    if order.len() as u64 > MOST_ARTICLES {
        return Err(Error::Conflict(Message::from("collection-full").with("most", MOST_ARTICLES)));
    }
    let present = members(&*tx, id).await?;
    collection_article::Entity::delete_many()
        .filter(collection_article::COLUMN.collection_id.eq(id))
        .exec(&*tx)
        .await?;
    insert(&tx, id, now, 0, &order).await?;
    touch(&tx, id, now).await?;
    order.retain(|article_id| !present.iter().any(|row| row.article_id == *article_id));
    if !order.is_empty() {
        tell(app, &tx, &row, order).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes an article out of a collection; one that is not in it is no error.
pub async fn remove(app: &App, actor: Actor, id: i64, article_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, actor, id).await?;
    collection_article::Entity::delete_many()
        .filter(collection_article::COLUMN.collection_id.eq(id))
        .filter(collection_article::COLUMN.article_id.eq(article_id))
        .exec(&*tx)
        .await?;
    touch(&tx, id, app.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts an article to another place in a collection.
///
/// # Errors
/// Not found where it is not in it.
pub async fn place(app: &App, actor: Actor, id: i64, article_id: i64, by: Shift) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, actor, id).await?;
    let rows = members(&*tx, id).await?;
    let from = rows.iter().position(|row| row.article_id == article_id).ok_or(Error::NotFound)?;
    let to = by.target(from, rows.len());
    let (here, there) = (rows[from].position, rows[to].position);
    let position = Expr::col(collection_article::Column::Position);
    // Those between make room, all by one statement.
    let (between, moved) = if to < from {
        (position.clone().gte(there).and(position.clone().lt(here)), position.add(1))
    } else {
        (position.clone().gt(here).and(position.clone().lte(there)), position.sub(1))
    };
    collection_article::Entity::update_many()
        .filter(collection_article::COLUMN.collection_id.eq(id))
        .filter(between)
        .col_expr(collection_article::Column::Position, moved)
        .exec(&*tx)
        .await?;
    let mut row = rows[from].clone().into_active_model();
    row.position = Set(there);
    row.update(&*tx).await?;
    touch(&tx, id, app.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

async fn insert(tx: &Tx, id: i64, now: Timestamp, first: i32, article_ids: &[i64]) -> Result<(), DbErr> {
    if article_ids.is_empty() {
        return Ok(());
    }
    let rows = (first..).zip(article_ids).map(|(position, article_id)| collection_article::ActiveModel {
        id: NotSet,
        collection_id: Set(id),
        article_id: Set(*article_id),
        position: Set(position),
        added_at: Set(now),
    });
    collection_article::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    Ok(())
}

async fn touch(tx: &Tx, id: i64, now: Timestamp) -> Result<(), DbErr> {
    let row = collection::ActiveModel { id: Set(id), updated_at: Set(now), ..Default::default() };
    row.update(&**tx).await?;
    Ok(())
}

/// Says that the feed of a collection reads differently: these came into it, or its head changed.
async fn tell(
    app: &App,
    tx: &Tx,
    collection: &collection::Model,
    article_ids: Vec<i64>,
) -> Result<(), DbErr> {
    let (account_id, collection_id) = (collection.account_id, collection.id);
    let event = Event::CollectionChanged { account_id, collection_id, article_ids };
    outbox::record(tx, app.clock.now(), event).await
}

/// All in a collection, in its order.
async fn members<C: ConnectionTrait>(db: &C, id: i64) -> Result<Vec<collection_article::Model>, DbErr> {
    collection_article::Entity::find()
        .filter(collection_article::COLUMN.collection_id.eq(id))
        .order_by_asc(collection_article::COLUMN.position)
        .order_by_asc(collection_article::COLUMN.id)
        .all(db)
        .await
}

async fn require_own<C: ConnectionTrait>(db: &C, actor: Actor, article_ids: &[i64]) -> Result<(), Error> {
    if article_ids.len() as u64 > MOST_ARTICLES {
        return Err(Error::Conflict(Message::from("collection-full").with("most", MOST_ARTICLES)));
    }
    let mut wanted = article_ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let own = article::Entity::find()
        .filter(article::COLUMN.account_id.eq(actor.account_id))
        .filter(article::Column::Id.is_in(wanted.iter().copied()))
        .count(db)
        .await?;
    match own == wanted.len() as u64 {
        true => Ok(()),
        false => Err(Error::invalid("articles", "collection-articles-wrong")),
    }
}

async fn may_manage<C: ConnectionTrait>(db: &C, actor: Actor) -> Result<(), Error> {
    roles::require(db, actor.account_id, actor.user_id, Operation::ManageCollections).await?;
    Ok(())
}

/// A collection of the actor's account, who may change it; nobody else does until `tx` ends.
async fn lock(tx: &Tx, actor: Actor, id: i64) -> Result<collection::Model, Error> {
    may_manage(&**tx, actor).await?;
    let row = collection::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    row.filter(|row| row.account_id == actor.account_id).ok_or(Error::NotFound)
}
