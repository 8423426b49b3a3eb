//! Webhooks, with somebody else's server, and somebody else's code that checks their signatures.

use std::time::Duration;

use axum::http::Method;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use xiangxun::auth::Scope;
use xiangxun::auth::api_tokens;
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::webhook::{self, WebhookState};
use xiangxun::db::entities::{subscription, webhook_attempt, webhook_message};
use xiangxun::{jobs, subscriptions};

use crate::on_both_databases;
use crate::support::python::ask_python;
use crate::support::receiver::{Received, Receiver};
use crate::support::{Backend, TestApp};

on_both_databases! {
    a_published_article_is_told_signed_as_the_standards_own_library_checks_it
    a_push_and_subscriptions_are_told_without_any_readers_address
    a_telegram_bot_and_ntfy_are_told_in_their_own_words
    what_is_not_taken_is_tried_again_with_growing_pauses_and_can_be_sent_again
    one_that_stays_broken_is_switched_off_and_its_owner_told
    only_owners_manage_webhooks_and_bad_ones_are_refused
    the_api_does_what_the_studio_does
}

async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |config| config.fetch_allow_private = true).await
}

const ALL: [&str; 5] = [
    "article.published",
    "push.sent",
    "subscription.created",
    "subscription.confirmed",
    "subscription.cancelled",
];

/// Adds one in the studio; returns its id and secret.
async fn add(app: &TestApp, form: &str, url: &str, target: &str, kinds: &[&str]) -> (i64, String) {
    let mut fields = vec![("form", form), ("url", url), ("target", target)];
    fields.extend(kinds.iter().map(|kind| ("kinds", *kind)));
    let answer = app.post("/studio/@times/webhooks", &fields).await;
    let row = webhook::Entity::find().order_by_desc(webhook::COLUMN.id).one(app.app.db.read()).await.unwrap();
    let row = row.unwrap_or_else(|| panic!("{}", answer.text()));
    if form == "standard" {
        let page = answer.assert_status(200).text();
        assert!(page.contains(&row.secret), "shown once");
        let again = app.get(&format!("/studio/@times/webhooks/{}", row.id)).await.assert_status(200).text();
        assert!(!again.contains("whsec_"), "and never again");
    } else {
        answer.assert_status(303);
    }
    (row.id, row.secret)
}

const VERIFY: &str = r#"
import json, sys
from standardwebhooks import Webhook
asked = json.load(sys.stdin)
payload = Webhook(asked["secret"]).verify(asked["body"], asked["headers"])
print(json.dumps(payload))
"#;

/// The message as its receiver's library gives it out, if it believes it.
fn verified(message: &Received, secret: &str) -> Value {
    let header = |name: &str| (name.to_owned(), json!(message.header(name)));
    let headers: serde_json::Map<String, Value> =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(header).into_iter().collect();
    ask_python(VERIFY, &json!({ "secret": secret, "body": message.text(), "headers": headers }))
}

async fn row(app: &TestApp, id: i64) -> webhook::Model {
    webhook::Entity::find_by_id(id).one(app.app.db.read()).await.unwrap().unwrap()
}

