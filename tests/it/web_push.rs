//! Notifications by a stand-in push service, opened and checked by other people's code.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use xiangxun::db::entities::delivery::{self, Channel, DeliveryState};
use xiangxun::db::entities::{device, push_tally, user};
use xiangxun::page::Locale;
use xiangxun::subscriptions;

use crate::on_both_databases;
use crate::support::python::ask_python;
use crate::support::receiver::{Received, Receiver};
use crate::support::{Backend, TestApp};

on_both_databases! {
    a_push_is_shown_by_each_device_that_its_reader_has_turned_on
    pushes_that_come_close_together_are_shown_together
    what_was_read_meanwhile_is_not_shown
    a_reader_is_left_in_peace_in_the_quiet_hours_and_shown_all_at_once_after_them
    a_device_that_is_gone_is_forgotten_and_its_session_takes_it_along
    a_service_that_asks_for_it_is_left_alone_and_told_later
    only_real_devices_of_signed_in_readers_are_registered
}

/// Makes a browser's keys.
const MAKE: &str = r#"
import base64, json, os
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives import serialization as s
key = ec.generate_private_key(ec.SECP256R1())
b = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
point = key.public_key().public_bytes(s.Encoding.X962, s.PublicFormat.UncompressedPoint)
pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()
print(json.dumps({"pem": pem, "p256dh": b(point), "auth": b(os.urandom(16))}))
"#;

/// Opens a message as a browser does, and checks who sent it as a push service does.
const OPEN: &str = r#"
import base64, json, sys
import http_ece
from cryptography.hazmat.primitives import serialization as s
from py_vapid import Vapid02
asked = json.load(sys.stdin)
d = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
key = s.load_pem_private_key(asked["pem"].encode(), None)
text = http_ece.decrypt(d(asked["body"]), private_key=key, auth_secret=d(asked["auth"]), version="aes128gcm")
assert Vapid02.verify(asked["authorization"])
token = asked["authorization"].split("t=")[1].split(",")[0]
print(json.dumps({"text": json.loads(text), "claims": json.loads(d(token.split(".")[1])),
                  "k": asked["authorization"].split("k=")[1]}))
"#;

/// A browser: its keys and its place at the push service.
struct Browser {
    keys: Value,
    endpoint: String,
}

impl Browser {
    fn new(service: &Receiver, place: &str) -> Self {
        Self { keys: ask_python(MAKE, &Value::Null), endpoint: service.url(place) }
    }

    /// What a script would send after the reader has allowed it.
    fn registration(&self) -> Value {
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": { "p256dh": self.keys["p256dh"], "auth": self.keys["auth"] },
        })
    }

    fn open(&self, message: &Received) -> Value {
        ask_python(
            OPEN,
            &json!({
                "pem": self.keys["pem"],
                "auth": self.keys["auth"],
                "body": URL_SAFE_NO_PAD.encode(&message.body),
                "authorization": message.header("authorization"),
            }),
        )
    }
}

async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |config| config.fetch_allow_private = true).await
}

async fn register(app: &TestApp, registration: &Value) -> u16 {
    let request = app
        .request(Method::POST, "/settings/notifications")
        .header(header::ORIGIN, "http://xiangxun.test")
        .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(registration.to_string()));
    app.send(request.unwrap()).await.status.as_u16()
}

/// A signed-in reader who follows an account.
async fn reader(app: &TestApp, account_id: i64, email: &str) -> user::Model {
    let reader = app.user(email).await;
    subscriptions::subscribe(&app.app, &reader, account_id, None, Locale::ZhHans).await.unwrap();
    app.sign_out();
    app.sign_in(reader.id).await;
    reader
}

async fn devices(app: &TestApp) -> u64 {
    device::Entity::find().count(app.app.db.read()).await.unwrap()
}

async fn states(app: &TestApp, push_id: i64) -> Vec<(Channel, DeliveryState)> {
    let mut states: Vec<_> =
        app.deliveries(push_id).await.iter().map(|row| (row.channel, row.state)).collect();
    states.sort_by_key(|(channel, _)| channel.to_string());
    states
}

