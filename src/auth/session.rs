//! Sessions: who is behind a request. [`load`] looks the cookie up once; handlers then ask for
//! [`CurrentUser`] or [`MaybeUser`].

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
};

use super::{token, users};
use crate::app::App;
use crate::db::entities::session;
use crate::db::entities::user;
use crate::error::Error;

/// How long a session lasts after it was last used.
pub const LIFETIME: Duration = Duration::from_secs(60 * 60 * 24 * 30);
/// How often "last seen" is written at most.
const SEEN_EVERY: Duration = Duration::from_secs(600);

/// The signed-in user and session of a request.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub user: user::Model,
    pub session_id: i64,
}

// Extractor: the signed-in user with their session; others are asked to sign in.
impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or(Error::Unauthorized)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// Extractor: the signed-in user; others are asked to sign in.
#[derive(Clone, Debug)]
pub struct CurrentUser(pub user::Model);

/// Extractor: the signed-in user, if any.
#[derive(Clone, Debug)]
pub struct MaybeUser(pub Option<user::Model>);

/// The session cookie's name; the prefix makes browsers insist on Secure and this host.
pub fn cookie_name(app: &App) -> &'static str {
    if app.config.is_https() { "__Host-session" } else { "session" }
}

/// Opens a session and returns its cookie.
pub async fn open(app: &App, user_id: i64, user_agent: &str, ip: &str) -> Result<Cookie<'static>, DbErr> {
    let token = token::new();
    let now = app.clock.now();
    session::Entity::delete_many()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.expires_at.lt(now))
        .exec(app.db.write())
        .await?;
    session::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        token_hash: Set(token::hash(&token)),
        user_agent: Set(user_agent.chars().take(300).collect()),
        ip: Set(ip.to_owned()),
        created_at: Set(now),
        last_seen_at: Set(now),
        expires_at: Set(now + LIFETIME),
    }
    .insert(app.db.write())
    .await?;
    Ok(Cookie::build((cookie_name(app), token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.is_https())
        .max_age(time::Duration::seconds(LIFETIME.as_secs() as i64))
        .build())
}

/// A user's sessions that are still good, the last seen first.
pub async fn list(app: &App, user_id: i64) -> Result<Vec<session::Model>, DbErr> {
    session::Entity::find()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.expires_at.gt(app.clock.now()))
        .order_by_desc(session::COLUMN.last_seen_at)
        .order_by_desc(session::COLUMN.id)
        .all(app.db.read())
        .await
}

/// Ends one of a user's sessions.
pub async fn end(app: &App, user_id: i64, id: i64) -> Result<(), Error> {
    let result = session::Entity::delete_many()
        .filter(session::COLUMN.id.eq(id))
        .filter(session::COLUMN.user_id.eq(user_id))
        .exec(app.db.write())
        .await?;
    if result.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Ends a browser's own session.
pub async fn close(app: &App, id: i64) -> Result<(), DbErr> {
    session::Entity::delete_by_id(id).exec(app.db.write()).await?;
    Ok(())
}

/// Ends all of a user's sessions but `kept`.
pub async fn end_all(app: &App, user_id: i64, kept: Option<i64>) -> Result<(), DbErr> {
    end_all_in(app.db.write(), user_id, kept).await
}

pub(super) async fn end_all_in<C: ConnectionTrait>(
    db: &C,
    user_id: i64,
    kept: Option<i64>,
) -> Result<(), DbErr> {
    session::Entity::delete_many()
        .filter(session::COLUMN.user_id.eq(user_id))
        .filter(session::COLUMN.id.ne(kept.unwrap_or(0)))
        .exec(db)
        .await?;
    Ok(())
}

/// A cookie that makes the browser forget its session.
pub fn forgetting_cookie(app: &App) -> Cookie<'static> {
    Cookie::build((cookie_name(app), ""))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.config.is_https())
        .max_age(time::Duration::ZERO)
        .build()
}

/// Middleware: finds the session of the request's cookie and keeps it in the request, and in the
/// response for the layers around this one.
pub async fn load(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let found = match jar.get(cookie_name(&app)) {
        Some(cookie) => find(&app, cookie.value()).await?,
        None => None,
    };
    let Some(signed_in) = found else { return Ok(next.run(request).await) };
    request.extensions_mut().insert(signed_in.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(signed_in);
    Ok(response)
}

async fn find(app: &App, token: &str) -> Result<Option<SignedIn>, DbErr> {
    let now = app.clock.now();
    let Some(row) = session::Entity::find()
        .filter(session::COLUMN.token_hash.eq(token::hash(token)))
        .filter(session::COLUMN.expires_at.gt(now))
        .one(app.db.read())
        .await?
    else {
        return Ok(None);
    };
    let Some(user) = users::active(app, row.user_id).await? else { return Ok(None) };
    if row.last_seen_at < now - SEEN_EVERY {
        session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(now))
            .col_expr(session::Column::ExpiresAt, Expr::value(now + LIFETIME))
            .filter(session::COLUMN.id.eq(row.id))
            .exec(app.db.write())
            .await?;
    }
    Ok(Some(SignedIn { user, session_id: row.id }))
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<SignedIn>().map(|signed_in| signed_in.user.clone())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let signed_in = parts.extensions.get::<SignedIn>().ok_or(Error::Unauthorized)?;
        Ok(Self(signed_in.user.clone()))
    }
}
