//! The reader's page.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::articles::queries::{self, Published};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::home::accounts::standing;
use crate::home::article::render_article;
use crate::packing;
use crate::page::{Page, answer, preload};
use crate::path::Path;
use crate::subscriptions::timeline;

/// `GET /@{handle}/{slug}`
pub async fn show_article(
    State(app): State<Arc<App>>,
    page: Page,
    Path((handle, slug)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let db = app.db.read();
    let (account, article) = match queries::published(db, &handle, &slug).await? {
        Published::Here(found) => *found,
        Published::Moved(path) => {
            return Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, path)]).into_response());
        }
    };
    let standing = standing(&app, &page, account.id).await?;
    if let Some(user) = page.user.as_ref().filter(|_| standing.is_subscribed())
        && let Err(error) = timeline::mark_read(&app, user.id, article.id).await
    {
        tracing::warn!(article = article.id, "marking as read failed: {error}");
    }
    let is_personal = page.user.is_some() || page.flash.is_some();
    let changed_at = article.updated_at;
    let rendered = render_article(&app, page, account, article, standing).await?;
    let mut response = conditional(rendered.html, changed_at, is_personal, &headers);
    if let Some(link) = rendered.cover_link.filter(|_| response.status() == StatusCode::OK) {
        preload(&mut response, &link);
    }
    Ok(response)
}

/// The page, or 304 where the reader has it already.
fn conditional(html: String, changed_at: Timestamp, is_personal: bool, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", &hex::encode(Sha256::digest(html.as_bytes()))[..32]);
    let cache = if is_personal { "private, no-cache" } else { "no-cache" };
    let common = [
        (header::LAST_MODIFIED, changed_at.http_date()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::VARY, "Cookie, Accept-Language, Save-Data".to_owned()),
    ];
    if let Some(known) = packing::known(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, common, [(header::ETAG, known)]).into_response();
    }
    if !is_personal && is_fresh(changed_at, headers) {
        return (StatusCode::NOT_MODIFIED, common, [(header::ETAG, tag)]).into_response();
    }
    (common, [(header::ETAG, tag)], answer(html)).into_response()
}

/// A time says less than a tag (it knows nothing of the reader), so it counts only where there is
/// no tag and nobody is signed in.
fn is_fresh(changed_at: Timestamp, headers: &HeaderMap) -> bool {
    let known = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    !headers.contains_key(header::IF_NONE_MATCH) && known.is_some_and(|known| known == changed_at.http_date())
}
