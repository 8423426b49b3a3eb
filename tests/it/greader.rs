//! The Google Reader API, as reader apps use it.

use std::time::Duration;

use axum::http::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::json;
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::user;
use xiangxun::page::Locale;
use xiangxun::reader_apps;
use xiangxun::saved::highlights::{self, NewHighlight};
use xiangxun::{lists, saved, subscriptions};

use crate::both_databases;
use crate::support::TestApp;
use crate::support::reader_app::{ReaderApp, sign_in, titles_of};

/// A reader who follows `times` and `post`, three articles in all, one minute apart.
async fn reader(app: &TestApp) -> user::Model {
    let user = app.user("reader@example.org").await;
    for (handle, titles) in [("times", &["旧闻", "新闻"][..]), ("post", &["要闻"])] {
        let (account, _) = app.account(handle).await;
        subscriptions::subscribe(&app.app, &user, account.id, None, Locale::ZhHans).await.unwrap();
        for title in titles {
            app.app.clock.advance(Duration::from_secs(60));
            app.published(account.id, title).await;
        }
    }
    user
}

async fn withdraw(app: &TestApp, title: &str) {
    article::Entity::update_many()
        .col_expr(article::Column::State, Expr::value(ArticleState::Withdrawn))
        .filter(article::COLUMN.title.eq(title))
        .exec(app.app.db.write())
        .await
        .unwrap();
}

async fn feed_id(api: &ReaderApp<'_>, title: &str) -> String {
    let list = api.json("subscription/list?output=json").await;
    let feed = list["subscriptions"].as_array().unwrap().iter().find(|feed| feed["title"] == title);
    feed.unwrap_or_else(|| panic!("no {title} in {list}"))["id"].as_str().unwrap().to_owned()
}

