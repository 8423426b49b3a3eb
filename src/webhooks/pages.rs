//! The studio's pages about webhooks: the list with the form that adds one, and each with its log.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use strum::IntoEnumIterator;
use url::Url;

use super::queries::{self, MessageRow};
use super::{NewWebhook, kinds, kinds_of};
use crate::accounts::roles::Operation;
use crate::app::App;
use crate::articles::Actor;
use crate::db::entities::webhook::{self, WebhookForm, WebhookState};
use crate::db::entities::webhook_message::{Kind, MessageState};
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::studio::{Studio, Tab};
use crate::webhooks;

/// Messages on one page.
const SHOWN: u64 = 30;

/// Where a webhook is, without what of its address may be a secret.
pub fn host(webhook: &webhook::Model) -> String {
    let url = Url::parse(&webhook.url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// Its address as its owner is shown it: a bot's address is its key.
pub fn shown_url(webhook: &webhook::Model) -> String {
    if webhook.form != WebhookForm::Telegram {
        return webhook.url.clone();
    }
    let scheme = webhook.url.split("://").next().unwrap_or_default();
    format!("{scheme}://{}/…", host(webhook))
}

fn kind_key(kind: Kind) -> String {
    let name: &'static str = kind.into();
    format!("webhook-kind-{}", name.replace('.', "-"))
}

/// The badge of a webhook's state: its class and the key of its words.
fn state_badge(row: &webhook::Model) -> (&'static str, &'static str) {
    match row.state {
        WebhookState::Active if row.failing_since.is_some() => ("bad", "webhook-state-failing"),
        WebhookState::Active => ("good", "webhook-state-active"),
        WebhookState::Paused => ("warn", "webhook-state-paused"),
        WebhookState::Broken => ("bad", "webhook-state-broken"),
    }
}

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct ListPage {
    page: Page,
    studio: Studio,
    rows: Vec<webhook::Model>,
    form: WebhookFields,
    problems: Problems,
}

impl ListPage {
    fn badge(&self, row: &webhook::Model) -> (&'static str, &'static str) {
        state_badge(row)
    }

    fn shown_url(&self, row: &webhook::Model) -> String {
        shown_url(row)
    }

    fn forms(&self) -> Vec<WebhookForm> {
        WebhookForm::iter().collect()
    }

    fn is_form(&self, form: &WebhookForm) -> bool {
        *form == self.form.form.parse().unwrap_or(WebhookForm::Standard)
    }

    fn kinds(&self) -> Vec<(&'static str, String, bool)> {
        kinds()
            .map(|kind| {
                let name: &'static str = kind.into();
                (name, self.page.t(&kind_key(kind)), self.form.kinds.iter().any(|chosen| chosen == name))
            })
            .collect()
    }

    fn told(&self, row: &webhook::Model) -> Vec<String> {
        kinds_of(row).into_iter().map(|kind| self.page.t(&kind_key(kind))).collect()
    }
}

#[derive(Template)]
#[template(path = "webhooks/show.html")]
struct ShowPage {
    page: Page,
    studio: Studio,
    row: webhook::Model,
    messages: Vec<MessageRow>,
    /// The path of older messages; empty where there are none.
    older: String,
    /// A new secret, shown once.
    secret: String,
}

impl ShowPage {
    async fn load(
        app: &App,
        page: Page,
        studio: Studio,
        id: i64,
        before: Option<i64>,
    ) -> Result<Self, Error> {
        let db = app.db.read();
        let row = queries::one(db, studio.account.id, id).await?.ok_or(Error::NotFound)?;
        let mut messages = queries::messages(db, id, before, SHOWN + 1).await?;
        let more = messages.len() as u64 > SHOWN;
        messages.truncate(SHOWN as usize);
        let oldest = messages.last().filter(|_| more).map(|row| row.message.id);
        let older =
            oldest.map(|id_| studio.path(&format!("/webhooks/{id}?before={id_}"))).unwrap_or_default();
        let page = page.titled(&host(&row));
        Ok(Self { page, studio, row, messages, older, secret: String::new() })
    }

    fn badge(&self) -> (&'static str, &'static str) {
        state_badge(&self.row)
    }

    fn shown_url(&self) -> String {
        shown_url(&self.row)
    }

    fn is_active(&self) -> bool {
        self.row.state == WebhookState::Active
    }

    fn is_broken(&self) -> bool {
        self.row.state == WebhookState::Broken
    }

    fn is_signed(&self) -> bool {
        self.row.form == WebhookForm::Standard
    }

    fn action(&self, rest: &str) -> String {
        self.studio.path(&format!("/webhooks/{}/{rest}", self.row.id))
    }

    fn kinds(&self) -> Vec<(&'static str, String, bool)> {
        let chosen = kinds_of(&self.row);
        kinds().map(|kind| (kind.into(), self.page.t(&kind_key(kind)), chosen.contains(&kind))).collect()
    }

    fn kind(&self, row: &MessageRow) -> String {
        self.page.t(&kind_key(row.message.kind))
    }

    fn message_badge(&self, row: &MessageRow) -> (&'static str, &'static str) {
        match row.message.state {
            MessageState::Waiting => ("accent", "webhook-message-waiting"),
            MessageState::Delivered => ("good", "webhook-message-delivered"),
            MessageState::Failed => ("bad", "webhook-message-failed"),
            MessageState::Dropped => ("warn", "webhook-message-dropped"),
        }
    }

    /// What may be tried again at once: what was given up, or waits for a later attempt.
    fn may_send_again(&self, row: &MessageRow) -> bool {
        let tried = row.message.attempts > 0;
        self.is_active() && row.message.state != MessageState::Dropped && tried
    }

    fn is_waiting(&self, row: &MessageRow) -> bool {
        row.message.state == MessageState::Waiting && row.message.attempts > 0
    }
}

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WebhookFields {
    form: String,
    url: String,
    target: String,
    token: String,
    kinds: Vec<String>,
}

impl WebhookFields {
    fn kinds(&self) -> Vec<Kind> {
        self.kinds.iter().filter_map(|kind| kind.parse().ok()).collect()
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Before {
    before: Option<i64>,
}

/// `GET /studio/@{handle}/webhooks`
pub async fn list_webhooks(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    let form = WebhookFields { kinds: vec!["article.published".into()], ..WebhookFields::default() };
    Ok(list(&app, page, managing(studio)?, form, Problems::default()).await?.into_response())
}

async fn list(
    app: &App,
    page: Page,
    studio: Studio,
    form: WebhookFields,
    problems: Problems,
) -> Result<View<ListPage>, Error> {
    let rows = queries::of_account(app.db.read(), studio.account.id).await?;
    Ok(View(ListPage { page: page.titled_key("webhooks-title"), studio, rows, form, problems }))
}

/// `POST /studio/@{handle}/webhooks`: adds one, and shows its secret in the answer, the only time it is seen.
pub async fn add_webhook(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<WebhookFields>,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    let new = NewWebhook {
        form: form.form.parse().ok(),
        url: form.url.clone(),
        target: form.target.clone(),
        token: form.token.clone(),
        kinds: form.kinds(),
    };
    match webhooks::add(&app, actor(&studio), &new).await {
        Ok(row) if row.form == WebhookForm::Standard => {
            let view = ShowPage::load(&app, page, studio, row.id, None).await?;
            Ok(View(ShowPage { secret: row.secret, ..view }).into_response())
        }
        Ok(row) => {
            Ok(redirect_with_flash(&studio.path(&format!("/webhooks/{}", row.id)), "flash-webhook-added"))
        }
        Err(Error::Invalid(problems)) => {
            let view = list(&app, page, studio, form, problems).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The path parameters of one webhook.
#[derive(Debug, Deserialize)]
pub struct WebhookPath {
    id: i64,
}

/// `GET /studio/@{handle}/webhooks/{id}`
pub async fn show_webhook(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<WebhookPath>,
    Query(paging): Query<Before>,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    Ok(View(ShowPage::load(&app, page, studio, path.id, paging.before).await?).into_response())
}

/// `POST /studio/@{handle}/webhooks/{id}/kinds`
pub async fn set_webhook_kinds(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<WebhookPath>,
    Form(form): Form<WebhookFields>,
) -> Result<Response, Error> {
    webhooks::set_kinds(&app, actor(&studio), path.id, &form.kinds()).await?;
    Ok(back(&studio, path.id, "flash-webhook-changed"))
}

/// `POST /studio/@{handle}/webhooks/{id}/pause`
pub async fn pause_webhook(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<WebhookPath>,
) -> Result<Response, Error> {
    webhooks::set_active(&app, actor(&studio), path.id, false).await?;
    Ok(back(&studio, path.id, "flash-webhook-paused"))
}

/// `POST /studio/@{handle}/webhooks/{id}/resume`
pub async fn resume_webhook(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<WebhookPath>,
) -> Result<Response, Error> {
    webhooks::set_active(&app, actor(&studio), path.id, true).await?;
    Ok(back(&studio, path.id, "flash-webhook-resumed"))
}

/// `POST /studio/@{handle}/webhooks/{id}/secret`: shows the new secret in its answer.
pub async fn renew_webhook_secret(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Path(path): Path<WebhookPath>,
) -> Result<Response, Error> {
    let studio = managing(studio)?;
    let secret = webhooks::renew_secret(&app, actor(&studio), path.id).await?;
    let view = ShowPage::load(&app, page, studio, path.id, None).await?;
    Ok(View(ShowPage { secret, ..view }).into_response())
}

/// `POST /studio/@{handle}/webhooks/{id}/test`
pub async fn test_webhook(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<WebhookPath>,
) -> Result<Response, Error> {
    webhooks::test(&app, actor(&studio), path.id).await?;
    Ok(back(&studio, path.id, "flash-webhook-tested"))
}

/// `POST /studio/@{handle}/webhooks/{id}/remove`
pub async fn remove_webhook(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<WebhookPath>,
) -> Result<Response, Error> {
    webhooks::remove(&app, actor(&studio), path.id).await?;
    Ok(redirect_with_flash(&studio.path("/webhooks"), "flash-webhook-removed"))
}

/// The path parameters of one message.
#[derive(Debug, Deserialize)]
pub struct MessagePath {
    id: i64,
    message: i64,
}

/// `POST /studio/@{handle}/webhooks/{id}/messages/{message}/again`
pub async fn send_message_again(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path(path): Path<MessagePath>,
) -> Result<Response, Error> {
    webhooks::send_again(&app, actor(&studio), path.id, path.message).await?;
    Ok(back(&studio, path.id, "flash-webhook-again"))
}

fn managing(studio: Studio) -> Result<Studio, Error> {
    if studio.allows(Operation::ManageWebhooks) {
        Ok(studio.at(Tab::Webhooks))
    } else {
        Err(Error::forbidden())
    }
}

fn actor(studio: &Studio) -> Actor {
    Actor { account_id: studio.account.id, user_id: studio.user.id }
}

fn back(studio: &Studio, id: i64, key: &'static str) -> Response {
    redirect_with_flash(&studio.path(&format!("/webhooks/{id}")), key)
}
