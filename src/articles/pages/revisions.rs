//! What readers were shown before.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use super::{ArticlePath, article_path};
use crate::app::App;
use crate::articles::queries::{self, RevisionRow};
use crate::db::entities::{article, revision};
use crate::error::Error;
use crate::page::{Page, View};
use crate::path::Path;
use crate::studio::{Studio, Tab};

#[derive(Template)]
#[template(path = "articles/revisions.html")]
pub struct RevisionsPage {
    page: Page,
    studio: Studio,
    article: article::Model,
    /// Newest first, each with its editor's name.
    revisions: Vec<(RevisionRow, String)>,
}

impl RevisionsPage {
    fn url(&self, rest: &str) -> String {
        article_path(&self.studio, self.article.id, rest)
    }
}

/// `GET /studio/@{handle}/articles/{id}/revisions`
pub async fn list_revisions(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<View<RevisionsPage>, Error> {
    let article = queries::of_account(app.db.read(), studio.account.id, path.id).await?;
    let revisions = queries::revisions(app.db.read(), article.id).await?;
    let page = page.titled_key("article-revisions");
    Ok(View(RevisionsPage { page, studio: studio.at(Tab::Articles), article, revisions }))
}

#[derive(Template)]
#[template(path = "articles/revision.html")]
pub struct RevisionPage {
    page: Page,
    studio: Studio,
    article: article::Model,
    revision: revision::Model,
}

impl RevisionPage {
    fn url(&self, rest: &str) -> String {
        article_path(&self.studio, self.article.id, rest)
    }
}

/// The path parameters of a revision's page.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct RevisionPath {
    id: i64,
    number: i32,
}

/// `GET /studio/@{handle}/articles/{id}/revisions/{number}`
pub async fn show_revision(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<RevisionPath>,
) -> Result<View<RevisionPage>, Error> {
    let article = queries::of_account(app.db.read(), studio.account.id, path.id).await?;
    let revision = queries::revision(app.db.read(), article.id, path.number).await?;
    let title = page.t1("article-revision-number", "number", revision.number);
    Ok(View(RevisionPage { page: page.titled(&title), studio: studio.at(Tab::Articles), article, revision }))
}
