//! What the hub tells of the feeds of tags, collections and searches, and of those in a script.

use axum::http::Method;
use serde_json::json;
use xiangxun::accounts::{self, By};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::{account, user};
use xiangxun::search::follower;

use crate::hub::{ask, is_signed, leases, start, subscribe, titles};
use crate::on_both_databases;
use crate::search::publish_as;
use crate::support::receiver::Receiver;
use crate::support::{Backend, TestApp};

on_both_databases! {
    every_public_feed_names_its_hub
    subscribers_of_a_tag_are_told_of_articles_that_have_it
    subscribers_of_a_collection_are_told_of_what_comes_into_it
    subscribers_of_a_search_are_told_of_what_holds_all_of_it
    a_feed_in_a_script_is_told_in_that_script
    one_article_among_many_changes_is_told
    a_host_has_a_few_searches_only
    renewals_take_no_room
    a_lease_is_given_back_though_its_feed_is_gone
    what_cannot_be_seen_for_a_while_is_told_of_afterwards
}

const SITE: &str = "http://xiangxun.test";
/// 台风
const TAG: &str = "%E5%8F%B0%E9%A3%8E";

/// An account whose owner is signed in.
async fn newsroom(app: &TestApp) -> (account::Model, user::Model) {
    let (account, owner) = app.account("times").await;
    app.sign_in(owner.id).await;
    (account, owner)
}

/// Makes a collection through the studio; returns its id.
async fn collection(app: &TestApp, title: &str) -> i64 {
    let answer = app.post("/studio/@times/collections", &[("title", title), ("intro", "")]).await;
    answer.assert_status(303).location().rsplit('/').next().unwrap().parse().unwrap()
}

async fn put_in(app: &TestApp, collection: i64, article: i64) {
    let path = format!("/studio/@times/collections/{collection}/articles");
    app.post(&path, &[("article", &article.to_string())]).await.assert_status(303);
}

async fn withdraw(app: &TestApp, article: i64) {
    let path = format!("/studio/@times/articles/{article}/withdraw");
    app.post(&path, &[("reason", "有误")]).await.assert_status(303);
}

async fn every_public_feed_names_its_hub(backend: Backend) {
    let app = start(backend).await;
    newsroom(&app).await;
    let id = app.publish_tagged("times", "台风登陆", "台风").await;
    let series = collection(&app, "连载").await;
    put_in(&app, series, id).await;
    follower::catch_up(&app.app).await.unwrap();
    app.sign_out();
    let folders = [
        "",
        "/@times",
        &format!("/tag/{TAG}"),
        &format!("/@times/tag/{TAG}"),
        "/@times/collections/lian-zai",
    ];
    let mut paths: Vec<String> = Vec::new();
    for file in ["feed.atom", "feed.rss", "feed.json"] {
        for folder in folders {
            paths.extend(["", "?script=hant-tw"].map(|script| format!("{folder}/{file}{script}")));
        }
        paths.push(format!("/search/{file}?q={TAG}&lang=zh-Hans&script=hans"));
    }
    for path in paths {
        let feed = app.get(&path).await.assert_status(200);
        let links: Vec<_> = feed.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
        let itself = format!("<{SITE}{path}>; rel=\"self\"");
        assert_eq!(links, [&format!("<{SITE}/hub>; rel=\"hub\""), &itself], "{path}");
        assert!(feed.text().contains(&format!("{SITE}/hub\"")), "{path}: {}", feed.text());
        // What a feed says of itself is a topic.
        let callback = "http://reader.example/callback";
        ask(&app, "subscribe", &format!("{SITE}{path}"), callback, &[]).await.assert_status(202);
    }
    app.allow_unfinished_jobs();
    app.finish().await;
}

