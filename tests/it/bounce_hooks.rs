//! What mailing services tell of bounces and complaints, each proven in its own way.

use std::io::Write;
use std::process::{Command, Stdio};

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use xiangxun::bounces::return_path;
use xiangxun::db::entities::delivery::DeliveryState;
use xiangxun::db::entities::subscription::SubscriptionState;

use crate::on_both_databases;
use crate::support::app::Answer;
use crate::support::{Backend, TestApp};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:bounces";
const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem";

on_both_databases! {
    mailgun_is_believed_by_its_signature
    postmark_is_believed_by_its_password
    amazon_is_believed_by_its_certificate
    a_service_that_is_not_set_up_is_not_found
}

async fn app_with(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |config| {
        config.bounce_domain = "bounces.xiangxun.test".into();
        config.hook_mailgun_key = "key-0123456789".into();
        config.hook_postmark = "postmark:correct horse".into();
        config.hook_ses_topic = TOPIC.into();
        assert_eq!(config.problems(), Vec::<String>::new());
    })
    .await
}

async fn post(app: &TestApp, path: &str, body: &Value, authorization: &str) -> Answer {
    let mut request = Request::post(path).header(header::HOST, "xiangxun.test");
    if !authorization.is_empty() {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// A push to this address; the id and Message-ID of its delivery, and the push's.
async fn pushed(app: &TestApp, email: &str) -> (i64, String, i64) {
    let (account, _) = app.account(&email.replace(['@', '.'], "")[..6]).await;
    app.subscriber(account.id, email).await;
    let article = app.published(account.id, "开工了").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    (row.id, row.message_id, push)
}

fn mailgun(app: &TestApp, key: &str, seconds_ago: i64, event: Value) -> Value {
    let timestamp = (app.app.clock.now().0 / 1_000 - seconds_ago).to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{timestamp}token").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    json!({ "signature": { "timestamp": timestamp, "token": "token", "signature": signature }, "event-data": event })
}

async fn mailgun_is_believed_by_its_signature(backend: Backend) {
    let app = app_with(backend).await;
    let (_, message_id, push) = pushed(&app, "gone@example.net").await;
    let event = json!({
        "id": "CPgfbmQMTCKtHW6uIWtuVe", "event": "failed", "severity": "permanent", "reason": "bounce",
        "recipient": "Gone@example.net", "message": { "headers": { "message-id": message_id.trim_matches(['<', '>']) } },
        "delivery-status": { "code": 550, "message": "5.1.1 No such user", "attempt-no": 1 },
    });
    const PATH: &str = "/hooks/mail/mailgun";
    for (key, age, why) in [
        ("key-of-another", 0, "the signature is not right"),
        ("key-0123456789", 2 * 24 * 60 * 60, "too old"),
        ("key-0123456789", -2 * 24 * 60 * 60, "too old"),
    ] {
        let answer = post(&app, PATH, &mailgun(&app, key, age, event.clone()), "").await.assert_status(403);
        assert!(answer.text().contains(why), "{}", answer.text());
    }
    post(&app, PATH, &json!({ "event-data": event }), "").await.assert_status(400);
    app.work().await;
    assert_eq!(app.suppressed("gone@example.net").await, None);

    let temporary =
        json!({ "id": "1", "event": "failed", "severity": "temporary", "recipient": "gone@example.net" });
    post(&app, PATH, &mailgun(&app, "key-0123456789", 0, temporary), "").await.assert_status(200);
    let good = mailgun(&app, "key-0123456789", 60, event);
    post(&app, PATH, &good, "").await.assert_status(200);
    post(&app, PATH, &good, "").await.assert_status(200);
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!(
        (row.state, row.answer.as_deref()),
        (DeliveryState::Failed, Some("bounced: 550 5.1.1 No such user"))
    );
    // The reader shows that mail arrives again: the old word, told once more, changes nothing.
    xiangxun::delivery::trust_again(app.app.db.write(), "gone@example.net").await.unwrap();
    post(&app, PATH, &good, "").await.assert_status(200);
    app.work().await;
    assert_eq!(app.suppressed("gone@example.net").await, None);
    app.finish().await;
}

async fn postmark_is_believed_by_its_password(backend: Backend) {
    let app = app_with(backend).await;
    pushed(&app, "annoyed@example.net").await;
    const PATH: &str = "/hooks/mail/postmark";
    let event = json!({
        "RecordType": "SpamComplaint", "ID": 42, "Type": "SpamComplaint", "TypeCode": 512,
        "Email": "annoyed@example.net", "Details": "", "Description": "The subscriber marked it as spam",
    });
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    for wrong in
        ["", "Bearer x", "Basic !!!", &basic("postmark:wrong"), &basic(""), &basic("postmark:correct hors")]
    {
        let answer = post(&app, PATH, &event, wrong).await.assert_status(403);
        assert!(answer.text().contains("not right"), "{}", answer.text());
    }
    let right = basic("postmark:correct horse");
    post(&app, PATH, &json!("x"), &right).await.assert_status(400);
    let note =
        json!({ "RecordType": "Bounce", "Type": "AutoResponder", "ID": 1, "Email": "annoyed@example.net" });
    post(&app, PATH, &note, &right).await.assert_status(200);
    app.work().await;
    assert_eq!(app.suppressed("annoyed@example.net").await, None);
    post(&app, PATH, &event, &right).await.assert_status(200);
    app.work().await;
    assert_eq!(
        app.suppressed("annoyed@example.net").await.as_deref(),
        Some("complaint: SpamComplaint: The subscriber marked it as spam")
    );
    app.finish().await;
}

/// A key and its certificate, made by OpenSSL.
struct Authority {
    folder: std::path::PathBuf,
}

impl Authority {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("xiangxun-sns-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=sns.amazonaws.com",
            ])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(&folder)
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("Debian's openssl").success());
        Self { folder }
    }

    fn certificate(&self) -> Vec<u8> {
        std::fs::read(self.folder.join("certificate.pem")).unwrap()
    }

    fn sign(&self, digest: &str, text: &str) -> String {
        let mut openssl = Command::new("openssl")
            .args(["dgst", digest, "-sign", "key.pem"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        STANDARD.encode(openssl.wait_with_output().unwrap().stdout)
    }

    /// A notification as Amazon sends it.
    fn notification(&self, app: &TestApp, version: &str, message: &Value) -> Value {
        let moment = chrono::DateTime::from_timestamp_millis(app.app.clock.now().0).unwrap();
        let moment = moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let message = message.to_string();
        let id = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324";
        let text = format!(
            "Message\n{message}\nMessageId\n{id}\nTimestamp\n{moment}\nTopicArn\n{TOPIC}\nType\nNotification\n"
        );
        let digest = if version == "1" { "-sha1" } else { "-sha256" };
        json!({
            "Type": "Notification", "MessageId": id, "TopicArn": TOPIC, "Message": message, "Timestamp": moment,
            "SignatureVersion": version, "Signature": self.sign(digest, &text), "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        })
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn amazon_is_believed_by_its_certificate(backend: Backend) {
    let app = app_with(backend).await;
    let (id, _, push) = pushed(&app, "gone@example.net").await;
    let (_, message_id, second) = pushed(&app, "cross@example.net").await;
    let authority = Authority::new();
    app.app.certificates.keep(CERTIFICATE, &authority.certificate()).unwrap();
    assert!(app.app.certificates.keep("x", b"no certificate").is_err());
    const PATH: &str = "/hooks/mail/ses";
    let bounce = json!({
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "0102-a",
            "bouncedRecipients": [{
                "emailAddress": "gone@example.net", "action": "failed", "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }],
        },
        "mail": { "source": return_path::of(&app.app, id).unwrap(), "messageId": "0102-b", "destination": ["gone@example.net"] },
    });
    let good = authority.notification(&app, "2", &bounce);
    let changed = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let old =
        chrono::DateTime::from_timestamp_millis(app.app.clock.now().0).unwrap() - chrono::Duration::days(9);
    let mut refused = vec![
        changed("Message", json!(bounce.to_string().replace("gone@", "else@"))),
        changed("TopicArn", json!("arn:aws:sns:eu-west-1:123456789012:another")),
        changed("Timestamp", json!(old.to_rfc3339())),
        changed("SignatureVersion", json!("3")),
        changed("SignatureVersion", json!("1")),
        changed("Signature", json!("AAAA")),
        changed("Type", json!("SubscriptionConfirmation")),
    ];
    for address in [
        "https://evil.example/SimpleNotificationService-0123.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://s3.amazonaws.com/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://x@sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.exe",
        "not an address",
    ] {
        refused.push(changed("SigningCertURL", json!(address)));
    }
    for wrong in refused {
        post(&app, PATH, &wrong, "").await.assert_status(403);
    }
    app.work().await;
    assert_eq!(app.suppressed("gone@example.net").await, None);
    post(&app, PATH, &good, "").await.assert_status(200);
    post(&app, PATH, &good, "").await.assert_status(200);

    let complaint = json!({
        "eventType": "Complaint",
        "complaint": {
            "feedbackId": "0102-c", "complaintFeedbackType": "abuse",
            "complainedRecipients": [{ "emailAddress": "\"Cross\" <cross@example.net>" }],
        },
        "mail": { "source": "news@xiangxun.test", "commonHeaders": { "messageId": message_id } },
    });
    post(&app, PATH, &authority.notification(&app, "1", &complaint), "").await.assert_status(200);
    app.work().await;
    let row = app.deliveries(push).await.remove(0);
    assert_eq!(row.answer.as_deref(), Some("bounced: 550 5.1.1 user unknown"));
    assert!(app.suppressed("gone@example.net").await.is_some());
    let row = app.deliveries(second).await.remove(0);
    assert_eq!((row.state, row.answer.as_deref()), (DeliveryState::Delivered, Some("complaint: abuse")));
    assert_eq!(app.subscription(row.subscription_id.unwrap()).await.state, SubscriptionState::Ended);
    app.finish().await;
}

async fn a_service_that_is_not_set_up_is_not_found(backend: Backend) {
    let app = TestApp::start(backend).await;
    for service in ["ses", "mailgun", "postmark"] {
        post(&app, &format!("/hooks/mail/{service}"), &json!({}), "").await.assert_status(404);
    }
    app.finish().await;
}
