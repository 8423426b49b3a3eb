//! `kill -9` while a push is sent into a real SMTP server: every reader is told; what is told twice was
//! under way at a kill and has the same Message-ID; the ledger says what the server's record says.
//!
//! An ordinary run has 2,000 readers and 3 kills on each database;
//! `XIANGXUN_TEST_CRASH=100000x20` says how many of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::articles::{self, Actor, ArticleForm, Content};
use xiangxun::auth::Address;
use xiangxun::auth::users::{self, NewUser};
use xiangxun::config::Config;
use xiangxun::db::entities::delivery::{self, DeliveryState};
use xiangxun::db::entities::push::{self, PushState};
use xiangxun::delivery::{sender, tally};
use xiangxun::page::Locale;
use xiangxun::pushes::{self, NewPush};

use crate::support::Backend;
use crate::support::node::Instance;
use crate::support::smtp::{SmtpSink, free_port};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_sending_it_tells_every_reader_on_sqlite() {
    killed_while_sending_it_tells_every_reader(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_sending_it_tells_every_reader_on_postgres() {
    killed_while_sending_it_tells_every_reader(Backend::Postgres).await;
}

/// Readers and kills.
fn size() -> (usize, usize) {
    let text = std::env::var("XIANGXUN_TEST_CRASH").unwrap_or_else(|_| "2000x3".into());
    let (readers, kills) = text.split_once('x').expect("READERSxKILLS");
    (readers.parse().unwrap(), kills.parse().unwrap())
}

async fn killed_while_sending_it_tells_every_reader(backend: Backend) {
    let (readers, kills) = size();
    let sink = SmtpSink::start(free_port());
    let mut instance = Instance::new(backend).await;
    instance.set("XIANGXUN_SMTP_URL", &sink.url());
    instance.set("XIANGXUN_MAIL_FROM", "News <news@xiangxun.test>");
    let app = open(&instance).await;
    let push = make_push(&app, readers).await;
    let mut killed = 0;
    while killed < kills {
        let before = told(&app, push).await;
        let node = instance.serve().await;
        // Not before it has begun to send, then at any moment until its share is sent.
        let share = (readers as i64 / (kills as i64 + 2)).max(1);
        let aim = before + rand::random_range(1..=share);
        let deadline = Instant::now() + Duration::from_secs(60);
        while told(&app, push).await < aim && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(rand::random_range(1..10))).await;
        }
        node.kill();
        killed += 1;
        forget_leases(&app).await;
    }
    assert_ne!(state(&app, push).await, PushState::Sent, "it was killed while it was sending");
    let node = instance.serve().await;
    let deadline = Instant::now() + Duration::from_secs(60 + readers as u64 / 100);
    while state(&app, push).await != PushState::Sent {
        assert!(Instant::now() < deadline, "{} told\n{}", told(&app, push).await, node.printed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(node.stop(), "SIGTERM ends it in good order");
    let doubled = assert_all_told(&app, &sink, push, readers).await;
    let bound = kills * sender::most_in_flight(&app);
    assert!(doubled <= bound, "{doubled} told twice, at most {bound} were under way");
    println!("{backend:?}: {readers} readers, {kills} kills, {doubled} messages handed over twice");
    app.db.clone().close().await.unwrap();
}

/// The instance's rows, read from outside of its process.
async fn open(instance: &Instance) -> Arc<App> {
    let config = Config {
        data: instance.data.clone(),
        database_url: instance.database_url.clone(),
        database_pool: 3,
        name_server: "none".into(),
        ..Config::default()
    };
    App::open(config).await.unwrap()
}

async fn make_push(app: &App, readers: usize) -> i64 {
    let new = NewUser {
        address: Address::parse("editor@example.org").unwrap(),
        name: String::new(),
        password_hash: None,
        operator: false,
        locale: Locale::ZhHans,
    };
    let user = users::create(app, new).await.unwrap();
    let new = NewAccount {
        handle: "crash".into(),
        name: "试验台".into(),
        bio: String::new(),
        lang: "zh-Hans".into(),
    };
    let account = accounts::open(app, By::Console, Some(user.id), &new).await.unwrap();
    let tx = app.db.begin().await.unwrap();
    for chunk in (0..readers).collect::<Vec<_>>().chunks(500) {
        let rows: Vec<String> = chunk
            .iter()
            .map(|number| {
                let domain = ["gmail.com", "qq.com", "163.com", "example.org"][number % 4];
                format!("({}, 'r{number}@{domain}', 'active', 'instant', 'zh-Hans', 1, 1)", account.id)
            })
            .collect();
        let insert = format!(
            "INSERT INTO subscriptions (account_id, email, state, cadence, locale, created_at, confirmed_at) VALUES {}",
            rows.join(",")
        );
        tx.execute_unprepared(&insert).await.unwrap();
    }
    tx.commit().await.unwrap();
    let actor = Actor { account_id: account.id, user_id: user.id };
    let form = ArticleForm {
        title: "中途断电".into(),
        body: "寄到一半停了电，来电以后接着寄。".into(),
        body_format: "markdown".into(),
        lang: "zh-Hans".into(),
        ..ArticleForm::default()
    };
    let article = articles::create(app, actor, Content::parse(&form).unwrap(), None).await.unwrap();
    let article = articles::publish(app, actor, article.id, None).await.unwrap();
    let new = NewPush { article_ids: vec![article.id], idempotency_key: String::new() };
    pushes::create(app, user.id, account.id, &new).await.unwrap().push.id
}

async fn told(app: &App, push: i64) -> i64 {
    tally::of_pushes(app.db.read(), &[push]).await.unwrap().iter().map(|row| row.delivered).sum()
}

async fn state(app: &App, push: i64) -> PushState {
    push::Entity::find_by_id(push).one(app.db.read()).await.unwrap().unwrap().state
}

/// The dead node's leases would last another minute: lets that minute pass.
async fn forget_leases(app: &App) {
    for table in ["deliveries", "jobs"] {
        let pass =
            format!("UPDATE {table} SET lease_until = lease_until - 120000 WHERE lease_until IS NOT NULL");
        app.db.write().execute_unprepared(&pass).await.unwrap();
    }
}

/// The server's record against the ledger; returns how many messages came twice.
async fn assert_all_told(app: &App, sink: &SmtpSink, push: i64, readers: usize) -> usize {
    let rows =
        delivery::Entity::find().filter(delivery::COLUMN.push_id.eq(push)).all(app.db.read()).await.unwrap();
    assert_eq!(rows.len(), readers, "one row for each reader");
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
    assert_eq!(told(app, push).await, readers as i64, "counts equal the ledger");
    let ledger: BTreeSet<String> = rows.into_iter().map(|row| row.message_id).collect();
    let mut record: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let messages = sink.messages();
    for (to, bytes) in &messages {
        let mail = MessageParser::default().parse(bytes).expect("a whole message");
        let id = mail.message_id().map(|id| format!("<{id}>"));
        // One that was cut off by the kill was never taken.
        let Some(id) = id.filter(|_| mail.body_html(0).is_some_and(|html| html.contains("</html>"))) else {
            continue;
        };
        record.entry(to.clone()).or_default().insert(id);
    }
    assert_eq!(record.len(), readers, "every reader was told");
    assert!(record.values().all(|ids| ids.len() == 1), "always under the same Message-ID");
    let recorded: BTreeSet<String> = record.into_values().flatten().collect();
    assert_eq!(recorded, ledger, "the ledger is the server's record");
    messages.len() - readers
}
