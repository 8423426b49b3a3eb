//! `GET /api/v1/search`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use super::find::{self, Found, Item, Wanted};
use crate::app::App;
use crate::error::Error;

/// Results of a search, best or newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResults {
    /// As it was asked.
    query: String,
    /// Articles on all pages together.
    total: usize,
    /// Milliseconds that the search took here.
    took_ms: f64,
    /// Gives the next page as `cursor`; null on the last.
    next_cursor: Option<String>,
    items: Vec<SearchResult>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchResult {
    id: i64,
    /// Its id where it was imported from.
    external_id: Option<String>,
    url: String,
    title: String,
    /// The passage that answers best, in the article's own script: HTML with `<mark>` around what was
    /// asked for and everything else escaped.
    snippet_html: String,
    account: SearchAccount,
    /// The author line; null where there is none.
    author: Option<String>,
    /// BCP 47: zh-Hans, zh-Hant, ...
    lang: String,
    /// RFC 3339.
    published_at: String,
    /// Falls along the results; comparable within one answer only.
    score: f32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchAccount {
    handle: String,
    name: String,
}

/// Search articles
///
/// Simplified and Traditional characters, full and half width, and case are the same. Terms apart by
/// spaces must all be there; `"quoted"` runs exactly so; `-term` must not. Every string has an answer.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What to look for"),
        ("account" = Option<String>, Query, description = "Handle: only articles of this account"),
        ("from" = Option<String>, Query, description = "Published from: 2026-01-31, 2026-01, 2026, or RFC 3339"),
        ("to" = Option<String>, Query, description = "Published until the end of: the same forms"),
        ("lang" = Option<String>, Query, description = "zh-Hans, zh-Hant, en, ..."),
        ("sort" = Option<String>, Query, description = "relevance (default) or newest"),
        ("limit" = Option<u32>, Query, description = "Results on a page: 1 to 100, default 20"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
    ),
    responses((status = 200, body = SearchResults), (status = 422, description = "A parameter other than q cannot be read"))
)]
pub async fn search_articles(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<SearchResults>, Error> {
    let wanted = Wanted::from_query(&query.unwrap_or_default());
    let found = find::find(&app, &wanted, Tz::UTC).await?;
    Ok(Json(results(&app, wanted, found)))
}

fn results(app: &App, wanted: Wanted, found: Found) -> SearchResults {
    let base = app.config.base_url.trim_end_matches('/');
    SearchResults {
        query: wanted.q,
        total: found.total,
        took_ms: (found.took.as_secs_f64() * 1e5).round() / 100.0,
        next_cursor: found.next.map(|cursor| cursor.encode()),
        items: found.items.into_iter().map(|item| result(base, item)).collect(),
    }
}

fn result(base: &str, item: Item) -> SearchResult {
    let article = item.article;
    SearchResult {
        id: article.id,
        url: format!("{base}{}", article.path()),
        published_at: article.moment().rfc3339(),
        external_id: article.external_id,
        title: article.title,
        snippet_html: item.snippet_html,
        account: SearchAccount { handle: article.handle, name: article.name },
        author: Some(article.author).filter(|author| !author.is_empty()),
        lang: article.lang,
        score: item.score,
    }
}