async fn subscribers_of_a_tag_are_told_of_articles_that_have_it(backend: Backend) {
    let app = start(backend).await;
    newsroom(&app).await;
    app.publish_tagged("times", "旧闻", "台风").await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, &format!("{SITE}/tag/{TAG}/feed.atom")).await;

    let other = app.publish_tagged("times", "天气", "晴").await;
    app.work().await;
    assert!(receiver.take().is_empty(), "it has another tag");
    let id = app.publish_tagged("times", "颱風登陸", "颱風, 天氣").await;
    app.work().await;
    let told = receiver.take_one();
    assert!(is_signed(&told) && titles(&told) == ["颱風登陸"], "{}", told.text());
    let itself = format!("<{SITE}/tag/{TAG}/feed.atom>; rel=\"self\"");
    assert!(told.headers.get_all("link").iter().any(|link| link == itself.as_str()), "{:?}", told.headers);

    // An article that gets the tag later comes with it.
    let version = app.article(other).await.version.to_string();
    let form =
        [("title", "天气"), ("body", "正文"), ("lang", "zh-Hans"), ("tags", "台风"), ("version", &version)];
    app.post(&format!("/studio/@times/articles/{other}"), &form).await.assert_status(303);
    app.work().await;
    assert_eq!(titles(&receiver.take_one()), ["天气"]);

    withdraw(&app, id).await;
    app.work().await;
    let told = receiver.take_one();
    assert!(titles(&told).is_empty() && told.text().matches("<at:deleted-entry").count() == 1);
    let untagged = app.publish_new("times", "无关", "正文").await;
    withdraw(&app, untagged).await;
    app.work().await;
    assert!(receiver.take().is_empty());
    app.finish().await;
}

async fn subscribers_of_a_collection_are_told_of_what_comes_into_it(backend: Backend) {
    let app = start(backend).await;
    let (_, owner) = newsroom(&app).await;
    let mut ids = Vec::new();
    for title in ["甲回", "乙回", "丙回"] {
        ids.push(app.publish_new("times", title, "正文").await);
    }
    let series = collection(&app, "连载").await;
    put_in(&app, series, ids[0]).await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, &format!("{SITE}/@times/collections/lian-zai/feed.atom")).await;
    let account = Receiver::start().await;
    subscribe(&app, &account, &format!("{SITE}/@times/feed.atom")).await;

    put_in(&app, series, ids[1]).await;
    app.work().await;
    let told = receiver.take_one();
    assert!(is_signed(&told) && titles(&told) == ["乙回"], "{}", told.text());
    // Its order is not the feed's, what is in it already is not new, and what goes is no news.
    let path = format!("/studio/@times/collections/{series}/articles");
    app.post(&format!("{path}/{}/place", ids[1]), &[("to", "up")]).await.assert_status(303);
    put_in(&app, series, ids[1]).await;
    app.post(&format!("{path}/{}/remove", ids[0]), &[]).await.assert_status(303);
    app.work().await;
    assert!(receiver.take().is_empty());

    // By the API the whole list is set at once.
    let token = api_tokens::create(&app.app, owner.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
    let path = format!("/api/v1/collections/{series}");
    let body = json!({ "articles": [ids[2], ids[1]] });
    app.api(Method::PATCH, &path, &token, &[], body).await.assert_status(200);
    app.work().await;
    assert_eq!(titles(&receiver.take_one()), ["丙回"]);

    // Under another name it is told whole.
    let form = [("title", "长篇连载"), ("intro", "")];
    app.post(&format!("/studio/@times/collections/{series}"), &form).await.assert_status(303);
    app.work().await;
    let told = receiver.take_one();
    assert_eq!(titles(&told), ["丙回", "乙回"]);
    assert!(told.text().contains("<title>长篇连载 · "), "{}", told.text());

    withdraw(&app, ids[2]).await;
    app.work().await;
    let told = receiver.take_one();
    assert!(titles(&told).is_empty() && told.text().contains("<at:deleted-entry"));
    let told = account.take_one();
    assert!(told.text().contains("<at:deleted-entry"), "the account's feed changed by that alone");

    // A collection that is deleted says no more, and its articles are the account's still.
    app.post(&format!("/studio/@times/collections/{series}/delete"), &[]).await.assert_status(303);
    app.publish_new("times", "丁回", "正文").await;
    app.work().await;
    assert!(receiver.take().is_empty());
    assert_eq!(titles(&account.take_one()), ["丁回"]);
    app.finish().await;
}

