//! `subscription/export` and `subscription/import`: the list of subscriptions as one document.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::{Answer, text};
use crate::app::App;
use crate::opml;
use crate::reader_apps::AppReader;

/// `GET reader/api/0/subscription/export`
pub async fn export_subscriptions(State(app): State<Arc<App>>, reader: AppReader) -> Answer {
    let document = opml::write(&app, &reader.user).await?;
    Ok(([(header::CONTENT_TYPE, opml::CONTENT_TYPE)], document).into_response())
}

/// `POST reader/api/0/subscription/import`: the document is the body.
pub async fn import_subscriptions(State(app): State<Arc<App>>, reader: AppReader, body: Bytes) -> Answer {
    let report = opml::take_in(&app, &reader.user, &body).await?;
    Ok(text(axum::http::StatusCode::OK, format!("OK: {}", report.taken_count())))
}
