//! The front page and the choice of language.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::accounts::feeds_at;
use super::queries::{self, AccountCard, ArticleCard, Cursor};
use crate::app::App;
use crate::auth::LocalPath;
use crate::error::Error;
use crate::page::{Locale, Page, View, locale_cookie};

/// Where in a list a page begins.
#[derive(Debug, Deserialize)]
pub struct Place {
    #[serde(default)]
    pub after: String,
}

#[derive(Template)]
#[template(path = "home/front.html")]
struct FrontPage {
    page: Page,
    articles: Vec<ArticleCard>,
    accounts: Vec<AccountCard>,
    /// Whether this is the first page of the list.
    first: bool,
    older_url: String,
}

/// `GET /`
pub async fn show_front(
    State(app): State<Arc<App>>,
    page: Page,
    Query(place): Query<Place>,
) -> Result<Response, Error> {
    let after = Cursor::parse(&place.after);
    let cards = queries::latest(app.db.read(), after).await?;
    let accounts =
        if after.is_none() { queries::accounts_to_discover(app.db.read()).await? } else { Vec::new() };
    let tagline = page.t("site-tagline");
    let mut page = page.described(&tagline).canonical_path("/");
    page.feeds = feeds_at(&page.site_name, "");
    Ok(View(FrontPage {
        page,
        articles: cards.items,
        accounts,
        first: after.is_none(),
        older_url: cards.older.map(|cursor| format!("/?after={cursor}")).unwrap_or_default(),
    })
    .into_response())
}

/// A language chosen in the page's head.
#[derive(Debug, Deserialize)]
pub struct LocaleForm {
    locale: String,
    #[serde(default)]
    back: LocalPath,
}

/// `POST /locale`: keeps the language in a cookie and goes back to the page.
pub async fn choose_locale(
    State(app): State<Arc<App>>,
    Form(form): Form<LocaleForm>,
) -> Result<Response, Error> {
    let locale = Locale::from_tag(&form.locale).ok_or(Error::NotFound)?;
    let cookie = locale_cookie(&app, locale);
    Ok((CookieJar::new().add(cookie), Redirect::to(form.back.as_str())).into_response())
}
