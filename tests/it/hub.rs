//! The hub, and a subscriber with a server of its own.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{EntityTrait, PaginatorTrait, QuerySelect};
use sha2::Sha256;
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::{account, hub_lease, hub_request};
use xiangxun::jobs;
use xiangxun::outbox::{self, Event};

use crate::on_both_databases;
use crate::support::app::Answer;
use crate::support::belongings::run;
use crate::support::receiver::{Received, Receiver};
use crate::support::{Backend, TestApp};

on_both_databases! {
    a_feed_names_its_hub_and_a_subscriber_is_told_of_what_is_published_revised_and_withdrawn
    only_a_callback_that_repeats_the_challenge_gets_a_lease_or_loses_it
    a_lease_is_renewed_and_ends
    who_lets_a_lease_end_begins_anew
    a_lease_is_given_beside_a_change_of_its_account
    whoever_renews_is_told_of_what_waited
    a_callback_that_was_asked_and_finds_no_room_is_told_so
    what_could_not_be_told_is_told_at_once_when_the_callback_is_back
    a_callback_that_is_gone_is_dropped
    wishes_for_other_topics_and_private_callbacks_are_refused
    a_subscriber_of_the_sites_feed_is_told_of_every_account
    hubs_elsewhere_are_told_which_feeds_changed
    a_renamed_account_tells_its_feed_whole
}

const TOPIC: &str = "http://xiangxun.test/@times/feed.atom";
const SECRET: &str = "不可告人";

pub async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |config| config.fetch_allow_private = true).await
}

/// With an account whose editor is signed in, and a server that may subscribe.
async fn newsroom(backend: Backend) -> (TestApp, Receiver) {
    let app = start(backend).await;
    let (account, _) = app.account("times").await;
    app.sign_in_as(account.id, Role::Editor).await;
    (app, Receiver::start().await)
}

pub async fn ask(app: &TestApp, mode: &str, topic: &str, callback: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("hub.mode", mode), ("hub.topic", topic), ("hub.callback", callback)];
    fields.extend(more);
    app.post("/hub", &fields).await
}

/// Subscribes and takes the challenge away.
pub async fn subscribe(app: &TestApp, receiver: &Receiver, topic: &str) {
    ask(app, "subscribe", topic, &receiver.url("/callback?id=7"), &[("hub.secret", SECRET)])
        .await
        .assert_status(202);
    app.work().await;
    receiver.take_one();
}

pub async fn leases(app: &TestApp) -> Vec<hub_lease::Model> {
    hub_lease::Entity::find().all(app.app.db.read()).await.unwrap()
}

pub fn is_signed(message: &Received) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&message.body);
    message.header("x-hub-signature") == format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

pub fn titles(message: &Received) -> Vec<String> {
    let feed =
        feed_rs::parser::parse(&message.body[..]).unwrap_or_else(|why| panic!("{why}\n{}", message.text()));
    feed.entries.into_iter().map(|entry| entry.title.unwrap().content).collect()
}

