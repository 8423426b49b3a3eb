//! Mailgun's webhooks: JSON with an HMAC over a time and a token.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use super::{Refusal, Told, check_size, take_told};
use crate::app::App;
use crate::bounces::{Word, report};
use crate::clock::Timestamp;
use crate::db::entities::bounce::BounceKind;

/// Mailgun tries for 8 hours. Within this time what is told twice is known by its number.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Deserialize)]
struct Body {
    signature: Signature,
    #[serde(rename = "event-data")]
    event: Event,
}

#[derive(Deserialize)]
struct Signature {
    timestamp: String,
    token: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    id: String,
    event: String,
    #[serde(default)]
    severity: String,
    recipient: String,
    #[serde(default)]
    message: Message,
    #[serde(default)]
    delivery_status: DeliveryStatus,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    headers: Headers,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    #[serde(default)]
    message_id: String,
}

#[derive(Default, Deserialize)]
struct DeliveryStatus {
    #[serde(default)]
    code: serde_json::Value,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// `POST /hooks/mail/mailgun`
pub async fn take_event(State(app): State<Arc<App>>, body: Bytes) -> Result<StatusCode, Refusal> {
    let key = app.config.hook_mailgun_key.as_str();
    if key.is_empty() {
        return Err(Refusal::Unknown);
    }
    check_size(&body)?;
    let Body { signature, event } =
        serde_json::from_slice(&body).map_err(|_| Refusal::Unreadable("not an event of Mailgun's"))?;
    check(key, &signature, app.clock.now())?;
    if let Some(word) = word(&event) {
        let told = Told {
            email: event.recipient,
            message_id: event.message.headers.message_id,
            number: format!("mailgun:{}", event.id),
            ..Told::default()
        };
        take_told(&app, &told, &word).await?;
    }
    Ok(StatusCode::OK)
}

fn check(key: &str, signature: &Signature, now: Timestamp) -> Result<(), Refusal> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())?;
    mac.update(signature.timestamp.as_bytes());
    mac.update(signature.token.as_bytes());
    let given = hex::decode(&signature.signature).unwrap_or_default();
    mac.verify_slice(&given).map_err(|_| Refusal::Unproven("the signature is not right"))?;
    let seconds: i64 =
        signature.timestamp.parse().map_err(|_| Refusal::Unproven("the signature's time is not right"))?;
    let moment = Timestamp(seconds.saturating_mul(1_000));
    if moment < now - FRESH || moment > now + FRESH {
        return Err(Refusal::Unproven("the signature is too old"));
    }
    Ok(())
}

/// What an event says; none of those that change nothing. A temporary failure is tried again by Mailgun.
fn word(event: &Event) -> Option<Word> {
    match (event.event.as_str(), event.severity.as_str()) {
        ("complained", _) => Some(Word { kind: BounceKind::Complaint, words: "abuse, by Mailgun".into() }),
        ("failed", "permanent") => {
            let DeliveryStatus { code, message, description } = &event.delivery_status;
            let said = message.as_deref().filter(|said| !said.is_empty()).or(description.as_deref());
            let said = said.unwrap_or("a permanent failure, by Mailgun");
            let has_code = said.get(..3).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
            let words =
                if has_code || !code.is_number() { said.to_owned() } else { format!("{code} {said}") };
            Some(report::judge(&words, "", &words))
        }
        _ => None,
    }
}
