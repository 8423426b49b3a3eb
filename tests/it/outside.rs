//! Outside feeds: followed by one reader, read for all who follow, seen by nobody else.

use std::time::Duration;

use sea_orm::{EntityTrait, PaginatorTrait};
use xiangxun::db::entities::{article, outside_feed, outside_item};
use xiangxun::jobs;
use xiangxun::outside;

use crate::support::outlet::Page;
use crate::support::reader_app::ReaderApp;
use crate::support::{Backend, TestApp};
use crate::with_outlet;

/// An RSS document with these items: guid and title, `hours` ago the first, each an hour older.
fn rss(app: &TestApp, items: &[(&str, &str)]) -> String {
    let now = app.app.clock.now().utc();
    let items: String = items
        .iter()
        .enumerate()
        .map(|(at, (guid, title))| {
            let date = (now - chrono::Duration::hours(at as i64 + 1)).to_rfc2822();
            format!("<item><guid>{guid}</guid><title>{title}</title><link>https://blog.example.org/{guid}</link><pubDate>{date}</pubDate><description><![CDATA[<p>{title}的正文</p><script>alert(1)</script>]]></description></item>")
        })
        .collect();
    format!(
        "<rss version=\"2.0\"><channel><title>别处的博客</title><link>https://blog.example.org/</link>{items}</channel></rss>"
    )
}

const TWO: [(&str, &str); 2] = [("b", "第二篇"), ("a", "第一篇")];

async fn next_visit(app: &TestApp) {
    let feed = outside_feed::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
    let wait = feed.next_fetch_at.0 - app.app.clock.now().0;
    app.app.clock.advance(Duration::from_millis(u64::try_from(wait).unwrap_or(0) + 1000));
    app.work().await;
}

