//! `/search`: the form and its results, without JavaScript.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::explain::{self, Chip};
use super::facets::{self, Facet, Histogram};
use super::find::{self, Found, Reader};
use super::insight;
use super::query::Part;
use super::suggest::near;
use super::wanted::Wanted;
use crate::app::App;
use crate::auth::Client;
use crate::error::{Error, Problems};
use crate::home::accounts::feeds_at;
use crate::page::{FeedLink, Page, View};
use crate::saved;

#[derive(Template)]
#[template(path = "search/results.html")]
struct ResultsPage {
    page: Page,
    wanted: Wanted,
    found: Found,
    chips: Vec<Chip>,
    notes: Vec<String>,
    /// What was probably meant: its address and text.
    meant: Option<(String, String)>,
    histogram: Histogram,
    facets: Vec<Facet>,
    problems: Problems,
    /// The index is being built.
    building: bool,
    first: bool,
    next_url: String,
    /// The reader's copies of articles found, by the articles' ids.
    saved: HashMap<i64, i64>,
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

    /// Names and keys of the orders.
    fn orders(&self) -> [(&'static str, &'static str); 3] {
        [("", "search-relevance"), ("newest", "search-newest"), ("oldest", "search-oldest")]
    }

    fn is_sorted(&self, sort: &str) -> bool {
        sort == self.wanted.sort || sort.is_empty() && self.wanted.sort == "relevance"
    }

    /// The reader's copy of an article, if there is one.
    fn saved_id(&self, item: &find::Item) -> Option<i64> {
        self.saved.get(&item.article.id).copied()
    }

    /// The same search in what the reader has saved.
    fn in_saved(&self) -> String {
        Wanted { q: self.wanted.q.clone(), ..Wanted::default() }.at("/saved")
    }

    fn parts(&self) -> [Part; 4] {
        [Part::Image, Part::Video, Part::Audio, Part::Table]
    }

    fn part_name(&self, part: &Part) -> &'static str {
        (*part).into()
    }
}

/// `GET /search`
pub async fn show_results(
    State(app): State<Arc<App>>,
    client: Client,
    page: Page,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let mut wanted = Wanted::from_query(&query.unwrap_or_default());
    if wanted.scope == "saved" {
        // Copies are no part of the index, and have a search of their own.
        let asked = Wanted { q: wanted.q, ..Wanted::default() };
        return Ok(Redirect::to(&asked.at("/saved")).into_response());
    }
    wanted.facets = true;
    wanted.fold = true;
    let Answer { mut found, problems, building } = answer(&app, &page, &wanted).await?;
    let (mut notes, mut meant) = (Vec::new(), None);
    if problems.is_empty() && !building && wanted.cursor.is_empty() {
        insight::count(&app, &client, &wanted, &found);
        meant = near::did_you_mean(&app, &wanted, &found, Reader::of(&page)).await?;
        // What was meant is shown at once where nothing was found, or Latin letters that no article holds.
        let nothing = found.exact == 0 && (found.total == 0 || wanted.q.is_ascii());
        if nothing && let Some(text) = meant.take() {
            notes.push(page.t2("suggest-instead", "query", &wanted.q, "proposal", &text));
            wanted.q = text;
            found = find::find(&app, &wanted, Reader::of(&page)).await?;
        }
    }
    let page = titled(page, &wanted, problems.is_empty());
    notes.extend(explain::notes(&page, &found));
    let meant = meant.map(|text| (Wanted { q: text.clone(), ..wanted.clone() }.path(None), text));
    let counts = found.facets.take().unwrap_or_default();
    let ids: Vec<i64> = found.items.iter().map(|item| item.article.id).collect();
    let saved = match &page.user {
        Some(user) => saved::queries::ids_of(app.db.read(), user.id, &ids).await?,
        None => HashMap::new(),
    };
    let next_url = found.next.map(|cursor| wanted.path(Some(cursor))).unwrap_or_default();
    Ok(View(ResultsPage {
        chips: explain::chips(&page, &wanted, &found),
        notes,
        meant,
        histogram: facets::histogram(&page, &wanted, &counts),
        facets: facets::facets(&page, &wanted, &counts),
        first: wanted.cursor.is_empty(),
        page,
        wanted,
        found,
        problems,
        building,
        next_url,
        saved,
    })
    .into_response())
}

/// What a search came to.
#[derive(Default)]
struct Answer {
    found: Found,
    problems: Problems,
    building: bool,
}

async fn answer(app: &App, page: &Page, wanted: &Wanted) -> Result<Answer, Error> {
    if wanted.is_empty() {
        return Ok(Answer::default());
    }
    match find::find(app, wanted, Reader::of(page)).await {
        Ok(found) => Ok(Answer { found, ..Answer::default() }),
        Err(Error::Invalid(problems)) => Ok(Answer { problems, ..Answer::default() }),
        Err(Error::Unavailable { .. }) => Ok(Answer { building: true, ..Answer::default() }),
        Err(error) => Err(error),
    }
}

/// The page with what its head says of a search: title, description, feeds.
fn titled(page: Page, wanted: &Wanted, understood: bool) -> Page {
    let mut page = if wanted.q.is_empty() {
        page.titled_key("search")
    } else {
        let title = page.t1("search-title", "query", &wanted.q);
        page.titled(&title)
    };
    page.description = page.t("search-description");
    let is_asked = !wanted.is_empty();
    page.noindex = is_asked;
    if is_asked && understood {
        page.feeds = feed_links(&page, wanted);
    }
    page
}

/// The feeds of a search.
fn feed_links(page: &Page, wanted: &Wanted) -> Vec<FeedLink> {
    let plain = Wanted { sort: String::new(), cursor: String::new(), scope: String::new(), ..wanted.clone() };
    let links = feeds_at(page, &page.title, "/search").into_iter();
    links.map(|link| FeedLink { href: plain.at(&link.href), ..link }).collect()
}
