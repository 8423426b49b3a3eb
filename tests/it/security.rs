//! The site's defences: same-origin, headers, cookies, errors.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::routing::get;

use crate::both_databases;
use crate::support::{Backend, TestApp};

const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// Signs out with these headers; 403 means that the request was refused before it came to that.
async fn sign_out_with(app: &TestApp, cookie: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::post("/sign-out").header(header::HOST, "xiangxun.test");
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send_alone(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

/// Handlers that misbehave, or ask for what they may not get.
fn frail(app: &TestApp) -> Router {
    let routes = Router::new()
        .route("/panic", get(async || -> String { panic!("secret words") }))
        .route("/api/v1/panic", get(async || -> String { panic!("secret words") }))
        .route("/late", get(async || StatusCode::SERVICE_UNAVAILABLE));

    xiangxun::routes::framed(routes, &app.app).with_state(app.app.clone())
}

both_databases! {
    async fn other_sites_cannot_make_a_browser_post(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        let session = xiangxun::auth::session::open(&app.app, person.id, "", "").await.unwrap();
        let session = format!("session={}", session.value());
        let refused: [&[(&str, &str)]; 11] = [
            &[],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://xiangxun.test")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://xiangxun.test.evil.example")],
            &[("origin", "http://xiangxun.test:8080")],
            &[("origin", "http://evil.example/http://xiangxun.test")],
            &[("authorization", "Bearer x")],
        ];
        for headers in refused {
            assert_eq!(sign_out_with(app, &session, headers).await, 403, "{headers:?}");
        }
        // Without a session there is nothing to protect, but another site's form is still not taken.
        assert_eq!(sign_out_with(app, "", &[("origin", "https://evil.example")]).await, 403);
        let taken: [&[(&str, &str)]; 4] = [
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://xiangxun.test")],
            &[("origin", "https://xiangxun.test"), ("sec-fetch-site", "same-origin")],
        ];
        for headers in taken {
            assert_eq!(sign_out_with(app, "", headers).await, 303, "{headers:?}");
        }
        assert_eq!(sign_out_with(app, "", &[]).await, 303, "a program without a session");
        assert_eq!(sign_out_with(app, "", &[("authorization", "Bearer x"), ("origin", "https://a.example")]).await, 303);
        let answer = app.get("/settings").await.assert_status(200);
        assert!(!answer.text().is_empty(), "reading needs no origin");
        assert_eq!(sign_out_with(app, &session, &[("origin", "http://xiangxun.test")]).await, 303);
    }

    async fn the_address_a_site_was_reached_by_is_its_origin_too(app) {
        let request = Request::post("/sign-out")
            .header(header::HOST, "localhost:3000")
            .header(header::ORIGIN, "http://localhost:3000")
            .header(header::COOKIE, "session=whatever");
        app.send_alone(request.body(Body::empty()).unwrap()).await.assert_status(303);
    }

    async fn what_watches_over_the_site_gets_the_defences_too(app) {
        for path in ["/healthz", "/readyz"] {
            let answer = app.get(path).await;
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("set-cookie"), "", "{path}");
        }
    }

    async fn a_path_with_a_word_where_a_number_stands_is_not_found(app) {
        let (_, owner) = app.account("lundun").await;
        let token = xiangxun::auth::api_tokens::create(&app.app, owner.id, "t", &[xiangxun::auth::Scope::ArticlesWrite]).await.unwrap();
        for path in ["/api/v1/articles/first", "/api/v1/articles/9999999999999999999999", "/api/v1/pushes/x", "/api/v1/articles/%ff"] {
            let answer = app.api(Method::GET, path, &token, &[], serde_json::json!(null)).await.assert_status(404);
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
            assert_eq!(answer.json()["status"], 404, "{path}");
        }
        app.sign_in(owner.id).await;
        for path in ["/studio/@lundun/articles/first", "/studio/@lundun/pushes/x", "/%ff"] {
            let answer = app.get(path).await.assert_status(404);
            assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        }
    }

    async fn every_answer_carries_the_browsers_defences(app) {
        let person = app.user("known@example.org").await;
        for path in ["/", "/sign-in", "/nowhere", "/static/app.css", "/api/v1/nowhere", "/api/openapi.json", "/api/docs", "/settings"] {
            let answer = app.get(path).await;
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "strict-origin-when-cross-origin");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
            assert!(answer.header("permissions-policy").contains("camera=()"));
            assert_eq!(answer.header("strict-transport-security"), "", "the site is not behind https");
            assert!(!answer.header("x-request-id").is_empty());
        }
        // And pages hold nothing that the policy forbids.
        app.sign_in(person.id).await;
        for path in ["/", "/sign-in", "/sign-up", "/nowhere", "/settings", "/settings/password", "/settings/sessions", "/settings/tokens", "/api/docs"] {
            let page = app.get(path).await.text();
            for forbidden in ["<script>", "<style", " style=", " onclick=", " onload=", " onerror=", "javascript:"] {
                assert!(!page.contains(forbidden), "{path} holds {forbidden}");
            }
        }
    }

    async fn what_a_signed_in_reader_sees_is_kept_by_no_cache(app) {
        assert_eq!(app.get("/").await.header("cache-control"), "no-cache");
        assert!(app.get("/").await.header("vary").contains("cookie"));
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        for path in ["/", "/settings", "/nowhere"] {
            assert_eq!(app.get(path).await.header("cache-control"), "private, no-store", "{path}");
        }
        assert!(app.get("/static/app.css").await.header("cache-control").starts_with("public"));
    }

    async fn a_panic_reaches_nobody(app) {
        let request = |path| Request::get(path).body(Body::empty()).unwrap();
        let page = app.send_to(frail(app), request("/panic")).await.assert_status(500);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.text().contains("服务器出了问题") && !page.text().contains("secret words"));
        assert!(!page.header("content-security-policy").is_empty());
        let problem = app.send_to(frail(app), request("/api/v1/panic")).await.assert_status(500);
        assert_eq!(problem.header("content-type"), "application/problem+json");
        assert!(!problem.text().contains("secret words"));
        // As a request whose time was up is answered.
        let late = app.send_to(frail(app), request("/late")).await.assert_status(503);
        assert!(late.header("content-type").starts_with("text/html") && !late.header("retry-after").is_empty());
    }

    async fn pages_are_compressed_for_browsers_that_ask(app) {
        for encoding in ["br", "gzip", "zstd"] {
            let request = app.request(Method::GET, "/sign-in").header(header::ACCEPT_ENCODING, encoding);
            let answer = app.send(request.body(Body::empty()).unwrap()).await.assert_status(200);
            assert_eq!(answer.header("content-encoding"), encoding);
            assert!(answer.headers.get_all("vary").iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"accept-encoding")));
        }
        assert_eq!(app.get("/sign-in").await.header("content-encoding"), "");
    }

    async fn a_language_is_chosen_without_leaving_the_site(app) {
        let choose = async |locale: &str, back: &str| app.post("/locale", &[("locale", locale), ("back", back)]).await;
        assert_eq!(choose("en", "/sign-in?next=%2F").await.assert_status(303).location(), "/sign-in?next=%2F");
        assert!(app.get("/sign-in").await.text().contains("<html lang=\"en\">"));
        choose("zh-Hant", "/").await.assert_status(303);
        assert!(app.get("/sign-in").await.text().contains("<html lang=\"zh-Hant\">"));
        for back in ["//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "/..//evil.example", "/%0d%0aLocation:%20//evil.example/..//evil"] {
            let location = choose("en", back).await.assert_status(303).location().to_owned();
            assert!(location.starts_with('/') && !location.starts_with("//") && !location.contains('\\'), "{back:?} -> {location}");
        }
        choose("tlh", "/").await.assert_status(422);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_https_cookies_are_secure_and_browsers_told_to_stay() {
    for backend in BOTH {
        let app =
            TestApp::start_with(backend, |config| config.base_url = "https://xiangxun.test".into()).await;
        let person = app.user("known@example.org").await;
        let cookie = xiangxun::auth::session::open(&app.app, person.id, "", "").await.unwrap().to_string();
        assert!(cookie.starts_with("__Host-session="), "{cookie}");
        for flag in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=2592000"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        let answer = app.post("/locale", &[("locale", "en")]).await.assert_status(303);
        assert!(answer.header("set-cookie").contains("; Secure"));
        assert!(answer.header("strict-transport-security").starts_with("max-age=31536000"));
        let answer = app.post("/sign-out", &[]).await.assert_status(303);
        assert!(answer.header("set-cookie").contains("__Host-session=;"), "{}", answer.header("set-cookie"));
        assert!(answer.header("content-security-policy").contains("upgrade-insecure-requests"));
        app.finish().await;
    }
}
