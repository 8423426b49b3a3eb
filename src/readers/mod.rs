//! Readers: an address that follows accounts, with its hours. When its digests come, when no mail comes
//! that could wait, and at what pace new subscriptions tell it.
//!
//! An address has a row once anything of it was chosen, or it is told by digests. A user with the same
//! address is the same person: zone and language are then the user's. The operations here are the only
//! writers of `readers`, but for the marks that `digests` moves on.

pub mod api;
pub mod hours;
pub mod links;
pub mod pages;
pub mod queries;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Weekday;
use chrono_tz::Tz;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect,
};
use tracing::Instrument;

use crate::alerts;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::subscription::{self, Cadence, Model as Subscription, SubscriptionState};
use crate::db::entities::{reader, user};
use crate::digests::change;
use crate::error::{Error, Problems};
use crate::outbox;
use crate::shown::Shown;
use hours::{HOUR, Hours, Pace, Quiet, WEEKDAY, weekday_of};
use queries::Reader;

/// What a reader chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// IANA name.
    pub timezone: String,
    /// Of new subscriptions.
    pub cadence: Cadence,
    pub hour: u32,
    pub weekday: Weekday,
    pub quiet: Option<Quiet>,
    /// Digests also hold what was on the timeline at the last visit.
    pub with_seen: bool,
    /// None follows the language.
    pub script: Option<Shown>,
}

/// The same as it comes in, before it is known to make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub timezone: String,
    pub cadence: Cadence,
    pub hour: i32,
    /// 1 for Monday to 7 for Sunday.
    pub weekday: i32,
    /// From and until; both or none.
    pub quiet: (Option<i32>, Option<i32>),
    pub with_seen: bool,
    /// As [`Shown::from_code`] reads it; empty follows the language.
    pub script: String,
}

impl From<&Settings> for Wish {
    fn from(settings: &Settings) -> Self {
        let quiet = settings.quiet;
        Self {
            timezone: settings.timezone.clone(),
            cadence: settings.cadence,
            hour: settings.hour as i32,
            weekday: settings.weekday.number_from_monday() as i32,
            quiet: (quiet.map(|quiet| quiet.from as i32), quiet.map(|quiet| quiet.until as i32)),
            with_seen: settings.with_seen,
            script: settings.script.map_or("", Shown::code).to_owned(),
        }
    }
}

impl Wish {
    /// # Errors
    /// Invalid `timezone`, `digest_hour`, `digest_weekday`, `quiet_from`, `quiet_until` or `script`.
    pub fn parse(&self) -> Result<Settings, Error> {
        let mut problems = Problems::default();
        if self.timezone.parse::<Tz>().is_err() {
            problems.add("timezone", "settings-timezone-wrong");
        }
        let mut hour_of = |field, number: i32| {
            let hour = u32::try_from(number).ok().filter(|hour| *hour < 24);
            if hour.is_none() {
                problems.add(field, "reader-hour-wrong");
            }
            hour
        };
        let hour = hour_of("digest_hour", self.hour).unwrap_or(HOUR);
        let quiet = match self.quiet {
            (None, None) => None,
            (from, until) => {
                let from = hour_of("quiet_from", from.unwrap_or(-1));
                let until = hour_of("quiet_until", until.unwrap_or(-1));
                from.zip(until).map(|(from, until)| Quiet { from, until })
            }
        };
        if quiet.is_some_and(|quiet| quiet.from == quiet.until) {
            problems.add("quiet_until", "reader-quiet-wrong");
        }
        let weekday = weekday_of(self.weekday);
        if weekday.is_none() {
            problems.add("digest_weekday", "reader-weekday-wrong");
        }
        let script = Shown::from_code(&self.script);
        if script.is_none() && !self.script.is_empty() {
            problems.add("script", "script-wrong");
        }
        problems.check()?;
        Ok(Settings {
            timezone: self.timezone.clone(),
            cadence: self.cadence,
            hour,
            weekday: weekday.unwrap_or(WEEKDAY),
            quiet,
            with_seen: self.with_seen,
            script,
        })
    }
}

