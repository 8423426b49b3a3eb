//! Signing in, and what is told of the reader.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use super::{Answer, Refusal, text};
use crate::app::App;
use crate::auth::Client;
use crate::reader_apps::fields::Fields;
use crate::reader_apps::{AppReader, sign_in};

/// As long as Google's were; some apps look.
const TOKEN_LENGTH: usize = 57;

/// `GET /api/greader.php`: people look here when an app finds nothing.
pub async fn show_greeting() -> Answer {
    Ok(text(StatusCode::OK, "OK".into()))
}

/// `GET /api/greader.php/check/compatibility`: whether a proxy lets the header through that apps sign in by.
pub async fn check_compatibility(headers: axum::http::HeaderMap) -> Answer {
    let is_there = headers.contains_key(axum::http::header::AUTHORIZATION);
    let words = if is_there { "PASS" } else { "FAIL: the Authorization header does not arrive" };
    Ok(text(StatusCode::OK, words.into()))
}

/// `POST /api/greader.php/accounts/ClientLogin`: an address and an app's password.
pub async fn sign_in_app(State(app): State<Arc<App>>, client: Client, fields: Fields) -> Answer {
    let (Some(email), Some(password)) = (fields.get("Email"), fields.get("Passwd")) else {
        return Err(Refusal::bad("Error=BadAuthentication"));
    };
    let auth = sign_in(&app, &client, email.trim(), password).await?;
    Ok(text(StatusCode::OK, format!("SID={auth}\nLSID=null\nAuth={auth}\n")))
}

/// `GET /api/greader.php/reader/api/0/token`: what apps send along with changes. It guards against pages that post
/// with a visitor's cookie; here no cookie counts.
pub async fn show_token(State(app): State<Arc<App>>, reader: AppReader) -> Answer {
    Ok(text(StatusCode::OK, token_of(&app, &reader)))
}

fn token_of(app: &App, reader: &AppReader) -> String {
    let tag = app.signer.tag("reader-app-token", &reader.password_id.to_string());
    format!("{tag:Z<TOKEN_LENGTH$}")
}

/// Refuses a token that is not the reader's. Some apps send none, or `x`.
pub(super) fn check_token(app: &App, reader: &AppReader, fields: &Fields) -> Result<(), Refusal> {
    let given = fields.get("T").unwrap_or_default().trim();
    if given.is_empty() || given == "x" || given == token_of(app, reader) {
        return Ok(());
    }
    Err(Refusal::token())
}

/// `GET /api/greader.php/reader/api/0/user-info`
pub async fn show_user(reader: AppReader) -> Answer {
    let id = reader.user.id.to_string();
    super::json(&json!({
        "userId": id,
        "userName": reader.user.name,
        "userProfileId": id,
        "userEmail": reader.user.email,
        "isBloggerUser": false,
        "signupTimeSec": reader.user.created_at.0 / 1000,
        "isMultiLoginEnabled": false,
    }))
}
