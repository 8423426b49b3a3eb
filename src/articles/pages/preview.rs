//! What readers will see of a text that is still being written.

use askama::Template;
use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde_json::json;

use super::editor::{EditorForm, accepts_json};
use crate::accounts::roles::Operation;
use crate::error::Error;
use crate::page::{Page, View};
use crate::studio::{Studio, Tab};
use crate::text::count;

#[derive(Template)]
#[template(path = "articles/preview.html")]
struct PreviewPage {
    page: Page,
    studio: Studio,
    title: String,
    digest: String,
    author: String,
    lang: String,
    cover_url: Option<String>,
    body_html: String,
    minutes: i32,
}

/// `POST /studio/@{handle}/preview`: a page, or what goes into the editor's preview.
pub async fn preview_article(
    page: Page,
    studio: Studio,
    headers: HeaderMap,
    Form(sent): Form<EditorForm>,
) -> Result<Response, Error> {
    if !studio.allows(Operation::WriteOwnDraft) {
        return Err(Error::forbidden());
    }
    let content = sent.article().parse().await?;
    let minutes = count::minutes(content.word_count, &content.lang);
    if accepts_json(&headers) {
        let words = page.n("article-words", content.word_count);
        return Ok(Json(json!({ "html": content.body_html, "words": words })).into_response());
    }
    let mut page = page.titled(&content.title);
    page.noindex = true;
    let view = View(PreviewPage {
        page,
        studio: studio.at(Tab::Articles),
        title: content.title,
        digest: content.digest,
        author: content.author,
        lang: content.lang,
        cover_url: content.cover_url,
        body_html: content.body_html,
        minutes,
    });
    Ok(view.into_response())
}
