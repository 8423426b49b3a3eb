//! `/search`: the form and its results, without JavaScript.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};

use super::find::{self, Found, Wanted};
use crate::app::App;
use crate::error::{Error, Problems};
use crate::page::{Page, View};

#[derive(Template)]
#[template(path = "search/results.html")]
struct ResultsPage {
    page: Page,
    wanted: Wanted,
    found: Found,
    problems: Problems,
    /// The index is being built.
    building: bool,
    first: bool,
    next_url: String,
}

impl ResultsPage {
    /// The problem of a field, or nothing.
    fn problem(&self, field: &str) -> String {
        self.problems.of(field).map(|message| self.page.message(message)).unwrap_or_default()
    }

    /// Milliseconds, short.
    fn took(&self) -> String {
        let ms = self.found.took.as_secs_f64() * 1e3;
        if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
    }
}

/// `GET /search`
pub async fn show_results(
    State(app): State<Arc<App>>,
    page: Page,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let wanted = Wanted::from_query(&query.unwrap_or_default());
    let (mut found, mut problems, mut building) = (Found::default(), Problems::default(), false);
    if !wanted.is_empty() {
        match find::find(&app, &wanted, page.zone()).await {
            Ok(answer) => found = answer,
            Err(Error::Invalid(wrong)) => problems = wrong,
            Err(Error::Unavailable { .. }) => building = true,
            Err(error) => return Err(error),
        }
    }
    let mut page = if wanted.q.is_empty() {
        page.titled_key("search")
    } else {
        let title = page.t1("search-title", "query", &wanted.q);
        page.titled(&title)
    };
    page.noindex = !wanted.is_empty();
    let next_url = found.next.map(|cursor| wanted.path(Some(cursor))).unwrap_or_default();
    let first = wanted.cursor.is_empty();
    Ok(View(ResultsPage { page, wanted, found, problems, building, first, next_url }).into_response())
}
