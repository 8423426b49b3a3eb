//! What readers are shown of an article: itself, that it moved, that it is gone.

use std::time::Duration;

use axum::http::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use xiangxun::db::entities::article::{self};

use crate::both_databases;
use crate::support::desk::id_of;

both_databases! {
    async fn a_withdrawn_article_is_gone_until_it_is_reinstated(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "有误", "不实的内容").await;
        let path = format!("/studio/@daily/articles/{id}");
        app.get(&format!("{path}/withdraw")).await.assert_status(200);
        app.post(&format!("{path}/withdraw"), &[("reason", &"长".repeat(501))]).await.assert_status(422);
        for _ in 0..2 {
            app.post(&format!("{path}/withdraw"), &[("reason", "数字 <b>有误</b>")]).await.assert_status(303);
        }
        app.sign_out();
        let page = app.get("/@daily/you-wu").await.assert_status(410).text();
        assert!(page.contains("撤回") && page.contains("数字 &") && !page.contains("<b>有误") && !page.contains("不实的内容"), "{page}");
        app.sign_in(owner.id).await;
        app.post(&format!("{path}/reinstate"), &[]).await.assert_status(303);
        app.get("/@daily/you-wu").await.assert_status(200);
        assert_eq!(app.events().await, ["article_published", "article_withdrawn", "article_published"]);
    }

    async fn former_addresses_lead_to_the_present_one(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "旧题", "正文").await;
        let path = format!("/studio/@daily/articles/{id}");
        for (slug, version) in [("second", "2"), ("third", "3"), ("second", "4")] {
            app.post(&path, &[("title", "旧题"), ("body", "正文"), ("slug", slug), ("version", version)]).await.assert_status(303);
        }
        for old in ["jiu-ti", "third"] {
            let answer = app.get(&format!("/@daily/{old}")).await.assert_status(301);
            assert_eq!(answer.location(), "/@daily/second");
        }
        app.get("/@daily/second").await.assert_status(200);
        // Handles in capitals are redirected too; a former address is not given to another article.
        assert_eq!(app.get("/@Daily/second").await.assert_status(301).location(), "/@daily/second");
        let page = app.post("/studio/@daily/articles", &[("title", "新"), ("body", "正文"), ("slug", "third")]).await.assert_status(422).text();
        assert!(page.contains("请换一个"), "{page}");
        let other = app.publish_new("daily", "旧题", "同名").await;
        assert_eq!(app.article(other).await.slug, "jiu-ti-2");
    }

    async fn an_unchanged_article_is_not_sent_again(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("daily", "不变", "正文").await;
        app.sign_out();
        let first = app.get("/@daily/bu-bian").await.assert_status(200);
        let etag = first.header("etag").to_owned();
        let modified = first.header("last-modified").to_owned();
        assert!(modified.ends_with("GMT") && etag.starts_with('"'));
        let ask = |name: &'static str, value: &str| {
            app.request(Method::GET, "/@daily/bu-bian").header(name, value).body(axum::body::Body::empty()).unwrap()
        };
        assert!(app.send(ask("if-none-match", &etag)).await.assert_status(304).bytes.is_empty());
        app.send(ask("if-none-match", &format!("\"x\", W/{etag}"))).await.assert_status(304);
        app.send(ask("if-modified-since", &modified)).await.assert_status(304);
        app.sign_in(owner.id).await;
        app.app.clock.advance(Duration::from_secs(5));
        app.post(&format!("/studio/@daily/articles/{id}"), &[("title", "不变"), ("body", "变了"), ("version", "2")]).await.assert_status(303);
        app.sign_out();
        app.send(ask("if-none-match", &etag)).await.assert_status(200);
        app.send(ask("if-modified-since", &modified)).await.assert_status(200);
    }

    async fn the_preview_shows_what_readers_would_see(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let page = app.post("/studio/@daily/preview", &[("title", "题"), ("body", "**粗**<img src=x onerror=alert(1)>")]).await.assert_status(200).text();
        assert!(page.contains("<strong>粗</strong>") && !page.contains("onerror"), "{page}");
        let request = app
            .request(Method::POST, "/studio/@daily/preview")
            .header("origin", "http://xiangxun.test")
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from("body=*x*"));
        let json = app.send(request.unwrap()).await.assert_status(200).json();
        assert_eq!(json["html"], "<p><em>x</em></p>");
        assert_eq!(article::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }

    async fn hostile_bodies_do_not_reach_the_page(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let vectors: Vec<String> = include_str!("../fixtures/xss.jsonl")
            .lines()
            .step_by(400)
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["payload"].as_str().unwrap().to_owned())
            .collect();
        for (format, id) in [("markdown", "md"), ("html", "ht")] {
            let body = vectors.join("\n\n");
            let fields = [("title", "<script>alert('题')</script>"), ("digest", "\"><img src=x onerror=alert(1)>"), ("author", "<b>x"), ("tags", "<i>"), ("slug", id), ("body_format", format), ("body", &body)];
            let draft = id_of(app.post("/studio/@daily/articles", &fields).await.assert_status(303).location());
            app.publish("daily", draft).await;
            for path in [format!("/@daily/{id}"), format!("/studio/@daily/articles/{draft}"), format!("/studio/@daily/articles/{draft}/revisions/1"), "/studio/@daily/articles?state=published".to_owned()] {
                let page = app.get(&path).await.assert_status(200).text();
                let document = scraper::Html::parse_document(&page);
                for node in document.tree.nodes() {
                    let Some(element) = node.value().as_element() else { continue };
                    assert!(element.attrs().all(|(name, _)| !name.starts_with("on") && name != "style"), "{path}: {element:?}");
                    let is_data = element.attr("type") == Some("application/ld+json");
                    if element.name() == "script" && !is_data {
                        assert!(element.attr("src").is_some_and(|src| src.starts_with("/static/")), "{path}: {element:?}");
                    }
                    assert!(!matches!(element.name(), "iframe" | "object" | "embed" | "base"), "{path}: {element:?}");
                }
            }
        }
    }
}
