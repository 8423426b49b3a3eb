//! Amazon SES by SNS: JSON signed with a certificate that Amazon publishes. Only certificates from its own
//! hosts count, and only the topic of the settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use serde::Deserialize;
use url::Url;

use super::{Refusal, Told, check_size, take_told};
use crate::app::App;
use crate::bounces::Word;
use crate::clock::Timestamp;
use crate::db::entities::bounce::BounceKind;
use crate::import::fetch::FetchRequest;

/// Amazon tries for some hours. Within this time what is told twice is known by its number.
const FRESH: Duration = Duration::from_secs(3 * 24 * 60 * 60);
const LARGEST_CERTIFICATE: usize = 64 * 1024;
/// Amazon changes its certificate once a year.
const MOST_CERTIFICATES: usize = 8;

/// Keys of certificates that were fetched, by their addresses.
#[derive(Debug, Default)]
pub struct Certificates(Mutex<HashMap<String, Arc<Vec<u8>>>>);

impl Certificates {
    /// Keeps the key of a certificate (PEM).
    ///
    /// # Errors
    /// When it is none with an RSA key.
    pub fn keep(&self, address: &str, pem: &[u8]) -> anyhow::Result<Arc<Vec<u8>>> {
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|_| anyhow::anyhow!("it is no PEM"))?;
        let certificate = ParsedCertificate::try_from(&certificate).context("it is no certificate")?;
        let key = rsa::RsaPublicKey::from_public_key_der(certificate.subject_public_key_info().as_ref())
            .context("it has no RSA key")?;
        let key = Arc::new(key.to_pkcs1_der().context("its key cannot be written")?.as_bytes().to_vec());
        let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if kept.len() >= MOST_CERTIFICATES {
            kept.clear();
        }
        kept.insert(address.to_owned(), key.clone());
        Ok(key)
    }

    fn get(&self, address: &str) -> Option<Arc<Vec<u8>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(address).cloned()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    message: String,
    timestamp: String,
    signature: String,
    signature_version: String,
    #[serde(rename = "SigningCertURL")]
    certificate: String,
    subject: Option<String>,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe: Option<String>,
}

/// `POST /hooks/mail/ses`
pub async fn take_notification(State(app): State<Arc<App>>, body: Bytes) -> Result<StatusCode, Refusal> {
    if app.config.hook_ses_topic.is_empty() {
        return Err(Refusal::Unknown);
    }
    check_size(&body)?;
    let told: Notification =
        serde_json::from_slice(&body).map_err(|_| Refusal::Unreadable("not a notification of SNS"))?;
    if told.topic_arn != app.config.hook_ses_topic {
        return Err(Refusal::Unproven("that is another topic"));
    }
    check(&app, &told).await?;
    match told.kind.as_str() {
        "Notification" => take_message(&app, &told.message).await?,
        "SubscriptionConfirmation" => confirm(&app, &told).await?,
        _ => {}
    }
    Ok(StatusCode::OK)
}

/// Whether Amazon has signed it, not long ago.
async fn check(app: &App, told: &Notification) -> Result<(), Refusal> {
    let moment = chrono::DateTime::parse_from_rfc3339(&told.timestamp)
        .map_err(|_| Refusal::Unproven("its time is not right"))?;
    let (moment, now) = (Timestamp(moment.timestamp_millis()), app.clock.now());
    if moment < now - FRESH || moment > now + FRESH {
        return Err(Refusal::Unproven("it is too old"));
    }
    let address = amazon(&told.certificate).ok_or(Refusal::Unproven("its certificate is not Amazon's"))?;
    if !address.path().ends_with(".pem") {
        return Err(Refusal::Unproven("its certificate is not Amazon's"));
    }
    let algorithm = match told.signature_version.as_str() {
        "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "2" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(Refusal::Unproven("its signature is of an unknown version")),
    };
    let signature =
        STANDARD.decode(&told.signature).map_err(|_| Refusal::Unproven("the signature is not right"))?;
    let key = key(app, &address).await?;
    UnparsedPublicKey::new(algorithm, key.as_slice())
        .verify(signed_text(told).as_bytes(), &signature)
        .map_err(|_| Refusal::Unproven("the signature is not right"))
}

/// An address of SNS itself.
fn amazon(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?;
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let region = region.strip_prefix("sns.")?;
    let is_region = !region.is_empty()
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let is_plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (is_region && is_plain).then_some(url)
}

