//! Collections in the studio: making, naming, ordering and filling them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::queries::{self, Candidate, Listed};
use super::{CollectionForm, Shift};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::articles::Actor;
use crate::collections;
use crate::db::entities::article::ArticleState;
use crate::db::entities::collection;
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::studio::{Studio, Tab};

/// Articles that are offered at once.
const OFFERED: u64 = 30;

#[derive(Template)]
#[template(path = "collections/manage.html")]
struct ManagePage {
    page: Page,
    studio: Studio,
    rows: Vec<Listed>,
    form: CollectionForm,
    problems: Problems,
}

/// `GET /studio/@{handle}/collections`
pub async fn manage_collections(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    let view = manage(&app, page, managing(studio)?, CollectionForm::default(), Problems::default()).await?;
    Ok(view.into_response())
}

async fn manage(
    app: &App,
    page: Page,
    studio: Studio,
    form: CollectionForm,
    problems: Problems,
) -> Result<View<ManagePage>, Error> {
    let rows = queries::of_account(app.db.read(), studio.account.id).await?;
    Ok(View(ManagePage { page: page.titled_key("collections-title"), studio, rows, form, problems }))
}

/// `POST /studio/@{handle}/collections`
pub async fn create_collection(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<CollectionForm>,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    match collections::create(&app, actor(&studio), &form).await {
        Ok(row) => Ok(back(&studio, row.id, "flash-collection-made")),
        Err(Error::Invalid(problems)) => {
            let view = manage(&app, page, studio, form, problems).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "collections/edit.html")]
struct EditPage {
    page: Page,
    studio: Studio,
    row: collection::Model,
    form: CollectionForm,
    problems: Problems,
    held: Vec<Candidate>,
    offered: Vec<Candidate>,
    words: String,
}

impl EditPage {
    async fn load(
        app: &App,
        page: Page,
        studio: Studio,
        id: i64,
        words: String,
        sent: Option<(CollectionForm, Problems)>,
    ) -> Result<View<Self>, Error> {
        let db = app.db.read();
        let row = queries::one(db, studio.account.id, id).await?.ok_or(Error::NotFound)?;
        let held = queries::held(db, id).await?;
        let offered = queries::not_held(db, studio.account.id, id, &words, OFFERED).await?;
        let (form, problems) = sent.unwrap_or_else(|| (CollectionForm::of(&row), Problems::default()));
        let page = page.titled(&row.title);
        Ok(View(Self { page, studio, row, form, problems, held, offered, words }))
    }

    fn action(&self, rest: &str) -> String {
        self.studio.path(&format!("/collections/{}{rest}", self.row.id))
    }

    fn is_public(&self, candidate: &Candidate) -> bool {
        candidate.state == ArticleState::Published
    }
}

/// The path parameters of one collection.
#[derive(Debug, Deserialize)]
pub struct CollectionPath {
    id: i64,
}

/// `?q=`: articles to be offered whose titles hold this.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Words {
    q: String,
}

/// `GET /studio/@{handle}/collections/{id}`
pub async fn edit_collection(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<CollectionPath>,
    Query(words): Query<Words>,
) -> Result<Response, Error> {
    Ok(EditPage::load(&app, page, managing(studio)?, path.id, words.q, None).await?.into_response())
}

/// `POST /studio/@{handle}/collections/{id}`
pub async fn change_collection(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<CollectionPath>,
    Form(form): Form<CollectionForm>,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    match collections::change(&app, actor(&studio), path.id, &form).await {
        Ok(row) => Ok(back(&studio, row.id, "flash-collection-changed")),
        Err(Error::Invalid(problems)) => {
            let sent = Some((form, problems));
            let view = EditPage::load(&app, page, studio, path.id, String::new(), sent).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

/// What is to go where.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShiftForm {
    /// `up`, `down` or a number.
    to: String,
}

impl ShiftForm {
    fn shift(&self) -> Result<Shift, Error> {
        Shift::parse(&self.to).ok_or_else(|| Error::invalid("to", "collection-place-wrong"))
    }
}

/// `POST /studio/@{handle}/collections/{id}/shift`
pub async fn shift_collection(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<CollectionPath>,
    Form(form): Form<ShiftForm>,
) -> Result<Response, Error> {
    collections::shift(&app, actor(&studio), path.id, form.shift()?).await?;
    Ok(redirect_with_flash(&studio.path("/collections"), "flash-collection-placed"))
}

/// `POST /studio/@{handle}/collections/{id}/delete`
pub async fn delete_collection(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<CollectionPath>,
) -> Result<Response, Error> {
    collections::delete(&app, actor(&studio), path.id).await?;
    Ok(redirect_with_flash(&studio.path("/collections"), "flash-collection-deleted"))
}

/// Articles to be put in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ArticlesForm {
    article: Vec<i64>,
}

/// `POST /studio/@{handle}/collections/{id}/articles`
pub async fn add_articles(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<CollectionPath>,
    Form(form): Form<ArticlesForm>,
) -> Result<Response, Error> {
    // They are offered newest first, and a series grows at its end.
    let ids: Vec<i64> = form.article.into_iter().rev().collect();
    collections::add(&app, actor(&studio), path.id, &ids).await?;
    Ok(back(&studio, path.id, "flash-collection-filled"))
}

/// The path parameters of an article in a collection.
#[derive(Debug, Deserialize)]
pub struct PlacePath {
    id: i64,
    article: i64,
}

/// `POST /studio/@{handle}/collections/{id}/articles/{article}/place`
pub async fn place_article(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<PlacePath>,
    Form(form): Form<ShiftForm>,
) -> Result<Response, Error> {
    collections::place(&app, actor(&studio), path.id, path.article, form.shift()?).await?;
    Ok(back(&studio, path.id, "flash-collection-placed"))
}

/// `POST /studio/@{handle}/collections/{id}/articles/{article}/remove`
pub async fn remove_article(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<PlacePath>,
) -> Result<Response, Error> {
    collections::remove(&app, actor(&studio), path.id, path.article).await?;
    Ok(back(&studio, path.id, "flash-collection-removed"))
}

fn managing(studio: Studio) -> Result<Studio, Error> {
    if studio.allows(Operation::ManageCollections) {
        Ok(studio.at(Tab::Collections))
    } else {
        Err(Error::forbidden())
    }
}

fn actor(studio: &Studio) -> Actor {
    Actor { account_id: studio.account.id, user_id: studio.user.id }
}

fn back(studio: &Studio, id: i64, key: &'static str) -> Response {
    redirect_with_flash(&studio.path(&format!("/collections/{id}")), key)
}
