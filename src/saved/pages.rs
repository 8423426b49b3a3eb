//! What a reader has saved: the list with search inside, and what becomes an entry of it or goes.

mod copy;
mod take_along;

pub use copy::{
    add_highlight, add_highlight_to_article, change_highlight, refresh_saved, remove_highlight,
    show_copy_ahead, show_saved,
};
pub use take_along::{export_all, export_one};

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::queries::{self, Card, Cursor};
use super::{export, find, remove, save, unsave};
use crate::app::App;
use crate::auth::{CurrentUser, LocalPath};
use crate::db::entities::saved_article;
use crate::error::Error;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;

const HOME: &str = "/saved";

#[derive(Template)]
#[template(path = "saved/list.html")]
struct ListPage {
    page: Page,
    query: String,
    cards: Vec<Card>,
    /// Articles that readers can still see, with their versions.
    versions: HashMap<i64, i32>,
    counts: HashMap<i64, usize>,
    first: bool,
    older_url: String,
    /// Where there are more than one file takes, how many that is.
    most_exported: Option<usize>,
}

impl ListPage {
    fn is_gone(&self, card: &Card) -> bool {
        !card.article_id.is_some_and(|id| self.versions.contains_key(&id))
    }

    fn highlights(&self, card: &Card) -> usize {
        self.counts.get(&card.id).copied().unwrap_or(0)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    after: String,
}

/// `GET /saved`
pub async fn list_saved(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Query(wanted): Query<ListQuery>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let query = wanted.q.trim().to_owned();
    let after = Cursor::parse(&wanted.after);
    let (cards, older) = if query.is_empty() {
        queries::page(db, user.id, after, queries::PAGE).await?
    } else {
        (find::find(&app, user.id, page.zone(), &query).await?, None)
    };
    let articles: Vec<i64> = cards.iter().filter_map(|card| card.article_id).collect();
    let ids: Vec<i64> = cards.iter().map(|card| card.id).collect();
    let counts = queries::highlights(db, &ids).await?.into_iter().map(|(id, rows)| (id, rows.len()));
    let page = page.with_covers(&app, cards.iter().map(|card| &card.cover_url)).await?;
    let view = ListPage {
        page: page.titled_key("saved-title"),
        versions: queries::versions(db, &articles).await?,
        counts: counts.collect(),
        first: after.is_none(),
        older_url: older.map(|cursor| format!("/saved?after={cursor}")).unwrap_or_default(),
        most_exported: (queries::count(db, user.id).await? > export::MOST as u64).then_some(export::MOST),
        query,
        cards,
    };
    Ok(View(view).into_response())
}

/// Where to go back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BackForm {
    next: LocalPath,
    /// The reader has been told what goes.
    sure: Option<String>,
    /// A script asks, which shows by itself what was done.
    quiet: Option<String>,
}

impl BackForm {
    fn path(&self) -> &str {
        if self.next.is_root() { HOME } else { self.next.as_str() }
    }

    fn done(&self, flash: &'static str) -> Response {
        match self.quiet {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => redirect_with_flash(self.path(), flash),
        }
    }
}

/// `POST /saved/articles/{id}`
pub async fn save_article(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(article_id): Path<i64>,
    Form(form): Form<BackForm>,
) -> Result<Response, Error> {
    save(&app, user.id, article_id).await?;
    Ok(form.done("flash-saved-article"))
}

/// `POST /saved/articles/{id}/remove`
pub async fn unsave_article(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(article_id): Path<i64>,
    Form(form): Form<BackForm>,
) -> Result<Response, Error> {
    let Some(known) = queries::of_article(app.db.read(), user.id, article_id).await? else {
        return Ok(form.done("flash-saved-removed"));
    };
    if let Some(question) = ask_first(&app, known.id, &form).await? {
        return Ok(question);
    }
    unsave(&app, user.id, article_id).await?;
    Ok(form.done("flash-saved-removed"))
}

/// `POST /saved/{id}/remove`
pub async fn remove_saved(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<BackForm>,
) -> Result<Response, Error> {
    queries::get_own(app.db.read(), user.id, id).await?;
    if let Some(question) = ask_first(&app, id, &form).await? {
        return Ok(question);
    }
    remove(&app, user.id, id).await?;
    Ok(form.done("flash-saved-removed"))
}

/// A copy with highlights does not go before its reader has seen what goes with it.
async fn ask_first(app: &App, saved_id: i64, form: &BackForm) -> Result<Option<Response>, Error> {
    let has_highlights = queries::highlights(app.db.read(), &[saved_id]).await?.contains_key(&saved_id);
    let asked = has_highlights && form.sure.is_none();
    Ok(asked.then(|| Redirect::to(&format!("/saved/{saved_id}/remove")).into_response()))
}

#[derive(Template)]
#[template(path = "saved/remove.html")]
struct RemovePage {
    page: Page,
    saved: saved_article::Model,
    count: usize,
}

/// `GET /saved/{id}/remove`
pub async fn show_removing(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let saved = queries::get_own(app.db.read(), user.id, id).await?;
    let count = queries::highlights(app.db.read(), &[id]).await?.remove(&id).map_or(0, |rows| rows.len());
    Ok(View(RemovePage { page: page.titled_key("saved-remove-title"), saved, count }).into_response())
}
