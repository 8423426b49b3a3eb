//! The address of an article's share image.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;
use crate::articles::queries::{self, Published};
use crate::error::Error;
use crate::path::Path;

/// `?v=` of an address made by [`super::path`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Version {
    v: String,
}

/// `GET /@{handle}/{slug}/share.png`: gone with the article.
pub async fn show_share_image(
    State(app): State<Arc<App>>,
    Path((handle, slug)): Path<(String, String)>,
    Query(asked): Query<Version>,
) -> Result<Response, Error> {
    let (account, article) = match queries::published(app.db.read(), &handle, &slug).await? {
        Published::Here(found) => *found,
        Published::Moved(path) => {
            let location = format!("{path}/share.png");
            return Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response());
        }
    };
    let (name, bytes) = super::image(&app, &account, &article).await?;
    let is_version = asked.v.len() >= 12 && name.starts_with(&asked.v);
    let cache = if is_version { "public, max-age=86400" } else { "public, max-age=300" };
    let headers = [
        (header::CONTENT_TYPE, "image/png".to_owned()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::ETAG, format!("\"{name}\"")),
    ];
    Ok((headers, bytes).into_response())
}
