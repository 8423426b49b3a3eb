//! The settings of a reader who is signed in: hours of digests, quiet hours, the cadence of new
//! subscriptions. The same form is behind the links of mails.

use std::borrow::Borrow;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use sea_orm::Iterable;
use serde::Deserialize;

use super::queries::Reader;
use super::{Wish, of_user};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::settings::zones;
use crate::db::entities::subscription::Cadence;
use crate::error::{Error, Problems};
use crate::page::{Locale, Page, View, redirect_with_flash};
use crate::readers;

/// What the form of a reader's hours shows. Templates show it by `macros/hours.html`.
pub struct Panel {
    pub email: String,
    pub wish: Wish,
    pub zones: Vec<&'static str>,
    pub problems: Problems,
    /// When the next digest comes, in the reader's zone; empty while none does.
    pub next: String,
}

impl Panel {
    pub fn new(page: &Page, reader: &Reader) -> Self {
        let wish = Wish::from(&reader.settings());
        Self::of(page, reader, wish, Problems::default())
    }

    /// With what was typed, and what is wrong with it.
    pub fn again(page: &Page, reader: &Reader, form: &HoursForm, problems: Problems) -> Self {
        Self::of(page, reader, form.wish(), problems)
    }

    fn of(page: &Page, reader: &Reader, wish: Wish, problems: Problems) -> Self {
        let row = reader.row.as_ref();
        let due = row.and_then(|row| [row.daily_due_at, row.weekly_due_at].into_iter().flatten().min());
        let next = due.map(|due| page.locale.date_time(due, reader.zone)).unwrap_or_default();
        let zones = zones(&wish.timezone);
        Self { email: reader.email.clone(), wish, zones, problems, next }
    }

    pub fn is_quiet(&self) -> bool {
        self.wish.quiet.0.is_some()
    }

    /// Nights, to begin with.
    pub fn quiet_from(&self) -> i32 {
        self.wish.quiet.0.unwrap_or(22)
    }

    pub fn quiet_until(&self) -> i32 {
        self.wish.quiet.1.unwrap_or(7)
    }
}

/// A choice of a list, and whether it is the present one.
pub struct Choice {
    pub value: String,
    /// An hour as clocks show it, or the key of the words.
    pub text: String,
    pub is_chosen: bool,
}

/// Cadences to choose from; their words are keys.
pub fn cadences(chosen: impl Borrow<Cadence>) -> Vec<Choice> {
    let choice = |cadence: Cadence| Choice {
        value: cadence.to_string(),
        text: format!("cadence-{cadence}"),
        is_chosen: cadence == *chosen.borrow(),
    };
    Cadence::iter().map(choice).collect()
}

/// The hours of a day.
pub fn hours(chosen: impl Borrow<i32>) -> Vec<Choice> {
    let choice = |hour: i32| Choice {
        value: hour.to_string(),
        text: format!("{hour:02}:00"),
        is_chosen: hour == *chosen.borrow(),
    };
    (0..24).map(choice).collect()
}

/// The days of a week; their words are keys.
pub fn weekdays(chosen: impl Borrow<i32>) -> Vec<Choice> {
    let choice = |day: i32| Choice {
        value: day.to_string(),
        text: format!("weekday-{day}"),
        is_chosen: day == *chosen.borrow(),
    };
    (1..=7).map(choice).collect()
}

/// The form of a reader's hours.
#[derive(Clone, Debug, Deserialize)]
pub struct HoursForm {
    timezone: String,
    cadence: Cadence,
    digest_hour: i32,
    digest_weekday: i32,
    #[serde(default)]
    quiet: Option<String>,
    #[serde(default)]
    quiet_from: Option<i32>,
    #[serde(default)]
    quiet_until: Option<i32>,
    #[serde(default)]
    with_seen: Option<String>,
    #[serde(default)]
    script: String,
}

impl HoursForm {
    fn wish(&self) -> Wish {
        let quiet = match &self.quiet {
            Some(_) => (self.quiet_from.or(Some(-1)), self.quiet_until.or(Some(-1))),
            None => (None, None),
        };
        Wish {
            timezone: self.timezone.clone(),
            cadence: self.cadence,
            hour: self.digest_hour,
            weekday: self.digest_weekday,
            quiet,
            with_seen: self.with_seen.is_some(),
            script: self.script.clone(),
        }
    }

    /// Keeps what was chosen.
    ///
    /// # Errors
    /// As [`Wish::parse`].
    pub async fn save(&self, app: &App, reader: &Reader, locale: Locale) -> Result<(), Error> {
        let settings = self.wish().parse()?;
        let locale = reader.user.as_ref().map_or(locale.code(), |user| user.locale.as_str());
        readers::change(app, &reader.email, locale, &settings).await
    }
}

/// A choice of a cadence.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct CadenceForm {
    pub cadence: Cadence,
}

#[derive(Template)]
#[template(path = "settings/hours.html")]
struct HoursPage {
    page: Page,
    panel: Panel,
}

/// `GET /settings/hours`
pub async fn show_hours(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let reader = of_user(&app, &user).await?;
    let panel = Panel::new(&page, &reader);
    Ok(View(HoursPage { page: page.titled_key("reader-hours-title"), panel }).into_response())
}

/// `POST /settings/hours`
pub async fn change_hours(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<HoursForm>,
) -> Result<Response, Error> {
    let reader = of_user(&app, &user).await?;
    match form.save(&app, &reader, page.locale).await {
        Ok(()) => Ok(redirect_with_flash("/settings/hours", "flash-saved")),
        Err(Error::Invalid(problems)) => {
            let panel = Panel::again(&page, &reader, &form, problems);
            let view = View(HoursPage { page: page.titled_key("reader-hours-title"), panel });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}
