//! Keeping up by keyboard, and marking what one reads, in a real browser.

use thirtyfour::{By, Key};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xiangxun::media::picture::Use;
use xiangxun::page::Locale;
use xiangxun::saved::queries as saved;
use xiangxun::subscriptions;
use xiangxun::subscriptions::timeline::mute::Mute;
use xiangxun::subscriptions::timeline::queries::{Scope, count_unread};

use crate::both_databases;
use crate::renditions::photo;
use crate::support::browser::Browser;
use crate::support::wait::until;
use crate::support::{Backend, TestApp};

/// A site that listens, until it is told to end.
struct Site {
    origin: String,
    end: CancellationToken,
    server: JoinHandle<()>,
}

impl Site {
    async fn of(app: &TestApp) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let end = CancellationToken::new();
        let server = app.serve(listener, end.clone());
        Self { origin, end, server }
    }

    async fn end(self) {
        self.end.cancel();
        self.server.await.unwrap();
    }
}

/// What a script answers with later.
async fn later(browser: &Browser, script: &str) -> serde_json::Value {
    browser.window.execute_async(script, Vec::new()).await.unwrap().json().clone()
}

/// Waits until the page is looked after by the service worker.
async fn until_worker(browser: &Browser) {
    until("the worker is there", async || {
        browser.ask("return !!navigator.serviceWorker.controller").await == true
    })
    .await;
}

/// Whether the worker has kept something that is asked for by this address.
async fn is_kept(browser: &Browser, path: &str) -> bool {
    let script = format!(
        "const done = arguments[0]; caches.match('{path}', {{ ignoreVary: true }}).then((one) => done(!!one));"
    );
    later(browser, &script).await == true
}

/// Where the caches hold a page with these words, or a picture.
async fn held(browser: &Browser, words: &str) -> Vec<String> {
    let script = format!(
        "const done = arguments[0];
        const look = async () => {{
            const found = [];
            for (const name of await caches.keys()) {{
                const cache = await caches.open(name);
                for (const request of await cache.keys()) {{
                    const path = new URL(request.url).pathname;
                    const answer = await cache.match(request, {{ ignoreVary: true }});
                    const text = answer ? await answer.text() : '';
                    if (path.startsWith('/media/') || text.includes('{words}')) found.push(path);
                }}
            }}
            return found;
        }};
        look().then(done, (error) => done([String(error)]));"
    );
    serde_json::from_value(later(browser, &script).await).unwrap()
}

/// Presses `s` twice before the first can be answered; `waiting` counts the answers that are still to come.
const SAVE_TWICE: &str = "const send = window.fetch.bind(window);
    window.waiting = 0;
    window.fetch = async (...all) => {
        window.waiting += 1;
        try { return await send(...all); } finally { setTimeout(() => (window.waiting -= 1)); }
    };
    for (const key of ['s', 's']) document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));";

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
    let site = Site::of(&app).await;
    let origin = site.origin.clone();
    let browser = Browser::open(1100, 800).await;
    browser.visit(&origin).await;
    browser.sign_in(&app, reader.id).await;

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
    // Pressed twice in haste, it is saved, and shown as saved.
    browser.ask(SAVE_TWICE).await;
    until("both are answered", async || browser.ask("return window.waiting === 0").await == true).await;
    assert!(saved::is_saved(app.app.db.read(), reader.id, articles[1].id).await.unwrap());
    browser.one(&format!("#a{} [formaction$='/remove']:not([hidden])", articles[1].id)).await;
    let hidden =
        format!("return document.querySelectorAll('#a{} [data-do=save][hidden]').length", articles[1].id);
    assert_eq!(browser.ask(&hidden).await, 1);
    assert_eq!(browser.window.current_url().await.unwrap().path(), "/timeline");
    press("s").await;
    until("it is given up again", async || {
        !saved::is_saved(app.app.db.read(), reader.id, articles[1].id).await.unwrap()
    })
    .await;
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

    // A copy with a passage in it goes by no key: the reader is asked, and nothing is shown as done.
    browser.visit(&format!("{origin}/timeline?show=all")).await;
    press("js").await;
    browser.see("1 处划线").await;
    assert!(browser.window.current_url().await.unwrap().path().ends_with("/remove"));
    assert!(saved::is_saved(app.app.db.read(), reader.id, articles[2].id).await.unwrap());
    // Nor is anything saved for somebody whose session is over.
    browser.visit(&format!("{origin}/timeline?show=all")).await;
    xiangxun::auth::session::end_all(&app.app, reader.id, None).await.unwrap();
    press("jjs").await;
    until("the reader is to sign in", async || {
        browser.window.current_url().await.unwrap().path() == "/sign-in"
    })
    .await;
    assert!(!saved::is_saved(app.app.db.read(), reader.id, articles[1].id).await.unwrap());
    browser.close().await;
    drop(site);
    app.finish().await;
}

