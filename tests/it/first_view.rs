//! What a browser has to fetch before it shows a page: how much, how often, and packed how.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use scraper::{Html, Selector};
use sea_orm::ConnectionTrait;
use xiangxun::{page_cache, statics};

use crate::both_databases;
use crate::search::publish;
use crate::support::app::Answer;
use crate::support::{Backend, TestApp};

const PACKINGS: [&str; 3] = ["br", "zstd", "gzip"];
/// Bytes on the wire.
const LARGEST_ARTICLE: usize = 30_000;
const LARGEST_STYLE: usize = 15_000;
const LARGEST_SCRIPTS: usize = 10_000;

async fn ask(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "xiangxun.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send_alone(request.body(Body::empty()).unwrap()).await
}

async fn packed(app: &TestApp, path: &str, packing: &str) -> Answer {
    ask(app, Method::GET, path, &[("accept-encoding", packing)]).await.assert_status(200)
}

/// What an answer holds, unpacked once.
fn unpacked(answer: &Answer) -> String {
    let mut text = String::new();
    match answer.header("content-encoding") {
        "br" => drop(brotli::Decompressor::new(&*answer.bytes, 4_096).read_to_string(&mut text).unwrap()),
        "gzip" => drop(flate2::read::GzDecoder::new(&*answer.bytes).read_to_string(&mut text).unwrap()),
        "zstd" => text = String::from_utf8(zstd::decode_all(&*answer.bytes).unwrap()).unwrap(),
        other => panic!("packed as {other:?}"),
    }
    text
}

/// The strong tag of a copy, by that of what it holds.
fn tag_of_copy(tag: &str, packing: &str) -> String {
    format!("{}-{packing}\"", tag.strip_suffix('"').unwrap())
}

/// The addresses that a page names, as a selector finds them.
fn addresses(page: &str, selector: &str, attribute: &str) -> Vec<String> {
    let document = Html::parse_document(page);
    let selector = Selector::parse(selector).unwrap();
    document.select(&selector).map(|element| element.attr(attribute).unwrap().to_owned()).collect()
}

/// The longest article of the demo.
fn long_text() -> String {
    let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/demo/articles.jsonl.zst")).unwrap();
    let lines = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
    let bodies = lines.lines().map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["body"].as_str().unwrap().to_owned()
    });
    bodies.max_by_key(String::len).unwrap()
}

