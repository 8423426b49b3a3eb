//! The front page and the choice of language.

use std::str::FromStr;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::accounts::feeds_at;
use super::queries::{self, AccountCard, ArticleCard, Choice, Cursor};
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
    /// Links that narrow the list by region and topic; empty where accounts have none.
    regions: Vec<Narrow>,
    topics: Vec<Narrow>,
    is_narrowed: bool,
    newest_url: String,
}

/// A link that narrows the front page, or widens it again.
struct Narrow {
    /// Of its text.
    key: String,
    url: String,
    is_here: bool,
}

/// What the front page is narrowed to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    region: String,
    topic: String,
    after: String,
}

/// `None` for a name that is not on the list.
fn one_of<T: FromStr>(name: &str) -> Option<Option<T>> {
    if name.is_empty() { Some(None) } else { name.parse().ok().map(Some) }
}

/// The front page's address for a choice.
fn front(choice: Choice) -> String {
    let part = |name: &str, value: Option<&'static str>| value.map(|value| format!("{name}={value}"));
    let parts = [part("region", choice.region.map(Into::into)), part("topic", choice.topic.map(Into::into))];
    let query = parts.into_iter().flatten().collect::<Vec<_>>().join("&");
    if query.is_empty() { "/".into() } else { format!("/?{query}") }
}

/// Links to all, and to each of some values.
fn narrow<T: Copy + PartialEq + Into<&'static str>>(
    kind: &str,
    values: &[T],
    here: Option<T>,
    url: impl Fn(Option<T>) -> String,
) -> Vec<Narrow> {
    if values.is_empty() {
        return Vec::new();
    }
    let link = |value: Option<T>| Narrow {
        key: format!("{kind}-{}", value.map_or("all", Into::into)),
        url: url(value),
        is_here: value == here,
    };
    std::iter::once(None).chain(values.iter().copied().map(Some)).map(link).collect()
}

/// `GET /`
pub async fn show_front(
    State(app): State<Arc<App>>,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Error> {
    let choice = Choice {
        region: one_of(&wanted.region).ok_or(Error::NotFound)?,
        topic: one_of(&wanted.topic).ok_or(Error::NotFound)?,
    };
    let db = app.db.read();
    let after = Cursor::parse(&wanted.after);
    let cards = queries::latest(db, choice, after).await?;
    let accounts = match after {
        None => queries::accounts_to_discover(db, choice).await?,
        Some(_) => Vec::new(),
    };
    let (regions, topics) = queries::choices(db).await?;
    let regions = narrow("region", &regions, choice.region, |region| front(Choice { region, ..choice }));
    let topics = narrow("topic", &topics, choice.topic, |topic| front(Choice { topic, ..choice }));
    let tagline = page.t("site-tagline");
    let here = front(choice);
    let mut page = page.described(&tagline).canonical_path(&here);
    page.feeds = feeds_at(&page, &page.site_name, "");
    let chosen = regions.iter().chain(&topics).filter(|link| link.is_here && !link.key.ends_with("-all"));
    let title = chosen.map(|link| page.t(&link.key)).collect::<Vec<_>>().join(" · ");
    let page = page.titled(&title).with_covers(&app, cards.items.iter().map(|card| &card.cover_url)).await?;
    Ok(View(FrontPage {
        page,
        articles: cards.items,
        accounts,
        first: after.is_none(),
        older_url: cards.older.map(|cursor| with_after(&here, &cursor)).unwrap_or_default(),
        regions,
        topics,
        is_narrowed: !choice.is_all(),
        newest_url: here,
    })
    .into_response())
}

fn with_after(path: &str, cursor: &Cursor) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}after={cursor}")
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
    let locale =
        Locale::from_tag(&form.locale).ok_or_else(|| Error::invalid("locale", "settings-locale-wrong"))?;
    let cookie = locale_cookie(&app, locale);
    Ok((CookieJar::new().add(cookie), Redirect::to(form.back.as_str())).into_response())
}