both_databases! {
    async fn a_password_for_an_app_is_shown_once_and_opens_only_the_apps_door(app) {
        let user = app.user("reader@example.org").await;
        app.sign_in(user.id).await;
        let page = app.post("/settings/reader-apps", &[("name", "")]).await.assert_status(422).text();
        assert!(page.contains("class=\"error\""), "{page}");
        let answer = app.post("/settings/reader-apps", &[("name", "手机")]).await.assert_status(200);
        assert_eq!(answer.header("cache-control"), "private, no-store");
        let page = answer.text();
        let from = page.find("class=\"secret\">").unwrap() + "class=\"secret\">".len();
        let password = page[from..from + 29].to_owned();
        let page = app.get("/settings/reader-apps").await.assert_status(200).text();
        assert!(page.contains("手机") && !page.contains(&password) && !page.contains('⟦'), "{page}");
        assert!(page.contains("http://xiangxun.test/api/greader.php") && page.contains("urls-source"));
        app.sign_out();

        // However it was typed, but with the right address only.
        let typed = password.replace('-', "").to_uppercase();
        let answer = sign_in(app, "Reader@Example.org", &typed).await.assert_status(200);
        assert!(answer.text().starts_with("SID="), "{}", answer.text());
        app.user("other@example.org").await;
        for (email, password) in [("other@example.org", &*password), ("reader@example.org", "wrong"), ("?", "")] {
            let answer = sign_in(app, email, password).await.assert_status(401);
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        }
        let row = reader_apps::list(&app.app, user.id).await.unwrap().remove(0);
        assert!(row.last_used_at.is_some() && row.secret_hash.len() == 64 && row.fever_hash.len() == 64);

        let api = ReaderApp::of(app, &user).await;
        let info = api.json("user-info?output=json").await;
        assert_eq!(info["userEmail"], "reader@example.org");
        assert_eq!(api.get("api/0/token").await.text().trim().len(), 57);
        // Taken back, it opens nothing any more.
        let row = reader_apps::list(&app.app, user.id).await.unwrap().remove(0);
        assert_eq!(row.last_used_by.as_deref(), Some("TestReader"));
        app.sign_in(user.id).await;
        app.post(&format!("/settings/reader-apps/{}/revoke", row.id), &[]).await.assert_status(303);
        api.get("api/0/user-info").await.assert_status(401);
        sign_in(app, &user.email, &api.password).await.assert_status(401);
    }

    async fn guessing_passwords_is_slowed_down(app) {
        let user = app.user("reader@example.org").await;
        let mut refused = None;
        for _ in 0..12 {
            let answer = sign_in(app, &user.email, "aaaaa-aaaaa-aaaaa-aaaaa-aaaaa").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
            assert_eq!(answer.status, 401);
        }
        let refused = refused.expect("after ten tries");
        assert!(refused.text().contains("try again in"), "{}", refused.text());
    }

    async fn what_apps_send_wrongly_is_refused_in_plain_words(app) {
        let user = reader(app).await;
        let api = ReaderApp::of(app, &user).await;
        let answer = app.get("/api/greader.php/reader/api/0/subscription/list").await.assert_status(401);
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(app.get("/api/greader.php").await.assert_status(200).text(), "OK");
        api.get("api/0/nowhere").await.assert_status(404);
        api.get("api/0/stream/contents/nonsense").await.assert_status(400);
        api.post("edit-tag", &[("a", "user/-/state/com.google/read")]).await.assert_status(400);
        let answer = api.post("edit-tag", &[("i", "1"), ("T", "wrong")]).await.assert_status(401);
        assert_eq!(answer.header("x-reader-google-bad-token"), "true");
        api.post("subscription/edit", &[("ac", "unsubscribe"), ("s", "feed/99998")]).await.assert_status(404);
        api.post("subscription/edit", &[("ac", "dance"), ("s", "feed/2")]).await.assert_status(400);
        api.post("rename-tag", &[("s", "user/-/label/x"), ("dest", "user/-/label/y")]).await.assert_status(404);
        for forged in ["1.AAAAAAAAAAAAAAAAAAAAAA", "", "x"] {
            let forged = ReaderApp { auth: forged.into(), ..ReaderApp::of(app, &user).await };
            forged.get("api/0/token").await.assert_status(401);
        }
        // Browsers' apps may ask first.
        let question = app.request(Method::OPTIONS, "/api/greader.php/reader/api/0/token");
        let answer = app.send(question.body(axum::body::Body::empty()).unwrap()).await.assert_status(204);
        assert!(answer.header("access-control-allow-headers").contains("Authorization"));
    }

    async fn streams_are_read_in_order_and_in_pieces(app) {
        let user = reader(app).await;
        let api = ReaderApp::of(app, &user).await;
        const ALL: &str = "stream/contents/user/-/state/com.google/reading-list";
        assert_eq!(api.titles(ALL).await, ["要闻", "新闻", "旧闻"]);
        assert_eq!(api.titles(&format!("{ALL}?r=o")).await, ["旧闻", "新闻", "要闻"]);
        let first = api.json(&format!("{ALL}?n=2")).await;
        assert_eq!(titles_of(&first), ["要闻", "新闻"]);
        let continuation = first["continuation"].as_str().unwrap();
        assert!(continuation.bytes().all(|byte| byte.is_ascii_digit()), "{continuation}");
        let second = api.json(&format!("{ALL}?n=2&c={continuation}")).await;
        assert_eq!((titles_of(&second), &second["continuation"]), (vec!["旧闻".into()], &json!(null)));
        let rising = api.json(&format!("{ALL}?n=1&r=o")).await;
        let next = api.json(&format!("{ALL}?n=1&r=o&c={}", rising["continuation"].as_str().unwrap())).await;
        assert_eq!(titles_of(&next), ["新闻"]);

        // An item has the same id in all its forms.
        let item = &first["items"][0];
        let long = item["id"].as_str().unwrap();
        let ids = api.json("stream/items/ids?s=user/-/state/com.google/reading-list&n=10&output=json").await;
        let short: Vec<&str> = ids["itemRefs"].as_array().unwrap().iter().map(|id| id["id"].as_str().unwrap()).collect();
        assert_eq!(short.len(), 3);
        assert_eq!(long, format!("tag:google.com,2005:reader/item/{:016x}", short[0].parse::<i64>().unwrap()));
        let hex = &long[long.len() - 16..];
        let asked = [("i", short[2]), ("i", long), ("i", hex), ("i", "999999")];
        let contents = api.post("stream/items/contents", &asked).await.assert_status(200).json();
        assert_eq!(titles_of(&contents)[..2], ["旧闻", "要闻"]);
        assert!(item["summary"]["content"].as_str().unwrap().contains("第一段"));
        assert!(item["canonical"][0]["href"].as_str().unwrap().starts_with("http://xiangxun.test/@post/"));
        assert_eq!(item["origin"]["title"], "post 日报");

        // One feed, by number and by address; times.
        let times = feed_id(&api, "times 日报").await;
        assert_eq!(api.titles(&format!("stream/contents/{}", times.replace('/', "%2F"))).await, ["新闻", "旧闻"]);
        assert_eq!(api.titles(&format!("stream/contents/{times}?n=1")).await, ["新闻"]);
        let address = "feed/http%3A%2F%2Fxiangxun.test%2F%40times%2Ffeed.atom";
        assert_eq!(api.titles(&format!("stream/contents/{address}")).await, ["新闻", "旧闻"]);
        let at = first["items"][1]["published"].as_i64().unwrap();
        assert_eq!(api.titles(&format!("{ALL}?ot={}", at + 1)).await, ["要闻"]);
        assert_eq!(api.titles(&format!("{ALL}?nt={}", at - 1)).await, ["旧闻"]);
        // As Atom, for old readers in a terminal.
        let atom = api.get(&format!("atom/{}?n=10", times.replace('/', "%2F"))).await.assert_status(200);
        let feed = feed_rs::parser::parse(&atom.bytes[..]).unwrap();
        assert_eq!(feed.entries.len(), 2);
        assert!(atom.text().contains("label=\"fresh\""));
    }

    async fn what_is_read_and_starred_in_an_app_is_so_on_the_site_and_the_other_way_round(app) {
        let user = reader(app).await;
        let api = ReaderApp::of(app, &user).await;
        const READ: &str = "user/-/state/com.google/read";
        const STARRED: &str = "user/-/state/com.google/starred";
        const UNREAD: &str = "stream/contents?xt=user/-/state/com.google/read";
        let token = api.get("api/0/token").await.text();
        let item = api.item("新闻").await;
        let done = api.post("edit-tag", &[("i", &item), ("a", READ), ("a", STARRED), ("T", &format!("{token}\n"))]).await;
        assert_eq!(done.assert_status(200).text(), "OK");
        assert_eq!(api.titles(UNREAD).await, ["要闻", "旧闻"]);
        assert_eq!(api.states("新闻").await, ["read", "starred"]);
        assert_eq!(api.titles(&format!("stream/contents/{STARRED}")).await, ["新闻"]);
        assert_eq!(api.titles(&format!("stream/contents?it={STARRED}")).await, ["新闻"]);
        app.sign_in(user.id).await;
        let saved = app.get("/saved").await.assert_status(200).text();
        assert!(saved.contains("新闻") && !saved.contains("旧闻"), "{saved}");

        // Kept unread again; the star goes.
        let fields = [("i", &*item), ("r", READ), ("a", "user/-/state/com.google/kept-unread"), ("r", STARRED), ("T", "x")];
        api.post("edit-tag", &fields).await.assert_status(200);
        assert!(api.states("新闻").await.is_empty());
        assert_eq!(api.titles(UNREAD).await, ["要闻", "新闻", "旧闻"]);

        // Counts, and all of a feed at once.
        let counts = api.json("unread-count?output=json").await;
        assert_eq!(counts["max"], 3);
        let times = feed_id(&api, "times 日报").await;
        let of_times = |counts: &serde_json::Value| {
            let found = counts["unreadcounts"].as_array().unwrap().iter().find(|row| row["id"] == *times).cloned();
            found.unwrap()["count"].as_i64().unwrap()
        };
        assert_eq!(of_times(&counts), 2);
        api.post("mark-all-as-read", &[("s", &times)]).await.assert_status(200);
        assert_eq!(of_times(&api.json("unread-count?output=json").await), 0);
        assert_eq!(api.titles(UNREAD).await, ["要闻"]);
        assert_eq!(api.titles(&format!("stream/contents?it={READ}")).await, ["新闻", "旧闻"]);
        // Up to a moment only.
        let before = (app.app.clock.now().0 - 3_600_000) * 1_000;
        let all = "user/-/state/com.google/reading-list";
        api.post("mark-all-as-read", &[("s", all), ("ts", &before.to_string())]).await.assert_status(200);
        assert_eq!(api.titles(UNREAD).await, ["要闻"]);
        api.post("mark-all-as-read", &[("s", all)]).await.assert_status(200);
        assert!(api.titles(UNREAD).await.is_empty());
    }

    async fn feeds_are_followed_put_into_lists_and_left(app) {
        let user = reader(app).await;
        app.account("new").await;
        let api = ReaderApp::of(app, &user).await;
        let added = api.post("subscription/quickadd", &[("quickadd", "http://xiangxun.test/@new")]).await.json();
        assert_eq!((&added["numResults"], &added["streamName"]), (&json!(1), &json!("new 日报")));
        let feed = feed_id(&api, "new 日报").await;
        assert_eq!(added["streamId"], *feed);
        let edit = [("ac", "edit"), ("s", &*feed), ("a", "user/-/label/晨报")];
        api.post("subscription/edit", &edit).await.assert_status(200);
        let list = api.json("subscription/list?output=json").await;
        let listed = list["subscriptions"].as_array().unwrap().iter().find(|row| row["id"] == *feed).unwrap();
        assert_eq!(listed["categories"][0]["label"], "晨报");
        let lists = lists::queries::of_user(app.app.db.read(), user.id).await.unwrap();
        assert_eq!(lists.len(), 1);
        let tags = api.json("tag/list?output=json").await;
        assert_eq!(tags["tags"][1]["id"], "user/-/label/晨报");
        let (account, _) = app.account("more").await;
        subscriptions::subscribe(&app.app, &user, account.id, None, Locale::ZhHans).await.unwrap();
        app.published(account.id, "别处").await;
        assert!(api.titles("stream/contents/user/-/label/%E6%99%A8%E6%8A%A5").await.is_empty());

        api.post("rename-tag", &[("s", "user/-/label/晨报"), ("dest", "user/-/label/晚报")]).await.assert_status(200);
        assert_eq!(api.json("tag/list?output=json").await["tags"][1]["id"], "user/-/label/晚报");
        api.post("disable-tag", &[("s", "user/-/label/晚报")]).await.assert_status(200);
        assert_eq!(api.json("tag/list?output=json").await["tags"].as_array().unwrap().len(), 1);

        api.post("subscription/edit", &[("ac", "unsubscribe"), ("s", &feed)]).await.assert_status(200);
        let list = api.json("subscription/list?output=json").await;
        assert_eq!(list["subscriptions"].as_array().unwrap().len(), 3, "{list}");
        let wrong = api.post("subscription/quickadd", &[("quickadd", "http://127.0.0.1/feed")]).await.json();
        assert_eq!(wrong["numResults"], 0, "{wrong}");
        let opml = api.get("api/0/subscription/export").await.assert_status(200).text();
        assert!(opml.contains("http://xiangxun.test/@times/feed.atom"), "{opml}");
    }

    async fn texts_are_in_the_script_that_the_reader_reads(app) {
        use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
        let mut user = reader(app).await.into_active_model();
        user.locale = Set("zh-Hant".into());
        let user = user.update(app.app.db.write()).await.unwrap();
        let api = ReaderApp::of(app, &user).await;
        assert_eq!(api.titles("stream/contents").await, ["要聞", "新聞", "舊聞"]);
        let all = api.json("stream/contents").await;
        assert!(all["items"][0]["summary"]["content"].as_str().unwrap().contains("寫在"));
    }

    async fn an_apps_unstar_takes_no_notes_and_no_withdrawn_article_away(app) {
        let user = reader(app).await;
        let api = ReaderApp::of(app, &user).await;
        const STARRED: &str = "user/-/state/com.google/starred";
        let starred = async || api.titles(&format!("stream/contents/{STARRED}")).await;
        let change = async |items: &[&str], how: &str| {
            let mut fields: Vec<(&str, &str)> = items.iter().map(|item| ("i", *item)).collect();
            fields.push((how, STARRED));
            api.post("edit-tag", &fields).await.assert_status(200);
        };
        let items = [api.item("旧闻").await, api.item("新闻").await, api.item("要闻").await];
        let [marked, gone, plain] = [&*items[0], &*items[1], &*items[2]];
        change(&[marked, gone, plain], "a").await;
        let copies = saved::queries::page(app.app.db.read(), user.id, None, 9).await.unwrap().0;
        let noted = copies.iter().find(|copy| copy.title == "旧闻").unwrap();
        let note = NewHighlight { quote: "第一段".into(), note: "我的笔记".into(), ..NewHighlight::default() };
        highlights::add(&app.app, user.id, noted.id, &note).await.unwrap();
        withdraw(app, "新闻").await;

        change(&[marked, gone, plain], "r").await;
        assert!(starred().await.is_empty(), "the next sync agrees");
        let ids = api.json(&format!("stream/items/ids?s={STARRED}&n=10&output=json")).await;
        assert_eq!(ids["itemRefs"], json!([]));
        assert!(api.states("旧闻").await.is_empty());
        assert!(api.titles(&format!("stream/contents?it={STARRED}")).await.is_empty());
        assert_eq!(api.titles(&format!("stream/contents?xt={STARRED}")).await, ["要闻", "旧闻"]);
        app.sign_in(user.id).await;
        let list = app.get("/saved").await.assert_status(200).text();
        assert!(list.contains("旧闻") && list.contains("新闻") && !list.contains("要闻"), "{list}");
        let copy = app.get(&format!("/saved/{}", noted.id)).await.assert_status(200).text();
        assert!(copy.contains("我的笔记") && copy.contains("<mark id=\"h"), "{copy}");

        // Once more changes nothing; a star brings both back as they were.
        change(&[marked, gone], "r").await;
        change(&[marked, gone], "a").await;
        assert_eq!(starred().await, ["新闻", "旧闻"]);
        let back = saved::queries::page(app.app.db.read(), user.id, None, 9).await.unwrap().0;
        let kept: Vec<i64> =
            copies.iter().map(|copy| copy.id).filter(|id| back.iter().any(|copy| copy.id == *id)).collect();
        assert_eq!(kept.len(), 2);
        assert_eq!(saved::queries::highlights(app.app.db.read(), &[noted.id]).await.unwrap()[&noted.id].len(), 1);
        // An update of the copy is no star.
        change(&[marked], "r").await;
        saved::refresh(&app.app, user.id, noted.id).await.unwrap();
        assert_eq!(starred().await, ["新闻"]);

        // What an article said before it was changed stays as well.
        change(&[plain], "a").await;
        article::Entity::update_many()
            .col_expr(article::Column::Version, Expr::value(2))
            .filter(article::COLUMN.title.eq("要闻"))
            .exec(app.app.db.write())
            .await
            .unwrap();
        change(&[plain], "r").await;
        let list = app.get("/saved").await.assert_status(200).text();
        assert!(list.contains("要闻") && starred().await == ["新闻"], "{list}");
    }

    async fn nobody_sees_what_is_not_published_or_another_readers(app) {
        let user = reader(app).await;
        let api = ReaderApp::of(app, &user).await;
        let item = api.item("要闻").await;
        let other = app.user("other@example.org").await;
        let others = ReaderApp::of(app, &other).await;
        assert!(others.titles("stream/contents").await.is_empty());
        others.post("edit-tag", &[("i", &item), ("a", "user/-/state/com.google/read")]).await.assert_status(200);
        assert!(api.states("要闻").await.is_empty());
        // A star keeps a copy, which stays when the article is taken back.
        let kept = api.item("新闻").await;
        api.post("edit-tag", &[("i", &kept), ("a", "user/-/state/com.google/starred")]).await.assert_status(200);
        withdraw(app, "新闻").await;
        assert_eq!(api.titles("stream/contents").await, ["要闻", "旧闻"]);
        assert_eq!(api.titles("stream/contents/user/-/state/com.google/starred").await, ["新闻"]);
        let asked = others.post("stream/items/contents", &[("i", &kept)]).await.json();
        assert!(titles_of(&asked).is_empty(), "{asked}");
    }
}
