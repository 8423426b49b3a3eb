//! Every page that readers meet, and those of the studio, on a site with something to show on each.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, header};
use xiangxun::alerts;
use xiangxun::auth::links::{self, LinkPurpose};
use xiangxun::auth::{Address, LocalPath};
use xiangxun::db::entities::user;
use xiangxun::page::Locale;
use xiangxun::readers;
use xiangxun::saved::highlights::{self, NewHighlight};
use xiangxun::search::follower;
use xiangxun::subscriptions;

use super::TestApp;
use super::app::Answer;
use super::belongings::run;

/// A path, and what it answers with.
pub type Stop = (String, u16);

/// A form that is sent, and what it is answered with.
pub struct Sent {
    pub path: &'static str,
    pub fields: &'static [(&'static str, &'static str)],
    /// What a file holds that goes with it.
    pub file: &'static str,
    pub status: u16,
}

/// The pages, and who can see those that ask for somebody.
pub struct Tour {
    pub person: user::Model,
    /// Somebody who has nothing yet.
    pub newcomer: user::Model,
    /// For everybody.
    pub open: Vec<Stop>,
    /// For those who are signed in.
    pub own: Vec<Stop>,
    pub studio: Vec<Stop>,
    /// For the newcomer.
    pub bare: Vec<Stop>,
    /// By the person.
    pub sent: Vec<Sent>,
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
        let (mut open, own, mut studio) = stops(id, &article.slug, saved.id);
        open.extend(Self::mailed(app, account.id, &person).await);
        let draft = app.write_draft("daily", "草稿", "没有写完。").await;
        studio.extend(steps(id, draft));
        let newcomer = app.user("newcomer@example.org").await;
        Self { person, newcomer, open, own, studio, bare: bare(), sent: sent() }
    }

    /// Pages that mails lead to.
    async fn mailed(app: &TestApp, account_id: i64, person: &user::Model) -> Vec<Stop> {
        use subscriptions::links as follows;
        let [active, ended, asked] = ["active", "ended", "asked"].map(|name| format!("{name}@example.org"));
        let active = app.subscriber(account_id, &active).await.id;
        let ended = app.subscriber(account_id, &ended).await.id;
        let asked = app.subscriber(account_id, &asked).await.id;
        for (id, state) in [(ended, "ended"), (asked, "pending")] {
            run(app, &format!("UPDATE subscriptions SET state = '{state}' WHERE id = {id}")).await;
        }
        let hours = [
            ("timezone", "Europe/Rome"),
            ("cadence", "daily"),
            ("digest_hour", "7"),
            ("digest_weekday", "1"),
        ];
        app.post("/settings/hours", &hours).await.assert_status(303);
        let reader =
            readers::queries::of_address(app.app.db.read(), &app.app.config, &person.email).await.unwrap();
        let reader = readers::links::manage_path(&app.app, reader.row.unwrap().id);
        let day = Duration::from_secs(24 * 60 * 60);
        let mut stops = Vec::new();
        for address in ["new@example.org", person.email.as_str()] {
            let address = Address::parse(address).unwrap();
            let link = links::create(&app.app, &address, LinkPurpose::SignIn, &LocalPath::default(), day)
                .await
                .unwrap();
            stops.push((link.trim_start_matches("http://xiangxun.test").to_owned(), 200));
        }
        let paths = [
            follows::manage_path(&app.app, active),
            follows::manage_path(&app.app, ended),
            follows::leave_path(&app.app, active),
            follows::leave_path(&app.app, ended),
            follows::confirm_path(&app.app, asked),
            readers::links::stop_path_of(&reader),
            reader,
            alerts::links::stop_path(&app.app, 1),
        ];
        stops.extend(paths.into_iter().map(|path| (path, 200)));
        stops.extend([("/s/x".to_owned(), 404), ("/sign-in/link/x".to_owned(), 410)]);
        stops
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

/// What is done to an article or a collection, and the steps of a push.
fn steps(article: i64, draft: i64) -> Vec<Stop> {
    let at = |path: String| (format!("/studio/@daily/{path}"), 200);
    vec![
        at(format!("articles/{draft}")),
        at(format!("articles/{draft}/publish")),
        at(format!("articles/{draft}/delete")),
        at(format!("articles/{article}/withdraw")),
        at(format!("articles/{article}/revisions/1")),
        at("collections/1".into()),
        at("pushes/new".into()),
        at(format!("pushes/new?article={article}")),
        at(format!("pushes/last-look?article={}", article + 1)),
        // One that was pushed before.
        (format!("/studio/@daily/pushes/last-look?article={article}"), 409),
    ]
}

/// Where there is nothing yet.
fn bare() -> Vec<Stop> {
    let paths = [
        "/timeline",
        "/lists",
        "/saved",
        "/inbox",
        "/subscriptions",
        "/outside",
        "/outside/feeds",
        "/settings/alerts",
        "/settings/notifications",
        "/settings/data",
        "/settings/leave",
        "/studio",
    ];
    paths.into_iter().map(|path| (path.to_owned(), 200)).collect()
}

/// A file with an account that is followed already, a feed that is not, and an address that is none.
const OPML: &str = r#"<opml version="2.0"><body><outline text="日报" xmlUrl="http://xiangxun.test/@daily/feed.atom"/>
    <outline text="再别处" xmlUrl="https://elsewhere.example/more"/>
    <outline text="脚本" xmlUrl="javascript:alert(1)"/></body></opml>"#;

/// Forms whose answers are pages.
fn sent() -> Vec<Sent> {
    let refused = |path, fields| Sent { path, fields, file: "", status: 422 };
    vec![
        Sent { path: "/subscriptions/opml", fields: &[], file: OPML, status: 200 },
        Sent { path: "/subscriptions/opml", fields: &[], file: "<p>", status: 422 },
        refused("/@daily/subscribe", &[("email", "x")]),
        refused("/sign-in", &[("email", "x")]),
        refused("/lists", &[("name", "")]),
        refused("/outside/feeds", &[("url", "x")]),
        refused("/timeline/mute", &[("words", "!?")]),
        refused(
            "/settings/hours",
            &[("timezone", "Nowhere"), ("cadence", "daily"), ("digest_hour", "77"), ("digest_weekday", "9")],
        ),
        refused("/settings/alerts", &[("query", ""), ("name", ""), ("cadence", "daily")]),
        refused("/settings/tokens", &[("name", "")]),
        refused("/studio/@daily/articles", &[("title", "一"), ("body", "正文"), ("lang", "?")]),
    ]
}

impl Sent {
    /// Sends it as the pages do.
    pub async fn send(&self, app: &TestApp) -> Answer {
        if self.file.is_empty() {
            return app.post(self.path, self.fields).await;
        }
        let head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.opml\"\r\n\r\n";
        let request = app
            .request(Method::POST, self.path)
            .header(header::ORIGIN, app.app.config.base_url.as_str())
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from(format!("{head}{}\r\n--x--\r\n", self.file)));
        app.send(request.unwrap()).await
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
        "/outside/feeds/1",
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
