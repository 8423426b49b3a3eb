//! Reader apps: programs in which people read all their feeds. They speak the Google Reader API (`greader`, as
//! FreshRSS does) or Fever (`fever`), and sign in by a password that was made for them alone.
//!
//! `shelf` is what they see: accounts that the reader follows and outside feeds as one, with one sequence of
//! numbers (`numbers`) for articles and outside items. The operations here are the only writers of
//! `app_passwords`; `shelf::numbers` is that of `reader_items`.

pub mod fever;
pub mod fields;
pub mod greader;
pub mod pages;
pub mod shelf;

use std::time::Duration;

use md5::{Digest, Md5};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};

use crate::app::App;
use crate::auth::limits::Limit;
use crate::auth::{Address, Client, token, users};
use crate::db::entities::app_password::{self, Model as AppPassword};
use crate::db::entities::user;
use crate::error::{Error, Problems};

/// The most passwords a user may have.
const MOST: u64 = 50;
/// How often "last used" is written at most.
const USED_EVERY: Duration = Duration::from_secs(60);
/// Letters of a password: none that look alike, all on the first page of a phone's keyboard.
const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
/// 25 letters of 32: 125 random bits, so that neither salt nor slow hash is needed.
const GROUPS: usize = 5;
const GROUP: usize = 5;
/// What the signature in an app's `Auth` is for.
const PURPOSE: &str = "reader-app";

/// Who a reader app reads for.
#[derive(Clone, Debug)]
pub struct AppReader {
    pub user: user::Model,
    pub password_id: i64,
}

/// Makes a password; the text returned is shown once and kept nowhere.
///
/// # Errors
/// [`Error::Invalid`] with problems of `name`, or of the whole when there are too many.
pub async fn create(app: &App, user: &user::Model, name: &str) -> Result<String, Error> {
    let name = name.trim();
    let mut problems = Problems::default();
    if name.is_empty() || name.chars().count() > 80 {
        problems.add("name", "settings-token-name-wrong");
    }
    if of_user(user.id).count(app.db.read()).await? >= MOST {
        problems.add("", "reader-apps-too-many");
    }
    problems.check()?;
    let secret = new_secret();
    app_password::ActiveModel {
        id: NotSet,
        user_id: Set(user.id),
        name: Set(name.to_owned()),
        secret_hash: Set(secret_hash(&secret)),
        fever_hash: Set(token::hash(&fever_key(&user.email, &secret))),
        created_at: Set(app.clock.now()),
        last_used_at: Set(None),
        last_used_by: Set(None),
    }
    .insert(app.db.write())
    .await?;
    Ok(secret)
}

/// A user's passwords, newest first.
pub async fn list(app: &App, user_id: i64) -> Result<Vec<AppPassword>, DbErr> {
    of_user(user_id).order_by_desc(app_password::COLUMN.id).all(app.db.read()).await
}