async fn a_published_article_is_told_signed_as_the_standards_own_library_checks_it(backend: Backend) {
    let app = start(backend).await;
    let (_, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    let receiver = Receiver::start().await;
    let (id, secret) = add(&app, "standard", &receiver.url("/hook?x=1"), "", &["article.published"]).await;
    app.publish_new("times", "头条 & <新闻>", "正文").await;
    app.work().await;
    let message = receiver.take_one();
    assert_eq!((message.path.as_str(), message.param("x")), ("/hook", "1"));
    assert_eq!(message.header("content-type"), "application/json");
    let told = verified(&message, &secret);
    assert_eq!(told["type"], "article.published");
    assert_eq!(told["data"]["article"]["title"], "头条 & <新闻>");
    let url = told["data"]["article"]["url"].as_str().unwrap();
    assert!(url.starts_with("http://xiangxun.test/@times/"), "{url}");
    assert_eq!(told["data"]["account"]["handle"], "times");
    // The test button; another secret makes the old one worthless.
    app.post(&format!("/studio/@times/webhooks/{id}/test"), &[]).await.assert_status(303);
    app.work().await;
    assert_eq!(verified(&receiver.take_one(), &secret)["type"], "test");
    let page = app.post(&format!("/studio/@times/webhooks/{id}/secret"), &[]).await.assert_status(200).text();
    let renewed = row(&app, id).await.secret;
    assert!(renewed != secret && page.contains(&renewed));
    app.post(&format!("/studio/@times/webhooks/{id}/test"), &[]).await.assert_status(303);
    app.work().await;
    verified(&receiver.take_one(), &renewed);
    // What it was not asked to be told, and what happens elsewhere, is not told.
    let (other, _) = app.account("other").await;
    app.sign_in_as(other.id, Role::Editor).await;
    app.publish_new("other", "别处", "正文").await;
    app.post("/@times/subscribe", &[]).await;
    app.work().await;
    assert!(receiver.take().is_empty());
    app.finish().await;
}

async fn a_push_and_subscriptions_are_told_without_any_readers_address(backend: Backend) {
    let app = start(backend).await;
    let (account, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    let receiver = Receiver::start().await;
    let (_, secret) = add(&app, "standard", &receiver.url("/"), "", &ALL).await;
    app.sign_out();
    let told = async || {
        app.work().await;
        receiver.take().iter().map(|message| verified(message, &secret)).collect::<Vec<_>>()
    };
    app.post("/@times/subscribe", &[("email", "reader@secret.example")]).await.assert_status(303);
    app.post("/@times/subscribe", &[("email", "reader@secret.example")]).await.assert_status(303);
    let created = told().await;
    assert_eq!(created.len(), 1, "{created:?}");
    assert_eq!(created[0]["type"], "subscription.created");
    let letter = app.take_letters().remove(0);
    let at = letter.text.find("/s/").unwrap();
    let link = letter.text[at..].split_whitespace().next().unwrap().to_owned();
    app.post(&link, &[]).await;
    let confirmed = told().await;
    assert_eq!(confirmed[0]["type"], "subscription.confirmed", "{link}");
    assert_eq!(confirmed[0]["data"]["subscription"]["id"], created[0]["data"]["subscription"]["id"]);

    app.subscriber(account.id, "other@secret.example").await;
    let article = app.published(account.id, "头条").await;
    app.push(account.id, &[&article]).await;
    app.work().await;
    let sent = told().await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["type"], "push.sent");
    assert_eq!(sent[0]["data"]["push"]["delivered"], 2);
    assert_eq!(sent[0]["data"]["push"]["articles"][0]["title"], "头条");

    let rows = subscription::Entity::find().filter(subscription::COLUMN.email.eq("reader@secret.example"));
    let row = rows.one(app.app.db.read()).await.unwrap().unwrap();
    subscriptions::change(&app.app, row.id, subscriptions::Change::Leave).await.unwrap();
    let left = told().await;
    assert_eq!(left[0]["type"], "subscription.cancelled");
    assert_eq!(left[0]["data"]["subscription"]["id"], created[0]["data"]["subscription"]["id"]);
    for message in created.iter().chain(&confirmed).chain(&sent).chain(&left) {
        let text = message.to_string();
        assert!(!text.contains("secret.example") && !text.contains("reader@"), "{text}");
    }
    app.finish().await;
}

async fn a_telegram_bot_and_ntfy_are_told_in_their_own_words(backend: Backend) {
    let app = start(backend).await;
    let (_, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    let receiver = Receiver::start().await;
    let url = receiver.url("/bot123:geheim/sendMessage");
    add(&app, "telegram", &url, "-100200300", &["article.published"]).await;
    let url = receiver.url("/");
    let fields = [
        ("form", "ntfy"),
        ("url", url.as_str()),
        ("target", "xiangxun"),
        ("token", "tk_1"),
        ("kinds", "article.published"),
    ];
    app.post("/studio/@times/webhooks", &fields).await.assert_status(303);
    for page in ["/studio/@times/webhooks", "/studio/@times/webhooks/1"] {
        let page = app.get(page).await.assert_status(200).text();
        assert!(!page.contains("geheim") && !page.contains("tk_1"), "a bot's address is its key");
    }
    app.publish_new("times", "头条 <b>&", "正文在这里").await;
    app.work().await;
    let mut messages = receiver.take();
    messages.sort_by_key(|message| message.path.len());
    let [ntfy, telegram] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(telegram.path, "/bot123:geheim/sendMessage");
    let told = telegram.json();
    assert_eq!((&told["chat_id"], &told["parse_mode"]), (&json!(-100_200_300), &json!("HTML")));
    let text = told["text"].as_str().unwrap();
    assert!(text.starts_with("<b>头条 &lt;b&gt;&amp;</b>\n"), "{text}");
    assert!(text.contains("<a href=\"http://xiangxun.test/@times/"), "{text}");
    assert_eq!(ntfy.header("authorization"), "Bearer tk_1");
    let told = ntfy.json();
    assert_eq!((&told["topic"], &told["title"]), (&json!("xiangxun"), &json!("头条 <b>&")));
    assert!(told["click"].as_str().unwrap().starts_with("http://xiangxun.test/@times/"));
    assert!(!told["message"].as_str().unwrap().is_empty());
    app.finish().await;
}

async fn what_is_not_taken_is_tried_again_with_growing_pauses_and_can_be_sent_again(backend: Backend) {
    let app = start(backend).await;
    let (_, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    let receiver = Receiver::start().await;
    let (id, secret) = add(&app, "standard", &receiver.url("/"), "", &["article.published"]).await;
    receiver.answer_status(500);
    app.publish_new("times", "头条", "正文").await;
    let mut first = None;
    for pause in [5, 5 * 60, 30 * 60] {
        app.work().await;
        let message = receiver.take_one();
        let body = first.get_or_insert_with(|| (message.header("webhook-id").to_owned(), message.text()));
        assert_eq!(
            (message.header("webhook-id"), message.text()),
            (body.0.as_str(), body.1.clone()),
            "the same message"
        );
        app.app.clock.advance(Duration::from_secs(pause - 2));
        app.work().await;
        assert!(receiver.take().is_empty(), "not before its time");
        app.app.clock.advance(Duration::from_secs(3));
    }
    let page = app.get(&format!("/studio/@times/webhooks/{id}")).await.assert_status(200).text();
    assert_eq!(page.matches("says 500").count(), 3 + 1, "each attempt, and the last answer: {page}");
    let list = app.get("/studio/@times/webhooks").await.assert_status(200).text();
    assert!(!page.contains('⟦') && !list.contains('⟦') && list.contains("发送失败"), "{page}\n{list}");
    // An owner who mended it does not have to wait.
    receiver.answer_status(204);
    let message = webhook_message::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
    app.post(&format!("/studio/@times/webhooks/{id}/messages/{}/again", message.id), &[])
        .await
        .assert_status(303);
    app.work().await;
    assert_eq!(receiver.take_one().header("webhook-id"), message.name);
    assert_eq!(row(&app, id).await.failing_since, None);
    // What was taken can be sent again too: a receiver may have lost it. It is the same message.
    app.post(&format!("/studio/@times/webhooks/{id}/messages/{}/again", message.id), &[])
        .await
        .assert_status(303);
    app.work().await;
    let again = receiver.take_one();
    assert_eq!(again.header("webhook-id"), message.name);
    assert_eq!(again.text(), first.unwrap().1);
    let _ = secret;
    app.app.clock.advance(Duration::from_secs(31 * 86_400));
    jobs::upkeep::run_once(&app.app).await.unwrap();
    assert_eq!(webhook_attempt::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    app.finish().await;
}

async fn one_that_stays_broken_is_switched_off_and_its_owner_told(backend: Backend) {
    let app = start(backend).await;
    let (_, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    let receiver = Receiver::start().await;
    let (id, _) = add(&app, "standard", &receiver.url("/"), "", &["article.published"]).await;
    receiver.answer_status(500);
    app.publish_new("times", "头条", "正文").await;
    for _ in 0..40 {
        app.work().await;
        app.app.clock.advance(Duration::from_secs(3 * 60 * 60));
    }
    assert_eq!(receiver.take().len(), 10);
    assert_eq!(row(&app, id).await.state, WebhookState::Broken);
    let letters = app.take_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, owner.email);
    assert!(letters[0].text.contains(&format!("/studio/@times/webhooks/{id}")), "{}", letters[0].text);
    assert!(letters[0].text.contains("says 500"));
    app.publish_new("times", "没人听", "正文").await;
    app.work().await;
    assert!(receiver.take().is_empty());
    app.post(&format!("/studio/@times/webhooks/{id}/test"), &[]).await.assert_status(409);
    // On again.
    receiver.answer_status(200);
    app.post(&format!("/studio/@times/webhooks/{id}/resume"), &[]).await.assert_status(303);
    app.publish_new("times", "又有人听", "正文").await;
    app.work().await;
    assert_eq!(receiver.take().len(), 1);
    // Who says that it is gone is believed at once.
    receiver.answer_status(410);
    app.publish_new("times", "最后一条", "正文").await;
    app.work().await;
    assert_eq!(row(&app, id).await.state, WebhookState::Broken);
    app.finish().await;
}

async fn only_owners_manage_webhooks_and_bad_ones_are_refused(backend: Backend) {
    let app = TestApp::start(backend).await;
    let (account, owner) = app.account("times").await;
    for role in [Role::Editor, Role::Author, Role::Analyst] {
        app.sign_in_as(account.id, role).await;
        app.get("/studio/@times/webhooks").await.assert_status(403);
        let fields = [("url", "https://hook.example/"), ("kinds", "push.sent")];
        app.post("/studio/@times/webhooks", &fields).await.assert_status(403);
        assert!(!app.get("/studio/@times").await.text().contains("/webhooks\""));
    }
    app.sign_out();
    app.sign_in(owner.id).await;
    assert!(app.get("/studio/@times").await.text().contains("/studio/@times/webhooks\""));
    let page = app.get("/studio/@times/webhooks").await.assert_status(200).text();
    for kind in ALL {
        assert!(page.contains(&format!("name=\"kinds\" value=\"{kind}\"")), "{kind}: {page}");
    }
    for (form, url, target, kind) in [
        ("standard", "", "", "push.sent"),
        ("standard", "ftp://hook.example/", "", "push.sent"),
        ("standard", "http://127.0.0.1/", "", "push.sent"),
        ("standard", "http://169.254.169.254/latest", "", "push.sent"),
        ("standard", "https://hook.example/", "", "reader.read"),
        ("telegram", "https://api.telegram.org/bot1:x/sendMessage", "", "push.sent"),
        ("ntfy", "https://ntfy.sh/", " ", "push.sent"),
        ("ntfy", "https://ntfy.sh/", "a\u{1}b", "push.sent"),
    ] {
        let fields = [("form", form), ("url", url), ("target", target), ("kinds", kind)];
        let page = app.post("/studio/@times/webhooks", &fields).await.assert_status(422).text();
        assert!(page.contains("class=\"error\""), "{url}");
    }
    assert_eq!(webhook::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    for n in 0..11 {
        let url = format!("https://hook.example/{n}");
        let answer =
            app.post("/studio/@times/webhooks", &[("url", url.as_str()), ("kinds", "push.sent")]).await;
        answer.assert_status(if n < 10 { 200 } else { 409 });
    }
    app.finish().await;
}

async fn the_api_does_what_the_studio_does(backend: Backend) {
    let app = start(backend).await;
    let (_, owner) = app.account("times").await;
    let stranger = app.user("stranger@example.org").await;
    let token = async |user| {
        api_tokens::create(&app.app, user, "t", &[Scope::AccountsRead, Scope::AccountsWrite]).await.unwrap()
    };
    let (token, strange) = (token(owner.id).await, token(stranger.id).await);
    let receiver = Receiver::start().await;
    let path = "/api/v1/accounts/times/webhooks";
    let new = json!({ "url": receiver.url("/"), "events": ["article.published", "push.sent"] });
    app.api(Method::POST, path, &strange, &[], new.clone()).await.assert_status(403);
    let made = app.api(Method::POST, path, &token, &[], new).await.assert_status(201).json();
    let (id, secret) = (made["id"].as_i64().unwrap(), made["secret"].as_str().unwrap().to_owned());
    let listed = app.api(Method::GET, path, &token, &[], Value::Null).await.assert_status(200).json();
    assert_eq!(listed["items"][0]["events"], json!(["article.published", "push.sent"]));
    assert!(listed["items"][0].get("secret").is_none());
    let one = format!("/api/v1/webhooks/{id}");
    app.api(Method::POST, &format!("{one}/test"), &token, &[], Value::Null).await.assert_status(202);
    app.work().await;
    assert_eq!(verified(&receiver.take_one(), &secret)["type"], "test");
    app.api(Method::PATCH, &one, &strange, &[], json!({ "active": false })).await.assert_status(404);
    let changed =
        app.api(Method::PATCH, &one, &token, &[], json!({ "active": false, "events": ["push.sent"] })).await;
    assert_eq!(changed.assert_status(200).json()["state"], "paused");
    app.api(Method::POST, &format!("{one}/test"), &token, &[], Value::Null).await.assert_status(409);
    app.api(Method::PATCH, &one, &token, &[], json!({ "events": [] })).await.assert_status(422);
    app.api(Method::DELETE, &one, &strange, &[], Value::Null).await.assert_status(404);
    app.api(Method::DELETE, &one, &token, &[], Value::Null).await.assert_status(204);
    app.api(Method::DELETE, &one, &token, &[], Value::Null).await.assert_status(404);
    app.finish().await;
}
