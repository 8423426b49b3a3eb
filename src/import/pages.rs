//! The studio's pages about sources: the list, the look before connecting, and the actions.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use url::Url;

use super::clean::CleanEntry;
use super::discover::FoundFeed;
use super::queries::{self, SourceRow};
use super::{Failure, Preview, ReadFeed, preview};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::articles::Actor;
use crate::clock::Timestamp;
use crate::db::entities::source::{SourceMode, SourceState};
use crate::error::Error;
use crate::media;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::studio::{Studio, Tab};

/// Entries shown before a feed is connected.
const SHOWN: usize = 5;

#[derive(Template)]
#[template(path = "import/list.html")]
struct ListPage {
    page: Page,
    studio: Studio,
    rows: Vec<SourceRow>,
    /// What was typed, when it led nowhere, and why.
    typed: String,
    failure: Option<Failure>,
    /// How many covers are kept here, and how many could not be.
    covers: (u64, u64),
}

impl ListPage {
    fn name<'a>(&self, row: &'a SourceRow) -> &'a str {
        if row.source.title.is_empty() { &row.source.url } else { &row.source.title }
    }

    fn failure_of(&self, row: &SourceRow) -> Option<Failure> {
        serde_json::from_str(row.source.last_error.as_deref()?).ok()
    }

    fn action(&self, row: &SourceRow, name: &str) -> String {
        self.studio.path(&format!("/sources/{}/{name}", row.source.id))
    }

    fn is_active(&self, row: &SourceRow) -> bool {
        row.source.state == SourceState::Active
    }

    fn is_paused(&self, row: &SourceRow) -> bool {
        row.source.state == SourceState::Paused
    }

    fn publishes(&self, row: &SourceRow) -> bool {
        row.source.mode == SourceMode::Publish
    }

    fn typed_error(&self) -> String {
        self.failure.as_ref().map(|failure| self.page.t(&failure.key)).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "import/preview.html")]
struct PreviewPage {
    page: Page,
    studio: Studio,
    url: Url,
    feed: ReadFeed,
}

impl PreviewPage {
    fn shown(&self) -> &[CleanEntry] {
        &self.feed.entries[..self.feed.entries.len().min(SHOWN)]
    }

    fn date_of(&self, entry: &CleanEntry) -> Option<String> {
        entry.date.map(|date| self.page.date_time(&Timestamp::from(date)))
    }

    fn excerpt(&self, entry: &CleanEntry) -> String {
        super::markup::plain_text(&entry.html).chars().take(120).collect()
    }
}

#[derive(Template)]
#[template(path = "import/choices.html")]
struct ChoicesPage {
    page: Page,
    studio: Studio,
    found: Vec<FoundFeed>,
}

#[derive(Debug, Deserialize)]
pub struct AddressForm {
    #[serde(default)]
    url: String,
}

#[derive(Debug, Deserialize)]
pub struct ConnectForm {
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    mode: String,
}

#[derive(Debug, Deserialize)]
pub struct ModeForm {
    mode: String,
}

/// The path parameters of an action on one source.
#[derive(Debug, Deserialize)]
pub struct SourcePath {
    id: i64,
}

/// `GET /studio/@{handle}/sources`
pub async fn list_sources(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    Ok(list(&app, page, studio, String::new(), None).await?.into_response())
}

/// `POST /studio/@{handle}/sources/preview`: looks at the address that was typed.
pub async fn preview_source(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<AddressForm>,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    match preview(&app, &form.url).await {
        Ok(Preview::Feed { url, feed }) => {
            let page = page.titled_key("import-preview-title");
            Ok(View(PreviewPage { page, studio, url, feed: *feed }).into_response())
        }
        Ok(Preview::Choices(found)) => {
            let page = page.titled_key("import-choices-title");
            Ok(View(ChoicesPage { page, studio, found }).into_response())
        }
        Err(failure) => {
            tracing::info!("an address leads to no feed: {}", failure.detail);
            let view = list(&app, page, studio, form.url, Some(failure)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
    }
}

/// `POST /studio/@{handle}/sources`: connects it.
pub async fn connect_source(
    State(app): State<Arc<App>>,
    studio: Studio,
    Form(form): Form<ConnectForm>,
) -> Result<Response, Error> {
    let url = super::fetch::read_address(&form.url).map_err(|why| Error::invalid("url", why.key()))?;
    super::connect(&app, actor(&studio), &url, &form.title, mode_of(&form.mode)).await?;
    Ok(back(&studio, "flash-source-connected"))
}

/// `POST /studio/@{handle}/sources/{id}/refresh`
pub async fn refresh_source(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<SourcePath>,
) -> Result<Response, Error> {
    super::refresh_now(&app, actor(&studio), path.id).await?;
    Ok(back(&studio, "flash-source-refreshing"))
}

/// `POST /studio/@{handle}/sources/{id}/pause`
pub async fn pause_source(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<SourcePath>,
) -> Result<Response, Error> {
    super::pause(&app, actor(&studio), path.id).await?;
    Ok(back(&studio, "flash-source-paused"))
}

/// `POST /studio/@{handle}/sources/{id}/resume`
pub async fn resume_source(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<SourcePath>,
) -> Result<Response, Error> {
    super::resume(&app, actor(&studio), path.id).await?;
    Ok(back(&studio, "flash-source-resumed"))
}

/// `POST /studio/@{handle}/sources/{id}/mode`
pub async fn set_source_mode(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<SourcePath>,
    Form(form): Form<ModeForm>,
) -> Result<Response, Error> {
    super::set_mode(&app, actor(&studio), path.id, mode_of(&form.mode)).await?;
    Ok(back(&studio, "flash-source-changed"))
}

/// `POST /studio/@{handle}/sources/{id}/remove`
pub async fn remove_source(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<SourcePath>,
) -> Result<Response, Error> {
    super::remove(&app, actor(&studio), path.id).await?;
    Ok(back(&studio, "flash-source-removed"))
}

fn managing(studio: Studio) -> Result<Studio, Error> {
    if studio.allows(Operation::ManageSources) {
        Ok(studio.at(Tab::Sources))
    } else {
        Err(Error::forbidden())
    }
}

async fn list(
    app: &App,
    page: Page,
    studio: Studio,
    typed: String,
    failure: Option<Failure>,
) -> Result<View<ListPage>, Error> {
    let rows = queries::of_account(app.db.read(), studio.account.id).await?;
    let covers = media::queries::count_covers(app.db.read(), studio.account.id).await?;
    Ok(View(ListPage { page: page.titled_key("studio-sources"), studio, rows, typed, failure, covers }))
}

fn actor(studio: &Studio) -> Actor {
    Actor { account_id: studio.account.id, user_id: studio.user.id }
}

/// Drafts unless publishing was asked for: the safe reading of a form that was tampered with.
fn mode_of(text: &str) -> SourceMode {
    if text == "publish" { SourceMode::Publish } else { SourceMode::Draft }
}

fn back(studio: &Studio, key: &'static str) -> Response {
    redirect_with_flash(&studio.path("/sources"), key)
}
