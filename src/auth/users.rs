//! Users: made, found, promoted.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter,
};

use super::Address;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::user::{self, UserState};
use crate::error::{Error, Message, Problems};
use crate::page::Locale;
use crate::readers;
use crate::shown::Shown;

/// The longest name, in characters.
pub const NAME_LIMIT: usize = 80;

/// Who is to become a user.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub address: Address,
    /// Empty takes what stands before the address's `@`.
    pub name: String,
    /// From `password::hash`; none for those who sign in by link.
    pub password_hash: Option<String>,
    pub operator: bool,
    pub locale: Locale,
}

/// Makes a user.
///
/// # Errors
/// [`Error::Conflict`] when the address is taken.
pub async fn create(app: &App, new: NewUser) -> Result<user::Model, Error> {
    let tx = app.db.begin().await?;
    if find_in(&*tx, &new.address).await?.is_some() {
        return Err(Error::Conflict("auth-address-taken".into()));
    }
    let user = insert(&*tx, new, &app.config.timezone, app.clock.now()).await?;
    tx.commit().await?;
    Ok(user)
}

/// Writes a user's row within the caller's transaction; a zone that the owner of the address has chosen
/// as a reader counts before the given one, and so does the script.
pub(super) async fn insert<C: ConnectionTrait>(
    tx: &C,
    new: NewUser,
    timezone: &str,
    now: Timestamp,
) -> Result<user::Model, Error> {
    let name = parse_name(&new.name).unwrap_or_else(|_| new.address.local_part().to_owned());
    let (chosen, script) = readers::queries::timezone_and_script(tx, new.address.as_str()).await?;
    let timezone = chosen.as_deref().unwrap_or(timezone);
    Ok(user::ActiveModel {
        id: NotSet,
        email: Set(new.address.to_string()),
        name: Set(name),
        password_hash: Set(new.password_hash),
        operator: Set(new.operator),
        state: Set(UserState::Active),
        locale: Set(new.locale.code().into()),
        script: Set(script),
        timezone: Set(timezone.to_owned()),
        created_at: Set(now),
    }
    .insert(tx)
    .await?)
}

/// The user of a row that opens something, unless they are shut out.
pub async fn active(app: &App, id: i64) -> Result<Option<user::Model>, DbErr> {
    let user = user::Entity::find_by_id(id).one(app.db.read()).await?;
    Ok(user.filter(|user| user.state == UserState::Active))
}

/// The user with this address.
pub async fn find(app: &App, address: &Address) -> Result<Option<user::Model>, DbErr> {
    find_in(app.db.read(), address).await
}

pub(super) async fn find_in<C: ConnectionTrait>(
    db: &C,
    address: &Address,
) -> Result<Option<user::Model>, DbErr> {
    user::Entity::find().filter(user::COLUMN.email.eq(address.as_str())).one(db).await
}

/// Makes a user an operator of the instance.
///
/// # Errors
/// [`Error::NotFound`] when nobody has this address.
pub async fn promote(app: &App, address: &Address) -> Result<user::Model, Error> {
    user::Entity::update_many()
        .col_expr(user::Column::Operator, Expr::value(true))
        .filter(user::COLUMN.email.eq(address.as_str()))
        .exec_with_returning(app.db.write())
        .await?
        .pop()
        .ok_or(Error::NotFound)
}

/// Keeps another password (from `password::hash`) within the caller's transaction.
pub(super) async fn set_password_in<C: ConnectionTrait>(
    tx: &C,
    user_id: i64,
    hash: String,
) -> Result<(), DbErr> {
    user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .filter(user::COLUMN.id.eq(user_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// What a user may change about themselves.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Profile {
    pub name: String,
    pub locale: String,
    /// As [`Shown::from_code`] reads it; empty follows the language.
    #[serde(default)]
    pub script: String,
    /// IANA name.
    pub timezone: String,
}

/// Changes a user's profile.
///
/// # Errors
/// [`Error::Invalid`] with problems of `name`, `locale`, `script` and `timezone`.
pub async fn change_profile(app: &App, user_id: i64, profile: &Profile) -> Result<(), Error> {
    let mut problems = Problems::default();
    let name = parse_name(&profile.name).map_err(|message| problems.add("name", message));
    let locale = Locale::from_tag(&profile.locale);
    if locale.is_none() {
        problems.add("locale", "settings-locale-wrong");
    }
    if !profile.script.is_empty() && Shown::from_code(&profile.script).is_none() {
        problems.add("script", "script-wrong");
    }
    if profile.timezone.parse::<chrono_tz::Tz>().is_err() {
        problems.add("timezone", "settings-timezone-wrong");
    }
    problems.check()?;
    let tx = app.db.begin().await?;
    let before = user::Entity::find_by_id(user_id).one(&*tx).await?.ok_or(Error::NotFound)?;
    user::Entity::update_many()
        .col_expr(user::Column::Name, Expr::value(name.unwrap_or_default()))
        .col_expr(user::Column::Locale, Expr::value(locale.map_or("", Locale::code)))
        .col_expr(user::Column::Script, Expr::value(profile.script.as_str()))
        .col_expr(user::Column::Timezone, Expr::value(profile.timezone.as_str()))
        .filter(user::COLUMN.id.eq(user_id))
        .exec(&*tx)
        .await?;
    if before.timezone != profile.timezone {
        readers::reschedule(app, &tx, app.clock.now(), &before.email).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Keeps the script that a user chose.
pub async fn choose_script(app: &App, user_id: i64, shown: Shown) -> Result<(), DbErr> {
    user::Entity::update_many()
        .col_expr(user::Column::Script, Expr::value(shown.code()))
        .filter(user::COLUMN.id.eq(user_id))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// A name as it is kept: on one line, without control characters, of 1 to 80 characters.
fn parse_name(text: &str) -> Result<String, Message> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_fine = !name.is_empty() && name.chars().count() <= NAME_LIMIT && !name.contains(char::is_control);
    if is_fine { Ok(name) } else { Err(Message::from("settings-name-wrong").with("most", NAME_LIMIT)) }
}