async fn subscribers_of_a_search_are_told_of_what_holds_all_of_it(backend: Backend) {
    let app = start(backend).await;
    newsroom(&app).await;
    app.publish_new("times", "台风一", "登陆").await;
    follower::catch_up(&app.app).await.unwrap();
    let json = Receiver::start().await;
    subscribe(&app, &json, &format!("{SITE}/search/feed.json?q={TAG}&account=times&lang=zh-Hans")).await;
    let atom = Receiver::start().await;
    subscribe(&app, &atom, &format!("{SITE}/search/feed.atom?q={TAG}")).await;
    let later = Receiver::start().await;
    subscribe(&app, &later, &format!("{SITE}/search/feed.atom?q={TAG}&from=2099")).await;

    // The index does not know of it, nor need it.
    let id = app.publish_new("times", "颱風二", "登陸").await;
    app.publish_new("times", "无关", "正文").await;
    app.work().await;
    let told = json.take_one();
    assert!(is_signed(&told) && titles(&told) == ["颱風二"], "{}", told.text());
    let itself = format!("{SITE}/search/feed.json?q={TAG}&account=times&lang=zh-Hans");
    assert_eq!(told.json()["feed_url"], itself);
    assert_eq!(titles(&atom.take_one()), ["颱風二"]);

    withdraw(&app, id).await;
    app.work().await;
    assert!(atom.take_one().text().contains("<at:deleted-entry"));
    assert!(json.take().is_empty(), "JSON Feed has no word for it");
    app.publish_new("times", "还是无关", "正文").await;
    app.work().await;
    assert!(json.take().is_empty() && atom.take().is_empty() && later.take().is_empty());
    app.finish().await;
}

async fn a_feed_in_a_script_is_told_in_that_script(backend: Backend) {
    let app = start(backend).await;
    newsroom(&app).await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, &format!("{SITE}/@times/feed.atom?script=hant-tw")).await;
    app.publish_new("times", "软件里的头发", "内存").await;
    app.work().await;
    let told = receiver.take_one();
    assert!(is_signed(&told) && titles(&told) == ["軟體裡的頭髮"], "{}", told.text());
    assert!(told.text().contains("記憶體"));
    app.finish().await;
}

async fn one_article_among_many_changes_is_told(backend: Backend) {
    let app = start(backend).await;
    let (times, _) = newsroom(&app).await;
    let (other, _) = app.account("herald").await;
    let series = collection(&app, "连载").await;
    let many = async |count: i64| {
        for n in 0..count {
            let later = app.app.clock.now().0 + 1_000 + n;
            publish_as(&app, other.id, None, "无关", "正文", "zh-Hans", later).await;
        }
    };
    let topics = [
        format!("{SITE}/tag/{TAG}/feed.atom"),
        format!("{SITE}/search/feed.atom?q={TAG}"),
        format!("{SITE}/@times/collections/lian-zai/feed.atom"),
    ];
    app.publish_tagged("times", "旧闻", "台风").await;
    follower::catch_up(&app.app).await.unwrap();
    let mut receivers = Vec::new();
    for topic in &topics {
        let receiver = Receiver::start().await;
        subscribe(&app, &receiver, topic).await;
        receivers.push(receiver);
    }
    let id = app.publish_tagged("times", "台风登陆", "台风").await;
    put_in(&app, series, id).await;
    many(250).await;
    app.work().await;
    for (receiver, topic) in receivers.iter().zip(&topics) {
        assert_eq!(titles(&receiver.take_one()), ["台风登陆"], "{topic}");
    }
    let mut others = Vec::new();
    for n in 0..60 {
        others.push(publish_as(&app, times.id, None, "旁的", "正文", "zh-Hans", 1_000 + n).await.id);
    }
    app.work().await;
    withdraw(&app, id).await;
    for other in others {
        withdraw(&app, other).await;
    }
    many(250).await;
    app.work().await;
    for (receiver, topic) in receivers.iter().zip(&topics) {
        let told = receiver.take_one();
        assert_eq!(told.text().matches("<at:deleted-entry").count(), 1, "{topic}");
        assert!(titles(&told).is_empty(), "{topic}");
        assert!(!told.text().contains("<updated>1970"), "{}", told.text());
    }
    // However many new ones there are besides it.
    let id = app.publish_tagged("times", "台风远去", "台风").await;
    app.work().await;
    assert_eq!(titles(&receivers[1].take_one()), ["台风远去"]);
    withdraw(&app, id).await;
    for n in 0..60 {
        let later = app.app.clock.now().0 + n;
        publish_as(&app, times.id, None, "台风又来", "正文", "zh-Hans", later).await;
    }
    app.work().await;
    let told = receivers[1].take_one();
    assert_eq!((titles(&told).len(), told.text().matches("<at:deleted-entry").count()), (50, 1));
    receivers.iter().for_each(|receiver| drop(receiver.take()));
    // So many that other feeds are told whole; a search is told of what it finds, here of nothing.
    many(1_100).await;
    app.work().await;
    assert_eq!(receivers.iter().map(|receiver| receiver.take().len()).collect::<Vec<_>>(), [1, 0, 0]);
    app.finish().await;
}

