//! Postmark's webhooks: JSON, with a user and a password that were made up for them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::{Refusal, Told, check_size, take_told};
use crate::app::App;
use crate::bounces::Word;
use crate::db::entities::bounce::BounceKind;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    record_type: String,
    #[serde(rename = "ID", default)]
    id: i64,
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    description: String,
}

/// `POST /hooks/mail/postmark`
pub async fn take_event(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let secret = app.config.hook_postmark.as_str();
    if secret.is_empty() {
        return Err(Refusal::Unknown);
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Basic ")).unwrap_or_default();
    let given = STANDARD.decode(given.trim()).unwrap_or_default();
    if !bool::from(given.ct_eq(secret.as_bytes())) {
        return Err(Refusal::Unproven("user and password are not right"));
    }
    check_size(&body)?;
    let event: Event =
        serde_json::from_slice(&body).map_err(|_| Refusal::Unreadable("not an event of Postmark's"))?;
    if let Some(word) = word(&event) {
        let told = Told { email: event.email, number: format!("postmark:{}", event.id), ..Told::default() };
        take_told(&app, &told, &word).await?;
    }
    Ok(StatusCode::OK)
}

/// What an event says; none of those that change nothing, such as an out-of-office note.
fn word(event: &Event) -> Option<Word> {
    let kind = match (event.record_type.as_str(), event.kind.as_str()) {
        ("SpamComplaint", _) | ("Bounce", "SpamComplaint") => BounceKind::Complaint,
        ("Bounce", "HardBounce" | "BadEmailAddress") => BounceKind::Hard,
        ("Bounce", "SoftBounce" | "DnsError" | "SpamNotification" | "Blocked" | "Undeliverable") => {
            BounceKind::Soft
        }
        _ => return None,
    };
    let words = if event.details.trim().is_empty() { &event.description } else { &event.details };
    Some(Word { kind, words: format!("{}: {words}", event.kind).trim_start_matches(": ").to_owned() })
}
