//! Alerts: searches that readers have saved. Each new article is matched against all of them as it is
//! published, and their readers are told at once, once a day or once a week.
//!
//! The way of an article: its event writes a job, [`hits`] asks the node's [`watch`] which alerts the
//! article matches ([`percolate`] holds them in memory), and writes a hit for each, with a delivery in
//! the ledger or a later job that gathers several hits into one. The operations here are the only
//! writers of `alerts`, those of [`hits`] of `alert_hits`.

pub mod api;
pub mod due;
pub mod hits;
pub mod links;
pub mod mail;
pub mod pages;
pub mod percolate;
pub mod queries;
pub mod watch;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::alert::{self, AlertCadence, AlertState};
use crate::db::entities::user;
use crate::error::{Error, Message, Problems};
use crate::outbox::{self, Event};
use crate::readers::{self, hours::Hours};

/// Alerts of one reader.
pub const MOST_ALERTS: u64 = 100;
/// Characters of a query, and of an alert's name.
pub const LONGEST_QUERY: usize = 500;
pub const LONGEST_NAME: usize = 80;

/// A search to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAlert {
    /// Empty: the query itself.
    pub name: String,
    pub query: String,
    pub cadence: Option<AlertCadence>,
}

/// What is to change; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub name: Option<String>,
    /// What the search before it found is told all the same.
    pub query: Option<String>,
    pub cadence: Option<AlertCadence>,
    pub state: Option<AlertState>,
}

