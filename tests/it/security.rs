//! The site's defences: same-origin, limits, headers, cookies, errors, and the API's description.

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{Method, Request, StatusCode, header};
use axum::routing::{get, post};
use serde::Deserialize;
use xiangxun::auth::{Scope, api_tokens};

use crate::both_databases;
use crate::support::app::Answer;
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

/// A form from an address behind the proxy in front.
async fn post_from(app: &TestApp, client: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path)
        .header(header::HOST, "xiangxun.test")
        .header("x-forwarded-for", client)
        .header(header::ORIGIN, "http://xiangxun.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body));
    app.send_alone(request.unwrap()).await
}

async fn get_from(app: &TestApp, client: &str, path: &str) -> Answer {
    let request = Request::get(path).header("x-forwarded-for", client).body(Body::empty());
    app.send_alone(request.unwrap()).await
}

#[derive(Deserialize)]
struct Numbers {
    number: u32,
}

/// Handlers that misbehave, or ask for what they may not get.
fn frail(app: &TestApp) -> Router {
    let routes = Router::new()
        .route("/panic", get(async || -> String { panic!("secret words") }))
        .route("/api/v1/panic", get(async || -> String { panic!("secret words") }))
        .route("/late", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/number", get(async |Query(asked): Query<Numbers>| asked.number.to_string()))
        .route("/api/v1/number", post(async |axum::Json(sent): axum::Json<Numbers>| sent.number.to_string()))
        .route("/form", post(async |axum::Form(sent): axum::Form<Numbers>| sent.number.to_string()));
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

    async fn malformed_input_is_refused_with_a_page_or_a_problem(app) {
        let send = async |method: Method, path: &str, kind: &str, body: &str| {
            let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
            let request = request.header("accept-language", "en").body(Body::from(body.to_owned()));
            app.send_to(frail(app), request.unwrap()).await
        };
        let json = "application/json";
        assert_eq!(send(Method::POST, "/api/v1/number", json, "{\"number\": 7}").await.assert_status(200).text(), "7");
        let problem = send(Method::POST, "/api/v1/number", json, "{\"number\": ").await.assert_status(400);
        assert_eq!(problem.header("content-type"), "application/problem+json");
        assert!(problem.json()["detail"].as_str().unwrap().contains("EOF"), "{}", problem.text());
        let problem = send(Method::POST, "/api/v1/number", json, "{\"number\": -1}").await.assert_status(422);
        assert!(problem.json()["detail"].as_str().unwrap().contains("number"), "{}", problem.text());
        send(Method::POST, "/api/v1/number", "text/plain", "7").await.assert_status(415);
        send(Method::POST, "/api/v1/number", json, "\u{0}").await.assert_status(400);
        let problem = send(Method::DELETE, "/api/v1/number", json, "").await.assert_status(405);
        assert_eq!((problem.header("allow"), problem.json()["status"].as_u64()), ("POST", Some(405)));

        let form = "application/x-www-form-urlencoded";
        for (path, kind, body, status) in
            [("/form", form, "number=x", 422), ("/form", form, "", 422), ("/form", form, "number=%ff", 422), ("/form", json, "{}", 415)]
        {
            let page = send(Method::POST, path, kind, body).await.assert_status(status);
            assert!(page.text().contains("<main"), "{}", page.text());
            assert!(page.header("content-type").starts_with("text/html"));
        }
        send(Method::GET, "/number?number=x", "", "").await.assert_status(400);
        let page = send(Method::DELETE, "/form", "", "").await.assert_status(405);
        assert!(page.text().contains("<main") && page.header("allow") == "POST");
    }

    async fn what_is_too_large_is_refused(app) {
        let big = "x".repeat(5 * 1024 * 1024);
        app.post("/sign-in", &[("email", &big)]).await.assert_status(413);
        let problem = app.api(Method::POST, "/api/v1/nowhere", "", &[], big.clone().into()).await;
        assert!(matches!(problem.status.as_u16(), 404 | 413), "{}", problem.status);
        app.get(&format!("/search?q={}", &big[..9_000])).await.assert_status(413);
        let request = app.request(Method::GET, "/").header("x-long", &big[..40_000]).body(Body::empty());
        app.send(request.unwrap()).await.assert_status(413);
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
        choose("tlh", "/").await.assert_status(404);
    }

    async fn the_description_and_the_router_know_the_same_routes(app) {
        let document = app.get("/api/openapi.json").await.assert_status(200).json();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        let mut described: Vec<String> = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.push(format!("{} {path}", method.to_uppercase()));
            }
        }
        let mut routed = routes_of_the_api();
        described.sort();
        routed.sort();
        assert_eq!(described, routed);
        // The page shows each of them.
        let page = app.get("/api/docs").await.assert_status(200).text();
        for (path, _) in document["paths"].as_object().unwrap() {
            assert!(page.contains(path.as_str()), "{path}");
        }
        for (name, _) in document["components"]["schemas"].as_object().unwrap() {
            assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
        }
        // Every link to a schema leads somewhere.
        for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
        }
    }
}