both_databases! {
    async fn an_article_its_style_and_its_scripts_are_small(app) {
        let (account, _) = app.account("daily").await;
        let text = long_text();
        assert!(text.chars().count() > 9_000);
        let article = publish(app, account.id, "文史｜元代", &text).await;
        let path = format!("/@daily/{}", article.slug);
        for file in ["app.css", "site.js"] {
            statics::prepare_one(file);
        }
        for packing in PACKINGS {
            let page = packed(app, &path, packing).await;
            assert!(page.bytes.len() < LARGEST_ARTICLE, "{packing}: {}", page.bytes.len());
            let html = unpacked(&page);
            let styles = addresses(&html, "link[rel=stylesheet]", "href");
            assert_eq!(styles.len(), 1);
            let style = packed(app, &styles[0], packing).await.bytes.len();
            assert!(style < LARGEST_STYLE, "{packing}: {style}");
            let scripts = addresses(&html, "script[src]", "src");
            assert_eq!(scripts.len(), 1, "each is one more request: {scripts:?}");
            assert_eq!(addresses(&html, "script[src][type=module]", "src"), scripts, "none holds the page up");
            let mut sum = 0;
            for script in &scripts {
                sum += packed(app, script, packing).await.bytes.len();
            }
            assert!(sum < LARGEST_SCRIPTS, "{packing}: {sum}");
            println!("{packing}: article {}, style {style}, scripts {sum}", page.bytes.len());
        }
    }

    async fn a_page_names_what_it_needs_before_its_first_line(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "标题", "台风来了").await;
        let path = format!("/@daily/{}", article.slug);
        let links = |answer: &Answer| {
            answer.headers.get_all("link").iter().map(|link| link.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for path in ["/", "/@daily", &path, "/sign-in", "/search"] {
            let page = app.get(path).await.assert_status(200);
            let style = addresses(&page.text(), "link[rel=stylesheet]", "href").concat();
            assert_eq!(links(&page), [format!("<{style}>; rel=preload; as=style")], "{path}");
            assert!(app.get(&style).await.assert_status(200).header("cache-control").contains("immutable"));
        }
        assert!(links(&app.get("/search/suggestions?q=a").await).is_empty(), "a part of a page is shown in one");
        for (cover, named) in [
            ("/media/1/abc.webp", true),
            ("https://pictures.example/a.jpg?x=1&y=2", true),
            ("https://pictures.example/a b.jpg>; rel=preload; as=script", false),
            ("https://pictures.example/图.jpg", false),
        ] {
            let change = format!("UPDATE articles SET cover_url = '{cover}' WHERE id = {}", article.id);
            app.app.db.write().execute_unprepared(&change).await.unwrap();
            app.app.db.begin().await.unwrap().commit().await.unwrap();
            let links = links(&app.get(&path).await.assert_status(200));
            assert_eq!(links.len(), if named { 2 } else { 1 }, "{links:?}");
            assert!(!named || links[1].starts_with(&format!("<{cover}>; rel=preload; as=image; fetchpriority=high")), "{links:?}");
        }
    }

    async fn a_page_for_everybody_is_packed_once_for_each_packing(app) {
        let (account, _) = app.account("daily").await;
        let article = publish(app, account.id, "标题", &"台风来了，渔船回港。".repeat(200)).await;
        for path in ["/".to_owned(), "/@daily".into(), format!("/@daily/{}", article.slug)] {
            let plain = ask(app, Method::GET, &path, &[]).await.assert_status(200);
            assert_eq!((plain.header("content-encoding"), &plain.header("etag")[..1]), ("", "\""), "{path}");
            for packing in PACKINGS {
                for _ in 0..2 {
                    let answer = packed(app, &path, packing).await;
                    assert_eq!(answer.header("content-encoding"), packing, "once and not twice");
                    assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
                    assert_eq!(unpacked(&answer), plain.text());
                    let vary: Vec<&str> = answer.headers.get_all("vary").iter().map(|one| one.to_str().unwrap()).collect();
                    assert!(vary.concat().contains("accept-encoding"), "{vary:?}");
                    let tag = answer.header("etag").to_owned();
                    assert_eq!(tag, tag_of_copy(plain.header("etag"), packing));
                    // Known by its own tag, and by one of a copy that was packed in another way.
                    for known in [&tag, plain.header("etag")] {
                        let same = ask(app, Method::GET, &path, &[("accept-encoding", packing), ("if-none-match", known)]).await;
                        let same = same.assert_status(304);
                        assert_eq!((same.header("etag"), same.header("content-encoding")), (known, ""));
                        assert!(same.bytes.is_empty());
                    }
                    // A browser sends both; the tag counts.
                    let both = [("if-none-match", tag.as_str()), ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")];
                    ask(app, Method::GET, &path, &both).await.assert_status(304);
                    let head = ask(app, Method::HEAD, &path, &[("accept-encoding", packing)]).await.assert_status(200);
                    for name in ["etag", "content-length", "content-encoding", "content-type"] {
                        assert_eq!(head.header(name), answer.header(name), "{name}");
                    }
                    assert!(head.bytes.is_empty());
                }
            }
        }
    }

    async fn who_asks_for_a_head_first_leaves_a_whole_page_to_the_next(app) {
        app.account("daily").await;
        let head = ask(app, Method::HEAD, "/@daily", &[]).await.assert_status(200);
        let page = ask(app, Method::GET, "/@daily", &[]).await.assert_status(200);
        assert!(head.bytes.is_empty() && page.text().trim_end().ends_with("</html>"));
        assert_eq!(head.header("content-length"), page.bytes.len().to_string());
    }
}

#[tokio::test]
async fn files_are_given_out_as_they_were_packed_when_the_node_began() {
    let app = TestApp::start(Backend::Sqlite).await;
    let address = statics::url("site.js");
    let plain = ask(&app, Method::GET, &address, &[]).await.assert_status(200);
    // Until it is packed as well as it goes, it is packed while it is sent, and that may change.
    let early = packed(&app, &address, "gzip").await;
    assert_eq!(
        (unpacked(&early), early.header("etag")),
        (plain.text(), format!("W/{}", plain.header("etag")).as_str())
    );
    statics::prepare_one("site.js");
    for packing in PACKINGS {
        let answer = packed(&app, &address, packing).await;
        assert_eq!(unpacked(&answer), plain.text());
        assert_eq!(answer.header("etag"), tag_of_copy(plain.header("etag"), packing));
        assert_eq!(answer.headers.get_all("vary").iter().count(), 1);
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert_eq!(answer.header("content-type"), plain.header("content-type"));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        let head =
            ask(&app, Method::HEAD, &address, &[("accept-encoding", packing)]).await.assert_status(200);
        for name in ["etag", "content-length", "content-encoding", "vary", "accept-ranges"] {
            assert_eq!(head.header(name), answer.header(name), "{name}");
        }
        assert!(head.bytes.is_empty() && head.header("content-length") == answer.bytes.len().to_string());
        for known in [answer.header("etag"), early.header("etag"), "\"x\", *"] {
            let asked = [("accept-encoding", packing), ("if-none-match", known)];
            let same = ask(&app, Method::GET, &address, &asked).await.assert_status(304);
            assert!(same.bytes.is_empty() && same.header("content-encoding").is_empty());
            assert_eq!(same.header("vary"), "accept-encoding");
        }
        // A part is not to be had, and nobody is told otherwise.
        let asked = [("accept-encoding", packing), ("range", "bytes=0-9")];
        let whole = ask(&app, Method::GET, &address, &asked).await.assert_status(200);
        assert_eq!((whole.header("accept-ranges"), whole.bytes.len()), ("none", answer.bytes.len()));
    }
    let best = packed(&app, &address, "gzip, deflate, br, zstd").await;
    assert_eq!(best.header("content-encoding"), "br");
    assert!(best.bytes.len() < early.bytes.len());
    app.finish().await;
}

#[tokio::test]
async fn an_address_of_another_version_is_not_kept_for_ever() {
    let app = TestApp::start(Backend::Sqlite).await;
    for address in ["/static/app.css", "/static/app.css?v=", "/static/app.css?v=000000000000"] {
        let answer = ask(&app, Method::GET, address, &[]).await.assert_status(200);
        assert_eq!(answer.header("cache-control"), "public, max-age=300", "{address}");
    }
    for address in [
        "/static/nothing.css",
        "/static/vendor/noto-serif-sc/NotoSerifSC-Bold.otf",
        "/static/../Cargo.toml",
        "/static/time.js",
    ] {
        ask(&app, Method::GET, address, &[]).await.assert_status(404);
    }
    app.finish().await;
}

/// Pages of a site that counts how often they are made.
fn counting(app: &TestApp, made: &Arc<AtomicUsize>, status: StatusCode) -> Router {
    let made = made.clone();
    let make = async move || {
        let number = made.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
        (status, format!("made {number} times"))
    };
    Router::new()
        .route("/page", get(make))
        .route_layer(from_fn_with_state(app.app.clone(), page_cache::give))
        .with_state(app.app.clone())
}

async fn ask_together(app: &TestApp, routes: &Router, count: usize) -> Vec<String> {
    let one = async || {
        let request = Request::builder().uri("/page").header("host", "xiangxun.test").body(Body::empty());
        app.send_to(routes.clone(), request.unwrap()).await.text()
    };
    futures::future::join_all((0..count).map(|_| one())).await
}

#[tokio::test]
async fn a_page_that_many_ask_for_at_once_is_made_once() {
    let app = TestApp::start(Backend::Sqlite).await;
    let made = Arc::new(AtomicUsize::new(0));
    let routes = counting(&app, &made, StatusCode::OK);
    let first = ask_together(&app, &routes, 20).await;
    assert!(first.iter().all(|text| text == "made 1 times"), "{first:?}");
    // Who asks after a change does not get what was begun before it.
    app.app.db.begin().await.unwrap().commit().await.unwrap();
    let late = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        app.app.db.begin().await.unwrap().commit().await.unwrap();
        ask_together(&app, &routes, 5).await
    };
    let (early, late) = tokio::join!(ask_together(&app, &routes, 5), late);
    assert!(early.iter().all(|text| text == "made 2 times"), "{early:?}");
    assert!(late.iter().all(|text| text == "made 3 times"), "{late:?}");
    app.finish().await;
}

#[tokio::test]
async fn what_is_nobodys_page_is_made_for_each() {
    let app = TestApp::start(Backend::Sqlite).await;
    let made = Arc::new(AtomicUsize::new(0));
    let routes = counting(&app, &made, StatusCode::NOT_FOUND);
    let mut texts = ask_together(&app, &routes, 3).await;
    texts.sort();
    assert_eq!(texts, ["made 1 times", "made 2 times", "made 3 times"]);
    app.finish().await;
}

#[tokio::test]
async fn who_goes_away_while_a_page_is_made_leaves_nobody_waiting() {
    let app = TestApp::start(Backend::Sqlite).await;
    let made = Arc::new(AtomicUsize::new(0));
    let routes = counting(&app, &made, StatusCode::OK);
    let gone = tokio::time::timeout(Duration::from_millis(50), ask_together(&app, &routes, 1));
    let (gone, stayed) = tokio::join!(gone, ask_together(&app, &routes, 3));
    assert!(gone.is_err());
    assert!(stayed.iter().all(|text| *text == stayed[0]), "{stayed:?}");
    app.finish().await;
}
