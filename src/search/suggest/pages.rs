//! `/search/suggestions`: the options under the search box, for its script.

use std::borrow::Cow;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{Kind, Suggestion, suggest};
use crate::app::App;
use crate::error::Error;
use crate::page::{Page, View};

#[derive(Template)]
#[template(path = "search/suggestions.html")]
struct Options {
    page: Page,
    items: Vec<Suggestion>,
}

impl Options {
    /// Titles in the reader's script; a name is as its account writes it, and a search as readers type it.
    fn text<'a>(&self, item: &'a Suggestion) -> Cow<'a, str> {
        if item.kind == Kind::Title {
            self.page.shown(&item.text, &item.lang)
        } else {
            item.text.as_str().into()
        }
    }

    fn lang(&self, item: &Suggestion) -> String {
        if item.kind == Kind::Title { self.page.shown_lang(&item.lang) } else { item.lang.clone() }
    }

    fn kind(&self, item: &Suggestion) -> String {
        self.page.t(match item.kind {
            Kind::Account => "suggest-account",
            Kind::Tag => "suggest-tag",
            Kind::Query => "suggest-query",
            Kind::Title => "suggest-title",
        })
    }
}

/// `GET /search/suggestions`
pub async fn show_suggestions(
    State(app): State<Arc<App>>,
    page: Page,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let (query, limit) = super::api::asked(&query.unwrap_or_default());
    let items = suggest(&app, &query, limit).await?;
    let fresh = [(header::CACHE_CONTROL, "private, max-age=60")];
    Ok((fresh, View(Options { page, items })).into_response())
}
