//! Feeds, sitemaps and robots.txt, read back as a feed reader and a crawler would.

use std::time::Duration;

use axum::http::{Method, header};
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::account::{self, AccountState};
use xiangxun::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use xiangxun::outbox::{self, Event};

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;

/// A published article with its event.
async fn article(
    app: &TestApp,
    account: &account::Model,
    slug: &str,
    title: &str,
    body: &str,
) -> article::Model {
    let now = app.app.clock.now();
    let tx = app.app.db.begin().await.unwrap();
    let article = article::ActiveModel {
        account_id: Set(account.id),
        external_id: Set(None),
        slug: Set(slug.into()),
        title: Set(title.into()),
        digest: Set("摘要 & 引言".into()),
        author: Set("记者甲".into()),
        body_format: Set(BodyFormat::Html),
        body_source: Set(None),
        body_html: Set(body.into()),
        cover_url: Set(Some("/media/cover.jpg".into())),
        tags: Set(Tags(vec!["社区".into(), "a<b".into()])),
        lang: Set("zh-Hans".into()),
        original_url: Set(None),
        state: Set(ArticleState::Published),
        version: Set(1),
        word_count: Set(10),
        created_by: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        publish_at: Set(None),
        published_at: Set(Some(now)),
        withdrawn_at: Set(None),
        withdrawn_reason: Set(None),
        idempotency_key: Set(None),
        ..Default::default()
    };
    let article = article.insert(&*tx).await.unwrap();
    let event = Event::ArticlePublished { account_id: account.id, article_id: article.id, news: false };
    outbox::record(&tx, now, event).await.unwrap();
    tx.commit().await.unwrap();
    app.app.clock.advance(Duration::from_secs(60));
    article
}

async fn get_with(app: &TestApp, path: &str, name: header::HeaderName, value: &str) -> Answer {
    let request = app.request(Method::GET, path).header(name, value);
    app.send(request.body(axum::body::Body::empty()).unwrap()).await
}

const FILES: [&str; 3] = ["feed.atom", "feed.rss", "feed.json"];

