//! Who calls the API: the owner of a Bearer token, or the user of this site's own pages.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use strum::IntoEnumIterator;

use super::session::SignedIn;
use super::{Scope, api_tokens};
use crate::app::App;
use crate::db::entities::user;
use crate::error::{Error, Message};

/// Extractor: the caller of the API and what they may do. `Option<ApiUser>` where strangers may call
/// too; a token that is not good is refused even there.
#[derive(Clone, Debug)]
pub struct ApiUser {
    pub user: user::Model,
    pub scopes: Vec<Scope>,
}

impl ApiUser {
    /// The user, if the token has this scope.
    ///
    /// # Errors
    /// [`Error::Forbidden`], naming the missing scope.
    pub fn require(&self, scope: Scope) -> Result<&user::Model, Error> {
        if self.scopes.contains(&scope) {
            return Ok(&self.user);
        }
        Err(Error::Forbidden(Message::from("error-scope").with("scope", scope.name())))
    }

    async fn of_request(parts: &Parts, app: &App) -> Result<Option<Self>, Error> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(Some(known.clone()));
        }
        if let Some(authorization) = parts.headers.get(header::AUTHORIZATION) {
            let token = bearer(authorization).ok_or(Error::Unauthorized)?;
            return api_tokens::find(app, token).await?.map(Some).ok_or(Error::Unauthorized);
        }
        // The site's own pages may call it with their session: the user may do what they may do.
        Ok(parts
            .extensions
            .get::<SignedIn>()
            .map(|signed_in| Self { user: signed_in.user.clone(), scopes: Scope::iter().collect() }))
    }
}

/// The token of `Authorization: Bearer ...`.
pub fn bearer(authorization: &axum::http::HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl FromRequestParts<Arc<App>> for ApiUser {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        Self::of_request(parts, app).await?.ok_or(Error::Unauthorized)
    }
}

impl OptionalFromRequestParts<Arc<App>> for ApiUser {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Option<Self>, Error> {
        Self::of_request(parts, app).await
    }
}
