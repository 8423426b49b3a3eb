//! Several nodes on one PostgreSQL database, each with a data folder, and so an index, of its own.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::auth::users::{self, NewUser};
use xiangxun::auth::{Address, Scope, api_tokens};
use xiangxun::page::Locale;

use crate::support::Backend;
use crate::support::node::{Instance, Node, client};

/// A reader waits a second; a busy machine gets more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until a node finds this many articles; how long that took.
async fn time_until(node: &Node, query: &str, total: u64) -> Duration {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let started = Instant::now();
    loop {
        let answer = node.get(&format!("/api/v1/search?q={query}")).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        if answer["total"] == total {
            return started.elapsed();
        }
        assert!(started.elapsed() < PATIENCE, "not {total} but {answer}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn post(node: &Node, token: &str, path: &str, body: Value) -> Value {
    let request = client().post(node.url(path)).bearer_auth(token).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_publishes_or_withdraws_the_other_finds_or_forgets_at_once() {
    let here = Instance::new(Backend::Postgres).await;
    let there = here.beside();
    let app = here.open().await;
    let new = NewUser {
        address: Address::parse("writer@example.org").unwrap(),
        name: "撰稿人".into(),
        password_hash: None,
        operator: false,
        locale: Locale::ZhHans,
    };
    let writer = users::create(&app, new).await.unwrap();
    let new = NewAccount {
        handle: "harbour".into(),
        name: "海港".into(),
        bio: String::new(),
        lang: "zh-Hans".into(),
    };
    accounts::open(&app, By::Console, Some(writer.id), &new).await.unwrap();
    let token = api_tokens::create(&app, writer.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
    app.db.clone().close().await.unwrap();

    let (first, second) = (here.serve().await, there.serve().await);
    for node in [&first, &second] {
        node.wait_until("/readyz", Duration::from_secs(60)).await;
    }
    let (mut to_find, mut to_forget) = (Vec::new(), Vec::new());
    for round in 0..5 {
        let title = format!("跨海渡轮第{round}次首航");
        let article = json!({ "title": title, "body": "首航满座。", "publish": true });
        let made = post(&first, &token, "/api/v1/accounts/harbour/articles", article).await;
        let query = format!("\"跨海渡輪第{round}次首航\"");
        to_find.push(time_until(&second, &query, 1).await);
        let path = format!("/api/v1/articles/{}/withdraw", made["id"]);
        post(&first, &token, &path, json!({ "reason": "误发" })).await;
        to_forget.push(time_until(&second, &query, 0).await);
        time_until(&first, &query, 0).await;
    }
    println!("on another node: found after {to_find:.0?}, gone after {to_forget:.0?}");
    assert!(first.stop() && second.stop());
}
