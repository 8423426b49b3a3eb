//! Every page that readers meet, and those of the studio, on a site with something to show on each.

use xiangxun::db::entities::user;
use xiangxun::page::Locale;
use xiangxun::saved::highlights::{self, NewHighlight};
use xiangxun::search::follower;
use xiangxun::subscriptions;

use super::TestApp;
use super::belongings::run;

/// A path, and what it answers with.
pub type Stop = (String, u16);

/// The pages, and who can see those that ask for somebody.
pub struct Tour {
    pub person: user::Model,
    /// For everybody.
    pub open: Vec<Stop>,
    /// For those who are signed in.
    pub own: Vec<Stop>,
    pub studio: Vec<Stop>,
}

impl Tour {
    /// Fills a site.
    pub async fn of(app: &TestApp) -> Self {
        let (account, person) = app.account("daily").await;
        app.sign_in(person.id).await;
        let text = "这里是正文的一段话，写得很长，里面有 English words 和 2026 年。".repeat(40);
        let body = format!(
            "## 起因\n\n{text}\n\n> 引用的一句话。\n\n## 经过\n\n- 一\n- 二\n\n| 城市 | 人数 |\n| --- | --- |\n| 米兰 | 30 |\n\n\
             ```\nlet answer = 42;\n```\n\n## 结果\n\n{text}\n\n[链接](https://example.org/)"
        );
        let id = app.publish_new("daily", "大作", &body).await;
        let version = app.article(id).await.version.to_string();
        let fields = [
            ("title", "大作"),
            ("body", body.as_str()),
            ("lang", "zh-Hans"),
            ("tags", "侨务"),
            ("version", &version),
            ("note", "改正了人数。"),
            ("show_note", "1"),
        ];
        app.post(&format!("/studio/@daily/articles/{id}"), &fields).await.assert_status(303);
        for title in ["第二篇", "第三篇"] {
            app.publish_new("daily", title, "短短的正文。\n\n第二段。").await;
        }
        let gone = app.publish_new("daily", "收回的", "不在了。").await;
        let version = app.article(gone).await.version.to_string();
        let reason = [("version", version.as_str()), ("reason", "事实有误。")];
        app.post(&format!("/studio/@daily/articles/{gone}/withdraw"), &reason).await.assert_status(303);
        app.post("/studio/@daily/collections", &[("title", "连载"), ("intro", "一部连载。")])
            .await
            .assert_status(303);
        subscriptions::subscribe(&app.app, &person, account.id, None, Locale::ZhHans).await.unwrap();
        let article = app.article(id).await;
        app.push(account.id, &[&article]).await;
        let saved = xiangxun::saved::save(&app.app, person.id, id).await.unwrap();
        let mark = NewHighlight {
            quote: "这里是正文的一段话".into(),
            before: String::new(),
            after: String::new(),
            note: "记下来。".into(),
        };
        highlights::add(&app.app, person.id, saved.id, &mark).await.unwrap();
        Self::keep_more(app, &person).await;
        app.post("/settings/data/export", &[]).await.assert_status(303);
        app.work().await;
        follower::catch_up(&app.app).await.unwrap();
        run(app, &format!("UPDATE users SET operator = TRUE WHERE id = {}", person.id)).await;
        let (open, own, studio) = stops(id, &article.slug, saved.id);
        Self { person, open, own, studio }
    }