async fn key(app: &App, address: &Url) -> Result<Arc<Vec<u8>>, Refusal> {
    if let Some(key) = app.certificates.get(address.as_str()) {
        return Ok(key);
    }
    let body = fetch(app, address).await?;
    app.certificates
        .keep(address.as_str(), &body)
        .map_err(|_| Refusal::Unproven("its certificate cannot be read"))
}

async fn fetch(app: &App, url: &Url) -> anyhow::Result<Vec<u8>> {
    let request =
        FetchRequest { url, accept: "*/*", etag: None, last_modified: None, max_bytes: LARGEST_CERTIFICATE };
    let fetched = app.fetcher.fetch(request).await.with_context(|| format!("fetching {url}"))?;
    anyhow::ensure!(amazon(fetched.url.as_str()).is_some(), "{url} led to {}", fetched.url);
    fetched.body.context("nothing came")
}

/// What is signed: some of the fields, by their names.
fn signed_text(told: &Notification) -> String {
    let is_notification = told.kind == "Notification";
    let fields = [
        ("Message", Some(&told.message)),
        ("MessageId", Some(&told.message_id)),
        ("Subject", told.subject.as_ref().filter(|_| is_notification)),
        ("SubscribeURL", told.subscribe.as_ref().filter(|_| !is_notification)),
        ("Timestamp", Some(&told.timestamp)),
        ("Token", told.token.as_ref().filter(|_| !is_notification)),
        ("TopicArn", Some(&told.topic_arn)),
        ("Type", Some(&told.kind)),
    ];
    fields.iter().filter_map(|(name, value)| value.map(|value| format!("{name}\n{value}\n"))).collect()
}

/// Tells Amazon that we want the topic's notifications, as it asks for once.
async fn confirm(app: &App, told: &Notification) -> Result<(), Refusal> {
    let address = told.subscribe.as_deref().and_then(amazon);
    let address = address.ok_or(Refusal::Unproven("its address to confirm is not Amazon's"))?;
    fetch(app, &address).await?;
    tracing::info!("subscribed to {}", told.topic_arn);
    Ok(())
}

/// What SES says, in either of its two forms.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(alias = "eventType", default)]
    notification_type: String,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    #[serde(default)]
    mail: Mail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(default)]
    bounce_type: String,
    #[serde(default)]
    feedback_id: String,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    #[serde(default)]
    feedback_id: String,
    complaint_feedback_type: Option<String>,
    #[serde(default)]
    complained_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    #[serde(default)]
    source: String,
    #[serde(default)]
    common_headers: CommonHeaders,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommonHeaders {
    #[serde(default)]
    message_id: String,
}

async fn take_message(app: &App, message: &str) -> Result<(), Refusal> {
    // A topic may also carry what is no JSON, such as Amazon's greeting.
    let Ok(message) = serde_json::from_str::<Message>(message) else { return Ok(()) };
    let (number, recipients, kind, complaint) =
        match (message.notification_type.as_str(), message.bounce, message.complaint) {
            ("Bounce", Some(bounce), _) => {
                let kind =
                    if bounce.bounce_type == "Permanent" { BounceKind::Hard } else { BounceKind::Soft };
                (bounce.feedback_id, bounce.bounced_recipients, kind, None)
            }
            ("Complaint", _, Some(complaint)) => {
                let said = complaint.complaint_feedback_type.unwrap_or_else(|| "abuse".into());
                (complaint.feedback_id, complaint.complained_recipients, BounceKind::Complaint, Some(said))
            }
            _ => return Ok(()),
        };
    for recipient in recipients {
        let said = recipient
            .diagnostic_code
            .as_deref()
            .map(|said| said.split_once(';').map_or(said, |(_, said)| said));
        let words = complaint.clone().or(said.map(str::to_owned)).or(recipient.status).unwrap_or_default();
        let told = Told {
            // A name may stand around it.
            email: recipient
                .email_address
                .rsplit('<')
                .next()
                .unwrap_or_default()
                .trim_end_matches('>')
                .to_owned(),
            sender: message.mail.source.clone(),
            message_id: message.mail.common_headers.message_id.clone(),
            number: format!("ses:{number}:{}", recipient.email_address.to_lowercase()),
        };
        take_told(app, &told, &Word { kind, words: words.trim().to_owned() }).await?;
    }
    Ok(())
}
