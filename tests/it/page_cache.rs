//! Pages that are made once for all: what changes shows at once, and nobody sees what is another's.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use sea_orm::ConnectionTrait;
use xiangxun::page_cache;
use xiangxun::routes::Site;

use crate::both_databases;
use crate::search::{another, publish};
use crate::support::TestApp;
use crate::support::app::Answer;

/// Longer than a page is kept.
const MOMENT: Duration = Duration::from_millis(1_000);

/// As somebody without cookies asks.
async fn anybody(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path).header("host", "xiangxun.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send_alone(request.body(Body::empty()).unwrap()).await
}

/// The headers of an answer, in some order, without the id of its request.
fn said(answer: &Answer) -> Vec<(String, String)> {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let mut said: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    said.sort();
    said
}

/// Changes a title behind the program's back, as nothing else does: only a page made anew shows it.
async fn change_secretly(app: &TestApp, article: i64, title: &str) {
    let change = format!("UPDATE articles SET title = '{title}' WHERE id = {article}");
    app.app.db.write().execute_unprepared(&change).await.unwrap();
}

both_databases! {
    async fn a_page_is_made_once_until_something_changes(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "第一版", "台风来了").await;
        let paths = ["/".to_owned(), "/@daily".into(), format!("/@daily/{}", article.slug), "/@daily/feed.atom".into()];
        for path in &paths {
            assert!(anybody(app, path, &[]).await.assert_status(200).text().contains("第一版"), "{path}");
        }
        change_secretly(app, article.id, "第二版").await;
        for path in &paths[..3] {
            assert!(anybody(app, path, &[]).await.text().contains("第一版"), "{path} is kept");
        }
        // Any commit through this process counts.
        publish(app, account.id, "另一篇", "地震").await;
        for path in &paths {
            assert!(anybody(app, path, &[]).await.text().contains("第二版"), "{path}");
        }
        change_secretly(app, article.id, "第三版").await;
        tokio::time::sleep(MOMENT).await;
        for path in &paths[..3] {
            assert!(anybody(app, path, &[]).await.text().contains("第三版"), "{path} is not kept for longer");
        }
    }

    async fn a_kept_page_is_given_as_the_one_that_was_made(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "标题", &"台风来了，渔船回港。".repeat(100)).await;
        // What is asked with, whether it is given ahead of the router, and the status.
        type Asking<'a> = (&'a [(&'a str, &'a str)], bool, u16);
        let askings: [Asking; 9] = [
            (&[], true, 200),
            (&[("accept-encoding", "br, gzip")], true, 200),
            (&[("accept-encoding", "gzip")], true, 200),
            (&[("accept-encoding", "deflate")], false, 200),
            (&[("accept-encoding", "identity;q=0")], false, 406),
            (&[("accept-encoding", "")], false, 200),
            (&[("if-none-match", "TAG")], true, 304),
            (&[("if-none-match", "TAG"), ("accept-encoding", "zstd")], true, 304),
            (&[("accept-language", "zh-Hant-HK"), ("x-request-id", "mine")], true, 200),
        ];
        for (asking, is_ahead, status) in askings {
            let path = format!("/@daily/{}", article.slug);
            // A commit makes it anew.
            publish(app, account.id, "另一篇", "地震").await;
            let tag = anybody(app, &path, &[]).await.header("etag").to_owned();
            app.app.db.begin().await.unwrap().commit().await.unwrap();
            let asking: Vec<(&str, &str)> =
                asking.iter().map(|(name, value)| (*name, if *value == "TAG" { &tag } else { *value })).collect();
            let made = anybody(app, &path, &asking).await.assert_status(status);
            let kept = anybody(app, &path, &asking).await.assert_status(status);
            assert_eq!(made.bytes, kept.bytes, "{asking:?}");
            assert_eq!(said(&made), said(&kept), "{asking:?}");
            let id = kept.header("x-request-id");
            assert!(!id.is_empty() && (id == "mine") == asking.contains(&("x-request-id", "mine")), "{asking:?}");
            let mut request = Request::builder().uri(&path).header("host", "xiangxun.test");
            for (name, value) in &asking {
                request = request.header(*name, *value);
            }
            let ahead = page_cache::kept(&app.app, &request.body(Body::empty()).unwrap()).await;
            assert_eq!(ahead.is_some(), is_ahead, "{asking:?}");
        }
    }

    async fn a_change_on_another_node_shows_within_a_second(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "旧标题", "台风来了").await;
        let other = another(app).await;
        let ask = async || {
            let request = Request::builder().uri("/@daily").header("host", "xiangxun.test").body(Body::empty());
            app.send_to(Site::new(other.clone()), request.unwrap()).await.text()
        };
        assert!(ask().await.contains("旧标题"));
        change_secretly(app, article.id, "新标题").await;
        publish(app, account.id, "另一篇", "地震").await;
        assert!(anybody(app, "/@daily", &[]).await.text().contains("新标题"), "at once here");
        tokio::time::sleep(MOMENT).await;
        assert!(ask().await.contains("新标题"));
    }

    async fn everybody_gets_their_own_language_and_nobody_anothers_page(app) {
        let (account, owner) = app.account("daily").await;
        publish(app, account.id, "标题", "台风来了").await;
        let hans = anybody(app, "/@daily", &[("accept-language", "zh-Hans")]).await.text();
        let plain = anybody(app, "/@daily", &[]).await.text();
        for _ in 0..2 {
            let hant = anybody(app, "/@daily", &[("accept-language", "zh-Hant")]).await.text();
            assert!(hant.contains("lang=\"zh-Hant\"") && hant != hans);
            let chosen = anybody(app, "/@daily", &[("accept-language", "zh-Hant"), ("cookie", "lang=en")]).await.text();
            assert!(chosen.contains("lang=\"en\""));
            let said = anybody(app, "/@daily", &[("cookie", "flash=flash-alert-saved")]).await;
            assert!(said.text().contains("role=\"status\""), "{}", said.text());
            assert_eq!(anybody(app, "/@daily", &[]).await.text(), plain, "what one was told is not told to all");
            app.sign_in(owner.id).await;
            assert!(app.get("/@daily").await.text().contains("signed-in"));
            app.sign_out();
            assert_eq!(app.get("/@daily").await.text(), plain);
        }
        for path in ["/@nobody", "/@daily/nothing"] {
            anybody(app, path, &[]).await.assert_status(404);
            anybody(app, path, &[]).await.assert_status(404);
        }
    }

    async fn a_kept_page_says_all_that_the_first_one_said(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "标题", "台风来了").await;
        for path in [format!("/@daily/{}", article.slug), "/feed.atom".into()] {
            let headers = async |more: &[(&str, &str)]| {
                let answer = anybody(app, &path, more).await.assert_status(200);
                let mut headers = answer.headers.clone();
                assert!(headers.remove("x-request-id").is_some(), "{path}");
                (headers, answer.text())
            };
            let first = headers(&[]).await;
            for name in ["content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options"] {
                assert!(first.0.contains_key(name), "{path}: {name}");
            }
            assert_eq!(headers(&[]).await, first, "{path}");
            // So does the page that is made for somebody whose session is over, but for its tag.
            let mut ended = headers(&[("cookie", "session=over")]).await;
            if let Some(tag) = first.0.get("etag") {
                ended.0.insert("etag", tag.clone());
            }
            assert_eq!(ended, first, "{path}");
        }
    }

    async fn a_page_that_the_reader_has_is_not_sent_again(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "标题", "台风来了").await;
        for path in ["/".to_owned(), "/@daily".into(), format!("/@daily/{}", article.slug), "/feed.atom".into()] {
            let tag = anybody(app, &path, &[]).await.assert_status(200).header("etag").to_owned();
            assert!(tag.contains('"'), "{path}");
            for known in [tag.clone(), format!("\"x\", {tag}"), "*".into()] {
                let again = anybody(app, &path, &[("if-none-match", &known)]).await.assert_status(304);
                assert_eq!((again.text().as_str(), again.header("etag")), ("", tag.as_str()), "{path} {known}");
            }
            publish(app, account.id, "后来", "地震").await;
            if path != format!("/@daily/{}", article.slug) {
                let new = anybody(app, &path, &[("if-none-match", &tag)]).await.assert_status(200);
                assert!(new.text().contains("后来") && new.header("etag") != tag, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_site_can_do_without() {
    let app = TestApp::start_with(crate::support::Backend::Sqlite, |config| config.page_cache = 0).await;
    let (account, _) = app.account("daily").await;
    let article = publish(&app, account.id, "第一版", "台风来了").await;
    anybody(&app, "/@daily", &[]).await.assert_status(200);
    change_secretly(&app, article.id, "第二版").await;
    assert!(anybody(&app, "/@daily", &[]).await.text().contains("第二版"));
    app.finish().await;
}
