//! The log of the real binary: one id on every line of a request, wherever it was written.

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::auth::users::{self, NewUser};
use xiangxun::auth::{Address, Scope, api_tokens};
use xiangxun::page::Locale;

use crate::on_both_databases;
use crate::support::Backend;
use crate::support::node::{Instance, Node, client};

on_both_databases! {
    every_line_of_a_request_carries_its_id
}

async fn every_line_of_a_request_carries_its_id(backend: Backend) {
    let mut instance = Instance::new(backend).await;
    instance.set("XIANGXUN_LOG_FORMAT", "json");
    instance.set("XIANGXUN_LOG", "info,xiangxun=debug,tower_http=debug");
    let token = token_of_a_writer(&instance).await;
    let node = instance.serve().await;
    node.wait_until("/readyz", Duration::from_secs(60)).await;

    // Each does slow work on another thread: it hashes, renders a body, searches.
    let sign_in = client()
        .post(node.url("/sign-in"))
        .header("origin", &node.base_url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("email=writer%40example.org&password=not+the+password");
    let article = json!({ "title": "渡轮复航", "body": "首航**满座**。" });
    // Done on a task of its own, so that its answer is kept.
    let write = client()
        .post(node.url("/api/v1/accounts/log/articles"))
        .bearer_auth(&token)
        .header("idempotency-key", "first")
        .header("content-type", "application/json")
        .body(article.to_string());
    let search = client().get(node.url("/api/v1/search?q=渡轮"));
    let mut ids = Vec::new();
    for (request, status) in [(sign_in, 422), (write, 201), (search, 200)] {
        let id = send(request, status).await;
        let lines = lines_of(&node, &id).await;
        let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
        for expected in ["started processing request", "slow work is done", "finished processing request"] {
            assert!(messages.contains(&expected), "no {expected:?} with the id {id}: {}", node.printed());
        }
        ids.push(id);
    }

    // Nor is any line of these requests without an id, or with another's.
    let of_requests = |line: &&Value| {
        let target = line["target"].as_str().unwrap();
        target.starts_with("tower_http")
            || target.starts_with("xiangxun::auth")
            || target.starts_with("xiangxun::api")
    };
    let all = lines(&node);
    let strays: Vec<_> = all
        .iter()
        .filter(of_requests)
        .filter(|line| !ids.iter().any(|id| line["span"]["id"] == **id))
        .collect();
    assert!(strays.is_empty(), "{strays:#?}");
    assert!(node.stop());
}

/// A token that may write in the account `log`.
async fn token_of_a_writer(instance: &Instance) -> String {
    let app = instance.open().await;
    let new = NewUser {
        address: Address::parse("writer@example.org").unwrap(),
        name: "撰稿人".into(),
        password_hash: None,
        operator: false,
        locale: Locale::ZhHans,
    };
    let writer = users::create(&app, new).await.unwrap();
    let new =
        NewAccount {
            handle: "log".into(), name: "日志".into(), bio: String::new(), lang: "zh-Hans".into()
        };
    accounts::open(&app, By::Console, Some(writer.id), &new).await.unwrap();
    let token = api_tokens::create(&app, writer.id, "log", &[Scope::ArticlesWrite]).await.unwrap();
    app.db.clone().close().await.unwrap();
    token
}

/// Sends a request; returns the id that its answer carries.
async fn send(request: RequestBuilder, status: u16) -> String {
    let answer = request.send().await.expect("the server answers");
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.status(), status, "{}", answer.text().await.unwrap());
    id
}

/// All lines with a request's id, once it is answered and the last of them is printed.
async fn lines_of(node: &Node, id: &str) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let lines: Vec<Value> = lines(node).into_iter().filter(|line| line["span"]["id"] == id).collect();
        if lines.iter().any(|line| line["message"] == "finished processing request") {
            return lines;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "no end of {id} in the log: {}", node.printed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every log line so far.
fn lines(node: &Node) -> Vec<Value> {
    let printed = node.printed();
    let json = printed.lines().filter(|line| line.starts_with('{'));
    json.map(|line| serde_json::from_str(line).expect("a line is one JSON object")).collect()
}
