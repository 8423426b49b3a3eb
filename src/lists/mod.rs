//! Lists: folders into which a reader sorts the accounts they follow. A subscription is in one list or in none. The
//! operations here are the only writers of `lists` and of `subscriptions.list_id`.

pub mod pages;
pub mod queries;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, SqlErr,
};

use crate::app::App;
use crate::db::entities::{list, subscription, user};
use crate::error::{Error, Message};
use crate::subscriptions;

/// Lists of one reader.
pub const MOST_LISTS: usize = 100;
/// Characters of a name.
pub const LONGEST_NAME: usize = 40;

/// Which way a list goes among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Way {
    Up,
    Down,
}

/// Makes a list, as the last one.
///
/// # Errors
/// Invalid `name`, also where the reader has one of that name, or too many.
pub async fn create(app: &App, user_id: i64, name: &str) -> Result<list::Model, Error> {
    let name = parse_name(name)?;
    let tx = app.db.begin().await?;
    lock(&tx, user_id).await?;
    let created = insert(app, &tx, user_id, name).await?;
    tx.commit().await?;
    Ok(created)
}

/// The reader's list of a name, made where there is none.
///
/// # Errors
/// As of [`create`].
pub async fn named(app: &App, user_id: i64, name: &str) -> Result<list::Model, Error> {
    let tx = app.db.begin().await?;
    let found = named_in(app, &tx, user_id, name).await?;
    tx.commit().await?;
    Ok(found)
}

/// The same within the caller's transaction.
pub async fn named_in(
    app: &App,
    tx: &DatabaseTransaction,
    user_id: i64,
    name: &str,
) -> Result<list::Model, Error> {
    let name = parse_name(name)?;
    lock(tx, user_id).await?;
    match queries::of_name(tx, user_id, &name).await? {
        Some(found) => Ok(found),
        None => insert(app, tx, user_id, name).await,
    }
}

/// Gives a list another name.
///
/// # Errors
/// Not found, also where it is another's; invalid `name`.
pub async fn rename(app: &App, user_id: i64, list_id: i64, name: &str) -> Result<(), Error> {
    let name = parse_name(name)?;
    let mut row = queries::get_own(app.db.read(), user_id, list_id).await?.into_active_model();
    row.name = Set(name);
    row.update(app.db.write()).await.map_err(taken)?;
    Ok(())
}

/// Removes a list; its subscriptions stay, in none.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn delete(app: &App, user_id: i64, list_id: i64) -> Result<(), Error> {
    let deleted = list::Entity::delete_many()
        .filter(list::COLUMN.id.eq(list_id))
        .filter(list::COLUMN.user_id.eq(user_id))
        .exec(app.db.write())
        .await?;
    if deleted.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Moves a list by one place.
///
/// # Errors
/// Not found, also where it is another's.
pub async fn shift(app: &App, user_id: i64, list_id: i64, way: Way) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, user_id).await?;
    let mut ids: Vec<i64> = queries::of_user(&*tx, user_id).await?.iter().map(|list| list.id).collect();
    let at = ids.iter().position(|id| *id == list_id).ok_or(Error::NotFound)?;
    let other = match way {
        Way::Up => at.checked_sub(1),
        Way::Down => Some(at + 1).filter(|other| *other < ids.len()),
    };
    if let Some(other) = other {
        ids.swap(at, other);
        write_order(&tx, &ids).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Puts lists into an order; those that are left out follow as they were, ids of others' are passed over.
pub async fn reorder(app: &App, user_id: i64, wanted: &[i64]) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, user_id).await?;
    let own: Vec<i64> = queries::of_user(&*tx, user_id).await?.iter().map(|list| list.id).collect();
    let mut ids: Vec<i64> = Vec::with_capacity(own.len());
    for id in wanted.iter().chain(&own) {
        if own.contains(id) && !ids.contains(id) {
            ids.push(*id);
        }
    }
    write_order(&tx, &ids).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts a subscription into a list, or takes it out of the one that it is in.
///
/// # Errors
/// Not found where subscription or list is not the reader's own.
pub async fn put(app: &App, user_id: i64, subscription_id: i64, list_id: Option<i64>) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    put_in(&tx, user_id, subscription_id, list_id).await?;
    tx.commit().await?;
    Ok(())
}

/// The same within the caller's transaction.
pub async fn put_in(
    tx: &DatabaseTransaction,
    user_id: i64,
    subscription_id: i64,
    list_id: Option<i64>,
) -> Result<(), Error> {
    let subscription = subscriptions::get_own(tx, user_id, subscription_id).await?;
    if let Some(list_id) = list_id {
        queries::get_own(tx, user_id, list_id).await?;
    }
    subscription::Entity::update_many()
        .col_expr(subscription::Column::ListId, Expr::value(list_id))
        .filter(subscription::COLUMN.id.eq(subscription.id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Two who change a reader's lists at once wait for each other here.
async fn lock(tx: &DatabaseTransaction, user_id: i64) -> Result<(), Error> {
    use sea_orm::QuerySelect;
    user::Entity::find_by_id(user_id).lock_exclusive().one(tx).await?.ok_or(Error::NotFound)?;
    Ok(())
}

async fn insert(
    app: &App,
    tx: &DatabaseTransaction,
    user_id: i64,
    name: String,
) -> Result<list::Model, Error> {
    let own = queries::of_user(tx, user_id).await?;
    if own.len() >= MOST_LISTS {
        return Err(Error::invalid("name", Message::from("list-too-many").with("most", MOST_LISTS)));
    }
    if own.iter().any(|list| list.name == name) {
        return Err(Error::invalid("name", "list-taken"));
    }
    let row = list::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        name: Set(name),
        place: Set(own.last().map_or(0, |last| last.place + 1)),
        created_at: Set(app.clock.now()),
    };
    Ok(row.insert(tx).await?)
}

async fn write_order(tx: &DatabaseTransaction, ids: &[i64]) -> Result<(), Error> {
    for (place, id) in ids.iter().enumerate() {
        list::Entity::update_many()
            .col_expr(list::Column::Place, Expr::value(place as i32))
            .filter(list::COLUMN.id.eq(*id))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// One line without spaces around it.
fn parse_name(name: &str) -> Result<String, Error> {
    let spaced: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        1..=LONGEST_NAME => Ok(name),
        _ => Err(Error::invalid("name", Message::from("list-name-wrong").with("most", LONGEST_NAME))),
    }
}

fn taken(error: sea_orm::DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::invalid("name", "list-taken"),
        _ => error.into(),
    }
}
