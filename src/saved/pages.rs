//! What a reader has saved: the list with search inside, a copy with its highlights, and taking it along.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::export::{self, Book, Format};
use super::highlights::{self, NewHighlight};
use super::marks::{self, Passage};
use super::queries::{self, Card, Cursor, Fate};
use super::{find, refresh, remove, save, unsave};
use crate::app::App;
use crate::articles::content::{self, plain_text};
use crate::auth::{CurrentUser, LocalPath};
use crate::db::entities::{highlight, saved_article, user};
use crate::error::{Error, Problems};
use crate::media;
use crate::page::{Page, Unseen, View, redirect_with_flash};
use crate::path::Path;
use crate::text::fold;

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

#[derive(Template)]
#[template(path = "saved/show.html")]
struct CopyPage {
    page: Page,
    saved: saved_article::Model,
    /// The address of the cover, where the body does not begin with it.
    cover: Option<String>,
    body_html: String,
    fate: Fate,
    /// Each with whether its words are in the copy.
    highlights: Vec<(highlight::Model, bool)>,
    typed: HighlightForm,
    problems: Problems,
}

impl CopyPage {
    fn is_gone(&self) -> bool {
        self.fate == Fate::Gone
    }

    fn is_changed(&self) -> bool {
        self.fate == Fate::Changed
    }
}

/// `GET /saved/{id}`
pub async fn show_saved(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    Ok(View(copy_page(&app, page, &user, id).await?).into_response())
}

/// `GET /saved/articles/{id}`: a reader's copy of an article, which the service worker keeps as soon as it is saved.
pub async fn show_copy_ahead(
    State(app): State<Arc<App>>,
    mut page: Page,
    CurrentUser(user): CurrentUser,
    Path(article_id): Path<i64>,
) -> Result<Response, Error> {
    let saved = queries::of_article(app.db.read(), user.id, article_id).await?.ok_or(Error::NotFound)?;
    let path = format!("/saved/{}", saved.id);
    page.path = path.clone();
    page.flash = None;
    let view = View(copy_page(&app, page, &user, saved.id).await?);
    Ok((Extension(Unseen), [(header::CONTENT_LOCATION, path)], view).into_response())
}

async fn copy_page(app: &App, page: Page, user: &user::Model, id: i64) -> Result<CopyPage, Error> {
    let db = app.db.read();
    let saved = queries::get_own(db, user.id, id).await?;
    let rows = queries::highlights(db, &[id]).await?.remove(&id).unwrap_or_default();
    let letters = fold::letters(&plain_text(&saved.body_html));
    let mut places = Vec::new();
    let mut found = Vec::new();
    for row in rows {
        let place =
            marks::locate(&letters, Passage { quote: &row.quote, before: &row.before, after: &row.after });
        let start = place.as_ref().map_or(usize::MAX, |place| place.start);
        found.push((start, place.is_some(), row));
        if let (Some(place), Some((_, _, row))) = (place, found.last()) {
            places.push((row.id, place));
        }
    }
    // As they stand in the text.
    found.sort_by_key(|(start, _, row)| (*start, row.id));
    let marked = marks::mark(&saved.body_html, &places);
    let pictures = media::body::addresses(&saved.body_html);
    let addresses = saved.cover_url.as_deref().into_iter().chain(pictures.iter().map(String::as_str));
    let page = page.with_pictures(app, addresses.collect()).await?;
    let body_html = page.shown_html(&marked, &saved.lang);
    let cover = saved.cover_url.clone();
    let cover = cover.filter(|cover| !media::body::begins_with(&saved.body_html, cover));
    let body_html = media::body::shown(&body_html, &page, cover.is_none());
    let body_html = content::typeset(&body_html);
    let title = page.shown(&saved.title, &saved.lang).into_owned();
    let mut page = page.titled(&title);
    page.noindex = true;
    page.content_lang = Some(page.shown_lang(&saved.lang));
    Ok(CopyPage {
        page,
        cover,
        body_html,
        fate: queries::fate(db, &saved).await?,
        highlights: found.into_iter().map(|(_, is_there, row)| (row, is_there)).collect(),
        saved,
        typed: HighlightForm::default(),
        problems: Problems::default(),
    })
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

/// `POST /saved/{id}/refresh`
pub async fn refresh_saved(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    refresh(&app, user.id, id).await?;
    Ok(redirect_with_flash(&format!("/saved/{id}"), "flash-saved-refreshed"))
}

/// A passage as a form sends it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HighlightForm {
    quote: String,
    before: String,
    after: String,
    note: String,
}