async fn a_feed_names_its_hub_and_a_subscriber_is_told_of_what_is_published_revised_and_withdrawn(
    backend: Backend,
) {
    let app = start(backend).await;
    let (account, _) = app.account("times").await;
    app.sign_in_as(account.id, Role::Editor).await;
    app.publish_new("times", "早先的文章", "旧").await;
    let receiver = Receiver::start().await;
    // What a reader of the feed finds.
    for (file, in_feed) in [
        ("feed.atom", "<link rel=\"hub\" href=\"http://xiangxun.test/hub\"/>"),
        ("feed.rss", "<atom:link rel=\"hub\" href=\"http://xiangxun.test/hub\"/>"),
        ("feed.json", "\"hubs\":[{\"type\":\"WebSub\",\"url\":\"http://xiangxun.test/hub\"}]"),
    ] {
        let feed = app.get(&format!("/@times/{file}")).await.assert_status(200);
        let links: Vec<_> = feed.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
        let itself = format!("<http://xiangxun.test/@times/{file}>; rel=\"self\"");
        assert_eq!(links, ["<http://xiangxun.test/hub>; rel=\"hub\"", itself.as_str()]);
        assert!(feed.text().contains(in_feed), "{}", feed.text());
    }
    let answer = ask(
        &app,
        "subscribe",
        TOPIC,
        &receiver.url("/callback?id=7"),
        &[("hub.secret", SECRET), ("hub.lease_seconds", "86400")],
    )
    .await;
    answer.assert_status(202);
    assert!(leases(&app).await.is_empty(), "nothing before the callback has said so");
    app.work().await;
    let asked = receiver.take_one();
    assert_eq!(
        (asked.path.as_str(), asked.param("id"), asked.param("hub.mode")),
        ("/callback", "7", "subscribe")
    );
    assert_eq!((asked.param("hub.topic"), asked.param("hub.lease_seconds")), (TOPIC, "86400"));
    assert!(asked.param("hub.challenge").len() >= 32);
    // Nothing that was there before is told.
    app.work().await;
    assert!(receiver.take().is_empty());

    let id = app.publish_new("times", "新的文章 & 消息", "正文在这里").await;
    app.work().await;
    let told = receiver.take_one();
    assert_eq!((told.method.as_str(), told.param("id")), ("POST", "7"));
    assert_eq!(told.header("content-type"), "application/atom+xml; charset=utf-8");
    let links: Vec<_> = told.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    assert_eq!(links, ["<http://xiangxun.test/hub>; rel=\"hub\"", &format!("<{TOPIC}>; rel=\"self\"")]);
    assert!(is_signed(&told));
    assert_eq!(titles(&told), ["新的文章 & 消息"]);
    assert!(told.text().contains("正文在这里"));

    let article = app.article(id).await;
    let form = [
        ("title", "改过的文章"),
        ("body", "正文"),
        ("lang", "zh-Hans"),
        ("version", &article.version.to_string()),
    ];
    app.post(&format!("/studio/@times/articles/{id}"), &form).await.assert_status(303);
    app.work().await;
    let told = receiver.take_one();
    assert!(is_signed(&told) && titles(&told) == ["改过的文章"], "{}", told.text());

    app.post(&format!("/studio/@times/articles/{id}/withdraw"), &[("reason", "有误")])
        .await
        .assert_status(303);
    app.work().await;
    let told = receiver.take_one();
    assert!(is_signed(&told) && titles(&told).is_empty());
    let feed = app.get("/@times/feed.atom").await.text();
    assert!(told.text().contains("<at:deleted-entry ref=\"tag:xiangxun.test,"), "{}", told.text());
    assert!(!feed.contains("at:deleted-entry"));

    ask(&app, "unsubscribe", TOPIC, &receiver.url("/callback?id=7"), &[]).await.assert_status(202);
    app.work().await;
    assert_eq!(receiver.take_one().param("hub.mode"), "unsubscribe");
    app.publish_new("times", "没人听了", "正文").await;
    app.work().await;
    assert!(receiver.take().is_empty());
    app.finish().await;
}

