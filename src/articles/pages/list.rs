//! The studio's articles by state.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use strum::IntoEnumIterator as _;

use super::{article_path, state_key};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::articles::queries::{self, Counts, Cursor, Row};
use crate::db::entities::article::ArticleState;
use crate::error::Error;
use crate::page::{Page, View};
use crate::studio::{Studio, Tab};

/// Articles on one page.
const PAGE: usize = 30;

/// `?state=&after=`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Place {
    state: String,
    after: String,
}

#[derive(Template)]
#[template(path = "articles/list.html")]
pub struct ListPage {
    page: Page,
    studio: Studio,
    state: ArticleState,
    counts: Counts,
    rows: Vec<Row>,
    first: bool,
    older_url: String,
}

impl ListPage {
    fn states(&self) -> Vec<ArticleState> {
        ArticleState::iter().collect()
    }

    fn state_url(&self, state: ArticleState) -> String {
        self.studio.path(&format!("/articles?state={state}"))
    }

    fn state_name(&self, state: ArticleState) -> String {
        self.page.t(state_key(state))
    }

    fn url(&self, row: &Row) -> String {
        article_path(&self.studio, row.id, "")
    }

    fn can_write(&self) -> bool {
        self.studio.allows(Operation::WriteOwnDraft)
    }
}

/// `GET /studio/@{handle}/articles`
pub async fn list_articles(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(place): Query<Place>,
) -> Result<View<ListPage>, Error> {
    let db = app.db.read();
    let state = place.state.parse().unwrap_or(ArticleState::Draft);
    let after = Cursor::parse(&place.after);
    let counts = queries::counts(db, studio.account.id).await?;
    let (rows, next) = queries::in_state(db, studio.account.id, state, after, PAGE).await?;
    let older = next.map(|cursor| studio.path(&format!("/articles?state={state}&after={cursor}")));
    Ok(View(ListPage {
        page: page.titled_key("studio-articles"),
        studio: studio.at(Tab::Articles),
        state,
        counts,
        rows,
        first: after.is_none(),
        older_url: older.unwrap_or_default(),
    }))
}
