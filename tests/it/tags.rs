//! Tags, regions and topics: lists of articles that belong together over accounts.

use axum::http::Method;
use scraper::{Html, Selector};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use xiangxun::articles::{NewArticle, insert_imported};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::{article_tag, setting};

use crate::both_databases;
use crate::search::another;
use crate::support::TestApp;

fn texts(html: &str, selector: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let selector = Selector::parse(selector).unwrap();
    document.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

async fn titles(app: &TestApp, path: &str) -> Vec<String> {
    texts(&app.get(path).await.assert_status(200).text(), ".headline a")
}

/// Percent-encoded, as a link has it.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

both_databases! {
    async fn both_scripts_of_a_tag_are_one_page(app) {
        let (_, owner) = app.account("daily").await;
        let (_, other) = app.account("evening").await;
        app.sign_in(owner.id).await;
        app.publish_tagged("daily", "甲", "台风, 天气").await;
        app.sign_out();
        app.sign_in(other.id).await;
        app.publish_tagged("evening", "乙", "颱風").await;
        app.write_draft("evening", "草稿", "正文").await;
        app.sign_out();
        for tag in ["台风", "颱風", "＃台风"] {
            assert_eq!(titles(app, &format!("/tag/{}", encoded(tag))).await, ["乙", "甲"], "{tag}");
        }
        assert_eq!(titles(app, &format!("/@daily/tag/{}", encoded("颱風"))).await, ["甲"]);
        // It is called as the reader writes it, and has one address.
        app.keep_cookie("lang", "zh-Hant");
        let page = app.get(&format!("/tag/{}", encoded("台风"))).await.text();
        assert_eq!(texts(&page, "h1"), ["#颱風"]);
        let canonical = format!("http://xiangxun.test{}", xiangxun::home::tags::path(None, "台风"));
        assert!(page.contains(&format!(r#"<link rel="canonical" href="{canonical}">"#)), "{page}");
        let article = app.get("/@evening/yi").await.text();
        assert!(article.contains(r#"rel="tag" href="/tag/"#), "{article}");
        for path in ["/tag/nothing", "/tag/%E2%80%94", "/@daily/tag/nothing", "/@nobody/tag/x"] {
            app.get(path).await.assert_status(404);
        }
        let moved = app.get("/@Daily/tag/x%20y").await.assert_status(301);
        assert_eq!(moved.location(), "/@daily/tag/x%20y");
    }

    async fn a_tag_follows_its_article(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_tagged("daily", "甲", "旧标签").await;
        let fields = [("title", "甲"), ("body", "正文"), ("lang", "zh-Hans"), ("tags", "新标签，新標籤"), ("version", "2")];
        app.post(&format!("/studio/@daily/articles/{id}"), &fields).await.assert_status(303);
        app.get(&format!("/tag/{}", encoded("旧标签"))).await.assert_status(404);
        assert_eq!(titles(app, &format!("/tag/{}", encoded("新标签"))).await, ["甲"]);
        app.post(&format!("/studio/@daily/articles/{id}/withdraw"), &[]).await.assert_status(303);
        app.get(&format!("/tag/{}", encoded("新标签"))).await.assert_status(404);
        app.post(&format!("/studio/@daily/articles/{id}/reinstate"), &[]).await.assert_status(303);
        assert_eq!(titles(app, &format!("/tag/{}", encoded("新标签"))).await, ["甲"]);
    }

    async fn a_tag_is_read_page_by_page_and_followed_by_feed(app) {
        let (account, _) = app.account("daily").await;
        let now = app.app.clock.now();
        let batch: Vec<NewArticle> = (0..25)
            .map(|n| {
                let mut new = NewArticle::from_plain_text(account.id, &n.to_string(), &format!("Piece {n}"), "正文");
                new.tags = vec!["移民".into(), "移民".into(), if n % 2 == 0 { "签证" } else { "簽證" }.into()];
                new.published_at = Some(xiangxun::clock::Timestamp(now.0 - 60_000 * (100 - n)));
                new
            })
            .collect();
        let tx = app.app.db.begin().await.unwrap();
        insert_imported(&tx, now, batch).await.unwrap();
        tx.commit().await.unwrap();
        let path = format!("/tag/{}", encoded("簽證"));
        let page = app.get(&path).await.assert_status(200).text();
        let mut seen = texts(&page, ".headline a");
        let next = page.split(r#"rel="next" href=""#).nth(1).unwrap().split('"').next().unwrap();
        seen.extend(titles(app, next).await);
        assert_eq!(seen, (0..25).rev().map(|n| format!("Piece {n}")).collect::<Vec<_>>());
        assert_eq!(texts(&app.get("/@daily").await.text(), ".tags a").len(), 2, "what the account writes of most");
        for path in [path, format!("/@daily/tag/{}", encoded("移民"))] {
            for file in ["feed.atom", "feed.rss", "feed.json"] {
                let feed = app.get(&format!("{path}/{file}")).await.assert_status(200);
                assert!(feed.text().contains("Piece 24"), "{path}/{file}");
                let tag = feed.header("etag").to_owned();
                let again = app.request(Method::GET, &format!("{path}/{file}")).header("if-none-match", tag);
                app.send(again.body(axum::body::Body::empty()).unwrap()).await.assert_status(304);
            }
        }
        app.get("/tag/nothing/feed.atom").await.assert_status(404);
    }

    async fn articles_of_before_there_were_such_pages_are_found_after_a_start(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        app.publish_tagged("daily", "甲", "老标签").await;
        let rows = async || article_tag::Entity::find().count(app.app.db.read()).await.unwrap();
        let db = app.app.db.write();
        article_tag::Entity::delete_many().exec(db).await.unwrap();
        another(app).await;
        assert_eq!(rows().await, 0, "it was done once");
        setting::Entity::delete_many().filter(setting::COLUMN.name.eq("article_tags")).exec(db).await.unwrap();
        another(app).await;
        assert_eq!(rows().await, 1);
    }

    async fn the_front_page_can_be_narrowed_by_region_and_topic(app) {
        let (_, owner) = app.account("taipei").await;
        let (_, other) = app.account("tokyo").await;
        let front = app.get("/").await.text();
        assert!(texts(&front, ".narrows a").is_empty(), "nothing to choose from yet");
        for (handle, user, region, topic) in
            [("taipei", &owner, "taiwan", "food"), ("tokyo", &other, "japan", "food")]
        {
            app.sign_in(user.id).await;
            let fields = [("name", handle), ("lang", "zh-Hant"), ("region", region), ("topic", topic)];
            app.post(&format!("/studio/@{handle}/settings"), &fields).await.assert_status(303);
            for n in 0..3 {
                app.publish_new(handle, &format!("{handle} {n}"), "正文").await;
            }
            app.sign_out();
        }
        let front = app.get("/").await.text();
        assert_eq!(texts(&front, ".narrows a"), ["所有地区", "台湾", "日本", "所有主题", "美食"]);
        assert_eq!(titles(app, "/?region=japan").await, ["tokyo 2", "tokyo 1", "tokyo 0"]);
        assert_eq!(titles(app, "/?topic=food").await.len(), 6);
        let page = app.get("/?region=taiwan&topic=food").await.assert_status(200).text();
        assert_eq!(texts(&page, ".narrows [aria-current]"), ["台湾", "美食"]);
        assert_eq!(texts(&page, "aside .name"), ["taipei"]);
        assert!(page.contains("<title>台湾 · 美食 · 乡讯</title>"), "{page}");
        let none = app.get("/?region=taiwan&topic=sports").await.assert_status(200).text();
        assert!(none.contains("换一个地区或主题看看"), "{none}");
        app.get("/?region=atlantis").await.assert_status(404);
        let home = app.get("/@tokyo").await.text();
        assert!(home.contains(r#"<a href="/?region=japan">日本</a>"#), "{home}");
        app.sign_in(owner.id).await;
        let fields = [("name", "x"), ("lang", "zh-Hant"), ("region", "atlantis"), ("topic", "gossip")];
        let page = app.post("/studio/@taipei/settings", &fields).await.assert_status(422).text();
        assert!(page.contains("请从列表里选择一个地区") && page.contains("请从列表里选择一个主题"), "{page}");
    }

    async fn a_narrowed_list_is_in_order_over_its_accounts(app) {
        use sea_orm::ActiveModelTrait;
        use sea_orm::ActiveValue::Set;
        use xiangxun::db::entities::account::{self, Region};
        let mut accounts = Vec::new();
        for handle in ["one", "two", "three"] {
            let mut row: account::ActiveModel = app.account(handle).await.0.into();
            row.region = Set((handle != "three").then_some(Region::Europe));
            accounts.push(row.update(app.app.db.write()).await.unwrap());
        }
        for n in 0..45 {
            crate::home::published(app, &accounts[n % 3], &format!("Piece {n}"), n as i64 / 4).await;
        }
        let (mut path, mut seen) = ("/?region=europe".to_owned(), Vec::new());
        loop {
            let page = app.get(&path).await.assert_status(200).text();
            seen.extend(texts(&page, ".headline a"));
            match page.split(r#"rel="next" href=""#).nth(1) {
                Some(rest) => path = rest.split('"').next().unwrap().replace("&#38;", "&"),
                None => break,
            }
        }
        let expected: Vec<String> = (0..45).rev().filter(|n| n % 3 != 2).map(|n| format!("Piece {n}")).collect();
        assert_eq!(seen, expected);
    }

    async fn region_and_topic_are_in_the_api(app) {
        let (_, owner) = app.account("daily").await;
        let token = api_tokens::create(&app.app, owner.id, "t", &[Scope::AccountsWrite]).await.unwrap();
        let path = "/api/v1/accounts/daily";
        let changed = app.api(Method::PATCH, path, &token, &[], json!({ "region": "canada", "topic": "law" })).await.assert_status(200).json();
        assert_eq!((changed["region"].as_str(), changed["topic"].as_str()), (Some("canada"), Some("law")));
        let changed = app.api(Method::PATCH, path, &token, &[], json!({ "topic": "" })).await.assert_status(200).json();
        assert_eq!((changed["region"].as_str(), changed["topic"].as_str()), (Some("canada"), None));
        app.api(Method::PATCH, path, &token, &[], json!({ "region": "Canada" })).await.assert_status(422);
    }
}
