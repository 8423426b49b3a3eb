//! Files of `static/`, built into the binary.
//!
//! A node that serves packs each of them once, as tightly as it goes, while it already answers ([`prepare`]): that
//! takes a part of a second of one core, and no build has to wait for it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;

use crate::error::Error;
use crate::packing::{self, Effort, Packing};
use crate::path::Path;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct Files;

/// Packed copies by the hash of what they hold, so that a file which is edited while a development build runs is
/// given as it is.
type Copies = HashMap<([u8; 32], Packing), Bytes>;
static COPIES: LazyLock<RwLock<Copies>> = LazyLock::new(RwLock::default);

/// Fonts, which images are drawn with here: no page asks for megabytes of them.
const FOR_THE_SERVER: &str = ".otf";

/// `?v=` of an address made by [`url`].
#[derive(Debug, Deserialize)]
pub struct Version {
    v: Option<String>,
}

/// `/static/app.css?v=0123456789ab`: the address changes with the file, so it may be kept for ever.
pub fn url(path: &str) -> String {
    match Files::get(path) {
        Some(file) => format!("/static/{path}?v={}", version(&file)),
        None => format!("/static/{path}"),
    }
}

/// A file's bytes, for what is made of it here.
pub fn bytes(path: &str) -> Option<Cow<'static, [u8]>> {
    Files::get(path).map(|file| file.data)
}

/// A file that is served at an address of its own too.
pub fn text(path: &str) -> Option<String> {
    Files::get(path).map(|file| String::from_utf8_lossy(&file.data).into_owned())
}

/// Packs all files that browsers ask for. Slow; until it is done they are packed while they are sent.
pub fn prepare() {
    let is_asked_for = |path: &str| [".css", ".js", ".svg"].iter().any(|kind| path.ends_with(kind));
    for path in Files::iter().filter(|path| is_asked_for(path)) {
        prepare_one(&path);
    }
}

/// Packs one file in all ways.
pub fn prepare_one(path: &str) {
    let Some(file) = Files::get(path) else { return };
    for packing in Packing::ALL {
        if let Some(copy) = packing.pack(&file.data, Effort::Once) {
            let mut copies = COPIES.write().unwrap_or_else(PoisonError::into_inner);
            copies.insert((file.metadata.sha256_hash(), packing), copy.into());
        }
    }
}

/// `GET /static/{path}`
pub async fn show_file(
    Path(path): Path<String>,
    Query(asked): Query<Version>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let file = Files::get(&path).filter(|_| !path.ends_with(FOR_THE_SERVER)).ok_or(Error::NotFound)?;
    // Another version's address, of a node that is newer or older, must not keep this one.
    let is_this = asked.v.is_some_and(|wanted| wanted == version(&file));
    let cache = if is_this { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let tag = format!("\"{}\"", &hex::encode(file.metadata.sha256_hash())[..32]);
    let common = [(header::CACHE_CONTROL, cache), (header::VARY, "accept-encoding")];
    if let Some(known) = packing::known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, common, [(header::ETAG, known)]).into_response());
    }
    let (packing, body) = body(&file, Packing::accepted(&headers));
    let kind = file.metadata.mimetype();
    // Files are small: who asks for a part of one gets all of it (RFC 9110, 14.2).
    let own = [(header::ETAG, tag.as_str()), (header::CONTENT_TYPE, kind), (header::ACCEPT_RANGES, "none")];
    let mut response = (common, own, body).into_response();
    packing.mark(response.headers_mut());
    Ok(response)
}

/// The copy that is wanted, or the file as it is.
fn body(file: &EmbeddedFile, wanted: Packing) -> (Packing, Bytes) {
    let copies = COPIES.read().unwrap_or_else(PoisonError::into_inner);
    match copies.get(&(file.metadata.sha256_hash(), wanted)) {
        Some(copy) => (wanted, copy.clone()),
        None => (
            Packing::Plain,
            match &file.data {
                Cow::Borrowed(data) => Bytes::from_static(data),
                Cow::Owned(data) => Bytes::from(data.clone()),
            },
        ),
    }
}

fn version(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..6])
}
