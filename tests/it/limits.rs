//! How often clients may ask, and how much they may send.

use axum::body::Body;
use axum::http::{Method, Request, header};

use crate::both_databases;
use crate::support::app::Answer;
use crate::support::{Backend, TestApp};

const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

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

both_databases! {
    async fn what_is_too_large_is_refused(app) {
        let big = "x".repeat(5 * 1024 * 1024);
        app.post("/sign-in", &[("email", &big)]).await.assert_status(413);
        let problem = app.api(Method::POST, "/api/v1/nowhere", "", &[], big.clone().into()).await;
        assert!(matches!(problem.status.as_u16(), 404 | 413), "{}", problem.status);
        app.get(&format!("/search?q={}", &big[..9_000])).await.assert_status(413);
        let request = app.request(Method::GET, "/").header("x-long", &big[..40_000]).body(Body::empty());
        app.send(request.unwrap()).await.assert_status(413);
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
        for _ in 0..300 {
            let answer = get_from(&app, "203.0.113.1", "/search?q=").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("a burst of searches is refused");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert!(refused.text().contains("<main"));
        assert_ne!(get_from(&app, "203.0.113.2", "/search?q=").await.status, 429);
        let mut refused = None;
        for _ in 0..3_000 {
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