async fn renewals_take_no_room(backend: Backend) {
    let app = start(backend).await;
    follower::catch_up(&app.app).await.unwrap();
    let receiver = Receiver::start().await;
    let callback = receiver.url("/callback?id=7");
    let wish = async |n: usize| {
        let topic = format!("{SITE}/search/feed.atom?q=a{n}");
        ask(&app, "subscribe", &topic, &callback, &[]).await.assert_status(202);
    };
    for n in 0..26 {
        wish(n).await;
    }
    app.work().await;
    // All are renewed, and one is new, before any is verified.
    for n in 0..=26 {
        wish(n).await;
    }
    app.work().await;
    assert_eq!(leases(&app).await.len(), 27);
    app.finish().await;
}

async fn a_host_has_a_few_searches_only(backend: Backend) {
    let app = start(backend).await;
    follower::catch_up(&app.app).await.unwrap();
    let receiver = Receiver::start().await;
    let callback = receiver.url("/callback?id=7");
    // However many ask before one of them is verified.
    for n in 0..60 {
        let topic = format!("{SITE}/search/feed.atom?q=a{n}");
        let status = if n < 50 { 202 } else { 503 };
        let answer = ask(&app, "subscribe", &topic, &callback, &[]).await.assert_status(status);
        assert!(n < 50 || answer.text().contains("searches"));
    }
    app.work().await;
    assert_eq!((leases(&app).await.len(), receiver.take().len()), (50, 50));
    // What it has may be renewed, and other feeds are none of that.
    ask(&app, "subscribe", &format!("{SITE}/search/feed.atom?q=a1"), &callback, &[]).await.assert_status(202);
    ask(&app, "subscribe", &format!("{SITE}/feed.atom"), &callback, &[]).await.assert_status(202);
    app.work().await;
    assert_eq!(leases(&app).await.len(), 51);
    app.finish().await;
}

async fn a_lease_is_given_back_though_its_feed_is_gone(backend: Backend) {
    let app = start(backend).await;
    newsroom(&app).await;
    let series = collection(&app, "连载").await;
    let receiver = Receiver::start().await;
    let topics =
        [format!("{SITE}/@times/collections/lian-zai/feed.atom"), format!("{SITE}/@times/feed.atom")];
    for topic in &topics {
        subscribe(&app, &receiver, topic).await;
    }
    app.post(&format!("/studio/@times/collections/{series}/delete"), &[]).await.assert_status(303);
    app.post("/studio/@times/handle", &[("handle", "herald")]).await.assert_status(303);
    app.work().await;
    receiver.take();
    for topic in &topics {
        ask(&app, "unsubscribe", topic, &receiver.url("/callback?id=7"), &[]).await.assert_status(202);
    }
    app.work().await;
    assert!(leases(&app).await.is_empty());
    app.finish().await;
}

async fn what_cannot_be_seen_for_a_while_is_told_of_afterwards(backend: Backend) {
    let app = start(backend).await;
    let (account, _) = newsroom(&app).await;
    app.publish_tagged("times", "旧闻", "台风").await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, &format!("{SITE}/@times/tag/{TAG}/feed.rss")).await;
    let of_all = Receiver::start().await;
    subscribe(&app, &of_all, &format!("{SITE}/tag/{TAG}/feed.rss")).await;
    app.publish_tagged("times", "台风登陆", "台风").await;
    accounts::suspend(&app.app, By::Console, account.id).await.unwrap();
    app.work().await;
    assert!(receiver.take().is_empty() && of_all.take().is_empty());
    accounts::reinstate(&app.app, By::Console, account.id).await.unwrap();
    app.work().await;
    assert_eq!(titles(&receiver.take_one()), ["台风登陆", "旧闻"]);
    assert_eq!(titles(&of_all.take_one()), ["台风登陆", "旧闻"]);
    app.finish().await;
}
