//! What stands in an article's frame before its player does.

use askama::Template;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::articles::content::Video;
use crate::error::Error;
use crate::page::{Page, View};
use crate::path::Path;

/// Nothing but our style and a link, and shown in our own pages only. The sandbox is this page's own, and
/// stricter than its frame's: it is left with the page. An origin it must have, for YouTube plays for nobody
/// who comes from nowhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin";

#[derive(Template)]
#[template(path = "articles/player.html")]
struct PlayerPage {
    page: Page,
    video: Video,
}

/// `GET /embed/{site}/{video}`: a link to the player, which opens in the same frame.
pub async fn show_player(page: Page, Path((site, video)): Path<(String, String)>) -> Result<Response, Error> {
    let video = Video::at(&site, &video).ok_or(Error::NotFound)?;
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::X_FRAME_OPTIONS, "SAMEORIGIN")];
    Ok((headers, View(PlayerPage { page, video })).into_response())
}
