//! OPML in and out.

use axum::body::Body;
use axum::http::{Method, header};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::{job, outside_feed, outside_follow};
use xiangxun::page::Locale;
use xiangxun::reader_apps::shelf::{FeedKey, feeds};
use xiangxun::{lists, outside, subscriptions};

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;

async fn upload(app: &TestApp, document: &[u8]) -> Answer {
    let mut body =
        b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.opml\"\r\n\r\n".to_vec();
    body.extend_from_slice(document);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = app
        .request(Method::POST, "/subscriptions/opml")
        .header(header::ORIGIN, "http://xiangxun.test")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::from(body));
    app.send(request.unwrap()).await
}

const REAL: &[u8] = include_bytes!("../fixtures/opml/feedly.opml");

both_databases! {
    async fn a_list_is_brought_along_and_taken_home(app) {
        app.allow_unfinished_jobs();
        let user = app.user("reader@example.org").await;
        let (times, _) = app.account("times").await;
        app.account("post").await;
        app.sign_in(user.id).await;
        let page = app.get("/subscriptions/opml").await.assert_status(200).text();
        assert!(!page.contains('⟦') && page.contains("multipart/form-data"));
        let answer = upload(app, REAL).await.assert_status(200).text();
        assert!(answer.contains("<p>新订阅了 0 个公众号、47 个站外源。</p>"), "{answer}");
        assert_eq!(outside_follow::Entity::find().count(app.app.db.read()).await.unwrap(), 47);
        let names: Vec<String> =
            lists::queries::of_user(app.app.db.read(), user.id).await.unwrap().into_iter().map(|list| list.name).collect();
        assert!(names.contains(&"Newsletter".to_owned()) && names.len() > 1, "{names:?}");

        // Again, with accounts of this site, and some that cannot be.
        let mixed = r#"<opml version="2.0"><body>
            <outline text="港台"><outline text="时报" xmlUrl="http://xiangxun.test/@times/feed.atom"/>
            <outline text="改了大小写" xmlUrl="HTTP://XIANGXUN.TEST/@post/feed.json"/></outline>
            <outline text="内网" xmlUrl="http://127.0.0.1/feed"/><outline text="脚本" xmlUrl="javascript:alert(1)"/>
            <outline text="摸鱼" xmlUrl="https://zhangferry.com/atom.xml"/></body></opml>"#;
        let answer = upload(app, mixed.as_bytes()).await.assert_status(200).text();
        assert!(answer.contains("<p>新订阅了 2 个公众号、0 个站外源。</p>"), "{answer}");
        assert!(answer.contains("有 1 个原来就订阅了") && answer.contains("2 个没有导入"), "{answer}");
        assert!(!answer.contains('⟦') && answer.contains("javascript:alert(1)</p>"));
        assert!(subscriptions::queries::follows(app.app.db.read(), user.id, times.id).await.unwrap());

        // What goes out comes in again, for somebody else.
        let out = app.get("/subscriptions.opml").await.assert_status(200);
        assert!(out.header("content-disposition").contains("subscriptions.opml"));
        assert!(out.header("content-type").starts_with("text/x-opml") && out.header("cache-control").contains("private"));
        assert!(out.text().contains("xmlUrl=\"http://xiangxun.test/@times/feed.atom\""), "{}", out.text());
        let other = app.user("other@example.org").await;
        app.sign_in(other.id).await;
        let answer = upload(app, &out.bytes).await.assert_status(200).text();
        assert!(answer.contains("<p>新订阅了 2 个公众号、47 个站外源。</p>"), "{answer}");
        let again = app.get("/subscriptions.opml").await.text();
        let without_date = |text: &str| text.lines().filter(|line| !line.contains("dateCreated")).map(str::to_owned).collect::<Vec<_>>();
        let (mut one, mut two) = (without_date(&out.text()), without_date(&again));
        one.sort();
        two.sort();
        assert_eq!(one, two);
        // Read once for both, and not all at the same moment.
        let feeds = outside_feed::Entity::find().all(app.app.db.read()).await.unwrap();
        assert_eq!(feeds.len(), 47);
        let times: std::collections::HashSet<i64> = feeds.iter().map(|feed| feed.next_fetch_at.0).collect();
        assert!(times.len() > 40);
    }

    async fn hostile_documents_are_refused_and_change_nothing(app) {
        let user = app.user("reader@example.org").await;
        app.sign_in(user.id).await;
        let bomb = r#"<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><opml><body><outline text="&b;" xmlUrl="https://example.org/feed"/></body></opml>"#;
        let deep = format!("<opml><body>{}<outline xmlUrl='https://example.org/'/>", "<outline text='x'>".repeat(50_000));
        let large = format!("<opml><body>{}</body></opml>", " ".repeat(2 * 1024 * 1024));
        for (document, words) in [
            (bomb, "ENTITY"),
            (&*deep, "嵌套"),
            (&*large, "2 MB"),
            ("<html></html>", "不是 OPML"),
            ("", "选择一个文件"),
            ("<opml><body/></opml>", "没有任何源"),
        ] {
            let answer = upload(app, document.as_bytes()).await.assert_status(422).text();
            assert!(answer.contains(words), "{words}: {answer}");
        }
        assert_eq!(outside_feed::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn programs_bring_lists_by_the_api(app) {
        app.allow_unfinished_jobs();
        let user = app.user("reader@example.org").await;
        let scopes = [Scope::SubscriptionsRead, Scope::SubscriptionsWrite];
        let token = api_tokens::create(&app.app, user.id, "t", &scopes).await.unwrap();
        let send = async |method: Method, token: &str, body: &str| {
            let request = app
                .request(method, "/api/v1/subscriptions/opml")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::from(body.to_owned()));
            app.send(request.unwrap()).await
        };
        let document = "<opml><outline text='甲' xmlUrl='https://example.org/feed'/><outline text='乙' xmlUrl='http://[::1]/'/></opml>";
        let report = send(Method::POST, &token, document).await.assert_status(200).json();
        assert_eq!(report["feeds"][0], "甲");
        assert!(!report["failed"][0]["detail"].as_str().unwrap().is_empty());
        let again = send(Method::POST, &token, document).await.assert_status(200).json();
        assert_eq!(again["known"][0], "甲");
        assert!(send(Method::GET, &token, "").await.assert_status(200).text().contains("https://example.org/feed"));
        let refused = send(Method::POST, &token, "nonsense").await.assert_status(422).json();
        assert_eq!(refused["errors"][0]["field"], "file");
        let narrow = api_tokens::create(&app.app, user.id, "r", &[Scope::SubscriptionsRead]).await.unwrap();
        send(Method::POST, &narrow, document).await.assert_status(403);
    }

    async fn a_reader_follows_no_more_than_one_may(app) {
        app.allow_unfinished_jobs();
        let user = app.user("reader@example.org").await;
        let feeds: String = (0..=outside::MAX_FOLLOWS).map(|n| format!("<outline xmlUrl='https://example.org/{n}'/>")).collect();
        let report = xiangxun::opml::take_in(&app.app, &user, format!("<opml>{feeds}</opml>").as_bytes()).await.unwrap();
        assert_eq!((report.feeds.len() as u64, report.failed.len()), (outside::MAX_FOLLOWS, 1));
        assert!(report.failed[0].why.text(Locale::ZhHans).contains("1000"));
    }

    async fn what_a_list_names_twice_stays_where_it_stood_first(app) {
        app.allow_unfinished_jobs();
        let user = app.user("reader@example.org").await;
        let (times, _) = app.account("times").await;
        let document = "<opml><body>\
            <outline text='甲'><outline text='一' xmlUrl='https://example.org/1'/></outline>\
            <outline text='时报' xmlUrl='http://xiangxun.test/@times/feed.atom'/>\
            <outline text='乙'><outline text='一' xmlUrl='https://example.org/1'/>\
            <outline text='时报' xmlUrl='http://xiangxun.test/@times/feed.json'/></outline>\
            <outline text='丙'><outline text='时报' xmlUrl='http://xiangxun.test/@times/feed.xml'/></outline></body></opml>";
        for _ in 0..2 {
            xiangxun::opml::take_in(&app.app, &user, document.as_bytes()).await.unwrap();
            let all = feeds::all(&app.app, user.id).await.unwrap();
            let lists = feeds::lists(app.app.db.read(), user.id).await.unwrap();
            let list_of = |key: FeedKey| {
                let list_id = all.iter().find(|feed| feed.key == key).unwrap().list_id;
                lists.iter().find(|list| Some(list.0) == list_id).unwrap().1.as_str()
            };
            let outside = all.iter().map(|feed| feed.key).find(|key| matches!(key, FeedKey::Outside(_))).unwrap();
            assert_eq!((all.len(), list_of(outside), list_of(FeedKey::Account(times.id))), (2, "甲", "乙"));
        }
    }

    async fn a_list_is_taken_as_a_whole_or_not_at_all(app) {
        let user = app.user("reader@example.org").await;
        app.account("times").await;
        let db = &app.app.db;
        let fails = match db.backend() {
            DbBackend::Sqlite => "CREATE TRIGGER fails BEFORE INSERT ON outside_follows WHEN NEW.title = '坏' \
                                  BEGIN SELECT RAISE(ABORT, 'no'); END",
            _ => "CREATE FUNCTION fail() RETURNS trigger AS $$ BEGIN IF NEW.title = '坏' THEN RAISE EXCEPTION 'no'; \
                  END IF; RETURN NEW; END $$ LANGUAGE plpgsql; \
                  CREATE TRIGGER fails BEFORE INSERT ON outside_follows FOR EACH ROW EXECUTE FUNCTION fail()",
        };
        db.write().execute_unprepared(fails).await.unwrap();
        let before = job::Entity::find().count(db.read()).await.unwrap();
        let document = "<opml><outline text='单'><outline xmlUrl='http://xiangxun.test/@times/feed.atom'/>\
            <outline text='好' xmlUrl='https://example.org/1'/><outline text='坏' xmlUrl='https://example.org/2'/></outline></opml>";
        xiangxun::opml::take_in(&app.app, &user, document.as_bytes()).await.unwrap_err();
        assert!(feeds::all(&app.app, user.id).await.unwrap().is_empty());
        assert!(feeds::lists(db.read(), user.id).await.unwrap().is_empty());
        assert_eq!(outside_feed::Entity::find().count(db.read()).await.unwrap(), 0);
        assert_eq!(job::Entity::find().count(db.read()).await.unwrap(), before);
    }

    async fn lists_that_name_the_same_feeds_in_any_order_do_not_wait_for_each_other_for_ever(app) {
        app.allow_unfinished_jobs();
        let (one, two) = (app.user("one@example.org").await, app.user("two@example.org").await);
        let outline = |n: u32| format!("<outline xmlUrl='https://example.org/{n}'/>");
        let there: String = (0..120).map(outline).collect();
        let back: String = (0..120).rev().map(outline).collect();
        let (there, back) = (format!("<opml>{there}</opml>"), format!("<opml>{back}</opml>"));
        let (first, second) = tokio::join!(
            xiangxun::opml::take_in(&app.app, &one, there.as_bytes()),
            xiangxun::opml::take_in(&app.app, &two, back.as_bytes()),
        );
        assert_eq!((first.unwrap().feeds.len(), second.unwrap().feeds.len()), (120, 120));
    }
}
