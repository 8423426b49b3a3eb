//! How pages look: chosen without an account or a script, and never another reader's choice.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::both_databases;
use crate::home::published;
use crate::support::browser::Browser;
use crate::support::{Backend, TestApp};

/// The page as somebody with this cookie gets it.
async fn with_look(app: &TestApp, path: &str, look: &str) -> String {
    let request = Request::builder().method(Method::GET).uri(path).header("host", "xiangxun.test");
    let request = if look.is_empty() { request } else { request.header("cookie", format!("look={look}")) };
    app.send_alone(request.body(Body::empty()).unwrap()).await.assert_status(200).text()
}

/// The start tag of the document.
fn root(html: &str) -> &str {
    let start = html.find("<html").unwrap();
    &html[start..=start + html[start..].find('>').unwrap()]
}

both_databases! {
    async fn a_look_is_chosen_by_a_plain_form_and_kept(app) {
        let (account, _) = app.account("paper").await;
        published(app, &account, "Piece", 1).await;
        let page = app.get("/@paper/piece").await.text();
        assert_eq!(root(&page), r#"<html lang="zh-Hans">"#);
        let fields = [("size", "large"), ("face", "song"), ("width", "narrow"), ("theme", "sepia"), ("back", "/@paper/piece")];
        let answer = app.post("/look", &fields).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/@paper/piece"));
        let page = app.get("/@paper/piece").await.text();
        assert_eq!(root(&page), r#"<html lang="zh-Hans" class="look-large look-song look-narrow look-sepia">"#);
        assert!(page.contains(r##"<meta name="theme-color" content="#f6efe0">"##), "{page}");
        assert!(page.contains(r#"value="large" checked"#));
        // The same on every other page, signed in too, and on errors.
        let reader = app.user("reader@example.org").await;
        app.sign_in(reader.id).await;
        for path in ["/", "/settings", "/look"] {
            assert!(root(&app.get(path).await.text()).contains("look-sepia"), "{path}");
        }
        assert!(root(&app.get("/nowhere").await.assert_status(404).text()).contains("look-sepia"));
        app.post("/look", &[("usual", "1"), ("size", "large")]).await.assert_status(303);
        assert_eq!(root(&app.get("/").await.text()), r#"<html lang="zh-Hans">"#);
    }

    async fn a_look_is_nobody_elses_and_any_cookie_is_one_of_a_few(app) {
        let (account, _) = app.account("paper").await;
        published(app, &account, "Piece", 1).await;
        let usual = with_look(app, "/@paper/piece", "").await;
        for _ in 0..2 {
            let dark = with_look(app, "/@paper/piece", "medium.hei.normal.dark").await;
            assert!(root(&dark).contains("look-dark"));
            assert_eq!(with_look(app, "/@paper/piece", "").await, usual, "what one chose is not shown to all");
        }
        for odd in ["x", "....", "\"><script>alert(1)</script>", "medium.hei.normal.system", "LARGE.SONG"] {
            assert_eq!(with_look(app, "/@paper/piece", odd).await, usual, "{odd}");
        }
        let answer = app.post("/look", &[("theme", "dark"), ("back", "//evil.example")]).await;
        assert_eq!(answer.location(), "/");
        app.get("/look?back=https://evil.example").await.assert_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_is_shown_at_once_and_an_address_is_copied_in_a_browser() {
    let app = TestApp::start(Backend::Sqlite).await;
    let (_, owner) = app.account("daily").await;
    app.sign_in(owner.id).await;
    let text = "这里是正文的一段话，写得很长。".repeat(60);
    app.publish_new("daily", "大作", &format!("## 起因\n\n{text}\n\n## 经过\n\n{text}\n\n## 结果\n\n{text}"))
        .await;
    let origin = app.listen().await;
    let browser = Browser::open(500, 900).await;
    browser.visit(&format!("{origin}/@daily/da-zuo")).await;

    browser.click("header details.menu summary").await;
    browser.click("header .look input[value=dark]").await;
    browser.one("html.look-dark").await;
    browser.click("header .look input[value=largest]").await;
    browser.one("html.look-dark.look-largest").await;
    // It is kept: the next page comes with it.
    let kept = async || {
        let cookies = browser.window.get_all_cookies().await.unwrap();
        cookies.iter().any(|cookie| cookie.name == "look" && cookie.value == "largest.hei.normal.dark.auto")
    };
    for _ in 0..100 {
        if kept().await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(kept().await);
    browser.visit(&format!("{origin}/@daily")).await;
    browser.one("html.look-dark.look-largest").await;

    browser.visit(&format!("{origin}/@daily/da-zuo")).await;
    browser.click("nav.contents summary").await;
    browser.click("nav.contents li:nth-child(2) a").await;
    assert_eq!(browser.window.current_url().await.unwrap().fragment(), Some("text-jing-guo"));
    browser.click("details.share summary").await;
    browser.click("#share-copy").await;
    browser.see("链接已复制").await;
    browser.close().await;
    app.finish().await;
}