with_outlet! {
    async fn items_are_shown_in_the_readers_script(app, outlet) {
        outlet.serve(
            "/feed",
            Page::feed(rss(
                app,
                &[("a", "软件里的“头发”"), ("b", "頭髮裡的網路"), ("c", "Only English words here")],
            )),
        );
        let user = app.user("reader@example.org").await;
        app.sign_in(user.id).await;
        app.post("/script", &[("script", "hant-tw")]).await.assert_status(303);
        app.post("/outside/feeds", &[("url", &outlet.url("/feed"))]).await.assert_status(303);
        app.work().await;
        let list = app.get("/outside").await.assert_status(200).text();
        for words in ["軟體裡的「頭髮」</a>", "軟體裡的「頭髮」的正文", "lang=\"zh-Hant-TW\"", "頭髮裡的網路</a>"] {
            assert!(list.contains(words), "{words}: {list}");
        }
        let rest = list.split("軟體裡的「頭髮」</a>").next().unwrap();
        let item = format!(
            "/outside/items/{}",
            rest.rsplit("/outside/items/").next().unwrap().split('"').next().unwrap()
        );
        let page = app.get(&item).await.assert_status(200).text();
        for words in [
            "<h1 lang=\"zh-Hant-TW\">軟體裡的「頭髮」</h1>",
            "<p>軟體裡的「頭髮」的正文</p>",
            &format!("href=\"{item}?script=original\""),
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let original = app.get(&format!("{item}?script=original")).await.text();
        assert!(original.contains("软件里的“头发”的正文"), "{original}");
        app.post("/script", &[("script", "hans")]).await.assert_status(303);
        let list = app.get("/outside").await.text();
        assert!(list.contains("头发里的网路</a>") && list.contains("软件里的“头发”</a>"), "{list}");
    }

    async fn a_reader_follows_a_blog_reads_it_and_leaves_it(app, outlet) {
        outlet.serve("/feed", Page::feed(rss(app, &TWO)));
        let page = "<html><head><link rel='alternate' type='application/rss+xml' href='/feed'></head></html>";
        outlet.serve("/", Page::new("text/html", page));
        let user = app.user("reader@example.org").await;
        app.get("/outside").await.assert_status(303);
        app.sign_in(user.id).await;
        for path in ["/outside", "/outside/feeds", "/outside?show=unread", "/outside?show=starred"] {
            let empty = app.get(path).await.assert_status(200).text();
            assert!(!empty.contains('⟦') && empty.contains("noindex"), "{path}: {empty}");
        }
        // The address of the site does.
        let followed = app.post("/outside/feeds", &[("url", &outlet.url("/"))]).await.assert_status(303);
        let path = followed.location().to_owned();
        app.work().await;
        let list = app.get("/outside?show=unread").await.assert_status(200).text();
        assert!(list.contains("第一篇") && list.contains("第二篇") && list.contains("别处的博客"), "{list}");
        let feed_page = app.get(&path).await.assert_status(200).text();
        assert!(feed_page.contains("第二篇") && !feed_page.contains('⟦'));
        let item = list.split("/outside/items/").nth(1).unwrap().split('"').next().unwrap();
        let item = format!("/outside/items/{item}");
        let page = app.get(&item).await.assert_status(200);
        assert_eq!(page.header("cache-control"), "private, no-store");
        let page = page.text();
        assert!(page.contains("第二篇的正文") && !page.contains("alert") && page.contains("noindex"), "{page}");
        // Reading it marked it; it is kept unread again, starred, and read with all.
        assert!(!app.get("/outside?show=unread").await.text().contains("第二篇"));
        app.post(&format!("{item}/unread"), &[]).await.assert_status(303);
        assert!(app.get("/outside?show=unread").await.text().contains("第二篇"));
        app.post(&format!("{item}/star"), &[]).await.assert_status(303);
        let starred = app.get("/outside?show=starred").await.text();
        assert!(starred.contains("第二篇") && !starred.contains("第一篇"));
        let until = app.app.clock.now().0.to_string();
        app.post("/outside/read", &[("until", &until)]).await.assert_status(303);
        assert!(!app.get("/outside?show=unread").await.text().contains("第一篇"));
        app.post(&format!("{item}/dance"), &[]).await.assert_status(404);

        // Named, put into a list, left; what is starred stays.
        let feeds = app.post(&path, &[("title", "我的博客"), ("list", "博客")]).await.assert_status(303);
        assert_eq!(feeds.location(), "/outside/feeds");
        let feeds = app.get("/outside/feeds").await.text();
        assert!(feeds.contains("我的博客") && feeds.contains("value=\"博客\""), "{feeds}");
        app.post(&format!("{path}/leave"), &[]).await.assert_status(303);
        app.get(&path).await.assert_status(404);
        assert!(app.get("/outside?show=starred").await.text().contains("第二篇"));
        app.get(&item).await.assert_status(200);
        app.post(&format!("{item}/unstar"), &[]).await.assert_status(303);
        outside::look_after(&app.app).await.unwrap();
        assert_eq!(outside_feed::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(outside_item::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(article::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(jobs::queue::unfinished(app.app.db.read()).await.unwrap(), 0);
    }

    async fn a_feed_is_read_once_for_all_who_follow_it_and_politely(app, outlet) {
        outlet.serve("/feed", Page::feed(rss(app, &TWO)).with("etag", "\"one\""));
        let url = outlet.url("/feed").parse().unwrap();
        let (one, other) = (app.user("one@example.org").await, app.user("other@example.org").await);
        for user in [&one, &other, &one] {
            outside::follow(&app.app, user.id, &url, outside::NewFollow::default()).await.unwrap();
        }
        app.work().await;
        assert_eq!(outlet.requests("/feed").len(), 1);
        next_visit(app).await;
        let asked = outlet.requests("/feed");
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[1].get("if-none-match").unwrap(), "\"one\"");
        // New and edited items come, none twice.
        let three = [("c", "第三篇"), ("b", "第二篇改过"), ("a", "第一篇")];
        outlet.serve("/feed", Page::feed(rss(app, &three)).with("etag", "\"two\""));
        next_visit(app).await;
        let items = outside_item::Entity::find().all(app.app.db.read()).await.unwrap();
        let mut titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, ["第一篇", "第三篇", "第二篇改过"]);
        // What one reads is unread for the other.
        let item = items[0].id;
        outside::mark_read(&app.app, one.id, &[item], true).await.unwrap();
        let count = async |user_id| {
            let counts = outside::queries::unread_counts(app.app.db.read(), user_id).await.unwrap();
            counts.iter().map(|(_, count, _)| *count).sum::<i64>()
        };
        assert_eq!((count(one.id).await, count(other.id).await), (2, 3));
        // A server in trouble is asked less and less often.
        outlet.serve("/feed", Page::status(500));
        next_visit(app).await;
        let feed = outside_feed::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(feed.failures, 1);
        assert!(feed.next_fetch_at > app.app.clock.now() + Duration::from_secs(20 * 60));
        app.sign_in(one.id).await;
        assert!(app.get("/outside/feeds").await.text().contains("class=\"error\""));
        outlet.serve("/feed", Page::status(410));
        next_visit(app).await;
        let feed = outside_feed::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert!(feed.gone);
        let asked = outlet.requests("/feed").len();
        app.app.clock.advance(Duration::from_secs(90 * 24 * 3600));
        app.work().await;
        assert_eq!(outlet.requests("/feed").len(), asked, "what is gone is left alone");
    }

    async fn a_lost_job_is_queued_again_and_one_that_nobody_follows_is_not(app, outlet) {
        outlet.serve("/feed", Page::feed(rss(app, &TWO)));
        let url = outlet.url("/feed").parse().unwrap();
        let user = app.user("one@example.org").await;
        outside::follow(&app.app, user.id, &url, outside::NewFollow::default()).await.unwrap();
        xiangxun::db::entities::job::Entity::delete_many().exec(app.app.db.write()).await.unwrap();
        assert_eq!(outside::look_after(&app.app).await.unwrap(), (0, 1));
        app.work().await;
        assert_eq!(outlet.requests("/feed").len(), 1);
    }

    async fn apps_see_outside_items_beside_articles(app, outlet) {
        outlet.serve("/feed", Page::feed(rss(app, &TWO)));
        let user = app.user("reader@example.org").await;
        let (account, _) = app.account("times").await;
        use xiangxun::page::Locale;
        xiangxun::subscriptions::subscribe(&app.app, &user, account.id, None, Locale::ZhHans).await.unwrap();
        app.published(account.id, "公众号文章").await;
        let api = ReaderApp::of(app, &user).await;
        let feed = format!("feed/{}", outlet.url("/feed"));
        let fields = [("ac", "subscribe"), ("s", &*feed), ("t", "博客"), ("a", "user/-/label/晨报")];
        api.post("subscription/edit", &fields).await.assert_status(200);
        app.work().await;
        assert_eq!(api.titles("stream/contents").await, ["公众号文章", "第二篇", "第一篇"]);
        assert_eq!(api.titles("stream/contents/user/-/label/%E6%99%A8%E6%8A%A5").await, ["第二篇", "第一篇"]);
        let first = api.json("stream/contents?n=2").await;
        let rest = format!("stream/contents?n=2&c={}", first["continuation"].as_str().unwrap());
        assert_eq!(api.titles(&rest).await, ["第一篇"]);
        let item = api.item("第二篇").await;
        let read = [("i", &*item), ("a", "user/-/state/com.google/read"), ("a", "user/-/state/com.google/starred")];
        api.post("edit-tag", &read).await.assert_status(200);
        assert_eq!(api.states("第二篇").await, ["read", "starred"]);
        assert_eq!(api.titles("stream/contents?xt=user/-/state/com.google/read").await, ["公众号文章", "第一篇"]);
        assert_eq!(api.titles("stream/contents?it=user/-/state/com.google/read").await, ["第二篇"]);
        assert_eq!(api.titles("stream/contents/user/-/state/com.google/starred").await, ["第二篇"]);
        assert_eq!(api.json("unread-count?output=json").await["max"], 2);
        // Nobody else may look.
        let other = app.user("other@example.org").await;
        let others = ReaderApp::of(app, &other).await;
        let asked = others.post("stream/items/contents", &[("i", &item)]).await.json();
        assert_eq!(asked["items"].as_array().unwrap().len(), 0);
        let api = ReaderApp::of(app, &user).await;
        api.post("mark-all-as-read", &[("s", "user/-/label/晨报")]).await.assert_status(200);
        assert_eq!(api.titles("stream/contents?xt=user/-/state/com.google/read").await, ["公众号文章"]);
        let list = api.json("subscription/list?output=json").await;
        let blog = list["subscriptions"].as_array().unwrap().iter().find(|feed| feed["title"] == "博客").unwrap();
        let id = blog["id"].as_str().unwrap();
        api.post("subscription/edit", &[("ac", "edit"), ("s", id), ("t", "改名")]).await.assert_status(200);
        api.post("subscription/edit", &[("ac", "unsubscribe"), ("s", id)]).await.assert_status(200);
        assert_eq!(api.titles("stream/contents").await, ["公众号文章"]);
        assert_eq!(api.titles("stream/contents/user/-/state/com.google/starred").await, ["第二篇"]);
    }

    async fn hostile_addresses_are_refused_with_words(app, outlet) {
        let user = app.user("reader@example.org").await;
        app.sign_in(user.id).await;
        outlet.serve("/page", Page::new("text/html", "<p>no feed here</p>"));
        for wrong in ["", "javascript:alert(1)", "ftp://example.org/x", "http://user:secret@example.org/", &outlet.url("/page"), &outlet.url("/missing")] {
            let answer = app.post("/outside/feeds", &[("url", wrong)]).await.assert_status(422).text();
            assert!(answer.contains("class=\"error\"") && !answer.contains('⟦'), "{wrong}: {answer}");
        }
        assert_eq!(outside_feed::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_of_this_network_are_not_fetched() {
    let app = TestApp::start(Backend::Sqlite).await;
    let user = app.user("reader@example.org").await;
    app.sign_in(user.id).await;
    for wrong in
        ["http://127.0.0.1/feed", "http://[::1]/feed", "http://169.254.169.254/latest", "http://10.0.0.1/"]
    {
        app.post("/outside/feeds", &[("url", wrong)]).await.assert_status(422);
        let url = wrong.parse().unwrap();
        outside::follow(&app.app, user.id, &url, outside::NewFollow::default()).await.unwrap_err();
    }
    app.finish().await;
}
