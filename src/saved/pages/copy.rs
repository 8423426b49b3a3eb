//! A reader's copy of an article, with what is marked in it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::app::App;
use crate::articles::content::{self, plain_text};
use crate::auth::CurrentUser;
use crate::db::entities::{highlight, saved_article};
use crate::error::{Error, Problems};
use crate::media;
use crate::page::{Page, Unseen, View, redirect_with_flash};
use crate::path::Path;
use crate::saved::highlights::{self, NewHighlight};
use crate::saved::marks::{self, Passage};
use crate::saved::queries::{self, Fate};
use crate::saved::{refresh, save};
use crate::shown::body_in;
use crate::text::fold;

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
    let saved = queries::get_own(app.db.read(), user.id, id).await?;
    Ok(View(copy_page(&app, page, saved).await?).into_response())
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
    let view = View(copy_page(&app, page, saved).await?);
    Ok((Extension(Unseen), [(header::CONTENT_LOCATION, path)], view).into_response())
}

async fn copy_page(app: &App, page: Page, saved: saved_article::Model) -> Result<CopyPage, Error> {
    let db = app.db.read();
    let rows = queries::highlights(db, &[saved.id]).await?.remove(&saved.id).unwrap_or_default();
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
    let body_html = body_in(marked, &saved.lang, page.script.shown).await?;
    let cover = saved.cover_url.clone();
    let cover = cover.filter(|cover| !media::body::begins_with(&saved.body_html, cover));
    let body_html = media::body::shown(&body_html, &page, cover.is_none());
    let body_html = content::typeset(&body_html, &saved.lang);
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
    mark(&app, page, user.id, id, form).await
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
    mark(&app, page, user.id, saved.id, form).await
}

async fn mark(
    app: &App,
    page: Page,
    user_id: i64,
    saved_id: i64,
    form: HighlightForm,
) -> Result<Response, Error> {
    match highlights::add(app, user_id, saved_id, &form.new_highlight()).await {
        Ok(id) => Ok(redirect_with_flash(&format!("/saved/{saved_id}#h{id}"), "flash-highlight-added")),
        Err(Error::Invalid(problems)) => {
            let saved = queries::get_own(app.db.read(), user_id, saved_id).await?;
            let view = CopyPage { typed: form, problems, ..copy_page(app, page, saved).await? };
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
