//! Fever's API at `/api/fever.php`: older reader apps, and new ones that know nothing else. One address for all: the
//! names in the query say what is wanted, the form carries the key.
//!
//! The key is the MD5 of `address:password`, by the protocol. The answer is always 200 and JSON; `auth` says whether
//! the key was good.

mod answers;
mod marks;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::greader::{Refusal, text};
use super::{AppReader, by_fever_key};
use crate::app::App;
use crate::auth::Client;

/// Where apps are told to look.
pub const PATH: &str = "/api/fever.php";
/// The version of the API.
const VERSION: i64 = 3;

/// `GET` and `POST /api/fever.php`
pub async fn answer(
    State(app): State<Arc<App>>,
    client: Client,
    fields: Fields,
) -> Result<Response, Refusal> {
    if !fields.has("api") && !fields.has("api_key") {
        return Ok(text(StatusCode::OK, "Fever API: use this address in a reader app.\n".into()));
    }
    let key = fields.get("api_key").unwrap_or_default();
    let Some(reader) = by_fever_key(&app, &client, key).await? else {
        return Ok(Json(json!({ "api_version": VERSION, "auth": 0 })).into_response());
    };
    let mut document = Map::new();
    document.insert("api_version".into(), VERSION.into());
    document.insert("auth".into(), 1.into());
    document.insert("last_refreshed_on_time".into(), (app.clock.now().0 / 1_000).to_string().into());
    fill(&app, &reader, &fields, &mut document).await?;
    Ok(Json(Value::Object(document)).into_response())
}

/// Does what is asked for, then puts what is wanted into the answer.
async fn fill(
    app: &App,
    reader: &AppReader,
    fields: &Fields,
    document: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let user_id = reader.user.id;
    let mut wants_unread = fields.has("unread_item_ids");
    let mut wants_saved = fields.has("saved_item_ids");
    if fields.get("unread_recently_read") == Some("1") {
        marks::unread_recent(app, user_id).await?;
        wants_unread = true;
    }
    if fields.has("mark") {
        marks::mark(app, user_id, fields).await?;
        match fields.get("as") {
            Some("saved" | "unsaved") => wants_saved = true,
            _ => wants_unread = true,
        }
    }
    if fields.has("groups") {
        document.insert("groups".into(), answers::groups(app, user_id).await?);
    }
    if fields.has("feeds") {
        document.insert("feeds".into(), answers::feeds(app, user_id).await?);
    }
    if fields.has("groups") || fields.has("feeds") {
        document.insert("feeds_groups".into(), answers::feeds_groups(app, user_id).await?);
    }
    if fields.has("favicons") {
        document.insert("favicons".into(), answers::favicons());
    }
    if fields.has("items") {
        document.insert("items".into(), answers::items(app, user_id, fields).await?);
        document.insert("total_items".into(), answers::total(app, user_id).await?.into());
    }
    if fields.has("links") {
        document.insert("links".into(), json!([]));
    }
    if wants_unread {
        document.insert("unread_item_ids".into(), answers::unread_ids(app, user_id).await?.into());
    }
    if wants_saved {
        document.insert("saved_item_ids".into(), answers::saved_ids(app, user_id).await?.into());
    }
    Ok(())
}
