//! The last look: what will be sent, in which order, to how many readers; then sending it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::{Form, Query};
use serde::Deserialize;

use super::choose;
use crate::accounts;
use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::auth::token;

use crate::delivery::preview;
use crate::error::Error;
use crate::mail::Letter;
use crate::page::{Page, View, redirect_with_flash};
use crate::pushes::queries::Candidate;
use crate::pushes::{self, NewPush};
use crate::studio::{Studio, Tab};
use crate::subscriptions::queries::{self as subscriptions, Audience};

/// The chosen articles in order, and one that is to be moved up.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LookQuery {
    #[serde(default)]
    article: Vec<i64>,
    up: Option<i64>,
}

#[derive(Template)]
#[template(path = "pushes/last_look.html")]
struct LastLookPage {
    page: Page,
    studio: Studio,
    articles: Vec<Candidate>,
    audience: Audience,
    letter: Letter,
    mail_url: String,
    key: String,
}

/// `GET /studio/@{handle}/pushes/last-look`
pub async fn show_last_look(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(query): Query<LookQuery>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account_id = studio.account.id;
    roles::require(db, account_id, studio.user.id, Operation::Push).await?;
    accounts::require_active(&studio.account)?;
    if let Some(up) = query.up {
        let path = studio.path(&format!("/pushes/last-look?{}", in_query(&moved_up(query.article, up))));
        return Ok(Redirect::to(&path).into_response());
    }
    let articles = match pushes::require_pushable(db, account_id, &query.article).await {
        Ok(articles) => articles,
        Err(error) => return choose::with_problem(&app, page, studio, query.article, error).await,
    };
    let ids: Vec<i64> = articles.iter().map(|article| article.id).collect();
    let letter = preview::letter(&app, &studio.account, &ids, &studio.user, page.locale).await?;
    Ok(View(LastLookPage {
        page: page.titled_key("push-last-look"),
        audience: subscriptions::audience(db, account_id).await?,
        mail_url: studio.path(&format!("/pushes/mail?{}", in_query(&ids))),
        studio: studio.at(Tab::Pushes),
        articles,
        letter,
        key: token::new(),
    })
    .into_response())
}

/// `GET /studio/@{handle}/pushes/mail`: the mail as its readers will see it.
pub async fn show_mail(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Query(query): Query<LookQuery>,
) -> Result<Response, Error> {
    let account_id = studio.account.id;
    roles::require(app.db.read(), account_id, studio.user.id, Operation::Push).await?;
    let articles = pushes::require_pushable(app.db.read(), account_id, &query.article).await?;
    let ids: Vec<i64> = articles.iter().map(|article| article.id).collect();
    let letter = preview::letter(&app, &studio.account, &ids, &studio.user, page.locale).await?;
    // Mails are styled inline, which pages of this site may not be; nothing else is allowed here.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; sandbox allow-popups";
    let headers =
        [(header::CONTENT_SECURITY_POLICY, policy), (header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((headers, letter.html).into_response())
}

fn in_query(ids: &[i64]) -> String {
    ids.iter().map(|id| format!("article={id}")).collect::<Vec<_>>().join("&")
}

fn moved_up(mut ids: Vec<i64>, up: i64) -> Vec<i64> {
    if let Some(place) = ids.iter().position(|id| *id == up).filter(|place| *place > 0) {
        ids.swap(place, place - 1);
    }
    ids
}

/// The articles in order, and the key that makes a double submit one push.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PushForm {
    #[serde(default)]
    article: Vec<i64>,
    #[serde(default)]
    key: String,
}

/// `POST /studio/@{handle}/pushes`
pub async fn create_push(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<PushForm>,
) -> Result<Response, Error> {
    let new = NewPush { article_ids: form.article.clone(), idempotency_key: form.key };
    match pushes::create(&app, studio.user.id, studio.account.id, &new).await {
        Ok(created) => {
            let path = studio.path(&format!("/pushes/{}", created.push.id));
            let flash = if created.new { "flash-push-sent" } else { "flash-push-known" };
            Ok(redirect_with_flash(&path, flash))
        }
        Err(error) => choose::with_problem(&app, page, studio, form.article, error).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_moves_up_by_one_place() {
        assert_eq!(moved_up(vec![1, 2, 3], 3), [1, 3, 2]);
        assert_eq!(moved_up(vec![1, 2], 1), [1, 2]);
        assert_eq!(moved_up(vec![1, 2], 9), [1, 2]);
    }
}