/// Saves a search.
///
/// # Errors
/// Invalid `query`, `name` or `cadence`; also when the reader has it already, or too many.
pub async fn save(app: &App, reader: &user::Model, new: &NewAlert) -> Result<alert::Model, Error> {
    let now = app.clock.now();
    let query = one_line(&new.query);
    let mut problems = Problems::default();
    if let Err(message) = check_query(&query, &reader.timezone) {
        problems.add("query", message);
    }
    let name = match one_line(&new.name) {
        name if name.is_empty() => default_name(&query),
        name => parse_name(&name).unwrap_or_else(|message| {
            problems.add("name", message);
            String::new()
        }),
    };
    if new.cadence.is_none() {
        problems.add("cadence", "alert-cadence-missing");
    }
    problems.check()?;
    let tx = app.db.begin().await?;
    // Two that the reader saves at once wait for each other here.
    user::Entity::find_by_id(reader.id).lock_exclusive().one(&*tx).await?.ok_or(Error::NotFound)?;
    refuse_double(&tx, reader.id, &query).await?;
    if queries::count_of_user(&*tx, reader.id).await? >= MOST_ALERTS {
        return Err(Error::invalid("", Message::from("alert-too-many").with("most", MOST_ALERTS)));
    }
    let alert = alert::ActiveModel {
        id: NotSet,
        user_id: Set(reader.id),
        name: Set(name),
        query: Set(query),
        cadence: Set(new.cadence.unwrap_or(AlertCadence::Daily)),
        state: Set(AlertState::Active),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let alert = alert.insert(&*tx).await?;
    outbox::record(&tx, now, Event::AlertChanged { alert_id: alert.id }).await?;
    tx.commit().await?;
    Ok(alert)
}

/// Changes an alert of the reader's own.
///
/// # Errors
/// Not found where it is another's; invalid `name` or `query`, also when the reader has that one already.
pub async fn change_own(
    app: &App,
    reader: &user::Model,
    alert_id: i64,
    change: &Change,
) -> Result<alert::Model, Error> {
    let tx = app.db.begin().await?;
    // As in `save`: two searches that become one wait for each other.
    user::Entity::find_by_id(reader.id).lock_exclusive().one(&*tx).await?.ok_or(Error::NotFound)?;
    let alert = lock(&tx, alert_id).await?;
    if alert.user_id != reader.id {
        return Err(Error::NotFound);
    }
    let changed = apply(app, &tx, app.clock.now(), alert, change).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Changes the alert of a signed link, which whoever holds it may do.
pub async fn change(app: &App, alert_id: i64, change: &Change) -> Result<alert::Model, Error> {
    let tx = app.db.begin().await?;
    let alert = lock(&tx, alert_id).await?;
    let changed = apply(app, &tx, app.clock.now(), alert, change).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Deletes an alert of the reader's own, with all that it found.
///
/// # Errors
/// Not found where it is another's.
pub async fn delete(app: &App, reader_id: i64, alert_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let alert = lock(&tx, alert_id).await?;
    if alert.user_id != reader_id {
        return Err(Error::NotFound);
    }
    hits::cancel(&tx, alert_id).await?;
    alert::Entity::delete_by_id(alert_id).exec(&*tx).await?;
    outbox::record(&tx, app.clock.now(), Event::AlertChanged { alert_id }).await?;
    tx.commit().await?;
    Ok(())
}

/// Queues what waits for a user's alerts anew: the hours have changed.
pub async fn reschedule(
    tx: &DatabaseTransaction,
    user_id: i64,
    hours: &Hours,
    now: Timestamp,
) -> Result<(), DbErr> {
    let gathered = alert::Entity::find()
        .filter(alert::COLUMN.user_id.eq(user_id))
        .filter(alert::COLUMN.cadence.ne(AlertCadence::Instant))
        .order_by_asc(alert::COLUMN.id)
        .lock_exclusive();
    for alert in gathered.all(tx).await? {
        hits::reschedule(tx, &alert, hours, now).await?;
    }
    Ok(())
}

async fn lock(tx: &Tx, alert_id: i64) -> Result<alert::Model, Error> {
    alert::Entity::find_by_id(alert_id).lock_exclusive().one(&**tx).await?.ok_or(Error::NotFound)
}

async fn apply(
    app: &App,
    tx: &Tx,
    now: Timestamp,
    alert: alert::Model,
    change: &Change,
) -> Result<alert::Model, Error> {
    let reader = user::Entity::find_by_id(alert.user_id).one(&**tx).await?.ok_or(Error::NotFound)?;
    let mut row = alert.clone().into_active_model();
    let mut problems = Problems::default();
    if let Some(name) = &change.name {
        match parse_name(&one_line(name)) {
            Ok(name) => row.name = Set(name),
            Err(message) => problems.add("name", message),
        }
    }
    if let Some(query) = change.query.as_deref().map(one_line).filter(|query| *query != alert.query) {
        match check_query(&query, &reader.timezone) {
            Ok(()) => refuse_double(tx, reader.id, &query).await?,
            Err(message) => problems.add("query", message),
        }
        if alert.name == default_name(&alert.query)
            && change.name.as_ref().is_none_or(|name| *name == alert.name)
        {
            row.name = Set(default_name(&query));
        }
        row.query = Set(query);
    }
    problems.check()?;
    row.cadence = Set(change.cadence.unwrap_or(alert.cadence));
    row.state = Set(change.state.unwrap_or(alert.state));
    row.updated_at = Set(now);
    let changed = row.update(&**tx).await?;
    let is_moved = (changed.cadence, changed.state) != (alert.cadence, alert.state);
    if is_moved {
        let reader = readers::queries::of_address(&**tx, &app.config, &reader.email).await?;
        hits::reschedule(tx, &changed, &reader.hours(), now).await?;
    }
    if is_moved || changed.query != alert.query {
        outbox::record(tx, now, Event::AlertChanged { alert_id: alert.id }).await?;
    }
    Ok(changed)
}

/// A reader has each search once.
async fn refuse_double(tx: &Tx, reader_id: i64, query: &str) -> Result<(), Error> {
    let same = alert::Entity::find()
        .filter(alert::COLUMN.user_id.eq(reader_id))
        .filter(alert::COLUMN.query.eq(query));
    match same.one(&**tx).await? {
        Some(_) => Err(Error::invalid("query", "alert-saved-already")),
        None => Ok(()),
    }
}

fn check_query(query: &str, timezone: &str) -> Result<(), Message> {
    if query.chars().count() > LONGEST_QUERY {
        Err(Message::from("alert-query-too-long").with("most", LONGEST_QUERY))
    } else if watch::read(query, timezone).parsed.is_empty() {
        Err("alert-query-empty".into())
    } else {
        Ok(())
    }
}

/// What an alert is called when its reader does not say.
fn default_name(query: &str) -> String {
    query.chars().take(LONGEST_NAME).collect()
}

/// Without control characters, and with single spaces.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse_name(name: &str) -> Result<String, Message> {
    match name.chars().count() {
        1..=LONGEST_NAME => Ok(name.to_owned()),
        _ => Err(Message::from("alert-name-wrong").with("most", LONGEST_NAME)),
    }
}