async fn a_push_is_shown_by_each_device_that_its_reader_has_turned_on(backend: Backend) {
    let app = start(backend).await;
    let (account, _) = app.account("times").await;
    let service = Receiver::start().await;
    service.answer_status(201);
    reader(&app, account.id, "without@example.org").await;
    let anna = reader(&app, account.id, "anna@example.org").await;
    let page = app.get("/settings/notifications").await.assert_status(200).text();
    let public = page.split("data-key=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (phone, laptop) = (Browser::new(&service, "/phone"), Browser::new(&service, "/laptop"));
    assert_eq!(register(&app, &phone.registration()).await, 204);
    assert_eq!(register(&app, &laptop.registration()).await, 204);
    assert_eq!(register(&app, &laptop.registration()).await, 204, "twice is once");
    assert_eq!(devices(&app).await, 2);
    assert!(app.get("/settings/notifications").await.text().contains("Chrome · Linux"));
    // An address that takes no mail is no reason not to notify.
    xiangxun::delivery::suppress(app.app.db.write(), app.app.clock.now(), &anna.email, "550").await.unwrap();
    let article = app.published(account.id, "头条 & 新闻").await;
    let push = app.push(account.id, &[&article]).await;
    app.work().await;
    let mut messages = service.take();
    assert_eq!(messages.len(), 2);
    messages.sort_by_key(|message| message.path.clone());
    for (message, browser) in messages.iter().zip([&laptop, &phone]) {
        assert_eq!(message.header("content-encoding"), "aes128gcm");
        assert_eq!((message.header("ttl"), message.header("topic")), ("86400", "inbox"));
        let opened = browser.open(message);
        let shown = &opened["text"];
        assert_eq!((&shown["title"], &shown["body"]), (&json!("times 日报"), &json!("头条 & 新闻")));
        assert_eq!(shown["unread"], 1);
        let url = shown["url"].as_str().unwrap();
        assert!(url.starts_with("http://xiangxun.test/inbox/"), "{url}");
        assert_eq!(opened["claims"]["aud"], service.address.as_str());
        let expires = opened["claims"]["exp"].as_i64().unwrap() * 1_000 - app.app.clock.now().0;
        assert!((0..86_400_000).contains(&expires));
        assert!(opened["claims"]["sub"].as_str().unwrap().starts_with("mailto:"));
        assert_eq!(opened["k"], public.as_str(), "the key that the page gave the browser");
        // Only the browser that it is for can read it.
        assert!(
            std::panic::catch_unwind(
                || (if message.path == "/phone" { &laptop } else { &phone }).open(message)
            )
            .is_err()
        );
    }
    use DeliveryState::{Delivered, Suppressed};
    let (mail, notice) = (Channel::Email, Channel::WebPush);
    assert_eq!(states(&app, push).await, [(mail, Delivered), (mail, Suppressed), (notice, Delivered)]);
    let tallies = push_tally::Entity::find().all(app.app.db.read()).await.unwrap();
    let tally = tallies.iter().find(|tally| tally.channel == notice).unwrap();
    assert_eq!((tally.waiting, tally.delivered, tally.provider.to_string().as_str()), (0, 1, "web_push"));
    app.finish().await;
}

async fn pushes_that_come_close_together_are_shown_together(backend: Backend) {
    let app = start(backend).await;
    let service = Receiver::start().await;
    service.answer_status(201);
    let (times, _) = app.account("times").await;
    let (herald, _) = app.account("herald").await;
    let anna = reader(&app, times.id, "anna@example.org").await;
    subscriptions::subscribe(&app.app, &anna, herald.id, None, Locale::ZhHans).await.unwrap();
    let phone = Browser::new(&service, "/phone");
    register(&app, &phone.registration()).await;
    let mut pushes = Vec::new();
    for (account, title) in [(&times, "甲"), (&herald, "乙"), (&times, "丙")] {
        let article = app.published(account.id, title).await;
        pushes.push(app.push(account.id, &[&article]).await);
        app.work().await;
        app.app.clock.advance(Duration::from_secs(5));
    }
    assert_eq!(phone.open(&service.take_one())["text"]["body"], "甲", "the first at once");
    app.app.clock.advance(Duration::from_secs(61));
    app.work().await;
    let shown = phone.open(&service.take_one());
    assert_eq!(shown["text"]["title"], "2 条新消息");
    assert_eq!(shown["text"]["body"], "times 日报: 丙\nherald 日报: 乙");
    for push in pushes {
        let rows = app.deliveries(push).await;
        assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered), "{rows:?}");
    }
    app.finish().await;
}

async fn what_was_read_meanwhile_is_not_shown(backend: Backend) {
    let app = start(backend).await;
    let service = Receiver::start().await;
    service.answer_status(503);
    let (times, _) = app.account("times").await;
    let anna = reader(&app, times.id, "anna@example.org").await;
    let phone = Browser::new(&service, "/phone");
    register(&app, &phone.registration()).await;
    let article = app.published(times.id, "甲").await;
    let push = app.push(times.id, &[&article]).await;
    app.work().await;
    assert_eq!(service.take().len(), 1);
    xiangxun::inbox::mark_read(&app.app, anna.id, i64::MAX).await.unwrap();
    service.answer_status(201);
    app.app.clock.advance(Duration::from_secs(120));
    app.work().await;
    assert!(service.take().is_empty());
    let rows = app.deliveries(push).await;
    let notice = rows.iter().find(|row| row.channel == Channel::WebPush).unwrap();
    assert_eq!(notice.state, DeliveryState::Suppressed);
    app.finish().await;
}

