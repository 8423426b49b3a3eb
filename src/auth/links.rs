//! Sign-in links: good once, for 15 minutes. A link is asked for with [`request`] and mailed by a
//! job, or made at once with [`create`] by those who hand it over themselves. Opening it shows a
//! page; only that page's button uses it up, because mail scanners open every link they see.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter,
};

use super::{Address, LocalPath, token};
use crate::app::App;
use crate::clock::Timestamp;
pub use crate::db::entities::sign_in_link::LinkPurpose;
use crate::db::entities::sign_in_link::{self, Model as Link};
use crate::error::Error;
use crate::jobs::{self, Job, Outcome};
use crate::page::Locale;

/// How long a mailed link is good.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// A link that could not be mailed for this long is given up.
const MAIL_WITHIN: Duration = Duration::from_secs(60 * 60);

/// How long the row of a link that is over stays.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks for a link by mail. It takes the same time and leaves the same traces whether somebody has
/// this address or not.
pub async fn request(
    app: &App,
    address: &Address,
    purpose: LinkPurpose,
    next: &LocalPath,
    locale: Locale,
) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    sign_in_link::Entity::delete_many()
        .filter(sign_in_link::COLUMN.expires_at.lt(now - KEPT))
        .exec(&*tx)
        .await?;
    let row = link(address.as_str(), purpose, next, locale, now);
    // Until the job mints the token nothing has this hash.
    let row = sign_in_link::ActiveModel {
        token_hash: Set(format!("unsent:{}", token::new())),
        expires_at: Set(now),
        ..row
    };
    let link_id = row.insert(&*tx).await?.id;
    jobs::queue::enqueue(&*tx, now, Job::SendSignInLink { link_id }, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes a link at once and returns its absolute address.
pub async fn create(
    app: &App,
    address: &Address,
    purpose: LinkPurpose,
    next: &LocalPath,
    lifetime: Duration,
) -> Result<String, Error> {
    let locale = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let now = app.clock.now();
    let row = link(address.as_str(), purpose, next, locale, now);
    Ok(insert_with_token(app, app.db.write(), row, now + lifetime).await?)
}

/// Completes a row with a new token; returns the link's absolute address.
pub(super) async fn insert_with_token<C: ConnectionTrait>(
    app: &App,
    db: &C,
    row: sign_in_link::ActiveModel,
    expires_at: Timestamp,
) -> Result<String, DbErr> {
    let token = token::new();
    sign_in_link::ActiveModel { token_hash: Set(token::hash(&token)), expires_at: Set(expires_at), ..row }
        .insert(db)
        .await?;
    Ok(url(app, &token))
}

pub(super) fn link(
    email: &str,
    purpose: LinkPurpose,
    next: &LocalPath,
    locale: Locale,
    now: Timestamp,
) -> sign_in_link::ActiveModel {
    sign_in_link::ActiveModel {
        id: NotSet,
        email: Set(email.to_owned()),
        purpose: Set(purpose),
        token_hash: NotSet,
        next: Set(next.to_string()),
        locale: Set(locale.code().to_owned()),
        expires_at: NotSet,
        used_at: Set(None),
        created_at: Set(now),
    }
}

fn url(app: &App, token: &str) -> String {
    app.config.url(&format!("/sign-in/link/{token}"))
}

/// The job: mints the token, keeps its hash, and mails it. Done twice, the later mail's link is good.
pub async fn send(app: &App, link_id: i64) -> anyhow::Result<Outcome> {
    let Some(row) = sign_in_link::Entity::find_by_id(link_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let now = app.clock.now();
    if row.used_at.is_some() || row.created_at < now - MAIL_WITHIN {
        return Ok(Outcome::Done);
    }
    let token = token::new();
    sign_in_link::Entity::update_many()
        .col_expr(sign_in_link::Column::TokenHash, Expr::value(token::hash(&token)))
        .col_expr(sign_in_link::Column::ExpiresAt, Expr::value(now + LIFETIME))
        .filter(sign_in_link::COLUMN.id.eq(link_id))
        .exec(app.db.write())
        .await?;
    super::letter::send_link(app, &row, &url(app, &token)).await
}

/// A link that can still be used.
///
/// # Errors
/// [`Error::Gone`] for all others: used, expired or never made.
pub async fn find(app: &App, token: &str) -> Result<Link, Error> {
    sign_in_link::Entity::find()
        .filter(sign_in_link::COLUMN.token_hash.eq(token::hash(token)))
        .filter(sign_in_link::COLUMN.used_at.is_null())
        .filter(sign_in_link::COLUMN.expires_at.gt(app.clock.now()))
        .one(app.db.read())
        .await?
        .ok_or_else(|| Error::Gone("auth-link-gone".into()))
}

/// Uses a link up within the caller's transaction; of two at the same time, one succeeds.
pub(super) async fn use_up<C: ConnectionTrait>(tx: &C, id: i64, now: Timestamp) -> Result<(), Error> {
    let result = sign_in_link::Entity::update_many()
        .col_expr(sign_in_link::Column::UsedAt, Expr::value(now))
        .filter(sign_in_link::COLUMN.id.eq(id))
        .filter(sign_in_link::COLUMN.used_at.is_null())
        .exec(tx)
        .await?;
    if result.rows_affected == 1 { Ok(()) } else { Err(Error::Gone("auth-link-gone".into())) }
}
