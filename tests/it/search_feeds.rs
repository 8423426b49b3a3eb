//! Feeds of searches, and what tells browsers and feed readers of them.

use std::time::Duration;

use axum::http::{Method, header};
use sea_orm::ActiveValue::Set;
use xiangxun::db::entities::article::ArticleState;
use xiangxun::outbox::Event;
use xiangxun::search::follower;

use crate::both_databases;
use crate::search::{change, publish, publish_as};
use crate::support::TestApp;
use crate::support::app::Answer;

async fn get_with(app: &TestApp, path: &str, name: header::HeaderName, value: &str) -> Answer {
    let request = app.request(Method::GET, path).header(name, value);
    app.send(request.body(axum::body::Body::empty()).unwrap()).await
}

const QUERY: &str = "q=%E5%8F%B0%E9%A3%8E+-%E9%A6%99%E6%B8%AF";

both_databases! {
    async fn any_search_has_feeds_newest_first(app) {
        let (account, _) = app.account("daily").await;
        for n in 1..=60 {
            publish_as(app, account.id, None, &format!("颱風第{n}報"), "登陸 &<b>", "zh-Hant", n * 1_000).await;
        }
        publish(app, account.id, "颱風過香港", "登陸").await;
        follower::catch_up(&app.app).await.unwrap();
        for file in ["feed.atom", "feed.rss", "feed.json"] {
            // Order and page of the results are none of the feed's.
            let path = format!("/search/{file}?{QUERY}&sort=oldest&cursor=x&limit=2&in=subscriptions");
            let answer = app.get(&path).await.assert_status(200);
            let feed = feed_rs::parser::parse(&answer.bytes[..]).unwrap();
            assert_eq!(feed.entries.len(), 50);
            assert_eq!(feed.entries[0].title.as_ref().unwrap().content, "颱風第60報");
            assert!(feed.title.unwrap().content.contains("台风 -香港"));
            assert!(answer.text().contains("http://xiangxun.test/search?q=%E5%8F%B0%E9%A3%8E+-%E9%A6%99%E6%B8%AF"));
            let site = app.get("/feed.json").await.json();
            assert!(answer.text().contains(site["items"][1]["id"].as_str().unwrap()), "entries are the same in every feed");
        }
        app.get("/search/feed.atom?q=a&from=gestern").await.assert_status(422);
        assert_eq!(app.get("/search/feed.json").await.assert_status(200).json()["items"].as_array().unwrap().len(), 0);
    }

    async fn a_reader_of_a_search_is_told_when_nothing_is_new(app) {
        let (account, _) = app.account("daily").await;
        let first = publish(app, account.id, "颱風一", "登陸").await;
        follower::catch_up(&app.app).await.unwrap();
        let path = format!("/search/feed.atom?{QUERY}");
        let etag = app.get(&path).await.header("etag").to_owned();
        assert!(get_with(app, &path, header::IF_NONE_MATCH, &etag).await.assert_status(304).bytes.is_empty());
        publish(app, account.id, "無關", "無關").await;
        follower::catch_up(&app.app).await.unwrap();
        get_with(app, &path, header::IF_NONE_MATCH, &etag).await.assert_status(304);
        app.app.clock.advance(Duration::from_secs(60));
        let second = publish(app, account.id, "颱風二", "登陸").await;
        follower::catch_up(&app.app).await.unwrap();
        let fresh = get_with(app, &path, header::IF_NONE_MATCH, &etag).await.assert_status(200);
        assert_eq!(feed_rs::parser::parse(&fresh.bytes[..]).unwrap().entries.len(), 2);
        // What is taken back makes it older than it was, and is news even so.
        let withdrawn = Event::ArticleWithdrawn { account_id: account.id, article_id: second.id };
        change(app, &second, Some(withdrawn), |row| row.state = Set(ArticleState::Withdrawn)).await;
        let again = get_with(app, &path, header::IF_NONE_MATCH, fresh.header("etag")).await.assert_status(200);
        assert_eq!(again.header("etag"), etag);
        assert_eq!(again.header("last-modified"), "");
        // A correction changes it too.
        change(app, &first, None, |row| { row.title = Set("颱風一（更正）".into()); row.version = Set(2); }).await;
        get_with(app, &path, header::IF_NONE_MATCH, &etag).await.assert_status(200);
    }

    async fn pages_tell_of_search_and_its_feeds(app) {
        let page = app.get(&format!("/search?{QUERY}&sort=newest&account=daily")).await.text();
        let link = "<link rel=\"alternate\" type=\"application/atom+xml\"";
        let feed = "href=\"/search/feed.atom?q=%E5%8F%B0%E9%A3%8E+-%E9%A6%99%E6%B8%AF&#38;account=daily\"";
        assert!(page.contains(link) && page.contains(feed), "{page}");
        assert!(!app.get("/search").await.text().contains("/search/feed.atom"));
        let home = app.get("/").await.text();
        assert!(home.contains("type=\"application/opensearchdescription+xml\"") && home.contains("href=\"/opensearch.xml\""));
        let answer = app.get("/opensearch.xml").await.assert_status(200);
        assert!(answer.header("content-type").starts_with("application/opensearchdescription+xml"));
        let document = answer.text();
        for part in ["<ShortName>", "template=\"http://xiangxun.test/search?q={searchTerms}\"", "template=\"http://xiangxun.test/search/feed.atom?q={searchTerms}\""] {
            assert!(document.contains(part), "{document}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_of_searches_count_as_searches() {
    let app = TestApp::start_with(crate::support::Backend::Sqlite, |config| config.trust_proxy = true).await;
    let mut refused = false;
    for _ in 0..70 {
        let request =
            app.request(Method::GET, "/search/feed.rss?q=").header("x-forwarded-for", "203.0.113.1");
        let answer = app.send(request.body(axum::body::Body::empty()).unwrap()).await;
        refused |= answer.status == 429;
    }
    assert!(refused);
    app.finish().await;
}
