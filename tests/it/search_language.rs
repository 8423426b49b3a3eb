//! The language of queries: what each operator finds, how it is explained.

use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::account::{self, AccountState};
use xiangxun::db::entities::account_handle;
use xiangxun::db::entities::article::Tags;
use xiangxun::search::follower;

use crate::both_databases;
use crate::search::{ask, change, change_account, publish_as, titles};
use crate::support::TestApp;

fn moment(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

/// Three articles of two accounts, which differ in everything that can be asked for.
async fn shelf(app: &TestApp) -> (account::Model, account::Model) {
    let (north, _) = app.account("north").await;
    let (south, _) = app.account("south").await;
    change_account(app, &north, |row| row.name = Set("人民日报".into())).await;
    let wheat = publish_as(
        app,
        north.id,
        None,
        "北方小麦丰收",
        "农民说颱風没有来。",
        "zh-Hans",
        moment("2024-01-31T23:00:00Z"),
    )
    .await;
    let rice = publish_as(
        app,
        south.id,
        None,
        "南方颱風登陸",
        "稻米與小麥都受影響，農民憂心。",
        "zh-Hant",
        moment("2024-02-01T01:00:00Z"),
    )
    .await;
    let ships = publish_as(
        app,
        south.id,
        None,
        "Hurricane at sea",
        "飓风 C++ wheat 5G手机 新冠-19",
        "en",
        moment("2025-06-01T00:00:00Z"),
    )
    .await;
    change(app, &wheat, None, |row| {
        row.author = Set("记者 李大钊".into());
        row.tags = Set(Tags(vec!["农业".into(), "天气".into()]));
        row.body_html = Set("<p>农民说颱風没有来。</p><p><img src=\"/a.jpg\"></p>".into());
    })
    .await;
    change(app, &rice, None, |row| {
        row.author = Set("陳先生".into());
        row.tags = Set(Tags(vec!["氣象".into()]));
        row.body_html =
            Set("<p>稻米與小麥都受影響，農民憂心。</p><table><tr><td>一</td></tr></table>".into());
    })
    .await;
    change(app, &ships, None, |row| row.author = Set("Jo".into())).await;
    follower::catch_up(&app.app).await.unwrap();
    (north, south)
}

/// The first letters of the titles found, oldest first.
async fn found(app: &TestApp, q: &str) -> String {
    let titles = titles(app, &[("q", q), ("sort", "oldest")]).await;
    titles.iter().map(|title| title.chars().next().unwrap()).collect()
}

both_databases! {
    async fn each_operator_finds_what_it_says(app) {
        shelf(app).await;
        for (q, articles) in [
            ("台风", "北南"),
            ("title:台风", "南"),
            ("標題：颱風", "南"),
            ("-title:台风 农民", "北"),
            ("台风 OR 飓风", "北南H"),
            ("颱風 ｜ 飓风 小麦", "北南"),
            ("(\"飓风\" OR 稻米) -wheat", "南"),
            ("author:李大钊", "北"),
            ("作者：陈先生", "南"),
            ("tag:天气", "北"),
            ("标签：气象", "南"),
            ("农民 -tag:天气", "南"),
            ("from:@north", "北"),
            ("來自：＠South", "南H"),
            ("-from:@north 农民", "南"),
            ("来自：人民日報", "北"),
            ("from:@nobody", ""),
            ("-from:@nobody 农民", "北南"),
            ("from:north OR title:hurricane", "北H"),
            ("after:2024-02", "南H"),
            ("之後：2024年2月 之前：2025", "南"),
            ("before:2024-02-01", "北"),
            ("-after:2025 小麦", "北南"),
            ("lang:zh-Hant", "南"),
            ("语言：中文", "北南"),
            ("lang:en OR lang:zh-hans", "北H"),
            ("has:image", "北"),
            ("含：表格", "南"),
            ("-has:image -has:table", "H"),
            ("has:video", ""),
            ("C++ 5G手机 新冠-19", "H"),
        ] {
            assert_eq!(found(app, q).await, articles, "{q}");
        }
    }

    async fn a_former_handle_still_leads_to_its_account(app) {
        let (north, south) = shelf(app).await;
        let former = |handle: &str, id| account_handle::ActiveModel { handle: Set(handle.into()), account_id: Set(id), created_at: Set(Timestamp(0)) };
        former("nord", north.id).insert(app.app.db.write()).await.unwrap();
        // South once had North's present handle.
        former("north", south.id).insert(app.app.db.write()).await.unwrap();
        assert_eq!(found(app, "from:@nord").await, "北");
        assert_eq!(found(app, "from:@North").await, "北");
        assert_eq!(titles(app, &[("account", "@NORD")]).await, ["北方小麦丰收"]);
        change_account(app, &north, |row| row.state = Set(AccountState::Suspended)).await;
        let answer = ask(app, &[("q", "from:@nord")]).await;
        assert_eq!((answer["total"].as_i64(), answer["interpretation"][0]["any"][0]["note"].as_str()), (Some(0), Some("no_such_account")));
    }

    async fn the_api_tells_how_a_query_was_read(app) {
        shelf(app).await;
        let answer = ask(app, &[("q", "台风 “登陆 了” -from:@South title:稻 OR tag:气象 after:2024-01 before:foo lang:en has:image")]).await;
        let parts = answer["interpretation"].as_array().unwrap();
        let read: Vec<String> = parts
            .iter()
            .map(|part| {
                let any = part["any"].as_array().unwrap().iter();
                let any: Vec<String> = any.map(|one| format!("{}={}{}", one["kind"].as_str().unwrap(), one["value"].as_str().unwrap(), one["note"].as_str().map(|note| format!("!{note}")).unwrap_or_default())).collect();
                format!("{}{}", if part["negated"] == true { "-" } else { "" }, any.join("|"))
            })
            .collect();
        assert_eq!(
            read,
            ["word=台风", "phrase=登陆 了", "-from=south", "title=稻|tag=气象", "after=2024-01-01T00:00:00Z", "word=before:foo!not_a_date", "lang=en", "has=image"]
        );
        assert_eq!(parts[3]["typed"], "title:稻 OR tag:气象");
        assert_eq!(parts[1]["without"], "台风 -from:@South title:稻 OR tag:气象 after:2024-01 before:foo lang:en has:image");
    }

    async fn filters_of_the_address_narrow_too(app) {
        shelf(app).await;
        let articles = |q: &str, filters: &[(&str, &str)]| {
            let pairs: Vec<(String, String)> = [("q", q), ("sort", "oldest")].iter().chain(filters).map(|(a, b)| (a.to_string(), b.to_string())).collect();
            async move {
                let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                titles(app, &pairs).await.len()
            }
        };
        assert_eq!(articles("农民", &[("account", "north"), ("account", "@south")]).await, 2);
        assert_eq!(articles("", &[("account", "north"), ("account", "nobody")]).await, 1);
        assert_eq!(articles("", &[("has", "table")]).await, 1);
        assert_eq!(articles("农民", &[("from", "2024-02"), ("to", "2024-02")]).await, 1);
        for wrong in [("has", "soul"), ("in", "space"), ("in", "subscriptions"), ("sort", "best")] {
            let answer = app.get(&crate::search::query(&[("q", "农民"), wrong])).await.assert_status(422);
            assert_eq!(answer.json()["errors"][0]["field"], wrong.0);
        }
    }

    async fn a_reader_searches_only_what_they_follow(app) {
        let (north, _) = shelf(app).await;
        let reader = app.user("reader@example.org").await;
        xiangxun::subscriptions::subscribe(&app.app, &reader, north.id, None, xiangxun::page::Locale::ZhHans).await.unwrap();
        let page = app.get("/search?q=%E5%86%9C%E6%B0%91&in=subscriptions").await.assert_status(200).text();
        assert!(page.contains("登录后") && !page.contains("北方小麦"), "{page}");
        app.sign_in(reader.id).await;
        let page = app.get("/search?q=%E5%86%9C%E6%B0%91&in=subscriptions").await.assert_status(200).text();
        assert!(page.contains("北方小麦") && !page.contains("南方"), "{page}");
        assert_eq!(titles(app, &[("in", "subscriptions")]).await, ["北方小麦丰收"]);
        // Nothing is followed there.
        assert_eq!(titles(app, &[("in", "subscriptions"), ("account", "south")]).await.len(), 0);
        let stranger = app.user("stranger@example.org").await;
        app.sign_in(stranger.id).await;
        assert_eq!(titles(app, &[("q", "农民"), ("in", "subscriptions")]).await.len(), 0);
        app.work().await;
    }
}