/// Takes one of a user's passwords back; apps that use it are signed out at once.
pub async fn revoke(app: &App, user_id: i64, id: i64) -> Result<(), Error> {
    let result = app_password::Entity::delete_many()
        .filter(app_password::COLUMN.id.eq(id))
        .filter(app_password::COLUMN.user_id.eq(user_id))
        .exec(app.db.write())
        .await?;
    if result.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// What an app is given for an address and a password, to name in each request. Limited like signing in.
///
/// # Errors
/// Unauthorized when they do not fit each other; too many tries.
pub async fn sign_in(app: &App, client: &Client, email: &str, password: &str) -> Result<String, Error> {
    app.limits.client(Limit::SignIn, client)?;
    let address = Address::parse(email).map_err(|_| Error::Unauthorized)?;
    app.limits.address(Limit::Password, &address)?;
    let row = app_password::Entity::find()
        .filter(app_password::COLUMN.secret_hash.eq(secret_hash(password)))
        .one(app.db.read())
        .await?
        .ok_or(Error::Unauthorized)?;
    let reader = reader_of(app, client, row).await?.ok_or(Error::Unauthorized)?;
    if reader.user.email != address.as_str() {
        return Err(Error::Unauthorized);
    }
    Ok(app.signer.sign(PURPOSE, &reader.password_id.to_string()))
}

/// Who is behind what [`sign_in`] gave, unless the password was taken back.
pub async fn by_auth(app: &App, client: &Client, auth: &str) -> Result<Option<AppReader>, DbErr> {
    let Some(id) = app.signer.verify(PURPOSE, auth).and_then(|id| id.parse::<i64>().ok()) else {
        return Ok(None);
    };
    match app_password::Entity::find_by_id(id).one(app.db.read()).await? {
        Some(row) => reader_of(app, client, row).await,
        None => Ok(None),
    }
}

/// Who is behind a key of Fever's. Wrong ones count as tries to sign in.
///
/// # Errors
/// Too many tries.
pub async fn by_fever_key(app: &App, client: &Client, key: &str) -> Result<Option<AppReader>, Error> {
    let key = key.trim().to_ascii_lowercase();
    let found = app_password::Entity::find()
        .filter(app_password::COLUMN.fever_hash.eq(token::hash(&key)))
        .one(app.db.read())
        .await?;
    let reader = match found {
        Some(row) => reader_of(app, client, row).await?,
        None => None,
    };
    if reader.is_none() && !key.is_empty() {
        app.limits.client(Limit::SignIn, client)?;
    }
    Ok(reader)
}

/// The user of a password, noting that it is used.
async fn reader_of(app: &App, client: &Client, row: AppPassword) -> Result<Option<AppReader>, DbErr> {
    let Some(user) = users::active(app, row.user_id).await? else { return Ok(None) };
    let now = app.clock.now();
    if row.last_used_at.is_none_or(|last| last < now - USED_EVERY) {
        app_password::Entity::update_many()
            .col_expr(app_password::Column::LastUsedAt, Expr::value(Some(now)))
            .col_expr(app_password::Column::LastUsedBy, Expr::value(Some(app_name(&client.user_agent))))
            .filter(app_password::COLUMN.id.eq(row.id))
            .exec(app.db.write())
            .await?;
    }
    Ok(Some(AppReader { user, password_id: row.id }))
}

/// `NetNewsWire` of `NetNewsWire (RSS Reader; https://netnewswire.com/)`.
fn app_name(user_agent: &str) -> String {
    let name = user_agent.split(['/', '(', ';']).next().unwrap_or_default().trim();
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn of_user(user_id: i64) -> sea_orm::Select<app_password::Entity> {
    app_password::Entity::find().filter(app_password::COLUMN.user_id.eq(user_id))
}

/// `k3jxm-…`: five groups of five letters.
fn new_secret() -> String {
    let random: [u8; GROUPS * GROUP] = rand::random();
    let letters: Vec<char> =
        random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
    letters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Of its letters only: people leave hyphens out, and phones begin with a capital.
fn secret_hash(secret: &str) -> String {
    let letters: String =
        secret.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    token::hash(&letters)
}

/// What Fever's apps make of an address and a password: MD5 by their protocol. It is a password itself, so
/// only its hash is kept.
pub fn fever_key(email: &str, secret: &str) -> String {
    hex::encode(Md5::digest(format!("{email}:{secret}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_however_it_was_typed() {
        let secret = new_secret();
        assert_eq!(secret.len(), 29);
        let typed = secret.replace('-', " ").to_uppercase();
        assert_eq!(secret_hash(&secret), secret_hash(&typed));
        assert_ne!(secret_hash(&secret), secret_hash(&new_secret()));
    }

    #[test]
    fn fevers_key_is_the_md5_of_address_and_password() {
        assert_eq!(fever_key("reader@example.org", "abc"), "2eb1a75b84171960bfbebdc4f5a33459");
    }

    #[test]
    fn apps_are_called_by_the_first_words_of_their_names() {
        assert_eq!(app_name("NetNewsWire (RSS Reader; https://netnewswire.com/)"), "NetNewsWire");
        assert_eq!(app_name("newsboat/2.21 (Linux x86_64)"), "newsboat");
        assert_eq!(app_name(""), "");
    }
}
