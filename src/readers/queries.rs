//! Reads of readers. A reader whose address is a user's has that user's zone and language.

use std::collections::HashMap;

use chrono_tz::Tz;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter};

use crate::config::Config;
use crate::db::entities::subscription::Cadence;
use crate::db::entities::{reader, user};
use crate::error::Error;
use crate::page::Locale;
use crate::readers::Settings;
use crate::readers::hours::Hours;
use crate::shown::Shown;

/// What is known of an address, whether it has a row or not.
#[derive(Clone, Debug)]
pub struct Reader {
    pub email: String,
    pub row: Option<reader::Model>,
    pub user: Option<user::Model>,
    pub zone: Tz,
}

impl Reader {
    pub fn hours(&self) -> Hours {
        self.row.as_ref().map_or_else(|| Hours::usual(self.zone), |row| Hours::of(row, self.zone))
    }

    /// Of new subscriptions.
    pub fn cadence(&self) -> Cadence {
        self.row.as_ref().map_or(Cadence::Instant, |row| row.cadence)
    }

    /// The script that was chosen; none where it is left to the language.
    pub fn script(&self) -> Option<Shown> {
        let chosen = self.user.as_ref().map(|user| &user.script);
        let chosen = chosen.or_else(|| self.row.as_ref().map(|row| &row.script));
        chosen.and_then(|code| Shown::from_code(code))
    }

    pub fn settings(&self) -> Settings {
        let hours = self.hours();
        Settings {
            timezone: self.zone.name().to_owned(),
            cadence: self.cadence(),
            hour: hours.hour,
            weekday: hours.weekday,
            quiet: hours.quiet,
            with_seen: self.row.as_ref().is_some_and(|row| row.with_seen),
            script: self.script(),
        }
    }
}

/// The zone of somebody: a user's own, a reader's own, or the instance's.
pub fn zone(config: &Config, user: Option<&str>, reader: Option<&str>) -> Tz {
    let known = user.or(reader).and_then(|name| name.parse().ok());
    known.or_else(|| config.timezone.parse().ok()).unwrap_or(Tz::UTC)
}

/// What is known of an address.
pub async fn of_address<C: ConnectionTrait>(db: &C, config: &Config, email: &str) -> Result<Reader, DbErr> {
    let row = reader::Entity::find().filter(reader::COLUMN.email.eq(email)).one(db).await?;
    let user = user::Entity::find().filter(user::COLUMN.email.eq(email)).one(db).await?;
    let zone = zone(
        config,
        user.as_ref().map(|user| user.timezone.as_str()),
        row.as_ref().and_then(|row| row.timezone.as_deref()),
    );
    Ok(Reader { email: email.to_owned(), row, user, zone })
}

/// A reader by the id of the row.
///
/// # Errors
/// Not found when it is gone.
pub async fn get<C: ConnectionTrait>(db: &C, config: &Config, id: i64) -> Result<Reader, Error> {
    let row = reader::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    Ok(of_address(db, config, &row.email).await?)
}

/// The zone and the script that somebody chose before becoming a user; empty where it is left to the language.
pub async fn timezone_and_script<C: ConnectionTrait>(
    db: &C,
    email: &str,
) -> Result<(Option<String>, String), DbErr> {
    let row = reader::Entity::find().filter(reader::COLUMN.email.eq(email)).one(db).await?;
    Ok(row.map_or_else(Default::default, |row| (row.timezone, row.script)))
}

/// Language of a reader: a user's own, or that of the row.
pub fn locale(user: Option<&str>, reader: &str) -> Locale {
    user.and_then(Locale::from_tag).or_else(|| Locale::from_tag(reader)).unwrap_or(Locale::ZhHans)
}

/// Adds the user whose address a reader has, and that user's zone, language and script as `user_timezone`,
/// `user_locale` and `user_script`.
pub fn join_users(select: &mut SelectStatement) -> &mut SelectStatement {
    let same = Expr::col((user::Entity, user::Column::Email)).equals((reader::Entity, reader::Column::Email));
    select
        .expr_as(Expr::col((user::Entity, user::Column::Timezone)), "user_timezone")
        .expr_as(Expr::col((user::Entity, user::Column::Locale)), "user_locale")
        .expr_as(Expr::col((user::Entity, user::Column::Script)), "user_script")
        .expr_as(Expr::col((user::Entity, user::Column::Id)), "user_id")
        .join(JoinType::LeftJoin, user::Entity, same)
}

/// Hours of those of some addresses that have quiet ones.
pub async fn quiet<C: ConnectionTrait>(
    db: &C,
    config: &Config,
    emails: &[&str],
) -> Result<HashMap<String, Hours>, DbErr> {
    let mut select = select_hours();
    select
        .and_where(Expr::col((reader::Entity, reader::Column::QuietFrom)).is_not_null())
        .and_where(Expr::col((reader::Entity, reader::Column::Email)).is_in(emails.iter().copied()));
    hours(db, config, &select).await
}

/// Hours of users by their addresses; of those who never chose, too.
pub async fn of_users<C: ConnectionTrait>(
    db: &C,
    config: &Config,
    users: &[(&str, &str)],
) -> Result<HashMap<String, Hours>, DbErr> {
    let mut select = select_hours();
    let emails = users.iter().map(|(email, _)| *email);
    select.and_where(Expr::col((reader::Entity, reader::Column::Email)).is_in(emails));
    let mut known = hours(db, config, &select).await?;
    for (email, timezone) in users {
        let usual = || Hours::usual(zone(config, Some(timezone), None));
        known.entry((*email).to_owned()).or_insert_with(usual);
    }
    Ok(known)
}

fn select_hours() -> SelectStatement {
    let columns = [
        reader::Column::Email,
        reader::Column::Timezone,
        reader::Column::DigestHour,
        reader::Column::DigestWeekday,
        reader::Column::QuietFrom,
        reader::Column::QuietUntil,
    ];
    let mut select = Query::select();
    select.columns(columns.map(|column| (reader::Entity, column))).from(reader::Entity);
    join_users(&mut select);
    select
}

async fn hours<C: ConnectionTrait>(
    db: &C,
    config: &Config,
    select: &SelectStatement,
) -> Result<HashMap<String, Hours>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        email: String,
        timezone: Option<String>,
        user_timezone: Option<String>,
        digest_hour: i32,
        digest_weekday: i32,
        quiet_from: Option<i32>,
        quiet_until: Option<i32>,
    }
    let rows = Row::find_by_statement(db.get_database_backend().build(select)).all(db).await?;
    let hours = rows.into_iter().map(|row| {
        let zone = zone(config, row.user_timezone.as_deref(), row.timezone.as_deref());
        let hours = Hours::read(zone, row.digest_hour, row.digest_weekday, row.quiet_from, row.quiet_until);
        (row.email, hours)
    });
    Ok(hours.collect())
}