    async fn keep_more(app: &TestApp, person: &user::Model) {
        let (u, now) = (person.id, app.app.clock.now().0);
        let later = now + 86_400_000_000;
        app.post("/lists", &[("name", "侨乡")]).await.assert_status(303);
        let alert = [("query", "签证"), ("name", "签证"), ("cadence", "daily")];
        app.post("/settings/alerts", &alert).await.assert_status(303);
        app.post("/settings/reader-apps", &[("name", "手机")]).await.assert_status(200);
        app.post("/settings/reader-apps/feeds", &[]).await;
        app.post("/settings/tokens", &[("name", "编辑部"), ("scopes", "alerts:read")])
            .await
            .assert_status(200);
        for row in [
            format!(
                "devices (user_id, session_id, endpoint, host, public_key, auth, name, created_at) VALUES ({u}, (SELECT MAX(id) FROM sessions), 'https://push.example/1', 'push.example', 'k', 'a', 'Firefox', {now})"
            ),
            format!(
                "outside_feeds (url, title, interval_ms, next_fetch_at, failures, gone, created_at) VALUES ('https://elsewhere.example/feed', '别处', 3600000, {later}, 0, FALSE, {now})"
            ),
            format!(
                "outside_items (feed_id, identity, link, content_hash, title, author, html, lang, published_at, created_at, updated_at) VALUES (1, 'i1', 'https://elsewhere.example/1', 'h', '别处的一篇', '别人', '<p>别处的正文。</p>', 'zh-Hans', {now}, {now}, {now})"
            ),
            format!(
                "outside_follows (user_id, feed_id, title, read_until, created_at) VALUES ({u}, 1, '', 0, {now})"
            ),
        ] {
            run(app, &format!("INSERT INTO {row}")).await;
        }
    }
}

fn stops(article: i64, slug: &str, saved: i64) -> (Vec<Stop>, Vec<Stop>, Vec<Stop>) {
    let fine = |path: &str| (path.to_owned(), 200);
    let open = [
        "/",
        "/@daily",
        &format!("/@daily/{slug}"),
        &format!("/@daily/{slug}?script=hant-tw"),
        &format!("/@daily/{slug}/changes"),
        "/@daily/subscribe",
        "/@daily/collections",
        "/@daily/collections/lian-zai",
        "/tag/侨务",
        "/@daily/tag/侨务",
        "/search",
        "/search?q=正文",
        "/search?q=没有这个词",
        "/sign-in",
        "/sign-up",
        "/sign-in/forgotten",
        "/sign-in/sent",
        "/offline",
        "/look",
        "/style",
        "/api/docs",
    ];
    let mut open: Vec<Stop> = open.into_iter().map(fine).collect();
    open.push(("/nowhere".into(), 404));
    open.push(("/@daily/shou-hui-de".into(), 410));
    let own = [
        "/",
        "/@daily",
        &format!("/@daily/{slug}"),
        "/timeline",
        "/timeline?show=unread",
        "/timeline/mute",
        "/lists",
        "/saved",
        &format!("/saved/{saved}"),
        &format!("/saved/{saved}/remove"),
        "/inbox",
        "/subscriptions",
        "/subscriptions/opml",
        "/outside",
        "/outside/feeds",
        "/outside/items/1",
        "/settings",
        "/settings/hours",
        "/settings/alerts",
        "/settings/alerts/new?q=签证",
        "/settings/notifications",
        "/settings/password",
        "/settings/sessions",
        "/settings/reader-apps",
        "/settings/tokens",
        "/settings/data",
        "/settings/leave",
    ];
    let studio = [
        "/studio",
        "/studio/open",
        "/studio/accounts",
        "/studio/searches",
        "/studio/messages",
        "/studio/messages?state=failed",
        "/studio/@daily",
        "/studio/@daily/articles",
        "/studio/@daily/articles/new",
        &format!("/studio/@daily/articles/{article}"),
        &format!("/studio/@daily/articles/{article}/revisions"),
        "/studio/@daily/collections",
        "/studio/@daily/pushes",
        "/studio/@daily/pushes/1",
        "/studio/@daily/members",
        "/studio/@daily/settings",
        "/studio/@daily/from",
        "/studio/@daily/sources",
        "/studio/@daily/webhooks",
        "/studio/@daily/media",
        "/studio/@daily/searches",
    ];
    let mut studio: Vec<Stop> = studio.into_iter().map(fine).collect();
    studio.push(("/studio/messages?q=a%20b".into(), 422));
    (open, own.into_iter().map(fine).collect(), studio)
}