/// Changes what the reader behind an address has chosen; `locale` is for one who has no row yet.
pub async fn change(app: &App, email: &str, locale: &str, settings: &Settings) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let mut row = take_up(&tx, now, email, locale).await?.into_active_model();
    row.cadence = Set(settings.cadence);
    row.digest_hour = Set(settings.hour as i32);
    row.digest_weekday = Set(settings.weekday.number_from_monday() as i32);
    row.quiet_from = Set(settings.quiet.map(|quiet| quiet.from as i32));
    row.quiet_until = Set(settings.quiet.map(|quiet| quiet.until as i32));
    row.with_seen = Set(settings.with_seen);
    row.timezone = Set(Some(settings.timezone.clone()));
    let script = settings.script.map_or("", Shown::code);
    row.script = Set(script.to_owned());
    row.update(&*tx).await?;
    user::Entity::update_many()
        .col_expr(user::Column::Timezone, Expr::value(settings.timezone.as_str()))
        .col_expr(user::Column::Script, Expr::value(script))
        .filter(user::COLUMN.email.eq(email))
        .exec(&*tx)
        .await?;
    reschedule(app, &tx, now, email).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets the time at which what waits for a reader is next due anew: the hours or the zone have changed.
pub async fn reschedule(
    app: &App,
    tx: &DatabaseTransaction,
    now: Timestamp,
    email: &str,
) -> Result<(), DbErr> {
    let known = lock(tx, email).await?;
    let reader = queries::of_address(tx, &app.config, email).await?;
    let hours = reader.hours();
    if let Some(row) = known {
        set_due(tx, now, row, &hours).await?;
    }
    if let Some(user) = &reader.user {
        alerts::reschedule(tx, user.id, &hours, now).await?;
    }
    Ok(())
}

/// What follows for a reader when a subscription has changed from `before`: until where it has been
/// told, and when the next digest is due. To be called with the reader locked; returns the row as it is.
pub async fn subscription_changed(
    app: &App,
    tx: &DatabaseTransaction,
    now: Timestamp,
    before: &Subscription,
    after: Subscription,
) -> Result<Subscription, DbErr> {
    let has_digests =
        |row: &Subscription| row.state == SubscriptionState::Active && row.cadence.has_digests();
    if !has_digests(before) && !has_digests(&after) {
        return Ok(after);
    }
    let row = take_up(tx, now, &after.email, &after.locale).await?;
    let reader = queries::of_address(tx, &app.config, &after.email).await?;
    let hours = reader.hours();
    let told_before = has_digests(before).then(|| {
        before.told.unwrap_or(match before.cadence {
            Cadence::Weekly => row.weekly_told,
            _ => row.daily_told,
        })
    });
    let is_active = |row: &Subscription| row.state == SubscriptionState::Active;
    let told = if (before.state, before.cadence) == (after.state, after.cadence) {
        after.told
    } else if has_digests(&after) {
        match told_before {
            Some(told) => Some(told),
            None if is_active(before) && before.cadence == Cadence::Instant => {
                Some(change::told_at_once(tx, before, after.cadence, now).await?)
            }
            None => Some(outbox::latest(tx).await?),
        }
    } else if let Some(from) = told_before.filter(|_| is_active(&after) && after.cadence == Cadence::Instant)
    {
        // A push of what a digest has told already is not told again. One that is out of step has had
        // no digest yet.
        let rest = change::tell_the_rest(tx, &app.config, (row.id, &hours), (before, from), now).await?;
        rest.or(Some(from).filter(|_| before.told.is_none()))
    } else {
        None
    };
    let mut changed = after.clone().into_active_model();
    changed.told = Set(told);
    let after = if told == after.told { after } else { changed.update(tx).await? };
    set_due(tx, now, row, &hours).await?;
    Ok(after)
}

/// Lets nobody else change a reader, nor build digests for it, until `tx` ends.
pub async fn lock(tx: &DatabaseTransaction, email: &str) -> Result<Option<reader::Model>, DbErr> {
    reader::Entity::find().filter(reader::COLUMN.email.eq(email)).lock_exclusive().one(tx).await
}

