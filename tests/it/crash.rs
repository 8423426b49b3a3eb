//! `kill -9` at any moment. Afterwards: articles in the database = articles in the index = articles
//! on pages, and each push is told once.
//!
//! An ordinary run kills four times on each database; `XIANGXUN_TEST_KILLS=50` says how often in all.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::auth::users::{self, NewUser};
use xiangxun::auth::{Address, Scope, api_tokens};
use xiangxun::db::entities::article::{self, ArticleState};
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::{account, idempotency_key, push, user};
use xiangxun::page::Locale;
use xiangxun::{jobs, subscriptions};

use crate::on_both_databases;
use crate::support::Backend;
use crate::support::node::{Instance, Node, client, letters_in};

/// In the title of every article here, and in no other.
const MARK: &str = "崩溃试验";
const SUBSCRIBERS: usize = 3;
/// Articles of the imports.
const ARCHIVE: usize = 600;
/// How long everything may take to settle after the last kill.
const PATIENCE: Duration = Duration::from_secs(90);

on_both_databases! {
    killed_while_publishing_and_pushing_it_loses_and_doubles_nothing
    killed_while_importing_it_goes_on_where_it_was
    killed_while_indexing_it_finds_every_article_once
}

async fn killed_while_publishing_and_pushing_it_loses_and_doubles_nothing(backend: Backend) {
    let instance = Instance::new(backend).await;
    let desk = Arc::new(Desk::open(&instance).await);
    let kills = kills(2);
    for _ in 0..kills {
        let node = instance.serve().await;
        let writer = || desk.clone().write_until_cut_off(node.url("/api/v1/accounts/crash"));
        let writers: Vec<_> = (0..4).map(|_| tokio::spawn(writer())).collect();
        tokio::time::sleep(Duration::from_millis(rand::random_range(100..900))).await;
        node.kill();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    forget_that_requests_were_under_way(&instance).await;
    let node = instance.serve().await;
    desk.finish_what_was_cut_off(&node.url("/api/v1/accounts/crash")).await;

    let app = instance.open().await;
    let count = desk.next.load(Ordering::Relaxed);
    everything_is_told(&app, count).await;
    assert_articles_everywhere(&node, &app, count).await;
    let repeated = assert_each_push_told_once(&instance, &app, count).await;
    println!("{backend:?}: {kills} kills, {count} articles and pushes, {repeated} mails handed over again");
}

async fn killed_while_importing_it_goes_on_where_it_was(backend: Backend) {
    let instance = Instance::new(backend).await;
    let file = archive(&instance);
    let arguments = ["import", "articles", file.to_str().unwrap(), "--account-by", "outlet"];
    let kills = kills(1);
    for _ in 0..kills {
        let mut import = quietly(instance.command(&arguments)).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(rand::random_range(50..1_500))).await;
        import.kill().unwrap();
        import.wait().unwrap();
    }
    instance.run(&arguments);
    let node = instance.serve().await;
    let app = instance.open().await;
    assert_articles_everywhere(&node, &app, ARCHIVE).await;
    println!("{backend:?}: {kills} kills, {ARCHIVE} articles");
}

async fn killed_while_indexing_it_finds_every_article_once(backend: Backend) {
    let instance = Instance::new(backend).await;
    let file = archive(&instance);
    let file = file.to_str().unwrap();
    instance.run(&["import", "articles", file, "--account-by", "outlet", "--index", "never"]);
    let kills = kills(1);
    for _ in 0..kills {
        let mut command = instance.command(&["serve", "--role", "web"]);
        command.env("XIANGXUN_LISTEN", "127.0.0.1:0");
        let mut node = quietly(command).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(rand::random_range(50..2_500))).await;
        node.kill().unwrap();
        node.wait().unwrap();
    }
    let node = instance.serve().await;
    let app = instance.open().await;
    assert_articles_everywhere(&node, &app, ARCHIVE).await;
    assert!(node.stop(), "SIGTERM ends it in good order");
    println!("{backend:?}: {kills} kills, {ARCHIVE} articles");
}

fn quietly(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// How many of the kills on a database are this test's: `quarters` of four.
fn kills(quarters: usize) -> usize {
    let all = std::env::var("XIANGXUN_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    usize::div_ceil(all * quarters, 4)
}

/// An account with subscribers, and who writes for it through the API.
struct Desk {
    client: reqwest::Client,
    token: String,
    next: AtomicUsize,
    /// Numbers of articles whose publication or push was not confirmed.
    cut_off: Mutex<Vec<usize>>,
}

impl Desk {
    async fn open(instance: &Instance) -> Self {
        let app = instance.open().await;
        let editor = user(&app, "editor@example.org").await;
        let new = NewAccount {
            handle: "crash".into(),
            name: "试验台".into(),
            bio: String::new(),
            lang: "zh-Hans".into(),
        };
        let account = accounts::open(&app, By::Console, Some(editor.id), &new).await.unwrap();
        for number in 0..SUBSCRIBERS {
            let reader = user(&app, &format!("reader{number}@example.org")).await;
            subscriptions::subscribe(&app, &reader, account.id, None, Locale::ZhHans).await.unwrap();
        }
        let scopes = [Scope::ArticlesWrite, Scope::PushesWrite];
        let token = api_tokens::create(&app, editor.id, "crash", &scopes).await.unwrap();
        app.db.clone().close().await.unwrap();
        Self { client: client(), token, next: AtomicUsize::new(0), cut_off: Mutex::default() }
    }

    /// Publishes and pushes one article after the other until the server is gone.
    async fn write_until_cut_off(self: Arc<Self>, account: String) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if self.write(&account, number).await.is_none() {
                self.cut_off.lock().await.push(number);
                return;
            }
        }
    }

    /// Publishes and pushes an article; none when the server did not confirm both.
    async fn write(&self, account: &str, number: usize) -> Option<()> {
        let article = json!({
            "title": format!("{MARK} 第 {number} 号"),
            "body": format!("第 {number} 篇文章的正文，用来看看服务器中途断电之后还剩下什么。"),
            "publish": true,
        });
        let answer = self.post(format!("{account}/articles"), format!("article-{number}"), &article).await?;
        let push = json!({ "articles": [answer["id"].as_i64().expect("an id")] });
        self.post(format!("{account}/pushes"), format!("push-{number}"), &push).await?;
        Some(())
    }

    /// The answer to a request that did what it should; none when the server went away.
    async fn post(&self, url: String, key: String, body: &Value) -> Option<Value> {
        let request = self.client.post(&url).header("idempotency-key", key).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        assert!(status.is_success(), "{url}: {status} {text}");
        Some(serde_json::from_str(&text).unwrap())
    }

    async fn finish_what_was_cut_off(&self, account: &str) {
        for number in std::mem::take(&mut *self.cut_off.lock().await) {
            self.write(account, number).await.expect("the server answers again");
        }
    }
}