/// `POST /api/v1/...` of each route in `routes.rs`.
fn routes_of_the_api() -> Vec<String> {
    let source = include_str!("../../src/routes.rs").split_whitespace().collect::<Vec<_>>().join("");
    let mut routes = Vec::new();
    for route in source.split(".route(\"/api/v1/").skip(1) {
        let (path, rest) = route.split_once('"').unwrap();
        // Up to the end of the call: its brackets are balanced.
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let handlers = &rest[..end.unwrap()];
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!(",{method}(")) || handlers.contains(&format!(").{method}(")) {
                routes.push(format!("{} /api/v1/{path}", method.to_uppercase()));
            }
        }
    }
    routes
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_ask_too_often_are_told_when_to_come_back() {
    for backend in BOTH {
        let app = TestApp::start_with(backend, |config| config.trust_proxy = true).await;
        let form = [("email", "known@example.org"), ("password", "not the password")];
        for _ in 0..10 {
            post_from(&app, "203.0.113.1", "/sign-in", &form).await.assert_status(422);
        }
        let page = post_from(&app, "203.0.113.1", "/sign-in", &form).await.assert_status(429);
        let wait: u64 = page.header("retry-after").parse().unwrap();
        assert!((1..=120).contains(&wait), "{wait}");
        assert!(page.text().contains("<main") && page.text().contains("请求过于频繁"), "{}", page.text());
        // The address is protected from other clients too; other addresses are free.
        post_from(&app, "203.0.113.2", "/sign-in", &form).await.assert_status(429);
        let other = [("email", "other@example.org"), ("password", "not the password")];
        post_from(&app, "203.0.113.2", "/sign-in", &other).await.assert_status(422);
        // What a client says about itself before the proxy's word changes nothing.
        post_from(&app, "198.51.100.7, 203.0.113.1", "/sign-in", &other).await.assert_status(429);
        // Who waits as told is let in again.
        app.app.clock.advance(std::time::Duration::from_secs(120));
        post_from(&app, "203.0.113.1", "/sign-in", &form).await.assert_status(422);

        // Links: four to an address, whoever asks, and ten from a client.
        for client in 1..=4 {
            let client = format!("192.0.2.{client}");
            post_from(&app, &client, "/sign-up", &[("email", "victim@example.org")]).await.assert_status(303);
        }
        let answer = post_from(&app, "192.0.2.5", "/sign-in", &[("email", "victim@example.org")]).await;
        assert!(answer.assert_status(429).header("retry-after").parse::<u64>().unwrap() > 100);
        for number in 0..10 {
            let email = format!("reader{number}@example.org");
            // One customer's IPv6 addresses count as one.
            let client = format!("2001:db8:1:2::{number}");
            post_from(&app, &client, "/sign-in/forgotten", &[("email", &email)]).await.assert_status(303);
        }
        let email = [("email", "reader11@example.org")];
        post_from(&app, "2001:db8:1:2::ffff", "/sign-up", &email).await.assert_status(429);
        post_from(&app, "2001:db8:1:3::1", "/sign-up", &email).await.assert_status(303);
        app.work().await;
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_and_api_calls_are_limited_by_client() {
    for backend in BOTH {
        let app = TestApp::start_with(backend, |config| config.trust_proxy = true).await;
        let mut refused = None;
        for _ in 0..70 {
            let answer = get_from(&app, "203.0.113.1", "/search?q=").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("the 61st search within seconds is refused");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert!(refused.text().contains("<main"));
        assert_ne!(get_from(&app, "203.0.113.2", "/search?q=").await.status, 429);
        let mut refused = None;
        for _ in 0..600 {
            let answer = get_from(&app, "203.0.113.1", "/api/v1/nowhere").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let problem = refused.expect("a burst of API calls is refused");
        assert_eq!(problem.header("content-type"), "application/problem+json");
        assert_eq!(problem.json()["status"], 429);
        assert!(problem.header("retry-after").parse::<u64>().unwrap() >= 1);
        let mut refused = 0;
        for _ in 0..25 {
            let form = [("email", "reader@example.org")];
            let answer = post_from(&app, "203.0.113.1", "/@nobody/subscribe", &form).await;
            refused += u32::from(answer.status == 429);
        }
        assert_eq!(refused, 5);
        // A page in the meantime is no problem.
        get_from(&app, "203.0.113.1", "/sign-in").await.assert_status(200);
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_works_from_another_origin_without_a_cookie() {
    for backend in BOTH {
        let app = TestApp::start(backend).await;
        let person = app.user("known@example.org").await;
        let token = api_tokens::create(&app.app, person.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
        let headers = [("origin", "https://newsroom.example")];
        let answer =
            app.api(Method::POST, "/api/v1/nowhere", &token, &headers, serde_json::Value::Null).await;
        answer.assert_status(404);
        app.finish().await;
    }
}