async fn a_reader_is_left_in_peace_in_the_quiet_hours_and_shown_all_at_once_after_them(backend: Backend) {
    let zone = chrono_tz::Tz::Asia__Shanghai;
    let app = start(backend).await;
    let service = Receiver::start().await;
    service.answer_status(201);
    let (times, _) = app.account("times").await;
    reader(&app, times.id, "anna@example.org").await;
    let phone = Browser::new(&service, "/phone");
    register(&app, &phone.registration()).await;
    crate::digests_hours::set_quiet(&app, "anna@example.org", 22, 7).await;
    crate::alerts::advance_to(&app, zone, 23, 30);
    for title in ["甲", "乙"] {
        let article = app.published(times.id, title).await;
        app.push(times.id, &[&article]).await;
        app.work().await;
    }
    crate::alerts::advance_to(&app, zone, 6, 59);
    app.work().await;
    assert!(service.take().is_empty());
    crate::alerts::advance_to(&app, zone, 7, 0);
    app.work().await;
    assert_eq!(phone.open(&service.take_one())["text"]["title"], "2 条新消息");
    app.finish().await;
}

async fn a_device_that_is_gone_is_forgotten_and_its_session_takes_it_along(backend: Backend) {
    let app = start(backend).await;
    let service = Receiver::start().await;
    let (times, _) = app.account("times").await;
    reader(&app, times.id, "anna@example.org").await;
    for (status, left) in [(404, 0), (410, 0), (400, 1)] {
        service.answer_status(status);
        let phone = Browser::new(&service, &format!("/{status}"));
        register(&app, &phone.registration()).await;
        let article = app.published(times.id, "甲").await;
        let push = app.push(times.id, &[&article]).await;
        app.work().await;
        assert_eq!(service.take().len(), 1);
        assert_eq!(devices(&app).await, left, "{status}");
        let rows = app.deliveries(push).await;
        let notice = rows.iter().find(|row| row.channel == Channel::WebPush).unwrap();
        assert_eq!(notice.state, DeliveryState::Failed);
        app.app.clock.advance(Duration::from_secs(120));
    }
    app.post("/sign-out", &[]).await;
    assert_eq!(devices(&app).await, 0, "who has signed out is not told here");
    let article = app.published(times.id, "乙").await;
    let push = app.push(times.id, &[&article]).await;
    app.work().await;
    assert!(app.deliveries(push).await.iter().all(|row| row.channel == Channel::Email));
    app.finish().await;
}

async fn a_service_that_asks_for_it_is_left_alone_and_told_later(backend: Backend) {
    let app = start(backend).await;
    let service = Receiver::start().await;
    service.answer_status(429);
    let (times, _) = app.account("times").await;
    for name in ["anna", "bert"] {
        reader(&app, times.id, &format!("{name}@example.org")).await;
        let browser = Browser::new(&service, &format!("/{name}"));
        register(&app, &browser.registration()).await;
    }
    let article = app.published(times.id, "甲").await;
    let push = app.push(times.id, &[&article]).await;
    app.work().await;
    let first = service.take().len();
    app.app.clock.advance(Duration::from_secs(10));
    let article = app.published(times.id, "乙").await;
    app.push(times.id, &[&article]).await;
    app.work().await;
    assert!(first >= 1 && service.take().is_empty(), "left alone");
    service.answer_status(201);
    app.app.clock.advance(Duration::from_secs(600));
    app.work().await;
    assert_eq!(service.take().len(), 2, "one for each reader");
    let rows = delivery::Entity::find().all(app.app.db.read()).await.unwrap();
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered), "{rows:?}");
    assert_eq!(app.push_state(push).await, xiangxun::db::entities::push::PushState::Sent);
    app.finish().await;
}

