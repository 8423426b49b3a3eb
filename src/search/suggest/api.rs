//! `GET /api/v1/suggest`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Kind, Suggestion, USUAL, suggest};
use crate::app::App;
use crate::error::Error;

/// Suggestions, best first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions {
    /// As it was asked.
    query: String,
    items: Vec<SuggestionItem>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionItem {
    kind: Kind,
    /// An account's name, a tag, a query, or a title.
    text: String,
    /// An account's handle with @, or the name of a title's account; null for tags and queries.
    detail: Option<String>,
    /// The account, the article, or a search for the text.
    url: String,
    /// BCP 47; null where it is not known.
    lang: Option<String>,
}

/// Suggest while a reader types
///
/// Accounts, tags, frequent queries and titles that begin so, or have a word that does: in Chinese of
/// either script, pinyin (`renminribao`, with or without tones), its initials (`rmrb`), or mixed
/// (`人min日报`). Every string has an answer.
#[utoipa::path(
    get,
    path = "/api/v1/suggest",
    tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What was typed so far"),
        ("limit" = Option<u32>, Query, description = "Suggestions: 1 to 20, default 8"),
    ),
    responses((status = 200, body = Suggestions))
)]
pub async fn suggest_queries(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Suggestions>, Error> {
    let (query, limit) = asked(&query.unwrap_or_default());
    let items = suggest(&app, &query, limit).await?.into_iter().map(|one| item(&app, one)).collect();
    Ok(Json(Suggestions { query, items }))
}

/// Reads `q` and `limit`; a limit that is no number is the usual one.
pub(super) fn asked(query: &str) -> (String, usize) {
    let (mut q, mut limit) = (String::new(), USUAL);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "q" => q = value.into_owned(),
            "limit" => limit = value.parse().unwrap_or(USUAL),
            _ => {}
        }
    }
    (q, limit)
}

fn item(app: &App, suggestion: Suggestion) -> SuggestionItem {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    SuggestionItem {
        kind: suggestion.kind,
        url: app.config.url(&suggestion.path),
        text: suggestion.text,
        detail: given(suggestion.detail),
        lang: given(suggestion.lang),
    }
}
