//! Choosing what to push: published articles that were not pushed yet.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Query;
use serde::Deserialize;

use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::ArticleState;
use crate::error::Error;
use crate::page::{Page, View};
use crate::pushes::MOST_ARTICLES;
use crate::pushes::queries::{self, Candidate};
use crate::studio::{Studio, Tab};

const PAGE: usize = 30;

/// What is chosen already, and where in the list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ChooseQuery {
    #[serde(default)]
    article: Vec<i64>,
    /// `1767225600000.12`: a time and an id.
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "pushes/choose.html")]
struct ChoosePage {
    page: Page,
    studio: Studio,
    chosen: Vec<Candidate>,
    others: Vec<Candidate>,
    /// What is wrong with the choice; empty when nothing is.
    problem: String,
    older_url: String,
    most: usize,
}

/// `GET /studio/@{handle}/pushes/new`
pub async fn choose_articles(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(query): Query<ChooseQuery>,
) -> Result<Response, Error> {
    let view = load(&app, page, studio, query, String::new()).await?;
    Ok(view.into_response())
}

/// The page again with what is wrong with the choice.
pub(super) async fn with_problem(
    app: &App,
    page: Page,
    studio: Studio,
    article: Vec<i64>,
    error: Error,
) -> Result<Response, Error> {
    let status = error.status();
    let problem = match &error {
        Error::Invalid(problems) => page.problem(problems, "articles"),
        Error::Conflict(message) => page.message(message),
        _ => return Err(error),
    };
    let query = ChooseQuery { article, before: String::new() };
    Ok((status, load(app, page, studio, query, problem).await?).into_response())
}

async fn load(
    app: &App,
    page: Page,
    studio: Studio,
    query: ChooseQuery,
    problem: String,
) -> Result<View<ChoosePage>, Error> {
    let db = app.db.read();
    let account_id = studio.account.id;
    roles::require(db, account_id, studio.user.id, Operation::Push).await?;
    let ids: Vec<i64> = query.article.into_iter().take(4 * MOST_ARTICLES).collect();
    let mut chosen = queries::candidates(db, account_id, &ids).await?;
    // What cannot be pushed (any more) is named in the problem, and not chosen again.
    let pushed = queries::pushed_among(db, &ids).await?;
    chosen.retain(|article| article.state == ArticleState::Published && !pushed.contains(&article.id));
    chosen.sort_by_key(|article| ids.iter().position(|id| *id == article.id));
    let mut others = queries::unpushed(db, account_id, cursor(&query.before), PAGE as u64 + 1).await?;
    let more = others.len() > PAGE;
    others.truncate(PAGE);
    let older_url = match others.last().and_then(|last| Some((last.published_at?, last.id))) {
        Some((moment, id)) if more => {
            let kept: String = chosen.iter().map(|article| format!("article={}&", article.id)).collect();
            studio.path(&format!("/pushes/new?{kept}before={}.{id}", moment.0))
        }
        _ => String::new(),
    };
    others.retain(|article| !ids.contains(&article.id));
    let page = page.titled_key("push-new");
    let studio = studio.at(Tab::Pushes);
    Ok(View(ChoosePage { page, studio, chosen, others, problem, older_url, most: MOST_ARTICLES }))
}

fn cursor(text: &str) -> Option<(Timestamp, i64)> {
    let (moment, id) = text.split_once('.')?;
    Some((Timestamp(moment.parse().ok()?), id.parse().ok()?))
}
