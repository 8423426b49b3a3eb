//! Private feeds: a reader's timeline, or one of their lists, at an address that needs no sign-in. Whoever has the
//! address reads it, so it is long, signed, and worthless as soon as the reader makes another.

pub mod pages;

use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, QueryFilter,
};

use crate::app::App;
use crate::auth::users;
use crate::db::entities::private_feed::{self, Model as PrivateFeed};
use crate::db::entities::user;
use crate::error::Error;
use crate::feeds::Format;
use crate::reader_apps::shelf::feeds;

/// What the addresses' signatures are for.
const PURPOSE: &str = "private-feed";
/// How often "last used" is written at most.
const USED_EVERY: Duration = Duration::from_secs(600);

/// What addresses end with, what the format is called, and the format.
const ENDINGS: [(&str, &str, Format); 3] =
    [("atom", "Atom", Format::Atom), ("rss", "RSS", Format::Rss), ("json", "JSON Feed", Format::Json)];

/// The addresses of one feed.
#[derive(Clone, Debug)]
pub struct Address {
    /// The list's name; empty for the whole timeline.
    pub list: String,
    /// What a format is called, and its address.
    pub formats: Vec<(&'static str, String)>,
}

/// Makes a reader's addresses; those that they had are worthless from now on.
pub async fn renew(app: &App, user_id: i64) -> Result<(), DbErr> {
    let row = private_feed::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        nonce: Set(hex::encode(rand::random::<[u8; 12]>())),
        created_at: Set(app.clock.now()),
        last_used_at: Set(None),
    };
    let replace = OnConflict::column(private_feed::Column::UserId)
        .update_columns([
            private_feed::Column::Nonce,
            private_feed::Column::CreatedAt,
            private_feed::Column::LastUsedAt,
        ])
        .to_owned();
    private_feed::Entity::insert(row).on_conflict(replace).exec_without_returning(app.db.write()).await?;
    Ok(())
}

/// Makes a reader's addresses worthless.
pub async fn revoke(app: &App, user_id: i64) -> Result<(), DbErr> {
    private_feed::Entity::delete_many()
        .filter(private_feed::COLUMN.user_id.eq(user_id))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// A reader's addresses: of the timeline, then of each list; none before they were made.
pub async fn addresses(app: &App, user_id: i64) -> Result<Vec<Address>, DbErr> {
    let found = private_feed::Entity::find().filter(private_feed::COLUMN.user_id.eq(user_id));
    let Some(row) = found.one(app.db.read()).await? else { return Ok(Vec::new()) };
    let signed = app.signer.sign(PURPOSE, &value_of(&row));
    let address = |list: String, file: String| {
        let url = |ending| app.config.url(&format!("/f/{signed}/{file}.{ending}"));
        let formats = ENDINGS.map(|(ending, name, _)| (name, url(ending)));
        Address { list, formats: formats.to_vec() }
    };
    let mut all = vec![address(String::new(), "timeline".into())];
    for (id, name) in feeds::lists(app.db.read(), user_id).await? {
        all.push(address(name, format!("list-{id}")));
    }
    Ok(all)
}

/// Whose feeds an address opens.
///
/// # Errors
/// Not found when the signature is not ours, or the address was replaced.
pub async fn open(app: &App, signed: &str) -> Result<user::Model, Error> {
    let value = app.signer.verify(PURPOSE, signed).ok_or(Error::NotFound)?;
    let id = value.split('-').next().and_then(|id| id.parse::<i64>().ok()).ok_or(Error::NotFound)?;
    let row = private_feed::Entity::find_by_id(id).one(app.db.read()).await?;
    let row = row.filter(|row| value_of(row) == value).ok_or(Error::NotFound)?;
    let user = users::active(app, row.user_id).await?.ok_or(Error::NotFound)?;
    let now = app.clock.now();
    if row.last_used_at.is_none_or(|last| last < now - USED_EVERY) {
        private_feed::Entity::update_many()
            .col_expr(private_feed::Column::LastUsedAt, Expr::value(Some(now)))
            .filter(private_feed::COLUMN.id.eq(row.id))
            .exec(app.db.write())
            .await?;
    }
    Ok(user)
}

fn value_of(row: &PrivateFeed) -> String {
    format!("{}-{}", row.id, row.nonce)
}
