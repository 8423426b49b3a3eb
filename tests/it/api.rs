//! The API's frame: its description, what it refuses, from where tokens work.

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{Method, Request, StatusCode, header};
use axum::routing::{get, post};
use serde::Deserialize;
use xiangxun::auth::{Scope, api_tokens};

use crate::both_databases;
use crate::support::{Backend, TestApp};

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

/// `POST /api/v1/...` of each route in `routes/v1.rs`.
fn routes_of_the_api() -> Vec<String> {
    let source = include_str!("../../src/routes/v1.rs").split_whitespace().collect::<Vec<_>>().join("");
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
async fn a_token_works_from_another_origin_without_a_cookie() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
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
