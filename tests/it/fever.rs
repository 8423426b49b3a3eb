//! Fever's API, as older reader apps use it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::{Value, json};
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::page::Locale;
use xiangxun::saved::highlights::{self, NewHighlight};
use xiangxun::{lists, reader_apps, saved, subscriptions};

use crate::both_databases;
use crate::support::TestApp;

/// Asks as an app does: what is wanted in the address, the key in a form.
async fn ask(app: &TestApp, key: &str, wanted: &str) -> Value {
    let request = Request::post(format!("/api/fever.php?api&{wanted}"))
        .header(header::HOST, "xiangxun.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("api_key={key}")));
    app.send_alone(request.unwrap()).await.assert_status(200).json()
}

fn ids(text: &Value) -> Vec<i64> {
    text.as_str().unwrap().split(',').filter_map(|id| id.parse().ok()).collect()
}

fn titles(document: &Value) -> Vec<&str> {
    document["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

both_databases! {
    async fn an_app_of_fevers_syncs_reads_and_saves(app) {
        let user = app.user("reader@example.org").await;
        let (account, _) = app.account("times").await;
        let followed = subscriptions::subscribe(&app.app, &user, account.id, None, Locale::ZhHans).await.unwrap();
        let list = lists::named(&app.app, user.id, "晨报").await.unwrap();
        lists::put(&app.app, user.id, followed.id, Some(list.id)).await.unwrap();
        for title in ["甲", "乙", "丙"] {
            app.app.clock.advance(Duration::from_secs(60));
            app.published(account.id, title).await;
        }
        let secret = reader_apps::create(&app.app, &user, "Fever").await.unwrap();
        let key = reader_apps::fever_key(&user.email, &secret);
        assert_eq!(ask(app, "0123456789abcdef0123456789abcdef", "items").await, json!({ "api_version": 3, "auth": 0 }));
        let all = ask(app, &key.to_uppercase(), "groups&feeds&favicons&links").await;
        assert_eq!(all["auth"], 1);
        assert_eq!(all["groups"], json!([{ "id": list.id, "title": "晨报" }]));
        let feed = &all["feeds"][0];
        assert_eq!((&feed["title"], &feed["site_url"]), (&json!("times 日报"), &json!("http://xiangxun.test/@times")));
        assert_eq!(all["feeds_groups"], json!([{ "group_id": list.id, "feed_ids": feed["id"].to_string() }]));

        // Numbers rise with time, above and below any of them.
        let items = ask(app, &key, "items&since_id=0").await;
        assert_eq!((titles(&items), &items["total_items"]), (vec!["甲", "乙", "丙"], &json!(3)));
        let number = |at: usize| items["items"][at]["id"].as_i64().unwrap();
        assert_eq!(titles(&ask(app, &key, &format!("items&since_id={}", number(0))).await), ["乙", "丙"]);
        assert_eq!(titles(&ask(app, &key, &format!("items&max_id={}", number(2))).await), ["乙", "甲"]);
        assert_eq!(titles(&ask(app, &key, &format!("items&with_ids={},{}", number(2), number(0))).await), ["丙", "甲"]);
        app.app.clock.advance(Duration::from_secs(60));
        app.published(account.id, "丁").await;
        assert_eq!(titles(&ask(app, &key, &format!("items&since_id={}", number(2))).await), ["丁"]);
        assert_eq!(items["items"][0]["html"].as_str().unwrap().matches("<p>").count(), 2);

        let read = ask(app, &key, &format!("mark=item&as=read&id={}", number(1))).await;
        let unread = ids(&read["unread_item_ids"]);
        assert!(unread.len() == 3 && !unread.contains(&number(1)), "{unread:?}");
        let saved = ask(app, &key, &format!("mark=item&as=saved&id={}", number(0))).await;
        assert_eq!(ids(&saved["saved_item_ids"]), [number(0)]);
        let saved = ask(app, &key, &format!("mark=item&as=unsaved&id={}", number(0))).await;
        assert_eq!(saved["saved_item_ids"], "");
        let unread = ask(app, &key, &format!("mark=item&as=unread&id={}", number(1))).await;
        assert_eq!(ids(&unread["unread_item_ids"]).len(), 4);
        let read = ask(app, &key, &format!("mark=group&as=read&id={}", list.id)).await;
        assert_eq!(read["unread_item_ids"], "");
        // Nonsense changes nothing.
        for wrong in ["mark=item&as=read&id=x", "mark=feed&as=read&id=0", "mark=x&as=y&id=1", "items&with_ids=,x"] {
            assert_eq!(ask(app, &key, wrong).await["auth"], 1, "{wrong}");
        }
    }

    async fn an_app_of_fevers_takes_no_notes_and_no_withdrawn_article_away(app) {
        let user = app.user("reader@example.org").await;
        let (account, _) = app.account("times").await;
        subscriptions::subscribe(&app.app, &user, account.id, None, Locale::ZhHans).await.unwrap();
        let mut copies = Vec::new();
        for title in ["甲", "乙", "丙"] {
            app.app.clock.advance(Duration::from_secs(60));
            let article = app.published(account.id, title).await;
            copies.push(saved::save(&app.app, user.id, article.id).await.unwrap());
        }
        let secret = reader_apps::create(&app.app, &user, "Fever").await.unwrap();
        let key = reader_apps::fever_key(&user.email, &secret);
        let items = ask(app, &key, "items&since_id=0").await;
        let numbers: Vec<i64> =
            items["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
        let note = NewHighlight { quote: "第一段".into(), note: "我的笔记".into(), ..NewHighlight::default() };
        highlights::add(&app.app, user.id, copies[0].id, &note).await.unwrap();
        article::Entity::update_many()
            .col_expr(article::Column::State, Expr::value(ArticleState::Withdrawn))
            .filter(article::COLUMN.title.eq("乙"))
            .exec(app.app.db.write())
            .await
            .unwrap();
        for number in &numbers {
            ask(app, &key, &format!("mark=item&as=unsaved&id={number}")).await;
        }
        assert_eq!(ask(app, &key, "saved_item_ids").await["saved_item_ids"], "");
        let items = ask(app, &key, &format!("items&with_ids={}", numbers[0])).await;
        assert_eq!(items["items"][0]["is_saved"], 0);
        let kept = saved::queries::page(app.app.db.read(), user.id, None, 9).await.unwrap().0;
        assert_eq!(kept.iter().map(|copy| &*copy.title).collect::<Vec<_>>(), ["乙", "甲"]);
        let notes = saved::queries::highlights(app.app.db.read(), &[copies[0].id]).await.unwrap();
        assert_eq!(notes[&copies[0].id][0].note, "我的笔记");
        for number in &numbers[..2] {
            ask(app, &key, &format!("mark=item&as=saved&id={number}")).await;
        }
        let mut saved = ids(&ask(app, &key, "saved_item_ids").await["saved_item_ids"]);
        saved.sort_unstable();
        assert_eq!(saved, numbers[..2]);
    }

    async fn guessing_keys_is_slowed_down(app) {
        let mut statuses = Vec::new();
        for number in 0..12 {
            let request = Request::post("/api/fever.php?api")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(format!("api_key={number:032x}")));
            statuses.push(app.send_alone(request.unwrap()).await.status.as_u16());
        }
        assert_eq!((statuses[0], statuses[11]), (200, 429));
    }
}