/// The row of an address, locked; a new one has the usual hours.
async fn take_up(
    tx: &DatabaseTransaction,
    now: Timestamp,
    email: &str,
    locale: &str,
) -> Result<reader::Model, DbErr> {
    if let Some(row) = lock(tx, email).await? {
        return Ok(row);
    }
    let latest = outbox::latest(tx).await?;
    let fresh = reader::ActiveModel {
        id: NotSet,
        email: Set(email.to_owned()),
        timezone: Set(None),
        locale: Set(locale.to_owned()),
        script: Set(String::new()),
        cadence: Set(Cadence::Instant),
        digest_hour: Set(HOUR as i32),
        digest_weekday: Set(WEEKDAY.number_from_monday() as i32),
        quiet_from: Set(None),
        quiet_until: Set(None),
        with_seen: Set(false),
        daily_due_at: Set(None),
        daily_told: Set(latest),
        weekly_due_at: Set(None),
        weekly_told: Set(latest),
        seen: Set(None),
        seen_at: Set(None),
        created_at: Set(now),
    };
    reader::Entity::insert(fresh).on_conflict_do_nothing_on([reader::Column::Email]).exec(tx).await?;
    lock(tx, email).await?.ok_or_else(|| DbErr::RecordNotFound("the reader that was just written".into()))
}

/// Writes when digests are next due. One that is due already stays so: it is about to be built.
async fn set_due(
    tx: &DatabaseTransaction,
    now: Timestamp,
    row: reader::Model,
    hours: &Hours,
) -> Result<(), DbErr> {
    let mut changed = row.clone().into_active_model();
    let due = |is_followed: bool, known: Option<Timestamp>, pace| match known {
        _ if !is_followed => None,
        Some(known) if known <= now => Some(known),
        _ => Some(hours.next(pace, now)),
    };
    let daily = follows(tx, &row.email, Cadence::Daily).await?;
    changed.daily_due_at = Set(due(daily, row.daily_due_at, Pace::Daily));
    let weekly = follows(tx, &row.email, Cadence::Weekly).await?;
    changed.weekly_due_at = Set(due(weekly, row.weekly_due_at, Pace::Weekly));
    changed.update(tx).await?;
    Ok(())
}

async fn follows(tx: &DatabaseTransaction, email: &str, cadence: Cadence) -> Result<bool, DbErr> {
    let count = subscription::Entity::find()
        .filter(subscription::COLUMN.email.eq(email))
        .filter(subscription::COLUMN.state.eq(SubscriptionState::Active))
        .filter(subscription::COLUMN.cadence.eq(cadence))
        .count(tx)
        .await?;
    Ok(count > 0)
}

/// Notes that a user has seen the timeline with everything up to an event, if anything depends on it.
pub async fn mark_visit(app: &App, email: &str, seen: i64) -> Result<(), DbErr> {
    let db = app.db.read();
    let Some(row) = reader::Entity::find().filter(reader::COLUMN.email.eq(email)).one(db).await? else {
        return Ok(());
    };
    if row.daily_due_at.is_none() && row.weekly_due_at.is_none() {
        return Ok(());
    }
    reader::Entity::update_many()
        .col_expr(reader::Column::Seen, Expr::value(Some(seen)))
        .col_expr(reader::Column::SeenAt, Expr::value(Some(app.clock.now())))
        .filter(reader::COLUMN.id.eq(row.id))
        .filter(Expr::col(reader::Column::Seen).is_null().or(Expr::col(reader::Column::Seen).lte(seen)))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// The same, without keeping the timeline waiting for the database's writer.
pub fn mark_visit_soon(app: &Arc<App>, email: &str, seen: i64) {
    let (app, email) = (app.clone(), email.to_owned());
    let work = async move {
        if let Err(error) = mark_visit(&app, &email, seen).await {
            tracing::warn!("a visit was not noted: {error}");
        }
    };
    tokio::spawn(work.in_current_span());
}

/// Whether what is told at once has to wait, for each of some addresses: until when.
pub async fn quiet_until(app: &App, emails: &[&str]) -> Result<HashMap<String, Timestamp>, DbErr> {
    if emails.is_empty() {
        return Ok(HashMap::new());
    }
    let now = app.clock.now();
    let hours = queries::quiet(app.db.read(), &app.config, emails).await?;
    Ok(hours.into_iter().filter_map(|(email, hours)| Some((email, hours.quiet_until(now)?))).collect())
}

/// What is known of a user as a reader.
pub async fn of_user(app: &App, user: &user::Model) -> Result<Reader, DbErr> {
    queries::of_address(app.db.read(), &app.config, &user.email).await
}
