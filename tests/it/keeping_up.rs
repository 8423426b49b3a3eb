//! Keeping up by keyboard, and marking what one reads, in a real browser.

use thirtyfour::{By, Key};
use xiangxun::page::Locale;
use xiangxun::saved::queries as saved;
use xiangxun::subscriptions;
use xiangxun::subscriptions::timeline::mute::Mute;
use xiangxun::subscriptions::timeline::queries::{Scope, count_unread};

use crate::both_databases;
use crate::support::browser::Browser;
use crate::support::{Backend, TestApp};

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..100 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not so in the end: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_is_read_by_keys_and_passages_are_marked_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (daily, _) = app.account("daily").await;
    let reader = app.user("reader@example.org").await;
    subscriptions::subscribe(&app.app, &reader, daily.id, None, Locale::ZhHans).await.unwrap();
    let mut articles = Vec::new();
    for title in ["一号新闻", "二号新闻", "三号新闻"] {
        app.app.clock.advance(std::time::Duration::from_secs(60));
        articles.push(app.published(daily.id, title).await);
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let routes = xiangxun::routes::router(app.app.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let browser = Browser::open(1100, 800).await;
    browser.visit(&origin).await;
    let session = xiangxun::auth::session::open(&app.app, reader.id, "chromium", "127.0.0.1").await.unwrap();
    let cookie = thirtyfour::Cookie::new(session.name().to_owned(), session.value().to_owned());
    browser.window.add_cookie(cookie).await.unwrap();

    browser.visit(&format!("{origin}/timeline")).await;
    let press = async |keys: &str| {
        let page = browser.window.find(By::Css("body")).await.unwrap();
        page.send_keys(keys).await.unwrap();
    };
    // The second from above: read, unread, read; and saved.
    press("jj").await;
    browser.one(&format!("#a{}.here", articles[1].id)).await;
    press("m").await;
    browser.one(&format!("#a{}.read", articles[1].id)).await;
    let unread = async || {
        count_unread(app.app.db.read(), reader.id, &Scope::default(), &Mute::default()).await.unwrap()
    };
    until("one is read", async || unread().await == 2).await;
    press("m").await;
    browser.one(&format!("#a{}.unread", articles[1].id)).await;
    until("it is unread again", async || unread().await == 3).await;
    press("s").await;
    until("it is saved", async || {
        saved::is_saved(app.app.db.read(), reader.id, articles[1].id).await.unwrap()
    })
    .await;
    assert_eq!(browser.window.current_url().await.unwrap().path(), "/timeline");
    press("?").await;
    browser.see("下一篇、上一篇").await;
    browser.window.active_element().await.unwrap().send_keys(Key::Escape + "").await.unwrap();
    press("ko").await;
    browser.see("三号新闻的第一段").await;

    // What is selected is marked, in a copy that is saved by that.
    let select = "const text = document.querySelector('article .prose p').firstChild; \
        getSelection().setBaseAndExtent(text, 0, text, 4);";
    browser.window.execute(select, Vec::new()).await.unwrap();
    browser.click("#keep-here:not([hidden])").await;
    browser.see("划线与笔记").await;
    let mark = browser.one("article mark").await;
    assert_eq!(mark.text().await.unwrap(), "三号新闻");
    browser.close().await;
    app.finish().await;
}

both_databases! {
    async fn the_site_can_be_an_app_on_a_phone(app) {
        let manifest = app.get("/manifest.webmanifest").await.assert_status(200);
        assert_eq!(manifest.header("content-type"), "application/manifest+json");
        let manifest = manifest.json();
        assert_eq!((manifest["start_url"].as_str(), manifest["display"].as_str()), (Some("/timeline"), Some("standalone")));
        let icons = manifest["icons"].as_array().unwrap();
        let named: Vec<_> = icons.iter().map(|icon| (icon["sizes"].as_str().unwrap(), icon["purpose"].as_str().unwrap())).collect();
        assert_eq!(named, [("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"), ("any", "any")]);
        for icon in icons {
            let file = app.get(icon["src"].as_str().unwrap()).await.assert_status(200);
            assert_eq!(file.header("content-type"), icon["type"].as_str().unwrap());
            if icon["type"] == "image/png" {
                let (width, height) = png_size(&file.bytes);
                assert_eq!(icon["sizes"], format!("{width}x{height}"));
            }
        }
        let page = app.get("/").await.assert_status(200).text();
        let touch = page.split("<link rel=\"apple-touch-icon\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(png_size(&app.get(touch).await.assert_status(200).bytes), (180, 180));
        assert!(app.get("/offline").await.assert_status(200).text().contains("没有网络"));
        let shared = async |query: &str| app.get(&format!("/share-target?{query}")).await.assert_status(303).location().to_owned();
        assert_eq!(shared("text=%E7%9C%8B%20http://xiangxun.test/@daily/x%20").await, "/@daily/x");
        assert_eq!(shared("text=http://xiangxun.test/search?q=linux%26page=2%23x").await, "/search?q=linux&page=2");
        assert_eq!(shared("url=http://xiangxun.test//evil.example/").await, "/");
        assert_eq!(shared("url=https://other.example/a&title=%E5%8F%B0%E9%A3%8E").await, "/search?q=%E5%8F%B0%E9%A3%8E");
        assert_eq!(shared("text=%E5%8F%B0%E9%A3%8E%20https://other.example/a").await, "/search?q=%E5%8F%B0%E9%A3%8E");
        assert_eq!(shared("title=mailto:a@example.org").await, "/search?q=mailto%3Aa%40example.org");
        assert_eq!(shared("").await, "/search");
        // An address elsewhere and nothing more: its feed can be followed.
        let follow = shared("text=https://other.example/a?b%26c").await;
        assert_eq!(follow, "/outside/feeds?url=https%3A%2F%2Fother.example%2Fa%3Fb%26c");
        let to_sign_in = app.get(&follow).await.assert_status(303).location().to_owned();
        assert!(to_sign_in.starts_with("/sign-in?next=%2Foutside%2Ffeeds%3Furl%3D"), "{to_sign_in}");
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        let page = app.get(&follow).await.assert_status(200).text();
        assert!(page.contains("value=\"https://other.example/a?b"), "{page}");
    }
}

fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_can_be_read_without_a_network_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (daily, _) = app.account("daily").await;
    let reader = app.user("reader@example.org").await;
    let article = app.published(daily.id, "一号新闻").await;
    let kept = xiangxun::saved::save(&app.app, reader.id, article.id).await.unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let routes = xiangxun::routes::router(app.app.clone());
    let end = tokio_util::sync::CancellationToken::new();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(end.clone().cancelled_owned());
    let server = tokio::spawn(async move { serving.await });
    let browser = Browser::open(500, 900).await;
    browser.visit(&origin).await;
    let session = xiangxun::auth::session::open(&app.app, reader.id, "chromium", "127.0.0.1").await.unwrap();
    let cookie = thirtyfour::Cookie::new(session.name().to_owned(), session.value().to_owned());
    browser.window.add_cookie(cookie).await.unwrap();
    let copy = format!("{origin}/saved/{}", kept.id);
    browser.visit(&copy).await;
    let ready = "const done = arguments[0]; navigator.serviceWorker.ready.then(() => done(true));";
    browser.window.execute_async(ready, Vec::new()).await.unwrap();
    // Once more, through the worker.
    browser.visit(&copy).await;
    browser.see("一号新闻的第一段").await;
    let is_kept = "const done = arguments[0]; caches.match(location.href, { ignoreVary: true }).then((one) => done(!!one));";
    until("the page is kept", async || {
        browser.window.execute_async(is_kept, Vec::new()).await.unwrap().json() == &serde_json::json!(true)
    })
    .await;
    browser.visit("about:blank").await;
    end.cancel();
    server.await.unwrap().unwrap();
    browser.visit(&copy).await;
    browser.see("一号新闻的第一段").await;
    browser.visit(&format!("{origin}/@daily")).await;
    browser.see("没有网络").await;
    browser.close().await;
    app.finish().await;
}
