//! The studio's pages about accounts themselves: one's own accounts, opening one, its overview,
//! settings and members; and the operators' list of all.

pub mod from_address;
pub mod members;
pub mod operators;
pub mod settings;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::queries::{self, Summary};
use super::{By, NewAccount};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::db::entities::article::ArticleState;
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::pushes::queries::PushRow;
use crate::studio::Studio;
use crate::subscriptions::queries::Audience;

/// Languages offered in forms; the API takes any tag.
pub const LANGUAGES: &[&str] = &["zh-Hans", "zh-Hant", "zh-Hant-HK", "en"];

#[derive(Template)]
#[template(path = "accounts/mine.html")]
struct MinePage {
    page: Page,
    accounts: Vec<Summary>,
    may_open: bool,
    operator: bool,
}

impl MinePage {
    fn empty_key(&self) -> &'static str {
        if self.may_open { "accounts-none-open" } else { "accounts-none-ask" }
    }
}

/// `GET /studio`
pub async fn list_own_accounts(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    page: Page,
) -> Result<Response, Error> {
    let accounts = queries::of_user(app.db.read(), user.id).await?;
    Ok(View(MinePage {
        page: page.titled_key("studio-accounts"),
        accounts,
        may_open: super::offers_opening(&app, &user),
        operator: user.operator,
    })
    .into_response())
}

/// The form that opens an account.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OpenForm {
    #[serde(default)]
    handle: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    bio: String,
    #[serde(default)]
    lang: String,
}

#[derive(Template)]
#[template(path = "accounts/open.html")]
struct OpenPage {
    page: Page,
    form: OpenForm,
    problems: Problems,
    languages: Vec<String>,
}

impl OpenPage {
    fn new(page: Page, form: OpenForm, problems: Problems) -> Self {
        let languages = languages_with(&form.lang);
        Self { page: page.titled_key("account-open"), form, problems, languages }
    }
}

/// The offered languages, and the present one if it is another.
pub fn languages_with(present: &str) -> Vec<String> {
    let mut languages: Vec<String> = LANGUAGES.iter().map(ToString::to_string).collect();
    if !present.is_empty() && super::profile::parse_lang(present).is_ok() && !LANGUAGES.contains(&present) {
        languages.push(present.to_owned());
    }
    languages
}

/// A language's name for itself, or its tag.
pub fn language_name(tag: &str) -> &str {
    match tag {
        "zh-Hans" => "简体中文",
        "zh-Hant" => "繁體中文",
        "zh-Hant-HK" => "繁體中文（香港）",
        "en" => "English",
        other => other,
    }
}

/// `GET /studio/open`
pub async fn show_open_form(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    page: Page,
) -> Result<Response, Error> {
    if !super::offers_opening(&app, &user) {
        return Err(Error::Forbidden("account-operators-open".into()));
    }
    let form = OpenForm { lang: page.locale.code().to_owned(), ..OpenForm::default() };
    Ok(View(OpenPage::new(page, form, Problems::default())).into_response())
}

/// `POST /studio/open`
pub async fn open_account(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    page: Page,
    Form(form): Form<OpenForm>,
) -> Result<Response, Error> {
    let new = NewAccount {
        handle: form.handle.clone(),
        name: form.name.clone(),
        bio: form.bio.clone(),
        lang: form.lang.clone(),
    };
    match super::open(&app, By::User(&user), None, &new).await {
        Ok(account) => {
            Ok(redirect_with_flash(&format!("/studio/@{}", account.handle), "flash-account-opened"))
        }
        Err(Error::Invalid(problems)) => Ok(invalid(OpenPage::new(page, form, problems))),
        Err(error) => Err(error),
    }
}

/// A form shown again with what is wrong with it.
pub(super) fn invalid<T: Template>(template: T) -> Response {
    (axum::http::StatusCode::UNPROCESSABLE_ENTITY, View(template)).into_response()
}

#[derive(Template)]
#[template(path = "accounts/overview.html")]
struct OverviewPage {
    page: Page,
    studio: Studio,
    articles: Vec<(ArticleState, i64)>,
    audience: Audience,
    pushes: Vec<PushRow>,
}

impl OverviewPage {
    fn may(&self, operation: super::roles::Operation) -> bool {
        self.studio.allows(operation)
    }
}

/// `GET /studio/@{handle}`
pub async fn show_overview(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account_id = studio.account.id;
    let articles = queries::articles_by_state(db, account_id).await?;
    let audience = crate::subscriptions::queries::audience(db, account_id).await?;
    let pushes = crate::pushes::queries::of_account(db, account_id, None, 5).await?;
    let page = page.titled_key("studio-overview");
    Ok(View(OverviewPage { page, studio, articles, audience, pushes }).into_response())
}

/// `POST /studio/@{handle}/leave`
pub async fn leave_account(State(app): State<Arc<App>>, studio: Studio) -> Result<Response, Error> {
    super::members::leave(&app, studio.user.id, studio.account.id).await?;
    Ok(redirect_with_flash("/studio", "flash-account-left"))
}
