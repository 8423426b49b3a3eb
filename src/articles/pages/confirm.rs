//! Last looks before what readers will notice: publish, schedule, withdraw; and before deleting.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use chrono::{LocalResult, NaiveDateTime, TimeZone};
use serde::Deserialize;

use super::{ArticlePath, actor, article_path};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::articles::{self, queries};
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::studio::{Studio, Tab};
use crate::text::count;

/// How an `<input type=datetime-local>` writes a time.
const LOCAL_TIME: &str = "%Y-%m-%dT%H:%M";

#[derive(Template)]
#[template(path = "articles/publish.html")]
struct PublishPage {
    page: Page,
    studio: Studio,
    article: article::Model,
    problems: Problems,
    /// As typed, in the member's time zone.
    publish_at: String,
    zone: String,
    minutes: i32,
}

impl PublishPage {
    fn url(&self, rest: &str) -> String {
        article_path(&self.studio, self.article.id, rest)
    }

    fn error(&self, field: &str) -> String {
        self.page.problem(&self.problems, field)
    }

    fn is_scheduled(&self) -> bool {
        self.article.state == ArticleState::Scheduled
    }
}

fn publish_page(
    page: Page,
    studio: Studio,
    article: article::Model,
    problems: Problems,
    typed: &str,
) -> PublishPage {
    let zone = page.zone();
    let planned = article.publish_at.map(|at| at.utc().with_timezone(&zone).format(LOCAL_TIME).to_string());
    PublishPage {
        page: page.titled_key("article-publish-title"),
        studio: studio.at(Tab::Articles),
        problems,
        publish_at: if typed.is_empty() { planned.unwrap_or_default() } else { typed.to_owned() },
        zone: zone.name().replace('_', " "),
        minutes: count::minutes(article.word_count, &article.lang),
        article,
    }
}

/// `GET /studio/@{handle}/articles/{id}/publish`
pub async fn show_publish(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    let article = loaded(&app, &studio, path.id, Operation::Publish).await?;
    if !matches!(article.state, ArticleState::Draft | ArticleState::Scheduled) {
        return Ok(redirect_with_flash(&article_path(&studio, article.id, ""), "flash-article-published"));
    }
    Ok(View(publish_page(page, studio, article, Problems::default(), "")).into_response())
}

/// When, and which version was looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PublishForm {
    version: i32,
    /// `now`, `later`, or `push`: now, and on to the last look of its push.
    when: String,
    publish_at: String,
}

