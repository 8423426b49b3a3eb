//! A reader's alerts among the settings, and the form that saves a search.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use strum::IntoEnumIterator;

use super::mail::search_path;
use super::queries::{self, Row};
use super::{Change, NewAlert, watch};
use crate::alerts;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::db::entities::alert::{AlertCadence, AlertState};
use crate::db::entities::user;
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::search::explain::piece_text;
use crate::search::queries::{Bearer, bearers};
use crate::search::query::reading::Reading;
use crate::search::query::{Filter, Parsed};
use crate::search::rank::{Request, Sort};
use crate::search::wanted::Wanted;

const HOME: &str = "/settings/alerts";
/// The articles counted for a reader who is about to save a search.
const LATELY: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long counting them may take.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Template)]
#[template(path = "alerts/list.html")]
struct ListPage {
    page: Page,
    email: String,
    timezone: String,
    /// Those that the searches name.
    accounts: HashMap<String, Bearer>,
    rows: Vec<Row>,
    cadences: Vec<AlertCadence>,
    /// The row whose form was sent, and what is wrong with it.
    wrong: Option<i64>,
    typed: AlertForm,
    problems: Problems,
}

impl ListPage {
    /// What stands in the form of a row: what was sent, where that was wrong.
    fn query<'a>(&'a self, row: &'a Row) -> &'a str {
        if self.is_wrong(row) { &self.typed.query } else { &row.alert.query }
    }

    fn name<'a>(&'a self, row: &'a Row) -> &'a str {
        if self.is_wrong(row) { &self.typed.name } else { &row.alert.name }
    }

    fn cadence_key(&self, cadence: &AlertCadence) -> &'static str {
        cadence_key(*cadence)
    }

    fn is_paused(&self, row: &Row) -> bool {
        row.alert.state == AlertState::Paused
    }

    fn is_wrong(&self, row: &Row) -> bool {
        self.wrong == Some(row.alert.id)
    }

    fn search_path(&self, row: &Row) -> String {
        search_path(&row.alert.query)
    }

    /// How the search reads, part by part.
    fn parts(&self, row: &Row) -> Vec<String> {
        describe(&self.page, &watch::read(&row.alert.query, &self.timezone), &self.accounts)
    }
}

#[derive(Template)]
#[template(path = "alerts/save.html")]
struct SavePage {
    page: Page,
    email: String,
    form: AlertForm,
    /// How the query reads, part by part.
    parts: Vec<String>,
    cadences: Vec<AlertCadence>,
    /// Articles of the last month that hold every part of the query, where that can be told.
    lately: Option<usize>,
    problems: Problems,
}

impl SavePage {
    fn cadence_key(&self, cadence: &AlertCadence) -> &'static str {
        cadence_key(*cadence)
    }

    fn is_chosen(&self, cadence: &AlertCadence) -> bool {
        *cadence == self.form.cadence().unwrap_or(AlertCadence::Daily)
    }
}

/// The parts of a query in words.
fn describe(page: &Page, reading: &Reading, accounts: &HashMap<String, Bearer>) -> Vec<String> {
    reading.pieces.iter().map(|piece| piece_text(page, accounts, piece)).collect()
}

fn cadence_key(cadence: AlertCadence) -> &'static str {
    match cadence {
        AlertCadence::Instant => "alert-cadence-instant",
        AlertCadence::Daily => "alert-cadence-daily",
        AlertCadence::Weekly => "alert-cadence-weekly",
    }
}

/// What the forms send; what is missing is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AlertForm {
    query: String,
    name: String,
    cadence: String,
}

impl AlertForm {
    fn cadence(&self) -> Option<AlertCadence> {
        self.cadence.parse().ok()
    }
}

/// `GET /settings/alerts`
pub async fn list_alerts(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    Ok(View(list_page(&app, page, &user).await?).into_response())
}

async fn list_page(app: &App, page: Page, user: &user::Model) -> Result<ListPage, Error> {
    let rows = queries::of_user(app.db.read(), user.id).await?;
    let readings: Vec<Reading> =
        rows.iter().map(|row| watch::read(&row.alert.query, &user.timezone)).collect();
    let asked = readings.iter().flat_map(|reading| reading.parsed.handles()).collect();
    Ok(ListPage {
        page: page.titled_key("alert-list-title"),
        email: user.email.clone(),
        timezone: user.timezone.clone(),
        accounts: bearers(app.db.read(), &asked).await?,
        rows,
        cadences: AlertCadence::iter().collect(),
        wrong: None,
        typed: AlertForm::default(),
        problems: Problems::default(),
    })
}