both_databases! {
    async fn the_site_can_be_an_app_on_a_phone(app) {
        let manifest = app.get("/manifest.webmanifest").await.assert_status(200);
        assert_eq!(manifest.header("content-type"), "application/manifest+json");
        let manifest = manifest.json();
        assert_eq!((manifest["start_url"].as_str(), manifest["display"].as_str()), (Some("/timeline"), Some("standalone")));
        let icons = manifest["icons"].as_array().unwrap();
        let named: Vec<_> = icons
            .iter()
            .map(|icon| (icon["sizes"].as_str().unwrap(), icon["purpose"].as_str().unwrap()))
            .collect();
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

both_databases! {
    async fn browsers_let_go_of_kept_pages_when_a_session_ends(app) {
        let reader = app.user("reader@example.org").await;
        for path in ["/sign-out", "/settings/sessions/end"] {
            app.sign_in(reader.id).await;
            let answer = app.post(path, &[]).await.assert_status(303);
            assert_eq!(answer.header("clear-site-data"), "\"storage\"", "{path}");
        }
        assert_eq!(app.get("/").await.header("clear-site-data"), "");
    }

    async fn a_script_is_told_plainly_what_was_done(app) {
        let (daily, _) = app.account("daily").await;
        let article = app.published(daily.id, "一号新闻").await;
        let reader = app.user("reader@example.org").await;
        let (save, mark) =
            (format!("/saved/articles/{}", article.id), format!("/timeline/articles/{}/read", article.id));
        let quiet = [("quiet", "1")];
        app.post(&save, &quiet).await.assert_status(303);
        app.sign_in(reader.id).await;
        app.get(&save).await.assert_status(404);
        app.post(&mark, &quiet).await.assert_status(204);
        let done = app.post(&save, &quiet).await.assert_status(204);
        assert_eq!(done.header("set-cookie"), "", "nothing is to be shown later");
        // The copy is fetched before anybody opens it: what is to be shown once waits.
        app.post(&save, &[]).await.assert_status(303);
        let copy = app.get(&save).await.assert_status(200);
        let kept = saved::of_article(app.app.db.read(), reader.id, article.id).await.unwrap().unwrap();
        assert_eq!(copy.header("content-location"), format!("/saved/{}", kept.id));
        let page = copy.text();
        assert!(page.contains("一号新闻的第一段") && !page.contains("已收藏。"), "{page}");
        assert!(app.get("/timeline").await.text().contains("class=\"flash"));
        app.post(&format!("{save}/highlights"), &[("quote", "第一段")]).await.assert_status(303);
        let question = app.post(&format!("{save}/remove"), &quiet).await.assert_status(303);
        assert_eq!(question.location(), format!("/saved/{}/remove", kept.id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_or_saved_can_be_read_without_a_network_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (daily, _) = app.account("daily").await;
    let reader = app.user("reader@example.org").await;
    subscriptions::subscribe(&app.app, &reader, daily.id, None, Locale::ZhHans).await.unwrap();
    let mut articles = Vec::new();
    for title in ["一号新闻", "二号新闻", "三号新闻"] {
        app.app.clock.advance(std::time::Duration::from_secs(60));
        articles.push(app.published(daily.id, title).await);
    }
    let copy = async |number: usize| {
        let copy = saved::of_article(app.app.db.read(), reader.id, articles[number].id).await.unwrap();
        copy.map(|copy| format!("/saved/{}", copy.id))
    };
    xiangxun::saved::save(&app.app, reader.id, articles[0].id).await.unwrap();
    let site = Site::of(&app).await;
    let origin = site.origin.clone();
    let browser = Browser::open(500, 900).await;
    // Visitors have it too, whatever they opened first.
    browser.visit(&origin).await;
    until_worker(&browser).await;
    browser.sign_in(&app, reader.id).await;
    let read = copy(0).await.unwrap();
    browser.visit(&format!("{origin}{read}")).await;
    browser.see("一号新闻的第一段").await;
    until("the page is kept", async || is_kept(&browser, &read).await).await;
    // Saved by a key on the timeline, and by the button of an article, without being opened.
    browser.visit(&format!("{origin}/timeline")).await;
    until_worker(&browser).await;
    browser.window.find(By::Css("body")).await.unwrap().send_keys("jjs").await.unwrap();
    until("the second is saved", async || copy(1).await.is_some()).await;
    let by_key = copy(1).await.unwrap();
    until("its copy is kept", async || is_kept(&browser, &by_key).await).await;
    browser.visit(&format!("{origin}/@daily/{}", articles[2].slug)).await;
    browser.click(".keeping button").await;
    browser.see("已收藏").await;
    let by_button = copy(2).await.unwrap();
    until("its copy is kept", async || is_kept(&browser, &by_button).await).await;
    browser.visit("about:blank").await;
    site.end().await;
    for (path, words) in
        [(&read, "一号新闻的第一段"), (&by_key, "二号新闻的第一段"), (&by_button, "三号新闻的第一段")]
    {
        browser.visit(&format!("{origin}{path}")).await;
        browser.see(words).await;
    }
    // Nor can a form be sent; what it would have removed is still there.
    browser.click(&format!("form[action='{by_button}/remove'] button")).await;
    browser.see("没有网络").await;
    browser.visit(&format!("{origin}{by_button}")).await;
    browser.see("三号新闻的第一段").await;
    browser.visit(&format!("{origin}/@daily")).await;
    browser.see("没有网络").await;
    browser.close().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_pages_are_forgotten_when_a_session_is_over_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (daily, owner) = app.account("daily").await;
    let reader = app.user("reader@example.org").await;
    app.sign_in(owner.id).await;
    let picture = xiangxun::media::keep(&app.app, owner.id, daily.id, photo(160, 120), Use::Illustration);
    let body = format!("一号新闻的第一段。\n\n![桥](/media/{})", picture.await.unwrap().key);
    let id = app.publish_new("daily", "一号新闻", &body).await;
    app.work().await;
    let copy = xiangxun::saved::save(&app.app, reader.id, id).await.unwrap();
    let copy = format!("/saved/{}", copy.id);
    let save = format!(
        "const done = arguments[0]; const body = new URLSearchParams({{ quiet: 1 }}); \
        fetch('/saved/articles/{id}', {{ method: 'POST', body }}).then((answer) => done(answer.status));"
    );
    let site = Site::of(&app).await;
    let origin = site.origin.clone();
    let browser = Browser::open(500, 900).await;
    browser.visit(&origin).await;
    until_worker(&browser).await;
    for signs_out in [false, true] {
        browser.sign_in(&app, reader.id).await;
        browser.visit(&format!("{origin}{copy}")).await;
        until_worker(&browser).await;
        browser.visit(&format!("{origin}{copy}")).await;
        browser.see("一号新闻的第一段").await;
        until("the page is kept", async || is_kept(&browser, &copy).await).await;
        // Saved again, as a key does it: its pictures are kept too.
        assert_eq!(later(&browser, &save).await, 204);
        until("the picture is kept", async || {
            held(&browser, "一号新闻").await.iter().any(|path| path.starts_with("/media/"))
        })
        .await;
        if signs_out {
            browser.click(".foot form[action='/sign-out'] button").await;
            until("nobody is signed in", async || {
                browser.ask("return !document.querySelector('.signed-in')").await == true
            })
            .await;
        } else {
            xiangxun::auth::session::end_all(&app.app, reader.id, None).await.unwrap();
            browser.visit(&format!("{origin}/saved")).await;
        }
        until("all is forgotten", async || held(&browser, "一号新闻").await.is_empty()).await;
    }
    browser.close().await;
    site.end().await;
    app.finish().await;
}