/// `POST /studio/@{handle}/articles/{id}/publish`
pub async fn publish_article(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
    Form(form): Form<PublishForm>,
) -> Result<Response, Error> {
    let result = if form.when == "later" {
        match parse_local(&page, &form.publish_at) {
            Some(moment) => articles::schedule(&app, actor(&studio), path.id, moment).await,
            None => Err(Error::invalid("publish_at", "article-time-wrong")),
        }
    } else {
        articles::publish(&app, actor(&studio), path.id, Some(form.version)).await
    };
    match result {
        Ok(article) if form.when == "push" && article.state == ArticleState::Published => {
            let last_look = studio.path(&format!("/pushes/last-look?article={}", article.id));
            Ok(redirect_with_flash(&last_look, "flash-article-published-not-pushed"))
        }
        Ok(article) => {
            let flash = match article.state {
                ArticleState::Scheduled => "flash-article-scheduled",
                _ => "flash-article-published",
            };
            Ok(redirect_with_flash(&article_path(&studio, path.id, ""), flash))
        }
        Err(Error::Invalid(problems)) => {
            let article = queries::of_account(app.db.read(), studio.account.id, path.id).await?;
            let view = View(publish_page(page, studio, article, problems, &form.publish_at));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

/// A time as typed, in the member's zone. In the hour that summer time skips there is none; of
/// the two that its end repeats, the first is meant.
fn parse_local(page: &Page, typed: &str) -> Option<Timestamp> {
    let naive = NaiveDateTime::parse_from_str(typed.get(..16)?, LOCAL_TIME).ok()?;
    match page.zone().from_local_datetime(&naive) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
            Some(Timestamp(moment.timestamp_millis()))
        }
        LocalResult::None => None,
    }
}

/// `POST /studio/@{handle}/articles/{id}/unschedule`
pub async fn unschedule_article(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    articles::unschedule(&app, actor(&studio), path.id).await?;
    Ok(redirect_with_flash(&article_path(&studio, path.id, ""), "flash-article-unscheduled"))
}

#[derive(Template)]
#[template(path = "articles/withdraw.html")]
struct WithdrawPage {
    page: Page,
    studio: Studio,
    article: article::Model,
    reason: String,
    problems: Problems,
}

impl WithdrawPage {
    fn url(&self, rest: &str) -> String {
        article_path(&self.studio, self.article.id, rest)
    }
}

/// `GET /studio/@{handle}/articles/{id}/withdraw`
pub async fn show_withdraw(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    let article = loaded(&app, &studio, path.id, Operation::Withdraw).await?;
    if article.state != ArticleState::Published {
        return Err(Error::Conflict("article-is-not-published".into()));
    }
    let page = page.titled_key("article-withdraw-title");
    let (reason, problems) = (String::new(), Problems::default());
    Ok(View(WithdrawPage { page, studio: studio.at(Tab::Articles), article, reason, problems })
        .into_response())
}

/// Why it is taken back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WithdrawForm {
    reason: String,
}

/// `POST /studio/@{handle}/articles/{id}/withdraw`
pub async fn withdraw_article(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
    Form(form): Form<WithdrawForm>,
) -> Result<Response, Error> {
    match articles::withdraw(&app, actor(&studio), path.id, &form.reason).await {
        Ok(article) => {
            Ok(redirect_with_flash(&article_path(&studio, article.id, ""), "flash-article-withdrawn"))
        }
        Err(Error::Invalid(problems)) => {
            let article = queries::of_account(app.db.read(), studio.account.id, path.id).await?;
            let page = page.titled_key("article-withdraw-title");
            let studio = studio.at(Tab::Articles);
            let view = View(WithdrawPage { page, studio, article, reason: form.reason, problems });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /studio/@{handle}/articles/{id}/reinstate`
pub async fn reinstate_article(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    articles::reinstate(&app, actor(&studio), path.id).await?;
    Ok(redirect_with_flash(&article_path(&studio, path.id, ""), "flash-article-reinstated"))
}

#[derive(Template)]
#[template(path = "articles/delete.html")]
struct DeletePage {
    page: Page,
    studio: Studio,
    article: article::Model,
}

impl DeletePage {
    fn url(&self, rest: &str) -> String {
        article_path(&self.studio, self.article.id, rest)
    }
}

/// `GET /studio/@{handle}/articles/{id}/delete`
pub async fn show_delete(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    let article = loaded(&app, &studio, path.id, Operation::WriteOwnDraft).await?;
    if !articles::may_edit(studio.role, studio.user.id, &article) {
        return Err(Error::forbidden());
    }
    let page = page.titled_key("article-delete-title");
    Ok(View(DeletePage { page, studio: studio.at(Tab::Articles), article }).into_response())
}

/// `POST /studio/@{handle}/articles/{id}/delete`
pub async fn delete_article(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<ArticlePath>,
) -> Result<Response, Error> {
    articles::delete(&app, actor(&studio), path.id).await?;
    Ok(redirect_with_flash(&studio.path("/articles"), "flash-article-deleted"))
}

/// The article of a confirmation page, for those who may go through with it.
async fn loaded(app: &App, studio: &Studio, id: i64, operation: Operation) -> Result<article::Model, Error> {
    if !studio.allows(operation) {
        return Err(Error::forbidden());
    }
    queries::of_account(app.db.read(), studio.account.id, id).await
}