impl HighlightForm {
    fn new_highlight(&self) -> NewHighlight {
        NewHighlight {
            quote: self.quote.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            note: self.note.clone(),
        }
    }
}

/// `POST /saved/{id}/highlights`
pub async fn add_highlight(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<HighlightForm>,
) -> Result<Response, Error> {
    mark(&app, page, &user, id, form).await
}

/// `POST /saved/articles/{id}/highlights`: marks a passage in an article and saves it.
pub async fn add_highlight_to_article(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(article_id): Path<i64>,
    Form(form): Form<HighlightForm>,
) -> Result<Response, Error> {
    let saved = save(&app, user.id, article_id).await?;
    mark(&app, page, &user, saved.id, form).await
}

async fn mark(
    app: &App,
    page: Page,
    user: &user::Model,
    saved_id: i64,
    form: HighlightForm,
) -> Result<Response, Error> {
    match highlights::add(app, user.id, saved_id, &form.new_highlight()).await {
        Ok(id) => Ok(redirect_with_flash(&format!("/saved/{saved_id}#h{id}"), "flash-highlight-added")),
        Err(Error::Invalid(problems)) => {
            let view = CopyPage { typed: form, problems, ..copy_page(app, page, user, saved_id).await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NoteForm {
    note: String,
}

/// `POST /saved/highlights/{id}`
pub async fn change_highlight(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<NoteForm>,
) -> Result<Response, Error> {
    let row = highlights::change_note(&app, user.id, id, &form.note).await?;
    Ok(redirect_with_flash(&format!("/saved/{}#note-{id}", row.saved_id), "flash-highlight-noted"))
}

/// `POST /saved/highlights/{id}/remove`
pub async fn remove_highlight(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let saved_id = highlights::remove(&app, user.id, id).await?;
    Ok(redirect_with_flash(&format!("/saved/{saved_id}#highlights"), "flash-highlight-removed"))
}

/// `GET /saved/export/saved.{epub,md,html}`
pub async fn export_all(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(file): Path<String>,
) -> Result<Response, Error> {
    let format = format_of(&file)?;
    let title = page.t1("saved-export-book", "name", &user.name);
    let book = Book::of_reader(&app, user.id, title, page.locale, page.zone()).await?;
    hand_out(&app, book, format, "saved").await
}

/// `GET /saved/{id}/export/article.{epub,md,html}`
pub async fn export_one(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path((id, file)): Path<(i64, String)>,
) -> Result<Response, Error> {
    let format = format_of(&file)?;
    let saved = queries::get_own(app.db.read(), user.id, id).await?;
    let title = saved.title.clone();
    let book = Book::of(&app, vec![saved], title, page.locale, page.zone()).await?;
    hand_out(&app, book, format, &format!("article-{id}")).await
}

fn format_of(file: &str) -> Result<Format, Error> {
    let ending = file.rsplit_once('.').ok_or(Error::NotFound)?.1;
    ending.parse().map_err(|_| Error::NotFound)
}

async fn hand_out(app: &App, book: Book, format: Format, name: &str) -> Result<Response, Error> {
    let book = if format == Format::Epub { book.with_pictures(app).await? } else { book };
    let bytes = crate::blocking::run(move || book.write(format)).await.map_err(anyhow::Error::from)?;
    let ending: &str = format.into();
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