async fn only_a_callback_that_repeats_the_challenge_gets_a_lease_or_loses_it(backend: Backend) {
    let app = start(backend).await;
    app.account("times").await;
    let receiver = Receiver::start().await;
    type Words = fn(&Received) -> (u16, String);
    let refusals: [Words; 3] = [
        |_| (200, "something else".into()),
        |asked| (404, asked.param("hub.challenge").into()),
        |_| (200, String::new()),
    ];
    for refusal in refusals {
        receiver.answer(refusal);
        ask(&app, "subscribe", TOPIC, &receiver.url("/"), &[]).await.assert_status(202);
        app.work().await;
        assert_eq!(receiver.take().len(), 1);
        assert!(leases(&app).await.is_empty());
    }
    // One that is out of order is asked a few times.
    receiver.answer_status(500);
    ask(&app, "subscribe", TOPIC, &receiver.url("/"), &[]).await.assert_status(202);
    app.work().await;
    receiver.answer(|asked| (200, asked.param("hub.challenge").to_owned()));
    app.app.clock.advance(Duration::from_secs(31));
    app.work().await;
    assert_eq!((receiver.take().len(), leases(&app).await.len()), (2, 1));
    // Who did not ask to leave stays.
    receiver.answer_status(404);
    ask(&app, "unsubscribe", TOPIC, &receiver.url("/"), &[]).await.assert_status(202);
    app.work().await;
    assert_eq!(leases(&app).await.len(), 1);
    receiver.answer_status(503);
    ask(&app, "unsubscribe", TOPIC, &receiver.url("/"), &[]).await.assert_status(202);
    for _ in 0..5 {
        app.work().await;
        app.app.clock.advance(Duration::from_secs(300));
    }
    assert_eq!((receiver.take().len(), leases(&app).await.len()), (1 + 4, 1));
    assert_eq!(hub_request::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    app.finish().await;
}

async fn a_lease_is_renewed_and_ends(backend: Backend) {
    let (app, receiver) = newsroom(backend).await;
    let day = Duration::from_secs(86_400);
    for (wanted, given) in [("1", 3_600), ("", 864_000), ("999999999", 2_592_000), ("86400", 86_400)] {
        ask(&app, "subscribe", TOPIC, &receiver.url("/"), &[("hub.lease_seconds", wanted)])
            .await
            .assert_status(202);
        app.work().await;
        assert_eq!(receiver.take_one().param("hub.lease_seconds"), given.to_string());
        let lease = leases(&app).await.remove(0);
        let left = lease.expires_at.0 - app.app.clock.now().0;
        assert!((given * 1_000 - 60_000..=given * 1_000).contains(&left), "{left}");
    }
    assert_eq!(leases(&app).await.len(), 1, "a renewal is no second lease");
    app.app.clock.advance(day * 2);
    app.publish_new("times", "过期之后", "正文").await;
    app.work().await;
    assert!(receiver.take().is_empty());
    jobs::upkeep::run_once(&app.app).await.unwrap();
    assert!(leases(&app).await.is_empty());
    app.finish().await;
}

async fn who_lets_a_lease_end_begins_anew(backend: Backend) {
    let (app, receiver) = newsroom(backend).await;
    subscribe(&app, &receiver, TOPIC).await;
    receiver.answer_status(503);
    app.publish_new("times", "甲", "正文").await;
    app.work().await;
    receiver.take();
    receiver.answer(|received| (200, received.param("hub.challenge").to_owned()));
    app.app.clock.advance(Duration::from_secs(11 * 86_400));
    // Either the job that waited comes first, or the wish.
    for (title, works) in [("乙", true), ("丙", false)] {
        if works {
            app.work().await;
            assert!(leases(&app).await.is_empty());
        }
        subscribe(&app, &receiver, TOPIC).await;
        app.publish_new("times", title, "正文").await;
        app.work().await;
        assert_eq!(titles(&receiver.take_one()), [title]);
        app.app.clock.advance(Duration::from_secs(11 * 86_400));
    }
    app.finish().await;
}

async fn whoever_renews_is_told_of_what_waited(backend: Backend) {
    let (app, receiver) = newsroom(backend).await;
    subscribe(&app, &receiver, TOPIC).await;
    receiver.answer_status(503);
    app.publish_new("times", "甲", "正文").await;
    for _ in 0..10 {
        app.app.clock.advance(Duration::from_secs(3 * 60 * 60));
        app.work().await;
    }
    assert!(leases(&app).await[0].failures > 5);
    receiver.take();
    // It answers the challenge only: however often it renews, one job tries to tell it.
    receiver.answer(|received| match received.method.as_str() {
        "GET" => (200, received.param("hub.challenge").to_owned()),
        _ => (503, String::new()),
    });
    for _ in 0..3 {
        ask(&app, "subscribe", TOPIC, &receiver.url("/callback?id=7"), &[]).await.assert_status(202);
        app.work().await;
    }
    assert_eq!((receiver.take().len(), jobs::queue::unfinished(app.app.db.read()).await.unwrap()), (6, 1));
    receiver.answer(|received| (200, received.param("hub.challenge").to_owned()));
    ask(&app, "subscribe", TOPIC, &receiver.url("/callback?id=7"), &[]).await.assert_status(202);
    app.work().await;
    let told = receiver.take().pop().unwrap();
    assert_eq!((told.method.as_str(), titles(&told)), ("POST", vec!["甲".to_owned()]));
    app.publish_new("times", "乙", "正文").await;
    app.work().await;
    assert_eq!(titles(&receiver.take_one()), ["乙"]);
    app.app.clock.advance(Duration::from_secs(6 * 60 * 60));
    app.work().await;
    assert!(receiver.take().is_empty(), "the job that waited finds nothing more");

    // A job that has failed just now does not wait yet: another one tells the callback.
    receiver.answer_status(503);
    app.publish_new("times", "丙", "正文").await;
    app.work().await;
    let left = "UPDATE jobs SET state = 'running', lease_owner = 'another', lease_until = 9000000000000 WHERE kind = 'tell_callback'";
    run(&app, left).await;
    receiver.take();
    receiver.answer(|received| (200, received.param("hub.challenge").to_owned()));
    ask(&app, "subscribe", TOPIC, &receiver.url("/callback?id=7"), &[]).await.assert_status(202);
    app.work().await;
    assert_eq!(titles(&receiver.take().pop().unwrap()), ["丙"]);
    let waits = "UPDATE jobs SET state = 'waiting', lease_owner = NULL, lease_until = NULL WHERE kind = 'tell_callback'";
    run(&app, waits).await;
    app.app.clock.advance(Duration::from_secs(6 * 60 * 60));
    app.work().await;
    assert!(receiver.take().is_empty(), "nor does that one find anything more");
    app.finish().await;
}

async fn a_callback_that_was_asked_and_finds_no_room_is_told_so(backend: Backend) {
    let app = start(backend).await;
    app.account("times").await;
    let receiver = Receiver::start().await;
    for n in 0..=100 {
        ask(&app, "subscribe", TOPIC, &receiver.url(&format!("/?id={n}")), &[]).await.assert_status(202);
    }
    app.work().await;
    assert_eq!(leases(&app).await.len(), 100);
    let (denied, asked): (Vec<_>, Vec<_>) =
        receiver.take().into_iter().partition(|asked| asked.param("hub.mode") == "denied");
    assert_eq!((asked.len(), denied.len()), (101, 1));
    assert_eq!((denied[0].param("hub.topic"), denied[0].param("hub.challenge")), (TOPIC, ""));
    assert!(denied[0].param("hub.reason").contains("too often"));
    let refused = ask(&app, "subscribe", TOPIC, &receiver.url("/?id=new"), &[]).await.assert_status(503);
    assert!(refused.text().contains("too often"));
    app.finish().await;
}

async fn a_lease_is_given_beside_a_change_of_its_account(backend: Backend) {
    let app = Arc::new(start(backend).await);
    let (account, _) = app.account("times").await;
    let receiver = Receiver::start().await;
    ask(&app, "subscribe", TOPIC, &receiver.url("/"), &[]).await.assert_status(202);
    let tx = app.app.db.begin().await.unwrap();
    account::Entity::find_by_id(account.id).lock_exclusive().one(&*tx).await.unwrap();
    let working = tokio::spawn({
        let app = app.clone();
        async move { app.work().await }
    });
    // On PostgreSQL until it waits for the row; SQLite lets it begin nothing yet.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let event = Event::AccountChanged { account_id: account.id };
    outbox::record(&tx, app.app.clock.now(), event).await.unwrap();
    tx.commit().await.unwrap();
    working.await.unwrap();
    assert_eq!(leases(&app).await.len(), 1);
    Arc::into_inner(app).unwrap().finish().await;
}

async fn what_could_not_be_told_is_told_at_once_when_the_callback_is_back(backend: Backend) {
    let (app, receiver) = newsroom(backend).await;
    subscribe(&app, &receiver, TOPIC).await;
    receiver.answer_status(503);
    for title in ["甲", "乙", "丙"] {
        app.publish_new("times", title, "正文").await;
        app.work().await;
    }
    assert!(!receiver.take().is_empty());
    assert!(jobs::queue::unfinished(app.app.db.read()).await.unwrap() <= 1, "however much there is to tell");
    receiver.answer_status(200);
    app.app.clock.advance(Duration::from_secs(60 * 60));
    app.work().await;
    let told = receiver.take_one();
    assert!(is_signed(&told));
    assert_eq!(titles(&told), ["丙", "乙", "甲"]);
    let lease = leases(&app).await.remove(0);
    assert_eq!((lease.failures, lease.failing_since, lease.queued), (0, None, false));
    app.finish().await;
}

async fn a_callback_that_is_gone_is_dropped(backend: Backend) {
    let (app, receiver) = newsroom(backend).await;
    subscribe(&app, &receiver, TOPIC).await;
    receiver.answer_status(410);
    app.publish_new("times", "甲", "正文").await;
    app.work().await;
    assert_eq!(receiver.take().len(), 1);
    assert!(leases(&app).await.is_empty());
    // Silence for days is as good.
    receiver.answer(|received| (200, received.param("hub.challenge").to_owned()));
    subscribe(&app, &receiver, TOPIC).await;
    receiver.answer_status(500);
    app.publish_new("times", "乙", "正文").await;
    for _ in 0..30 {
        app.work().await;
        app.app.clock.advance(Duration::from_secs(6 * 60 * 60 + 1));
    }
    let tries = receiver.take().len();
    assert!((12..=16).contains(&tries), "{tries}");
    assert!(leases(&app).await.is_empty());
    app.finish().await;
}

async fn wishes_for_other_topics_and_private_callbacks_are_refused(backend: Backend) {
    let app = TestApp::start(backend).await;
    app.account("times").await;
    let callback = "https://reader.example/callback";
    let long = format!("http://xiangxun.test/search/feed.atom?q={}", "a".repeat(1_000));
    for (topic, callback, words) in [
        ("https://elsewhere.example/feed.atom", callback, "hub.topic"),
        ("http://xiangxun.test/@nobody/feed.atom", callback, "no such feed"),
        ("http://xiangxun.test/@times", callback, "hub.topic"),
        ("http://xiangxun.test/@times/feed.atom?x=1", callback, "hub.topic"),
        ("http://xiangxun.test/feed.xml", callback, "no such feed"),
        ("http://xiangxun.test/tag/%E5%8F%B0%E9%A3%8E/feed.atom", callback, "no such feed"),
        ("http://xiangxun.test/@times/collections/none/feed.atom", callback, "no such feed"),
        ("http://xiangxun.test/search/feed.atom?q=a&from=gestern", callback, "cannot be read"),
        (
            "http://xiangxun.test/search/feed.atom?sort=oldest&q=a",
            callback,
            "is at http://xiangxun.test/search/feed.atom?q=a",
        ),
        ("http://xiangxun.test/feed.atom?script=klingon", callback, "hub.topic"),
        (long.as_str(), callback, "too long"),
        ("http://xiangxun.test.evil.example/feed.atom", callback, "hub.topic"),
        (TOPIC, "", "hub.callback"),
        (TOPIC, "ftp://reader.example/", "hub.callback"),
        (TOPIC, "http://127.0.0.1:8080/", "not a public address"),
        (TOPIC, "http://[::ffff:10.0.0.1]/", "not a public address"),
        (TOPIC, "http://metadata.google.internal/", "not a public address"),
        (TOPIC, "https://user:word@reader.example/", "password"),
        (TOPIC, "https://reader.example:25/", "port"),
        (TOPIC, "https://reader.example/#x", "fragment"),
    ] {
        let refused = ask(&app, "subscribe", topic, callback, &[]).await.assert_status(400);
        assert!(refused.header("content-type").starts_with("text/plain"));
        assert!(refused.text().contains(words), "{topic} {callback}: {}", refused.text());
    }
    let long = "x".repeat(200);
    ask(&app, "subscribe", TOPIC, callback, &[("hub.secret", long.as_str())]).await.assert_status(400);
    ask(&app, "subscribe", TOPIC, callback, &[("hub.lease_seconds", "soon")]).await.assert_status(400);
    ask(&app, "publish", TOPIC, callback, &[]).await.assert_status(400);
    ask(&app, "", TOPIC, callback, &[]).await.assert_status(400);
    let long = format!("https://reader.example/{}", "x".repeat(1_500));
    ask(&app, "subscribe", TOPIC, &long, &[]).await.assert_status(400);
    assert_eq!(hub_request::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    app.finish().await;
}

async fn a_subscriber_of_the_sites_feed_is_told_of_every_account(backend: Backend) {
    let app = start(backend).await;
    let (times, _) = app.account("times").await;
    let (herald, _) = app.account("herald").await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, "http://xiangxun.test/feed.json").await;
    for (account, title) in [(&times, "甲"), (&herald, "乙")] {
        app.sign_in_as(account.id, Role::Editor).await;
        let id = app.publish_new(&account.handle, title, "正文").await;
        app.work().await;
        let told = receiver.take_one();
        assert_eq!(told.header("content-type"), "application/feed+json; charset=utf-8");
        assert!(is_signed(&told) && titles(&told) == [title]);
        // JSON Feed cannot say that one is gone, so it is sent as it is now.
        if title == "乙" {
            app.post(&format!("/studio/@herald/articles/{id}/withdraw"), &[("reason", "")])
                .await
                .assert_status(303);
            app.work().await;
            assert_eq!(titles(&receiver.take_one()), ["甲"]);
        }
    }
    app.finish().await;
}

async fn hubs_elsewhere_are_told_which_feeds_changed(backend: Backend) {
    let hub = Receiver::start().await;
    let address = hub.url("/hub");
    let app = TestApp::start_with(backend, |config| {
        config.fetch_allow_private = true;
        config.websub_hubs = address.clone();
    })
    .await;
    let (account, _) = app.account("times").await;
    app.sign_in_as(account.id, Role::Editor).await;
    let feed = app.get("/@times/feed.atom").await.text();
    assert!(feed.contains(&format!("<link rel=\"hub\" href=\"{address}\"/>")), "{feed}");
    hub.answer_status(503);
    app.publish_new("times", "甲", "正文").await;
    app.work().await;
    hub.take();
    hub.answer_status(204);
    app.app.clock.advance(Duration::from_secs(60));
    app.work().await;
    let told = hub.take_one();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&told.body).into_owned().collect();
    assert_eq!(form[0], ("hub.mode".into(), "publish".into()));
    for path in ["/@times/feed.atom", "/feed.rss", "/@times/feed.json"] {
        assert!(form.contains(&("hub.url".into(), format!("http://xiangxun.test{path}"))), "{form:?}");
    }
    app.finish().await;
}

async fn a_renamed_account_tells_its_feed_whole(backend: Backend) {
    let app = start(backend).await;
    let (account, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    app.publish_new("times", "甲", "正文").await;
    app.publish_new("times", "乙", "正文").await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, TOPIC).await;
    app.post("/studio/@times/handle", &[("handle", "herald")]).await.assert_status(303);
    app.work().await;
    let told = receiver.take_one();
    assert_eq!(titles(&told), ["乙", "甲"]);
    assert!(told.text().contains("http://xiangxun.test/@herald/"), "{}", told.text());
    // Who subscribes anew is told where the feed is now.
    let refused = ask(&app, "subscribe", TOPIC, &receiver.url("/"), &[]).await.assert_status(400);
    assert!(refused.text().contains("http://xiangxun.test/@herald/feed.atom"), "{}", refused.text());
    let _ = account;
    app.finish().await;
}
