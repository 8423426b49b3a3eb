//! The address of an article's share image.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;
use crate::articles::queries::{self, Published};
use crate::error::Error;
use crate::packing;
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
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (account, article) = match queries::published(app.db.read(), &handle, &slug).await? {
        Published::Here(found) => *found,
        Published::Moved(path) => {
            let location = format!("{path}/share.png");
            return Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response());
        }
    };
    let words = super::words(&app, &account, &article);
    let name = super::name(&app, &words);
    let is_version = asked.v.len() >= 12 && name.starts_with(&asked.v);
    let cache = if is_version { "public, max-age=86400" } else { "public, max-age=300" };
    let tag = format!("\"{name}\"");
    let common = [(header::CACHE_CONTROL, cache), (header::ETAG, tag.as_str())];
    if packing::known(&headers, &tag).is_some() {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let bytes = super::image(&app, words, &name).await?;
    Ok((common, [(header::CONTENT_TYPE, "image/png")], bytes).into_response())
}
