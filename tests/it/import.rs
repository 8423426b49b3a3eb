//! Sources: connected in the studio, read by the job, made into articles once.

use std::io::Write;
use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait, QueryOrder, QuerySelect,
};
use xiangxun::app::App;
use xiangxun::articles::Actor;
use xiangxun::clock::Timestamp;
use xiangxun::db::entities::account;
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::member::Role;
use xiangxun::db::entities::source::{self, SourceMode, SourceState};
use xiangxun::db::entities::{delivery, entry, push, revision, user};
use xiangxun::import;
use xiangxun::jobs;
use xiangxun::outbox::{self, Event};

use crate::support::TestApp;
use crate::support::outlet::Page;
use crate::with_outlet;

/// An RSS document with these items: guid, title and text.
fn rss(items: &[(&str, &str, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(guid, title, text)| {
            format!("<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>/news/{guid}</link><pubDate>Fri, 02 Jan 2026 08:00:00 +0800</pubDate><description><![CDATA[<p>{text}</p><img src=\"/img/{guid}.jpg\"><script>alert(1)</script>]]></description></item>")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>乡土报</title><link>https://news.example.org/</link>{items}</channel></rss>"
    )
}

const TWO: [(&str, &str, &str); 2] =
    [("b", "第二条新闻", "第二条的正文在这里"), ("a", "第一条新闻", "第一条的正文在这里")];

async fn connected(
    app: &TestApp,
    url: &str,
    mode: SourceMode,
) -> (account::Model, user::Model, source::Model) {
    let (account, owner) = app.account("times").await;
    let actor = Actor { account_id: account.id, user_id: owner.id };
    let url = url.parse().unwrap();
    let source = import::connect(&app.app, actor, &url, "", mode).await.unwrap();
    app.work().await;
    (account, owner, source)
}

async fn articles(app: &TestApp) -> Vec<article::Model> {
    article::Entity::find().order_by_asc(article::COLUMN.id).all(app.app.db.read()).await.unwrap()
}

async fn reload(app: &TestApp, id: i64) -> source::Model {
    source::Entity::find_by_id(id).one(app.app.db.read()).await.unwrap().unwrap()
}

/// Lets the source fall due.
async fn fall_due(app: &TestApp, id: i64) {
    let source = reload(app, id).await;
    let wait = source.next_fetch_at.0 - app.app.clock.now().0;
    app.app.clock.advance(Duration::from_millis(u64::try_from(wait).unwrap_or(0) + 1000));
}

/// Lets the source fall due and be fetched.
async fn next_visit(app: &TestApp, id: i64) -> source::Model {
    fall_due(app, id).await;
    app.work().await;
    reload(app, id).await
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn brotli(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::CompressorWriter::new(&mut packed, 4096, 5, 20).write_all(text).unwrap();
    packed
}

with_outlet! {
    async fn an_outlet_looks_at_its_feed_connects_it_and_its_articles_are_published_quietly(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (_, owner) = app.account("times").await;
        app.sign_in(owner.id).await;
        let empty = app.get("/studio/@times/sources").await.assert_status(200).text();
        assert!(empty.contains("还没有来源") && !empty.contains("⟦"), "{empty}");
        let look = app.post("/studio/@times/sources/preview", &[("url", &outlet.url("/feed.xml"))]).await.assert_status(200).text();
        assert!(look.contains("第二条新闻") && look.contains("乡土报") && !look.contains("⟦"), "{look}");
        assert_eq!(articles(app).await.len(), 0, "looking changes nothing");
        let fields = [("url", outlet.url("/feed.xml")), ("title", "乡土报".into()), ("mode", "publish".into())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        app.post("/studio/@times/sources", &fields).await.assert_status(303);
        app.work().await;
        let made = articles(app).await;
        let titles: Vec<&str> = made.iter().map(|article| article.title.as_str()).collect();
        assert_eq!(titles, ["第一条新闻", "第二条新闻"]);
        let first = &made[0];
        assert_eq!(first.state, ArticleState::Published);
        assert_eq!(first.published_at, Some(Timestamp(1_767_312_000_000)), "the feed's own date is kept");
        assert_eq!(first.original_url.as_deref(), Some("https://news.example.org/news/a"));
        assert_eq!(first.lang, "zh-Hans");
        assert!(first.body_html.contains("https://news.example.org/img/a.jpg") && !first.body_html.contains("script"), "{}", first.body_html);
        assert_eq!(push::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert_eq!(delivery::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert!(app.take_letters().is_empty(), "nobody is told");
        let list = app.get("/studio/@times/sources").await.assert_status(200).text();
        assert!(list.contains("乡土报") && list.contains("已导入 2 篇") && list.contains("正常") && !list.contains("⟦"), "{list}");
        let feed = app.get("/@times/feed.atom").await.assert_status(200).text();
        assert!(feed.contains("第一条新闻"));
    }

    async fn an_unchanged_feed_costs_a_304_and_doubles_nothing(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)).with("etag", "\"v1\"").with("last-modified", "Fri, 02 Jan 2026 00:00:00 GMT"));
        let (_, _, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        let after = next_visit(app, source.id).await;
        let requests = outlet.requests("/feed.xml");
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1]["if-none-match"], "\"v1\"");
        assert_eq!(requests[1]["if-modified-since"], "Fri, 02 Jan 2026 00:00:00 GMT");
        assert_eq!((after.failures, after.etag.as_deref()), (0, Some("\"v1\"")));
        // The same document again without a validator, with one more entry.
        let mut items = vec![("c", "第三条新闻", "第三条的正文在这里")];
        items.extend(TWO);
        outlet.serve("/feed.xml", Page::feed(rss(&items)));
        next_visit(app, source.id).await;
        assert_eq!(articles(app).await.len(), 3);
        assert_eq!(entry::Entity::find().count(app.app.db.read()).await.unwrap(), 3);
    }

    async fn an_edit_upstream_becomes_a_revision_unless_a_member_has_edited_here(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (_, owner, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        outlet.serve("/feed.xml", Page::feed(rss(&[("b", "第二条新闻", "第二条改过的正文"), TWO[1]])));
        next_visit(app, source.id).await;
        let second = articles(app).await.remove(1);
        assert!(second.body_html.contains("改过"), "{}", second.body_html);
        let before = revision::Entity::find().count(app.app.db.read()).await.unwrap();
        assert!(before >= 1);
        // A member edits; the next change upstream does not write over their words.
        let mut form = xiangxun::articles::ArticleForm::of(&second);
        form.body = "<p>编辑部的话</p>".into();
        let content = form.parse().await.unwrap();
        let actor = Actor { account_id: second.account_id, user_id: owner.id };
        xiangxun::articles::save(&app.app, actor, second.id, second.version, content, Default::default()).await.unwrap();
        outlet.serve("/feed.xml", Page::feed(rss(&[("b", "第二条新闻", "第二条又改了"), TWO[1]])));
        next_visit(app, source.id).await;
        let second = articles(app).await.remove(1);
        assert!(second.body_html.contains("编辑部的话"), "{}", second.body_html);
        assert_eq!(articles(app).await.len(), 2);
    }

    async fn a_refresh_that_revises_and_inserts_goes_on_beside_a_change_of_its_account(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (account, _, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        let items = [("c", "第三条新闻", "第三条的正文"), ("b", "第二条新闻", "第二条改过的正文"), TWO[1]];
        outlet.serve("/feed.xml", Page::feed(rss(&items)));
        fall_due(app, source.id).await;
        let tx = app.app.db.begin().await.unwrap();
        account::Entity::find_by_id(account.id).lock_exclusive().one(&*tx).await.unwrap();
        let change = async {
            // On PostgreSQL until the refresh waits for the row; SQLite lets it begin nothing yet.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let event = Event::AccountChanged { account_id: account.id };
            outbox::record(&tx, app.app.clock.now(), event).await.unwrap();
            tx.commit().await.unwrap();
        };
        let (refreshed, ()) = tokio::join!(import::refresh(&app.app, source.id), change);
        refreshed.unwrap();
        let articles = articles(app).await;
        assert_eq!(articles.len(), 3);
        assert!(articles[1].body_html.contains("改过"), "{}", articles[1].body_html);
    }

    async fn entries_are_known_again_by_id_then_link_then_words(app, outlet) {
        let item = |guid: &str, link: &str, text: &str| {
            let guid = if guid.is_empty() { String::new() } else { format!("<guid>{guid}</guid>") };
            let link = if link.is_empty() { String::new() } else { format!("<link>{link}</link>") };
            format!("<rss><channel><title>报</title><item>{guid}{link}<title>同一条</title><description>{text}</description></item></channel></rss>")
        };
        outlet.serve("/feed.xml", Page::feed(item("urn:1", "https://news.example.org/1", "原来的正文")));
        let (_, _, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        for changed in [
            item("urn:1", "https://news.example.org/moved", "原来的正文"),
            item("urn:2", "https://news.example.org/1", "原来的正文"),
            item("", "", "原来的正文"),
            item("", "https://news.example.org/1", "改过的正文"),
        ] {
            outlet.serve("/feed.xml", Page::feed(changed));
            next_visit(app, source.id).await;
            assert_eq!(articles(app).await.len(), 1);
        }
        outlet.serve("/feed.xml", Page::feed(item("", "", "全新的正文")));
        next_visit(app, source.id).await;
        assert_eq!(articles(app).await.len(), 2);
    }

    async fn two_refreshes_at_once_and_one_broken_off_double_nothing(app, outlet) {
        let many: Vec<(String, String)> = (0..300).map(|n| (format!("id{n}"), format!("第{n}条"))).collect();
        let items: Vec<(&str, &str, &str)> = many.iter().map(|(id, title)| (id.as_str(), title.as_str(), "正文")).collect();
        outlet.serve("/feed.xml", Page::feed(rss(&items)));
        let (account, owner) = app.account("times").await;
        let actor = Actor { account_id: account.id, user_id: owner.id };
        let url = outlet.url("/feed.xml").parse().unwrap();
        let source = import::connect(&app.app, actor, &url, "", SourceMode::Publish).await.unwrap();
        // Broken off at some point of its way.
        let _ = tokio::time::timeout(Duration::from_millis(120), import::refresh(&app.app, source.id)).await;
        // Two nodes on one database.
        let mailer = xiangxun::mail::Mailer::memory(Default::default());
        let node = App::open_with(app.app.config.clone(), mailer, app.app.clock.clone()).await.unwrap();
        let (one, other) = tokio::join!(import::refresh(&app.app, source.id), import::refresh(&node, source.id));
        one.unwrap();
        other.unwrap();
        node.db.clone().close().await.unwrap();
        app.app.clock.advance(Duration::from_secs(60));
        app.work().await;
        assert_eq!(articles(app).await.len(), 300);
        assert_eq!(entry::Entity::find().count(app.app.db.read()).await.unwrap(), 300);
    }

    async fn drafts_wait_for_a_member_and_a_source_connected_again_makes_nothing_twice(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (account, owner, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Draft).await;
        let drafts = articles(app).await;
        assert!(drafts.iter().all(|article| article.state == ArticleState::Draft && article.published_at.is_none()));
        assert!(!app.get("/@times/feed.atom").await.text().contains("第一条新闻"));
        let actor = Actor { account_id: account.id, user_id: owner.id };
        import::remove(&app.app, actor, source.id).await.unwrap();
        assert_eq!(entry::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        let url = outlet.url("/feed.xml").parse().unwrap();
        import::connect(&app.app, actor, &url, "", SourceMode::Publish).await.unwrap();
        app.work().await;
        assert_eq!(articles(app).await.len(), 2);
        assert_eq!(entry::Entity::find().count(app.app.db.read()).await.unwrap(), 2);
    }

    async fn charsets_and_packing_of_real_servers_are_undone(app, outlet) {
        let gbk = std::fs::read("tests/fixtures/feeds/chinese/gbk.xml").unwrap();
        let big5 = std::fs::read("tests/fixtures/feeds/chinese/big5.xml").unwrap();
        outlet.serve("/gbk", Page::new("text/xml", gzip(&gbk)).with("content-encoding", "gzip"));
        outlet.serve("/big5", Page::new("text/xml; charset=utf-8", brotli(&big5)).with("content-encoding", "br"));
        let (account, owner, _) = connected(app, &outlet.url("/gbk"), SourceMode::Publish).await;
        let actor = Actor { account_id: account.id, user_id: owner.id };
        let url = outlet.url("/big5").parse().unwrap();
        let source = import::connect(&app.app, actor, &url, "", SourceMode::Publish).await.unwrap();
        app.work().await;
        assert_eq!(reload(app, source.id).await.last_error, None);
        let mut found: Vec<(String, String)> = articles(app).await.into_iter().map(|a| (a.title, a.lang)).collect();
        found.sort();
        let expected = [("图书馆周末开放到晚上九点", "zh-Hans"), ("圖書館週末開放到晚上九點", "zh-Hant"), ("龙舟队赢得友谊赛", "zh-Hans")];
        assert_eq!(found, expected.map(|(title, lang)| (title.to_owned(), lang.to_owned())));
    }

    async fn moved_closed_and_failing_feeds_are_followed_stopped_and_backed_off(app, outlet) {
        outlet.serve("/old.xml", Page::redirect(301, "/new.xml"));
        outlet.serve("/new.xml", Page::feed(rss(&TWO)));
        let (_, owner, source) = connected(app, &outlet.url("/old.xml"), SourceMode::Publish).await;
        assert_eq!(reload(app, source.id).await.url, outlet.url("/new.xml"));
        outlet.serve("/new.xml", Page::status(503).with("retry-after", "172800"));
        let failed = next_visit(app, source.id).await;
        assert_eq!((failed.failures, failed.state), (1, SourceState::Active));
        assert!(failed.next_fetch_at.0 - app.app.clock.now().0 >= 172_800_000, "Retry-After is honoured");
        outlet.serve("/new.xml", Page::feed("<html><body>维护中</body></html>"));
        let failed = next_visit(app, source.id).await;
        assert_eq!(failed.failures, 2);
        app.sign_in(owner.id).await;
        let list = app.get("/studio/@times/sources").await.assert_status(200).text();
        assert!(list.contains("这个地址是网页，不是订阅源") && !list.contains("⟦"), "{list}");
        outlet.serve("/new.xml", Page::feed(rss(&TWO)));
        let well = next_visit(app, source.id).await;
        assert_eq!((well.failures, well.last_error), (0, None));
        outlet.serve("/new.xml", Page::status(410));
        let gone = next_visit(app, source.id).await;
        assert_eq!(gone.state, SourceState::Gone);
        let asked = outlet.requests("/new.xml").len();
        app.app.clock.advance(Duration::from_secs(30 * 24 * 3600));
        app.work().await;
        assert_eq!(outlet.requests("/new.xml").len(), asked, "a closed feed is left alone");
    }

    async fn a_page_leads_to_its_feeds_and_what_leads_nowhere_is_explained(app, outlet) {
        outlet.serve("/one", Page::new("text/html", "<link rel=alternate type=application/rss+xml href=/feed.xml>"));
        outlet.serve("/two", Page::new("text/html", "<html><link rel=alternate type=application/rss+xml title=甲版 href=/feed.xml><link rel=alternate type=application/atom+xml title=乙版 href=/b.xml>"));
        outlet.serve("/none", Page::new("text/html", "<html><p>什么都没有</p></html>"));
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        outlet.serve("/huge", Page::feed(vec![b'x'; 17 * 1024 * 1024]));
        let (_, owner) = app.account("times").await;
        app.sign_in(owner.id).await;
        let look = async |url: &str| app.post("/studio/@times/sources/preview", &[("url", url)]).await;
        assert!(look(&outlet.url("/one")).await.assert_status(200).text().contains("第一条新闻"));
        let choices = look(&outlet.url("/two")).await.assert_status(200).text();
        assert!(choices.contains("甲版") && choices.contains("乙版") && !choices.contains("⟦"), "{choices}");
        // No link, but a feed in a usual place.
        assert!(look(&outlet.url("/none")).await.assert_status(200).text().contains("第一条新闻"));
        for (address, words) in [
            (outlet.url("/huge"), "这个订阅源太大了"),
            (outlet.url("/missing"), "404"),
            ("ftp://example.org/feed".to_owned(), "只能读取 http 或 https"),
            ("https://user:secret@example.org/".to_owned(), "不能带用户名或密码"),
            (String::new(), "这不是一个有效的网址"),
            ("http://[".to_owned(), "这不是一个有效的网址"),
        ] {
            let answer = look(&address).await.assert_status(422).text();
            assert!(answer.contains(words) && !answer.contains("⟦"), "{address}: {answer}");
        }
    }

    async fn only_owners_manage_sources_and_only_their_own(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (account, _, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        let editor = app.user("editor@example.org").await;
        app.member(account.id, editor.id, Role::Editor).await;
        app.sign_in(editor.id).await;
        app.get("/studio/@times/sources").await.assert_status(403);
        app.post(&format!("/studio/@times/sources/{}/pause", source.id), &[]).await.assert_status(403);
        let (_, stranger) = app.account("other").await;
        app.sign_out();
        app.sign_in(stranger.id).await;
        app.post(&format!("/studio/@other/sources/{}/remove", source.id), &[]).await.assert_status(404);
        assert_eq!(reload(app, source.id).await.state, SourceState::Active);
    }

    async fn pausing_resuming_and_reading_now_do_what_they_say(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (_, owner, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        app.sign_in(owner.id).await;
        let path = |action: &str| format!("/studio/@times/sources/{}/{action}", source.id);
        app.post(&path("refresh"), &[]).await.assert_status(303);
        app.work().await;
        assert_eq!(outlet.requests("/feed.xml").len(), 2);
        app.post(&path("pause"), &[]).await.assert_status(303);
        app.app.clock.advance(Duration::from_secs(3 * 24 * 3600));
        app.work().await;
        assert_eq!(outlet.requests("/feed.xml").len(), 2);
        app.post(&path("resume"), &[]).await.assert_status(303);
        app.work().await;
        assert_eq!(outlet.requests("/feed.xml").len(), 3);
        app.post(&path("mode"), &[("mode", "draft")]).await.assert_status(303);
        assert_eq!(reload(app, source.id).await.mode, SourceMode::Draft);
        app.post(&path("remove"), &[]).await.assert_status(303);
        assert_eq!(articles(app).await.len(), 2, "articles stay");
    }

    async fn a_suspended_accounts_sources_are_left_alone(app, outlet) {
        outlet.serve("/feed.xml", Page::feed(rss(&TWO)));
        let (account, _, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        let mut row = account.into_active_model();
        row.state = Set(account::AccountState::Suspended);
        row.update(app.app.db.write()).await.unwrap();
        next_visit(app, source.id).await;
        assert_eq!(outlet.requests("/feed.xml").len(), 1);
    }

    async fn a_source_that_should_be_read_always_has_a_job(app, outlet) {
        // Without pictures, for they are fetched by jobs of their own.
        outlet.serve("/feed.xml", Page::feed(rss(&TWO).replace("<img src=", "<a href=")));
        let (_, owner, source) = connected(app, &outlet.url("/feed.xml"), SourceMode::Publish).await;
        let db = &app.app.db;
        // However often our own side fails, its job is tried again.
        for _ in 0..15 {
            app.app.clock.advance(Duration::from_secs(3 * 24 * 3600));
            let now = app.app.clock.now();
            let row = jobs::queue::claim(db, "a", now, 10).await.unwrap().pop().expect("the job is not dead");
            jobs::queue::settle(db, &row, "a", now, Err(anyhow::anyhow!("the disk is full"))).await.unwrap();
        }
        assert_eq!(jobs::queue::unfinished(db.read()).await.unwrap(), 1);
        // And should it be lost, it is queued anew; those that are paused stay so.
        outlet.serve("/paused.xml", Page::feed(rss(&TWO)));
        let actor = Actor { account_id: source.account_id, user_id: owner.id };
        let paused = outlet.url("/paused.xml").parse().unwrap();
        let paused = import::connect(&app.app, actor, &paused, "", SourceMode::Draft).await.unwrap();
        import::pause(&app.app, actor, paused.id).await.unwrap();
        jobs::queue::cancel(db.write(), &format!("refresh_source:{}", source.id)).await.unwrap();
        assert_eq!(jobs::queue::unfinished(db.read()).await.unwrap(), 0);
        jobs::upkeep::run_once(&app.app).await.unwrap();
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(jobs::queue::unfinished(db.read()).await.unwrap(), 1, "one job, and one only");
        next_visit(app, source.id).await;
        assert_eq!(outlet.requests("/feed.xml").len(), 2);
        assert_eq!(outlet.requests("/paused.xml").len(), 0);
    }
}
