//! `Idempotency-Key`: a POST that is sent twice is done once, and answered alike.
//!
//! The key is written down before the work begins. When its answer is known it is kept for a day;
//! when the work failed the key is free again. A key whose answer never came (the process died) is
//! free after a minute: operations that must not be done twice even then keep the key with what
//! they write, and get it by [`IdempotencyKey`].

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, ExprTrait, QueryFilter, TryInsertResult,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::app::App;
use crate::auth::ApiUser;
use crate::db::entities::idempotency_key;
use crate::error::Error;

const KEY: &str = "idempotency-key";
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a request may be under way before its key may be tried again.
const UNDER_WAY: Duration = Duration::from_secs(60);
/// As the router's own limit.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Extractor: the request's key, if it has one.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    pub key: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let key = parts.headers.get(KEY).map(parse).transpose()?;
        Ok(Self { key })
    }
}

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    content_type: String,
    location: String,
    body: String,
}

/// Middleware: honours the key of a POST to the API.
pub async fn honour(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Error> {
    let is_post = *request.method() == Method::POST && request.uri().path().starts_with("/api/v1/");
    let Some(key) = request.headers().get(KEY).filter(|_| is_post) else {
        return Ok(next.run(request).await);
    };
    let key = parse(key)?;
    let (mut parts, body) = request.into_parts();
    let Some(caller) =
        <Option<ApiUser> as FromRequestParts<Arc<App>>>::from_request_parts(&mut parts, &app).await?
    else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| Error::TooLarge)?;
    let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
    let mut hash = Sha256::new();
    hash.update(address.as_bytes());
    hash.update(b"\n");
    hash.update(&body);
    let hash = hex::encode(hash.finalize());
    let user_id = caller.user.id;
    let Some(id) = reserve(&app, user_id, &key, &hash).await? else {
        return replay(&app, user_id, &key, &hash).await;
    };
    parts.extensions.insert(caller);
    let request = Request::from_parts(parts, Body::from(body));
    // On a task of its own: a caller who hangs up does not leave the key without its answer.
    let work = async move {
        let response = next.run(request).await;
        keep(&app, id, response).await
    };
    let work = tokio::spawn(work.in_current_span());
    work.await.map_err(|error| Error::Internal(error.into()))?
}

fn parse(key: &HeaderValue) -> Result<String, Error> {
    let wrong = || Error::invalid("Idempotency-Key", "api-key-wrong");
    let text = key.to_str().map_err(|_| wrong())?.trim();
    if text.is_empty() || text.len() > 255 { Err(wrong()) } else { Ok(text.to_owned()) }
}

/// Takes a key for this request; none when it is taken.
async fn reserve(app: &App, user_id: i64, key: &str, hash: &str) -> Result<Option<i64>, DbErr> {
    let now = app.clock.now();
    let unanswered = idempotency_key::COLUMN.status.is_null();
    let stuck = unanswered.and(idempotency_key::COLUMN.created_at.lt(now - UNDER_WAY));
    idempotency_key::Entity::delete_many()
        .filter(idempotency_key::COLUMN.user_id.eq(user_id))
        .filter(stuck.or(idempotency_key::COLUMN.created_at.lt(now - KEPT)))
        .exec(app.db.write())
        .await?;
    let row = idempotency_key::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        key: Set(key.to_owned()),
        request_hash: Set(hash.to_owned()),
        status: Set(None),
        response: Set(None),
        created_at: Set(now),
    };
    let inserted = idempotency_key::Entity::insert(row)
        .on_conflict_do_nothing_on([idempotency_key::Column::UserId, idempotency_key::Column::Key])
        .exec(app.db.write())
        .await?;
    Ok(match inserted {
        TryInsertResult::Inserted(result) => Some(result.last_insert_id),
        TryInsertResult::Empty | TryInsertResult::Conflicted => None,
    })
}

/// Answers as the first request with this key was answered.
async fn replay(app: &App, user_id: i64, key: &str, hash: &str) -> Result<Response, Error> {
    let row = idempotency_key::Entity::find()
        .filter(idempotency_key::COLUMN.user_id.eq(user_id))
        .filter(idempotency_key::COLUMN.key.eq(key))
        .one(app.db.read())
        .await?
        .ok_or_else(|| Error::Conflict("api-key-under-way".into()))?;
    if row.request_hash != hash {
        return Err(Error::invalid("Idempotency-Key", "api-key-of-another-request"));
    }
    let (Some(status), Some(text)) = (row.status, row.response) else {
        return Err(Error::Conflict("api-key-under-way".into()));
    };
    let kept: Kept = serde_json::from_str(&text).map_err(|error| Error::Internal(error.into()))?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), kept.body).into_response();
    let headers = response.headers_mut();
    for (name, value) in [(header::CONTENT_TYPE, kept.content_type), (header::LOCATION, kept.location)] {
        headers.remove(&name);
        if let Some(value) = HeaderValue::from_str(&value).ok().filter(|value| !value.is_empty()) {
            headers.insert(name, value);
        }
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps a good answer; a failure gives the key free, for another try.
async fn keep(app: &App, id: i64, response: Response) -> Result<Response, Error> {
    if !response.status().is_success() {
        idempotency_key::Entity::delete_by_id(id).exec(app.db.write()).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|error| Error::Internal(error.into()))?;
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    let kept = Kept {
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let kept = serde_json::to_string(&kept).map_err(|error| Error::Internal(error.into()))?;
    idempotency_key::Entity::update_many()
        .col_expr(idempotency_key::Column::Status, Expr::value(i64::from(parts.status.as_u16())))
        .col_expr(idempotency_key::Column::Response, Expr::value(kept))
        .filter(idempotency_key::COLUMN.id.eq(id))
        .exec(app.db.write())
        .await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
