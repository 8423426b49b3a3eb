//! Sending: a job for each message, with growing pauses; every attempt is written down.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use sha2::Sha256;
use url::Url;

use super::payload;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::webhook::{self, WebhookForm, WebhookState};
use crate::db::entities::webhook_attempt;
use crate::db::entities::webhook_message::{self, MessageState};
use crate::import::fetch::{FetchError, PostRequest, Posted};
use crate::jobs::{self, Job, Outcome};

/// Pauses after the first, second, ... attempt, as the Standard Webhooks convention has them; after the last one the
/// message is given up.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
    Duration::from_secs(14 * 60 * 60),
    Duration::from_secs(20 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];
/// A webhook that took nothing for so long is switched off. The attempts of one message last a little longer.
const BROKEN_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How soon it is tried again when there is no room.
const CROWDED: Duration = Duration::from_secs(1);

/// Does the job of a message.
pub async fn run(app: &App, message_id: i64) -> anyhow::Result<Outcome> {
    let Some(message) = webhook_message::Entity::find_by_id(message_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let Some(webhook) = webhook::Entity::find_by_id(message.webhook_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    if message.state != MessageState::Waiting {
        return Ok(Outcome::Done);
    }
    if webhook.state != WebhookState::Active {
        end(app, message, MessageState::Failed).await?;
        return Ok(Outcome::Done);
    }
    let job = Job::SendWebhook { message_id };
    if message.next_attempt_at > app.clock.now() {
        return Ok(Outcome::Again { job, run_at: message.next_attempt_at });
    }
    let url = Url::parse(&webhook.url)?;
    let Some(_room) = app.fetcher.room_to_post(&url) else {
        return Ok(Outcome::Again { job, run_at: app.clock.now() + CROWDED });
    };
    let Some(message) = written(app, &webhook, message).await? else { return Ok(Outcome::Done) };
    let began = Instant::now();
    let answer = app.fetcher.post(request(app.clock.now(), &webhook, &message, &url)).await;
    let millis = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
    let next = note(app, webhook, message, &answer, millis).await?;
    Ok(next.map_or(Outcome::Done, |run_at| Outcome::Again { job, run_at }))
}

/// The message with its body, which stays the same from its first attempt on.
async fn written(
    app: &App,
    webhook: &webhook::Model,
    message: webhook_message::Model,
) -> anyhow::Result<Option<webhook_message::Model>> {
    if message.body.is_some() {
        return Ok(Some(message));
    }
    let Some(body) = payload::write(app, webhook, &message).await? else {
        end(app, message, MessageState::Dropped).await?;
        return Ok(None);
    };
    let mut row = message.into_active_model();
    row.body = Set(Some(body));
    Ok(Some(row.update(app.db.write()).await?))
}

async fn end(app: &App, message: webhook_message::Model, state: MessageState) -> anyhow::Result<()> {
    let mut row = message.into_active_model();
    row.state = Set(state);
    row.update(app.db.write()).await?;
    Ok(())
}

fn request<'a>(
    now: Timestamp,
    webhook: &webhook::Model,
    message: &webhook_message::Model,
    url: &'a Url,
) -> PostRequest<'a> {
    let body = message.body.clone().unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    match webhook.form {
        WebhookForm::Standard => {
            let seconds = now.0.div_euclid(1_000).to_string();
            put("webhook-signature", signature(&webhook.secret, &message.name, &seconds, &body));
            put("webhook-id", message.name.clone());
            put("webhook-timestamp", seconds);
        }
        WebhookForm::Ntfy if !webhook.secret.is_empty() => {
            put("authorization", format!("Bearer {}", webhook.secret));
        }
        WebhookForm::Ntfy | WebhookForm::Telegram => {}
    }
    PostRequest { url, headers, body: body.into_bytes() }
}

/// `v1,` and the HMAC-SHA256 of name, time and body in base64.
fn signature(secret: &str, name: &str, seconds: &str, body: &str) -> String {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(key).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(format!("{name}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Writes down what came of an attempt; returns when the next one is due.
async fn note(
    app: &App,
    webhook: webhook::Model,
    message: webhook_message::Model,
    answer: &Result<Posted, FetchError>,
    millis: i32,
) -> anyhow::Result<Option<Timestamp>> {
    let now = app.clock.now();
    let (status, words) = match answer {
        Ok(posted) => (i32::from(posted.status), posted.line()),
        Err(error) => (0, error.to_string()),
    };
    let taken = answer.as_ref().is_ok_and(Posted::is_taken);
    let attempts = message.attempts + 1;
    let pause = usize::try_from(message.attempts).ok().and_then(|done| PAUSES.get(done)).copied();
    let asked = answer.as_ref().ok().and_then(|posted| posted.retry_after);
    let next = pause
        .filter(|_| !taken)
        .map(|pause| now + asked.map_or(pause, |asked| asked.clamp(pause, PAUSES[8])));
    let since = webhook.failing_since.unwrap_or(now);
    let broken = !taken && (status == 410 || since + BROKEN_AFTER < now);
    let next = next.filter(|_| !broken);
    let tx = app.db.begin().await?;
    let attempt = webhook_attempt::ActiveModel {
        id: NotSet,
        message_id: Set(message.id),
        made_at: Set(now),
        status: Set(status),
        answer: Set(words.replace('\0', "")),
        millis: Set(millis),
    };
    attempt.insert(&*tx).await?;
    let webhook_id = webhook.id;
    let mut row = message.into_active_model();
    row.attempts = Set(attempts);
    row.state = Set(match (taken, next) {
        (true, _) => MessageState::Delivered,
        (false, Some(_)) => MessageState::Waiting,
        (false, None) => MessageState::Failed,
    });
    row.next_attempt_at = Set(next.unwrap_or(now));
    row.update(&*tx).await?;
    let mut change = webhook::Entity::update_many()
        .col_expr(webhook::Column::FailingSince, Expr::value((!taken).then_some(since)))
        .filter(webhook::COLUMN.id.eq(webhook_id));
    if !taken {
        change = change.col_expr(webhook::Column::LastAnswer, Expr::value(Some(words.clone())));
    }
    change.exec(&*tx).await?;
    if broken {
        let ended = webhook::Entity::update_many()
            .col_expr(webhook::Column::State, Expr::value(WebhookState::Broken))
            .filter(webhook::COLUMN.id.eq(webhook_id))
            .filter(webhook::COLUMN.state.eq(WebhookState::Active))
            .exec(&*tx)
            .await?;
        if ended.rows_affected == 1 {
            tracing::info!(webhook = webhook_id, "a webhook is switched off: {words}");
            jobs::queue::enqueue(&*tx, now, Job::NoteBrokenWebhook { webhook_id }, now).await?;
        }
    }
    tx.commit().await?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_conventions_own_example() {
        let signature = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