both_databases! {
    async fn every_format_carries_the_whole_article(app) {
        let (account, _) = app.account("times").await;
        let body = "<p>正文\u{b}全文 <a href=\"/@times/x\">站内</a> &amp; <img src=\"/media/i.jpg\" alt=\"]]&gt;\"></p>";
        article(app, &account, "one", "第一篇 <甲> & \u{1}乙 ]]>", body).await;
        article(app, &account, "two", "第二篇", "<p>二</p>").await;
        for file in FILES {
            let answer = app.get(&format!("/@times/{file}")).await.assert_status(200);
            assert!(answer.header("content-type").contains(if file.ends_with("json") { "feed+json" } else { "xml" }));
            let feed = feed_rs::parser::parse(&answer.bytes[..]).unwrap_or_else(|why| panic!("{file}: {why}\n{}", answer.text()));
            assert_eq!(feed.title.unwrap().content, "times 日报");
            let titles: Vec<_> = feed.entries.iter().map(|e| e.title.as_ref().unwrap().content.clone()).collect();
            assert_eq!(titles, ["第二篇", "第一篇 <甲> & 乙 ]]>"], "{file}");
            let first = &feed.entries[1];
            assert_eq!(first.links[0].href, "http://xiangxun.test/@times/one", "{file}");
            assert_eq!(first.authors[0].name.as_deref(), Some("记者甲"), "{file}");
            let content = first.content.as_ref().unwrap().body.as_ref().unwrap();
            assert!(content.contains("正文全文 <a href=\"http://xiangxun.test/@times/x\">站内</a>"), "{file}: {content}");
            assert!(content.contains("src=\"http://xiangxun.test/media/i.jpg\""), "{file}: {content}");
            assert!(first.id.starts_with("tag:xiangxun.test,"), "{file}: {}", first.id);
            assert!(first.published.is_some() && first.categories.len() == 2, "{file}");
        }
    }

    async fn ids_stay_when_an_account_is_renamed_and_its_old_feed_leads_to_the_new(app) {
        let (account, _) = app.account("before").await;
        article(app, &account, "one", "一", "<p>一</p>").await;
        let id = |answer: Answer| feed_rs::parser::parse(&answer.bytes[..]).unwrap().entries[0].id.clone();
        let old = id(app.get("/@before/feed.atom").await);
        let mut row = account.clone().into_active_model();
        row.handle = Set("after".into());
        let tx = app.app.db.begin().await.unwrap();
        row.update(&*tx).await.unwrap();
        use xiangxun::db::entities::account_handle;
        let former = account_handle::ActiveModel { handle: Set("before".into()), account_id: Set(account.id), created_at: Set(Timestamp(0)) };
        former.insert(&*tx).await.unwrap();
        tx.commit().await.unwrap();
        let moved = app.get("/@before/feed.atom").await.assert_status(308);
        assert_eq!(moved.location(), "/@after/feed.atom");
        assert_eq!(id(app.get("/@after/feed.atom").await), old);
        app.get("/@nobody/feed.atom").await.assert_status(404);
    }

    async fn a_reader_that_has_the_newest_is_told_so_until_something_changes(app) {
        let (account, _) = app.account("times").await;
        let first = article(app, &account, "one", "一", "<p>一</p>").await;
        for path in ["/@times/feed.atom", "/feed.rss", "/sitemap/0.xml"] {
            let fresh = app.get(path).await.assert_status(200);
            let etag = fresh.header("etag").to_owned();
            let same = get_with(app, path, header::IF_NONE_MATCH, &etag).await.assert_status(304);
            assert!(same.bytes.is_empty());
            assert_eq!(same.header("etag"), etag);
            let date = fresh.header("last-modified").to_owned();
            get_with(app, path, header::IF_MODIFIED_SINCE, &date).await.assert_status(304);
            get_with(app, path, header::IF_NONE_MATCH, "\"other\"").await.assert_status(200);
        }
        let etag = app.get("/@times/feed.json").await.header("etag").to_owned();
        let tx = app.app.db.begin().await.unwrap();
        let id = first.id;
        let mut row = first.into_active_model();
        row.state = Set(ArticleState::Withdrawn);
        row.update(&*tx).await.unwrap();
        outbox::record(&tx, app.app.clock.now(), Event::ArticleWithdrawn { account_id: account.id, article_id: id }).await.unwrap();
        tx.commit().await.unwrap();
        let now = get_with(app, "/@times/feed.json", header::IF_NONE_MATCH, &etag).await.assert_status(200);
        assert_eq!(now.json()["items"].as_array().unwrap().len(), 0);
        // Another account's news is none of this one's.
        let etag = now.header("etag").to_owned();
        let (other, _) = app.account("other").await;
        article(app, &other, "x", "他", "<p>他</p>").await;
        get_with(app, "/@times/feed.json", header::IF_NONE_MATCH, &etag).await.assert_status(304);
    }

    async fn the_sites_feed_has_every_open_account_and_fifty_articles(app) {
        let (open, _) = app.account("open").await;
        let (closed, _) = app.account("closed").await;
        for n in 0..52 {
            article(app, &open, &format!("a{n}"), &format!("第{n}篇"), "<p>文</p>").await;
        }
        article(app, &closed, "hidden", "不可见", "<p>文</p>").await;
        let mut row = closed.into_active_model();
        row.state = Set(AccountState::Suspended);
        row.update(app.app.db.write()).await.unwrap();
        let feed = feed_rs::parser::parse(&app.get("/feed.atom").await.assert_status(200).bytes[..]).unwrap();
        assert_eq!(feed.entries.len(), 50);
        assert_eq!(feed.entries[0].title.as_ref().unwrap().content, "第51篇");
        let sitemap = app.get("/sitemap/0.xml").await.assert_status(200).text();
        assert!(sitemap.contains("<loc>http://xiangxun.test/@open/a0</loc>") && !sitemap.contains("hidden"));
        app.get("/@closed/feed.atom").await.assert_status(410);
    }

    async fn crawlers_find_accounts_articles_and_the_news_of_two_days(app) {
        let (account, _) = app.account("times").await;
        article(app, &account, "old", "旧闻", "<p>旧</p>").await;
        app.app.clock.advance(Duration::from_secs(3 * 24 * 3600));
        article(app, &account, "new", "新闻 & 要闻", "<p>新</p>").await;
        let robots = app.get("/robots.txt").await.assert_status(200).text();
        assert!(robots.contains("Sitemap: http://xiangxun.test/sitemap.xml"));
        let index = app.get("/sitemap.xml").await.assert_status(200).text();
        for path in ["/sitemap/0.xml", "/sitemap/accounts.xml", "/sitemap/news.xml"] {
            assert!(index.contains(&format!("<loc>http://xiangxun.test{path}</loc>")), "{index}");
        }
        assert!(app.get("/sitemap/accounts.xml").await.text().contains("<loc>http://xiangxun.test/@times</loc>"));
        let all = app.get("/sitemap/0.xml").await.assert_status(200).text();
        assert!(all.contains("/@times/old<") && all.contains("/@times/new<"));
        let news = app.get("/sitemap/news.xml").await.assert_status(200).text();
        assert!(!news.contains("旧闻") && news.contains("<news:title>新闻 &amp; 要闻</news:title>"), "{news}");
        assert!(news.contains("<news:language>zh-cn</news:language>"));
        // It changes when an article comes, and when one has grown old.
        let conditional = async |tag: &str| {
            let request = app.request(Method::GET, "/sitemap/news.xml").header(header::IF_NONE_MATCH, tag);
            app.send(request.body(axum::body::Body::empty()).unwrap()).await
        };
        let tag = app.get("/sitemap/news.xml").await.header("etag").to_owned();
        assert!(!tag.is_empty());
        assert_eq!(conditional(&tag).await.assert_status(304).header("etag"), tag);
        article(app, &account, "newer", "更新的消息", "<p>甲</p>").await;
        let changed = conditional(&tag).await.assert_status(200);
        assert!(changed.text().contains("更新的消息") && changed.header("etag") != tag);
        app.app.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
        let old = conditional(changed.header("etag")).await.assert_status(200);
        assert!(!old.text().contains("更新的消息"), "{}", old.text());
        for path in ["/sitemap/1.xml", "/sitemap/-1.xml", "/sitemap/x", "/sitemap/x.xml"] {
            app.get(path).await.assert_status(404);
        }
    }
}