async fn only_real_devices_of_signed_in_readers_are_registered(backend: Backend) {
    let app = TestApp::start(backend).await;
    let (times, _) = app.account("times").await;
    let good = json!({
        "endpoint": "https://push.example/send/1",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    });
    assert_eq!(register(&app, &good).await, 303, "to sign in");
    let anna = reader(&app, times.id, "anna@example.org").await;
    for (pointer, wrong) in [
        ("/endpoint", "http://push.example/send/1"),
        ("/endpoint", "https://10.0.0.1/send/1"),
        ("/endpoint", "https://localhost/send/1"),
        ("/endpoint", "https://push.example:22/send/1"),
        ("/endpoint", "javascript:alert(1)"),
        ("/keys/p256dh", "BCVx"),
        ("/keys/auth", "BTBZ"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = json!(wrong);
        assert_eq!(register(&app, &bad).await, 422, "{wrong}");
    }
    assert_eq!(register(&app, &json!({ "endpoint": 1 })).await, 422);
    let other =
        app.request(Method::POST, "/settings/notifications").header(header::ORIGIN, "https://evil.example");
    let other = other.header(header::CONTENT_TYPE, "application/json").body(Body::from(good.to_string()));
    app.send(other.unwrap()).await.assert_status(403);
    assert_eq!(devices(&app).await, 0);
    for n in 0..25 {
        let mut one = good.clone();
        one["endpoint"] = json!(format!("https://push.example/send/{n}"));
        assert_eq!(register(&app, &one).await, 204);
    }
    assert_eq!(devices(&app).await, 20, "the oldest make room");
    let row = device::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
    reader(&app, times.id, "bert@example.org").await;
    app.post(&format!("/settings/notifications/{}/remove", row.id), &[]).await.assert_status(404);
    app.sign_out();
    app.sign_in(anna.id).await;
    app.post(&format!("/settings/notifications/{}/remove", row.id), &[]).await.assert_status(303);
    assert_eq!(devices(&app).await, 19);
    let worker = app.get("/worker.js").await.assert_status(200);
    assert!(
        worker.header("content-type").starts_with("text/javascript")
            && worker.text().contains("showNotification")
    );
    app.finish().await;
}

/// What stands in for the browser's own push service, which is not to be reached here: everything else is Chromium's.
const SUBSCRIBE: &str = r#"
PushManager.prototype.subscribe = async function (options) {
  const registration = REGISTRATION;
  return { options, endpoint: registration.endpoint, toJSON: () => registration };
};
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_are_turned_on_by_a_click_and_shown_in_a_browser() {
    let app = start(Backend::Sqlite).await;
    let (times, _) = app.account("times").await;
    let service = Receiver::start().await;
    service.answer_status(201);
    let phone = Browser::new(&service, "/phone");
    let anna = reader(&app, times.id, "anna@example.org").await;
    let origin = app.listen().await;

    let chromium = crate::support::browser::Browser::open(500, 900).await;
    let cdp = async |command: &str, params: Value| chromium.tell(command, params).await;
    chromium.visit(&origin).await;
    chromium.sign_in(&app, anna.id).await;
    let script = SUBSCRIBE.replace("REGISTRATION", &phone.registration().to_string());
    cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    let granted = json!({ "origin": origin, "permissions": ["notifications"] });
    cdp("Browser.grantPermissions", granted).await;

    chromium.visit(&format!("{origin}/settings/notifications")).await;
    chromium.see("点击之后").await;
    assert_eq!(devices(&app).await, 0, "nothing without a click");
    chromium.click("#notify button").await;
    chromium.see("会收到通知的浏览器").await;
    assert_eq!(devices(&app).await, 1);

    let article = app.published(times.id, "头条").await;
    app.push(times.id, &[&article]).await;
    app.work().await;
    let shown = phone.open(&service.take_one())["text"].clone();
    cdp("ServiceWorker.enable", json!({})).await;
    let message = json!({ "origin": format!("{origin}/"), "registrationId": "0", "data": shown.to_string() });
    let look = "const done = arguments[0]; navigator.serviceWorker.ready.then((worker) => worker.getNotifications()) \
        .then((all) => done(all.map((one) => [one.title, one.body, one.tag, one.data.url])));";
    let mut notifications = Value::Null;
    for _ in 0..50 {
        // What comes before the worker is active is lost; shown twice, the second takes the first one's place.
        cdp("ServiceWorker.deliverPushMessage", message.clone()).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        notifications = chromium.window.execute_async(look, Vec::new()).await.unwrap().json().clone();
        if notifications.as_array().is_some_and(|all| !all.is_empty()) {
            break;
        }
    }
    assert_eq!(notifications, json!([["times 日报", "头条", "inbox", shown["url"]]]));
    // A newer one takes its place.
    let newer =
        json!({ "title": "2 条新消息", "body": "甲", "url": shown["url"], "lang": "zh-Hans", "unread": 2 });
    let message = json!({ "origin": format!("{origin}/"), "registrationId": "0", "data": newer.to_string() });
    cdp("ServiceWorker.deliverPushMessage", message).await;
    let mut now = Value::Null;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        now = chromium.window.execute_async(look, Vec::new()).await.unwrap().json().clone();
        if now[0][0] == "2 条新消息" {
            break;
        }
    }
    assert_eq!(now.as_array().map(Vec::len), Some(1), "{now}");
    assert_eq!(now[0][0], "2 条新消息");
    chromium.close().await;
    app.finish().await;
}
