//! Files of `static/`, built into the binary.

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::Deserialize;

use crate::error::Error;
use crate::path::Path;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct Files;

/// `?v=` of an address made by [`url`].
#[derive(Debug, Deserialize)]
pub struct Version {
    v: Option<String>,
}

/// `/static/app.css?v=0123456789ab`: the address changes with the file, so it may be kept for ever.
pub fn url(path: &str) -> String {
    match Files::get(path) {
        Some(file) => format!("/static/{path}?v={}", &hex::encode(file.metadata.sha256_hash())[..12]),
        None => format!("/static/{path}"),
    }
}

/// A file's bytes, for what is made of it here.
pub fn bytes(path: &str) -> Option<std::borrow::Cow<'static, [u8]>> {
    Files::get(path).map(|file| file.data)
}

/// A file that is served at an address of its own too.
pub fn text(path: &str) -> Option<String> {
    Files::get(path).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// `GET /static/{path}`
pub async fn show_file(
    Path(path): Path<String>,
    Query(version): Query<Version>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let file = Files::get(&path).ok_or(Error::NotFound)?;
    let etag = format!("\"{}\"", &hex::encode(file.metadata.sha256_hash())[..32]);
    let cache =
        if version.v.is_some() { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let common = [(header::ETAG, etag.clone()), (header::CACHE_CONTROL, cache.to_owned())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let kind = file.metadata.mimetype().to_owned();
    Ok((common, [(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response())
}
