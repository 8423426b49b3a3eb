//! `/studio/searches` for operators, `/studio/@handle/searches` for publishers: what readers looked for.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::queries::{self, Asked, Clicked};
use super::{RANKS, day_of};
use crate::accounts::By;
use crate::accounts::queries::{Found, by_handle};
use crate::app::App;
use crate::auth::{Client, CurrentUser};
use crate::error::Error;
use crate::page::{Page, View};
use crate::studio::{Studio, Tab};

/// Days to choose from.
const PERIODS: [i64; 3] = [7, 28, 90];
/// Queries of each list.
const QUERIES: u64 = 50;

/// How far back.
#[derive(Debug, Default, Deserialize)]
pub struct Period {
    days: Option<i64>,
}

/// A result that was opened, as its page's script tells.
#[derive(Debug, Deserialize)]
pub struct Click {
    q: String,
    rank: u32,
    /// The handle that the search was narrowed to.
    #[serde(default)]
    account: String,
}

struct Report {
    days: i64,
    periods: [i64; 3],
    /// Of each list its title's key and its rows.
    lists: [(&'static str, Vec<Asked>); 2],
    clicks: Vec<Clicked>,
}

#[derive(Template)]
#[template(path = "search/insight.html")]
struct SitePage {
    page: Page,
    report: Report,
}

#[derive(Template)]
#[template(path = "search/account_insight.html")]
struct AccountPage {
    page: Page,
    studio: Studio,
    report: Report,
}

impl Report {
    async fn read(app: &App, account: i64, period: &Period) -> Result<Report, Error> {
        let days = period.days.filter(|days| PERIODS.contains(days)).unwrap_or(PERIODS[1]);
        let since = day_of(app.clock.now()) - days + 1;
        let db = app.db.read();
        Ok(Report {
            days,
            periods: PERIODS,
            lists: [
                ("insight-top", queries::top(db, account, since, QUERIES).await?),
                ("insight-not-found", queries::not_found(db, account, since, QUERIES).await?),
            ],
            clicks: queries::clicks(db, account, since).await?,
        })
    }

    fn is_empty(&self) -> bool {
        self.lists[0].1.is_empty()
    }

    /// All opened results, at least one, for the bars.
    fn all_clicks(&self) -> i64 {
        self.clicks.iter().map(|row| row.clicks).sum::<i64>().max(1)
    }

    fn share(&self, row: &Clicked) -> String {
        format!("{:.0}%", row.clicks as f64 * 100.0 / self.all_clicks() as f64)
    }

    fn path(&self, row: &Asked) -> String {
        let query: String = url::form_urlencoded::byte_serialize(row.shown.as_bytes()).collect();
        format!("/search?q={query}")
    }
}

/// `GET /studio/searches`
pub async fn show_site_insight(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    page: Page,
    Query(period): Query<Period>,
) -> Result<Response, Error> {
    By::User(&user).require_operator()?;
    let report = Report::read(&app, 0, &period).await?;
    Ok(View(SitePage { page: page.titled_key("insight-title"), report }).into_response())
}

/// `GET /studio/@{handle}/searches`
pub async fn show_account_insight(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(period): Query<Period>,
) -> Result<Response, Error> {
    let report = Report::read(&app, studio.account.id, &period).await?;
    let page = page.titled_key("insight-title");
    Ok(View(AccountPage { page, studio: studio.at(Tab::Searches), report }).into_response())
}

/// `POST /search/clicked`: answers alike whatever is told.
pub async fn count_click(
    State(app): State<Arc<App>>,
    client: Client,
    Form(click): Form<Click>,
) -> Result<StatusCode, Error> {
    let account = match click.account.trim_start_matches('@') {
        "" => None,
        handle => match by_handle(app.db.read(), handle).await? {
            Some(Found::Here(account) | Found::Moved(account)) => Some(account.id),
            None => return Ok(StatusCode::NO_CONTENT),
        },
    };
    if (1..=RANKS).contains(&click.rank) {
        app.insight.clicked(app.clock.now(), &client, account, &click.q, click.rank);
    }
    Ok(StatusCode::NO_CONTENT)
}
