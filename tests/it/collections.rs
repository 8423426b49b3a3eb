//! Collections: ordered sets of an account's articles, for readers, in the studio and by the API.

use axum::http::Method;
use scraper::{Html, Selector};
use serde_json::json;
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::member::Role;

use crate::both_databases;
use crate::support::TestApp;

fn texts(html: &str, selector: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let selector = Selector::parse(selector).unwrap();
    document.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

/// Makes a collection through the studio; returns its id.
async fn make(app: &TestApp, title: &str) -> i64 {
    let answer = app.post("/studio/@daily/collections", &[("title", title), ("intro", "一部连载")]).await;
    answer.assert_status(303).location().rsplit('/').next().unwrap().parse().unwrap()
}

async fn put_in(app: &TestApp, collection: i64, articles: &[i64]) {
    let ids: Vec<String> = articles.iter().map(ToString::to_string).collect();
    // As the form offers them: newest first.
    let fields: Vec<(&str, &str)> = ids.iter().rev().map(|id| ("article", id.as_str())).collect();
    app.post(&format!("/studio/@daily/collections/{collection}/articles"), &fields).await.assert_status(303);
}

async fn titles(app: &TestApp, slug: &str) -> Vec<String> {
    let page = app.get(&format!("/@daily/collections/{slug}")).await.assert_status(200).text();
    texts(&page, ".numbered .headline")
}

both_databases! {
    async fn a_series_is_read_in_its_order(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let mut ids = Vec::new();
        for title in ["序", "甲回", "乙回", "丙回"] {
            ids.push(app.publish_new("daily", title, "正文").await);
        }
        let collection = make(app, "海外纪事").await;
        put_in(app, collection, &ids).await;
        put_in(app, collection, &ids[..2]).await;
        app.sign_out();
        assert_eq!(titles(app, "hai-wai-ji-shi").await, ["序", "甲回", "乙回", "丙回"], "nothing is in it twice");
        let home = app.get("/@daily").await.assert_status(200).text();
        assert_eq!(texts(&home, ".shelf li span"), ["海外纪事"]);
        assert!(home.contains("4 篇"));
        let all = app.get("/@daily/collections").await.assert_status(200).text();
        assert!(all.contains("海外纪事") && all.contains("一部连载"));
        let middle = app.get("/@daily/jia-hui").await.assert_status(200).text();
        assert!(texts(&middle, ".stand .num") == ["第 2 篇，共 4 篇"], "{middle}");
        assert_eq!(texts(&middle, ".stand .neighbours span[lang]"), ["序", "乙回"]);
        let last = app.get("/@daily/bing-hui").await.text();
        assert_eq!(texts(&last, ".stand .neighbours span[lang]"), ["乙回"]);
        // What is withdrawn is passed over.
        app.sign_in(owner.id).await;
        app.post(&format!("/studio/@daily/articles/{}/withdraw", ids[2]), &[]).await.assert_status(303);
        app.sign_out();
        assert_eq!(titles(app, "hai-wai-ji-shi").await, ["序", "甲回", "丙回"]);
        let middle = app.get("/@daily/jia-hui").await.text();
        assert_eq!(texts(&middle, ".stand .neighbours span[lang]"), ["序", "丙回"]);
        assert_eq!(app.get("/@Daily/collections/hai-wai-ji-shi").await.assert_status(301).location(), "/@daily/collections/hai-wai-ji-shi");
        for path in ["/@daily/collections/nothing", "/@daily/collections/hai-wai-ji-shi?page=2", "/@daily/collections/hai-wai-ji-shi?page=0", "/@nobody/collections"] {
            app.get(path).await.assert_status(404);
        }
    }

    async fn the_order_is_the_editors(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let mut ids = Vec::new();
        for title in ["甲", "乙", "丙", "丁"] {
            ids.push(app.publish_new("daily", title, "正文").await);
        }
        let collection = make(app, "次序").await;
        put_in(app, collection, &ids).await;
        let path = format!("/studio/@daily/collections/{collection}");
        for (article, to, expected) in [
            (3, "1", ["丁", "甲", "乙", "丙"]),
            (0, "down", ["丁", "乙", "甲", "丙"]),
            (2, "up", ["丁", "乙", "丙", "甲"]),
            (3, "99", ["乙", "丙", "甲", "丁"]),
            (1, "up", ["乙", "丙", "甲", "丁"]),
        ] {
            app.post(&format!("{path}/articles/{}/place", ids[article]), &[("to", to)]).await.assert_status(303);
            assert_eq!(titles(app, "ci-xu").await, expected, "{article} {to}");
        }
        for wrong in ["", "0", "middle"] {
            app.post(&format!("{path}/articles/{}/place", ids[0]), &[("to", wrong)]).await.assert_status(422);
        }
        app.post(&format!("{path}/articles/{}/remove", ids[2]), &[]).await.assert_status(303);
        assert_eq!(titles(app, "ci-xu").await, ["乙", "甲", "丁"]);
        let page = app.get(&format!("{path}?q=丙")).await.assert_status(200).text();
        assert_eq!(texts(&page, ".check span[lang]"), ["丙"], "only what is not in it is offered");
        // Collections have an order as well.
        let second = make(app, "另一个").await;
        assert_eq!(texts(&app.get("/@daily").await.text(), ".shelf li span"), ["次序"], "an empty one is nothing to readers");
        put_in(app, second, &ids[..1]).await;
        app.post(&format!("/studio/@daily/collections/{second}/shift"), &[("to", "up")]).await.assert_status(303);
        assert_eq!(texts(&app.get("/@daily").await.text(), ".shelf li span"), ["另一个", "次序"]);
    }

    async fn a_collection_keeps_its_address_when_it_is_renamed_and_its_articles_when_it_goes(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let article = app.publish_new("daily", "甲", "正文").await;
        let collection = make(app, "旧名").await;
        make(app, "旧名").await;
        put_in(app, collection, &[article]).await;
        let path = format!("/studio/@daily/collections/{collection}");
        app.post(&path, &[("title", "新名"), ("intro", "")]).await.assert_status(303);
        assert!(app.get("/@daily/collections/jiu-ming").await.assert_status(200).text().contains("新名"));
        app.get("/@daily/collections/jiu-ming-2").await.assert_status(200);
        for (title, intro) in [("", ""), ("——", ""), (&*"长".repeat(61), ""), ("好", &*"长".repeat(501))] {
            let page = app.post(&path, &[("title", title), ("intro", intro)]).await.assert_status(422).text();
            assert!(page.contains("aria-invalid"), "{title}: {page}");
            app.post("/studio/@daily/collections", &[("title", title), ("intro", intro)]).await.assert_status(422);
        }
        app.post(&format!("{path}/delete"), &[]).await.assert_status(303);
        app.get("/@daily/collections/jiu-ming").await.assert_status(404);
        app.get("/@daily/jia").await.assert_status(200);
    }

    async fn only_editors_of_the_account_touch_its_collections(app) {
        let (account, owner) = app.account("daily").await;
        let (_, stranger) = app.account("other").await;
        app.sign_in(owner.id).await;
        let collection = make(app, "合集").await;
        app.sign_out();
        app.sign_in(stranger.id).await;
        let foreign = app.publish_new("other", "外人的文章", "正文").await;
        let path = format!("collections/{collection}");
        app.get(&format!("/studio/@daily/{path}")).await.assert_status(403);
        app.get(&format!("/studio/@other/{path}")).await.assert_status(404);
        app.post(&format!("/studio/@other/{path}"), &[("title", "抢")]).await.assert_status(404);
        app.post(&format!("/studio/@other/{path}/delete"), &[]).await.assert_status(404);
        app.sign_in_as(account.id, Role::Author).await;
        app.get("/studio/@daily/collections").await.assert_status(403);
        app.post("/studio/@daily/collections", &[("title", "作者的")]).await.assert_status(403);
        app.sign_in_as(account.id, Role::Editor).await;
        app.get("/studio/@daily/collections").await.assert_status(200);
        let id = foreign.to_string();
        app.post(&format!("/studio/@daily/{path}/articles"), &[("article", &id)]).await.assert_status(422);
        assert!(titles(app, "he-ji").await.is_empty(), "another account's article stays out");
    }

    async fn a_long_collection_is_read_page_by_page_and_followed_by_feed(app) {
        let (account, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let mut ids = Vec::new();
        for n in 1..=23 {
            ids.push(crate::home::published(app, &account, &format!("Part {n}"), n).await.id);
        }
        let collection = make(app, "大篇").await;
        put_in(app, collection, &ids).await;
        app.sign_out();
        let first = app.get("/@daily/collections/da-pian").await.assert_status(200).text();
        assert!(first.contains(r#"rel="next" href="/@daily/collections/da-pian?page=2""#), "{first}");
        let second = app.get("/@daily/collections/da-pian?page=2").await.assert_status(200).text();
        assert_eq!(texts(&second, ".numbered .place"), ["21", "22", "23"]);
        for file in ["feed.atom", "feed.rss", "feed.json"] {
            let path = format!("/@daily/collections/da-pian/{file}");
            assert!(first.contains(&path));
            let feed = app.get(&path).await.assert_status(200);
            let newest = feed.text().find("Part 23").unwrap();
            assert!(newest < feed.text().find("Part 22").unwrap(), "newest first");
            let tag = feed.header("etag").to_owned();
            let request = app.request(Method::GET, &path).header("if-none-match", tag);
            app.send(request.body(axum::body::Body::empty()).unwrap()).await.assert_status(304);
        }
        app.get("/@daily/collections/nothing/feed.atom").await.assert_status(404);
        let map = app.get("/sitemap/accounts.xml").await.assert_status(200).text();
        assert!(map.contains("<loc>http://xiangxun.test/@daily/collections/da-pian</loc>"), "{map}");
    }

    async fn collections_are_kept_by_the_api_too(app) {
        let (_, owner) = app.account("daily").await;
        app.sign_in(owner.id).await;
        let (one, two) = (app.publish_new("daily", "甲", "正文").await, app.publish_new("daily", "乙", "正文").await);
        app.sign_out();
        let token = api_tokens::create(&app.app, owner.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
        let list = "/api/v1/accounts/daily/collections";
        let made = app.api(Method::POST, list, &token, &[], json!({ "title": "合集", "articles": [two, one] })).await.assert_status(201).json();
        assert_eq!(made["articles"], json!([two, one]));
        assert_eq!(made["url"], "http://xiangxun.test/@daily/collections/he-ji");
        let path = format!("/api/v1/collections/{}", made["id"]);
        let changed = app.api(Method::PATCH, &path, &token, &[], json!({ "intro": "说明", "articles": [one] })).await.assert_status(200).json();
        assert_eq!((changed["title"].as_str(), changed["intro"].as_str(), &changed["articles"]), (Some("合集"), Some("说明"), &json!([one])));
        app.api(Method::PATCH, &path, &token, &[], json!({ "articles": [one, 999_999] })).await.assert_status(422);
        app.api(Method::POST, list, &token, &[], json!({ "title": "坏", "articles": [999_999] })).await.assert_status(422);
        let listed = app.get(list).await.assert_status(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
        let stranger = app.user("stranger@example.org").await;
        let other = api_tokens::create(&app.app, stranger.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
        app.api(Method::DELETE, &path, &other, &[], json!(null)).await.assert_status(404);
        app.api(Method::DELETE, &path, &token, &[], json!(null)).await.assert_status(204);
        assert!(app.get(list).await.json()["items"].as_array().unwrap().is_empty());
    }
}