async fn user(app: &App, email: &str) -> user::Model {
    let new = NewUser {
        address: Address::parse(email).unwrap(),
        name: String::new(),
        password_hash: None,
        operator: false,
        locale: Locale::ZhHans,
    };
    users::create(app, new).await.unwrap()
}

/// A request cut off by the kill holds its idempotency key for a minute: lets that minute pass.
async fn forget_that_requests_were_under_way(instance: &Instance) {
    let app = instance.open().await;
    idempotency_key::Entity::update_many()
        .col_expr(
            idempotency_key::Column::CreatedAt,
            Expr::col(idempotency_key::Column::CreatedAt).sub(120_000),
        )
        .exec(app.db.write())
        .await
        .unwrap();
    app.db.clone().close().await.unwrap();
}

/// Waits until no job and no delivery is left over.
async fn everything_is_told(app: &App, count: usize) {
    let expected = (count * SUBSCRIBERS) as u64;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let jobs = jobs::queue::unfinished(app.db.read()).await.unwrap();
        let delivered = delivery::Entity::find()
            .filter(delivery::Column::State.eq(DeliveryState::Delivered))
            .count(app.db.read())
            .await
            .unwrap();
        if jobs == 0 && delivered == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{jobs} jobs left, {delivered} of {expected} delivered");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Articles in the database = in the index = on pages.
async fn assert_articles_everywhere(node: &Node, app: &App, count: usize) {
    let rows = article::Entity::find()
        .filter(article::Column::State.eq(ArticleState::Published))
        .all(app.db.read())
        .await
        .unwrap();
    assert_eq!(rows.len(), count, "in the database");
    let titles: BTreeSet<&str> = rows.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(titles.len(), count, "none is double");

    node.wait_until("/readyz", PATIENCE).await;
    let answer = node.get(&format!("/api/v1/search?q=%22{MARK}%22&limit=1")).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["total"], count, "in the index");

    let handles: HashMap<i64, String> = account::Entity::find()
        .all(app.db.read())
        .await
        .unwrap()
        .into_iter()
        .map(|account| (account.id, account.handle))
        .collect();
    for row in rows {
        let page = node.get(&format!("/@{}/{}", handles[&row.account_id], row.slug)).await;
        assert!(page.contains(&row.title), "on its page: {}", row.title);
    }
}

/// One row and one Message-ID for each push and subscriber. How many mails were handed over twice
/// under the same Message-ID: those that a kill caught between "taken" and our note of it.
async fn assert_each_push_told_once(instance: &Instance, app: &App, count: usize) -> usize {
    assert_eq!(push::Entity::find().count(app.db.read()).await.unwrap(), count as u64, "pushes");
    let rows = delivery::Entity::find().all(app.db.read()).await.unwrap();
    assert_eq!(rows.len(), count * SUBSCRIBERS, "deliveries");
    let expected: BTreeSet<String> = rows.into_iter().map(|row| row.message_id).collect();
    assert_eq!(expected.len(), count * SUBSCRIBERS, "a Message-ID for each");
    let letters = letters_in(&instance.data);
    let parsed = letters.iter().map(|letter| MessageParser::default().parse(letter).expect("a letter"));
    let told: Vec<String> = parsed.map(|letter| letter.message_id().expect("an id").to_owned()).collect();
    let bare = |id: &str| id.trim_matches(['<', '>']).to_owned();
    let expected: BTreeSet<String> = expected.iter().map(|id| bare(id)).collect();
    let distinct: BTreeSet<String> = told.iter().map(|id| bare(id)).collect();
    assert_eq!(distinct, expected, "every subscriber was told of every push");
    told.len() - distinct.len()
}

/// An archive of marked articles in four outlets.
fn archive(instance: &Instance) -> PathBuf {
    let path = instance.data.join("archive.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for number in 0..ARCHIVE {
        let row = json!({
            "id": format!("crash-{number}"),
            "title": format!("{MARK} 存档第 {number} 号"),
            "body": format!("这是第 {number} 篇存档文章。\n\n{}", "乡讯把文章写进数据库，再写进索引。".repeat(20)),
            "outlet": format!("存档{}", number % 4),
            "published_at": "2026-01-31",
            "lang": "zh-Hans",
        });
        writeln!(file, "{row}").unwrap();
    }
    file.flush().unwrap();
    path
}
