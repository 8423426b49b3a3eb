//! API tokens, and POSTs that are sent twice.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use axum::routing::{get, post};
use sea_orm::EntityTrait;
use xiangxun::auth::{ApiUser, Scope, api_tokens};
use xiangxun::db::entities::api_token;
use xiangxun::error::Error;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;

both_databases! {
    async fn a_token_is_shown_once_and_does_what_its_scopes_allow(app) {
        let person = app.user("known@example.org").await;
        app.sign_in(person.id).await;
        let answer = app.post("/settings/tokens", &[("name", ""), ("scopes", "root")]).await.assert_status(422);
        assert_eq!(answer.text().matches("class=\"error\"").count(), 2, "{}", answer.text());
        let fields = [("name", "编辑部"), ("scopes", "articles:read"), ("scopes", "articles:write")];
        let answer = app.post("/settings/tokens", &fields).await.assert_status(200);
        assert_eq!(answer.header("cache-control"), "private, no-store");
        let page = answer.text();
        let start = page.find("xiangxun_").expect("the token is shown");
        let token: String = page[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        let page = app.get("/settings/tokens").await.text();
        assert!(page.contains("编辑部") && !page.contains(&token));
        let row = api_token::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!((row.token_hash.len(), row.last_used_at), (64, None));
        app.sign_out();

        let answer = call(app, "/api/v1/write", &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(answer.assert_status(200).text(), "known@example.org");
        let answer = call(app, "/api/v1/push", &[("authorization", &format!("bearer {token}"))]).await;
        assert!(answer.assert_status(403).json()["detail"].as_str().unwrap().contains("pushes:write"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer xiangxun_nonsense", "Basic YTpi", &format!("Token {token}")] {
            let answer = call(app, "/api/v1/open", &[("authorization", wrong)]).await.assert_status(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{wrong}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        assert_eq!(call(app, "/api/v1/open", &[]).await.assert_status(200).text(), "stranger");
        call(app, "/api/v1/write", &[]).await.assert_status(401);
        let row = api_tokens::list(&app.app, person.id).await.unwrap().remove(0);
        assert!(row.last_used_at.is_some());

        let other = app.user("other@example.org").await;
        assert!(matches!(api_tokens::revoke(&app.app, other.id, row.id).await, Err(Error::NotFound)));
        app.sign_in(person.id).await;
        app.post(&format!("/settings/tokens/{}/revoke", row.id), &[]).await.assert_status(303);
        app.sign_out();
        call(app, "/api/v1/write", &[("authorization", &format!("Bearer {token}"))]).await.assert_status(401);
    }

    async fn a_post_with_an_idempotency_key_is_done_once(app) {
        let person = app.user("known@example.org").await;
        let token = api_tokens::create(&app.app, person.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
        let bearer = format!("Bearer {token}");
        let send = async |key: &str, body: &str| {
            let request = Request::post("/api/v1/count")
                .header("authorization", &bearer)
                .header("idempotency-key", key)
                .body(Body::from(body.to_owned()));
            app.send_to(api(app), request.unwrap()).await
        };
        let first = send("one", "a").await.assert_status(201);
        let again = send("one", "a").await.assert_status(201);
        assert_eq!((again.text(), again.location()), (first.text(), first.location()));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(again.header("idempotency-replayed"), "true");
        send("one", "other").await.assert_status(422);
        assert_ne!(send("two", "a").await.assert_status(201).text(), first.text());
        // A failure does not use the key up.
        send("three", "fail").await.assert_status(409);
        send("three", "fail").await.assert_status(409);
        send("", "a").await.assert_status(422);
        let (one, other) = tokio::join!(send("slow", "slow"), send("slow", "slow"));
        let mut answers = [one.status.as_u16(), other.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [201, 409]);
        // Keys are a caller's own, and are kept for a day.
        app.app.clock.advance(Duration::from_secs(25 * 3600));
        assert_ne!(send("one", "a").await.assert_status(201).text(), first.text());
    }
}

/// Handlers that ask for scopes, inside the site's own frame.
fn api(app: &TestApp) -> Router {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let routes = Router::new()
        .route(
            "/api/v1/write",
            get(async |caller: ApiUser| caller.require(Scope::ArticlesWrite).map(|user| user.email.clone())),
        )
        .route(
            "/api/v1/push",
            get(async |caller: ApiUser| caller.require(Scope::PushesWrite).map(|user| user.email.clone())),
        )
        .route(
            "/api/v1/open",
            get(async |caller: Option<ApiUser>| caller.map_or("stranger".into(), |caller| caller.user.email)),
        )
        .route(
            "/api/v1/count",
            post(async |_caller: ApiUser, body: String| {
                if body == "fail" {
                    return Err(Error::Conflict("error-invalid".into()));
                }
                if body == "slow" {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                let count = COUNT.fetch_add(1, Ordering::Relaxed);
                let headers = [(header::LOCATION, format!("/api/v1/count/{count}"))];
                Ok((axum::http::StatusCode::CREATED, headers, axum::Json(count)))
            }),
        );
    xiangxun::routes::framed(routes, &app.app).with_state(app.app.clone())
}

async fn call(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send_to(api(app), request.body(Body::empty()).unwrap()).await
}
