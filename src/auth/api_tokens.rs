//! API tokens: made, listed and revoked by their owner; found by the API.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};

use super::{ApiUser, Scope, token, users};
use crate::app::App;
use crate::db::entities::api_token;
use crate::error::{Error, Problems};

/// What tokens begin with, so that people and secret scanners know one when they see it.
const PREFIX: &str = "xiangxun_";
/// The most tokens a user may have.
const MOST: u64 = 50;
/// How often "last used" is written at most.
const USED_EVERY: Duration = Duration::from_secs(60);

/// Makes a token; the text returned is shown once and kept nowhere.
///
/// # Errors
/// [`Error::Invalid`] with problems of `name` and `scopes`.
pub async fn create(app: &App, user_id: i64, name: &str, scopes: &[Scope]) -> Result<String, Error> {
    let name = name.trim();
    let mut problems = Problems::default();
    if name.is_empty() || name.chars().count() > 80 {
        problems.add("name", "settings-token-name-wrong");
    }
    if scopes.is_empty() {
        problems.add("scopes", "settings-token-scopes-missing");
    }
    if of_user(user_id).count(app.db.read()).await? >= MOST {
        problems.add("", "settings-tokens-too-many");
    }
    problems.check()?;
    let text = format!("{PREFIX}{}", token::new());
    api_token::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        name: Set(name.to_owned()),
        token_hash: Set(token::hash(&text)),
        scopes: Set(Scope::join(scopes)),
        created_at: Set(app.clock.now()),
        last_used_at: Set(None),
        revoked_at: Set(None),
    }
    .insert(app.db.write())
    .await?;
    Ok(text)
}

/// A user's tokens that are still good, newest first.
pub async fn list(app: &App, user_id: i64) -> Result<Vec<api_token::Model>, DbErr> {
    of_user(user_id).order_by_desc(api_token::COLUMN.id).all(app.db.read()).await
}

/// Ends one of a user's tokens.
pub async fn revoke(app: &App, user_id: i64, id: i64) -> Result<(), Error> {
    let result = api_token::Entity::update_many()
        .col_expr(api_token::Column::RevokedAt, Expr::value(app.clock.now()))
        .filter(api_token::COLUMN.id.eq(id))
        .filter(api_token::COLUMN.user_id.eq(user_id))
        .filter(api_token::COLUMN.revoked_at.is_null())
        .exec(app.db.write())
        .await?;
    if result.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Whose token this is, if it is good.
pub async fn find(app: &App, text: &str) -> Result<Option<ApiUser>, DbErr> {
    let Some(row) = api_token::Entity::find()
        .filter(api_token::COLUMN.token_hash.eq(token::hash(text)))
        .filter(api_token::COLUMN.revoked_at.is_null())
        .one(app.db.read())
        .await?
    else {
        return Ok(None);
    };
    let Some(user) = users::active(app, row.user_id).await? else { return Ok(None) };
    let now = app.clock.now();
    if row.last_used_at.is_none_or(|last| last < now - USED_EVERY) {
        api_token::Entity::update_many()
            .col_expr(api_token::Column::LastUsedAt, Expr::value(now))
            .filter(api_token::COLUMN.id.eq(row.id))
            .exec(app.db.write())
            .await?;
    }
    Ok(Some(ApiUser { user, scopes: Scope::list(&row.scopes) }))
}

fn of_user(user_id: i64) -> sea_orm::Select<api_token::Entity> {
    api_token::Entity::find()
        .filter(api_token::COLUMN.user_id.eq(user_id))
        .filter(api_token::COLUMN.revoked_at.is_null())
}