/// `GET /settings/alerts/new`, with the parameters of a search.
pub async fn new_alert(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    RawQuery(query): RawQuery,
) -> Result<Response, Error> {
    let form = AlertForm {
        query: query_of(&Wanted::from_query(&query.unwrap_or_default())),
        ..AlertForm::default()
    };
    Ok(View(save_page(&app, page, &user, form, Problems::default()).await?).into_response())
}

/// `POST /settings/alerts`
pub async fn save_alert(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<AlertForm>,
) -> Result<Response, Error> {
    let new = NewAlert { name: form.name.clone(), query: form.query.clone(), cadence: form.cadence() };
    match alerts::save(&app, &user, &new).await {
        Ok(_) => Ok(redirect_with_flash(HOME, "flash-alert-saved")),
        Err(Error::Invalid(problems)) => {
            let view = View(save_page(&app, page, &user, form, problems).await?);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn save_page(
    app: &App,
    page: Page,
    user: &user::Model,
    form: AlertForm,
    problems: Problems,
) -> Result<SavePage, Error> {
    let mut reading = watch::read(&form.query, &user.timezone);
    let accounts = bearers(app.db.read(), &reading.parsed.handles().collect()).await?;
    reading.parsed.resolve(&accounts.iter().map(|(asked, account)| (asked.clone(), account.id)).collect());
    Ok(SavePage {
        parts: describe(&page, &reading, &accounts),
        lately: count_lately(app, reading.parsed).await,
        page: page.titled_key("alert-new-title"),
        email: user.email.clone(),
        form,
        cadences: AlertCadence::iter().collect(),
        problems,
    })
}

/// The language says all that the form beside the search box does; what is to come has no dates.
fn query_of(wanted: &Wanted) -> String {
    let accounts: Vec<String> = wanted.accounts.iter().map(|handle| format!("from:@{handle}")).collect();
    let lang = Some(&wanted.lang).filter(|lang| !lang.is_empty()).map(|lang| format!("lang:{lang}"));
    let has = wanted.part().map(|part| format!("has:{}", <&str>::from(part)));
    let parts = [Some(wanted.q.clone()), Some(accounts.join(" OR ")), lang, has];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// How much to expect. The form works without it, so whatever fails leaves it out.
async fn count_lately(app: &App, query: Parsed) -> Option<usize> {
    if query.is_empty() {
        return None;
    }
    let now = app.clock.now();
    let request = Request {
        query,
        filter: Filter { from: Some((now - LATELY).0), ..Filter::default() },
        sort: Sort::Newest,
        limit: 1,
        after: None,
        now: now.0,
        fold: false,
        facets: None,
        time: Some(LOOK),
    };
    app.search.ask(request).await.ok().map(|answer| answer.exact)
}

/// `POST /settings/alerts/{id}`: another name, search or cadence.
pub async fn change_alert(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<AlertForm>,
) -> Result<Response, Error> {
    let change = Change {
        name: Some(form.name.clone()),
        query: Some(form.query.clone()),
        cadence: form.cadence(),
        state: None,
    };
    match alerts::change_own(&app, &user, id, &change).await {
        Ok(_) => Ok(redirect_with_flash(HOME, "flash-alert-changed")),
        Err(Error::Invalid(problems)) => {
            let typed = form;
            let view = ListPage { wrong: Some(id), typed, problems, ..list_page(&app, page, &user).await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/alerts/{id}/pause`
pub async fn pause_alert(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let change = Change { state: Some(AlertState::Paused), ..Change::default() };
    alerts::change_own(&app, &user, id, &change).await?;
    Ok(redirect_with_flash(HOME, "flash-alert-paused"))
}

/// `POST /settings/alerts/{id}/resume`
pub async fn resume_alert(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let change = Change { state: Some(AlertState::Active), ..Change::default() };
    alerts::change_own(&app, &user, id, &change).await?;
    Ok(redirect_with_flash(HOME, "flash-alert-resumed"))
}

/// `POST /settings/alerts/{id}/delete`
pub async fn delete_alert(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    alerts::delete(&app, user.id, id).await?;
    Ok(redirect_with_flash(HOME, "flash-alert-deleted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_with_its_filters_is_one_query() {
        let query = |text| query_of(&Wanted::from_query(text));
        assert_eq!(query("q=%E5%8F%B0%E9%A2%A8"), "台風");
        assert_eq!(query("q=a&account=@daily&lang=zh-Hant&from=2026"), "a from:@daily lang:zh-Hant");
        assert_eq!(query("account=daily"), "from:@daily");
        assert_eq!(query("q=x&account=a&account=b&has=image"), "x from:@a OR from:@b has:image");
    }
}
