//! Digests: how many readers' are built from the articles of fifty accounts, and handed to the sink, in a
//! second. All fall due at the same moment, which is the worst there is.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use sea_orm::{ConnectionTrait, Statement};
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::articles::{self, Actor, ArticleForm, Content};

use crate::instance::{Database, Instance};
use crate::postfix::Sink;

const ACCOUNTS: u64 = 50;
/// New articles of each account.
const ARTICLES: u64 = 4;
/// Accounts that each reader follows.
const FOLLOWED: u64 = 5;

pub async fn run(count: u64, connections: u32, databases: &[Database]) -> anyhow::Result<()> {
    println!(
        "{count} digests of {} articles each, from {FOLLOWED} of {ACCOUNTS} accounts, {connections} connections",
        FOLLOWED * ARTICLES
    );
    println!(
        "{:<12} {:>12} {:>12} {:>15} {:>12}",
        "", "built/s", "digests/s", "CPU per 1,000", "peak memory"
    );
    for database in databases {
        let mut instance = Instance::create(database, 0).await?;
        publish(&instance).await?;
        follow(&instance, database, count).await?;
        let sink = Sink::start()?;
        instance.set("XIANGXUN_SMTP_URL", &sink.url());
        instance.set("XIANGXUN_SMTP_CONNECTIONS", &connections.to_string());
        let server = instance.serve().await?;
        let cpu = server.cpu_seconds();
        instance.app.db.write().execute_unprepared("UPDATE readers SET daily_due_at = 1").await?;
        let began = Instant::now();
        wait(&instance, "SELECT COUNT(*) FROM readers WHERE daily_due_at <= 1").await?;
        let built = began.elapsed().as_secs_f64();
        wait(&instance, "SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'").await?;
        let took = began.elapsed().as_secs_f64();
        println!(
            "{:<12} {:>12.0} {:>12.0} {:>12.0} ms {:>9.0} MB",
            database.name(),
            count as f64 / built,
            count as f64 / took,
            (server.cpu_seconds() - cpu) / count as f64 * 1e6,
            server.peak_memory()
        );
        let told = number(&instance, "SELECT COUNT(*) FROM deliveries WHERE state = 'delivered'").await?;
        ensure!(told as u64 == count, "{told} were told");
        server.stop();
        instance.remove().await?;
    }
    println!();
    Ok(())
}

/// Accounts, each with articles that are news.
async fn publish(instance: &Instance) -> anyhow::Result<()> {
    let app = &instance.app;
    for number in 0..ACCOUNTS {
        let new = NewAccount {
            handle: format!("account{number}"),
            name: format!("第{number}号公众号"),
            bio: String::new(),
            lang: "zh-Hans".into(),
        };
        let account = accounts::open(app, By::Console, Some(instance.user), &new).await?;
        let actor = Actor { account_id: account.id, user_id: instance.user };
        for piece in 0..ARTICLES {
            let form = ArticleForm {
                title: format!("唐人街春节巡游路线公布，市中心第{number}条道路临时封闭（{piece}）"),
                body: "本报讯：主办方昨日公布了今年巡游的路线和时间，预计将有三十支队伍参加，沿途设有医疗站和饮水处。\n\n".repeat(6),
                body_format: "markdown".into(),
                lang: "zh-Hans".into(),
                ..ArticleForm::default()
            };
            let article = articles::create(app, actor, Content::parse(&form)?, None).await?;
            articles::publish(app, actor, article.id, None).await?;
        }
    }
    Ok(())
}

/// Readers with their subscriptions; no two neighbours follow the same accounts.
async fn follow(instance: &Instance, database: &Database, count: u64) -> anyhow::Result<()> {
    let db = instance.app.db.write();
    let numbers = |name: &str, most: u64| match database {
        Database::Sqlite => {
            format!("{name}(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM {name} WHERE i < {})", most - 1)
        }
        Database::Postgres(_) => format!("{name}(i) AS (SELECT generate_series(0, {}))", most - 1),
    };
    let recursive = if *database == Database::Sqlite { "RECURSIVE " } else { "" };
    let email = "'reader' || n.i || CASE n.i % 4 WHEN 0 THEN '@qq.com' WHEN 1 THEN '@163.com' WHEN 2 THEN '@outlook.com' \
                 ELSE '@gmail.com' END";
    db.execute_unprepared(&format!(
        "INSERT INTO readers (email, locale, cadence, digest_hour, digest_weekday, daily_told, weekly_told, created_at) \
         WITH {recursive}{} SELECT {email}, CASE n.i % 3 WHEN 0 THEN 'zh-Hant' ELSE 'zh-Hans' END, 'daily', 8, 1, 0, 0, 1 FROM n",
        numbers("n", count)
    ))
    .await?;
    let first = number(instance, "SELECT MIN(id) FROM accounts WHERE handle LIKE 'account%'").await?;
    // 7 has no divisor in common with 50.
    db.execute_unprepared(&format!(
        "INSERT INTO subscriptions (account_id, email, state, cadence, locale, created_at, confirmed_at) \
         WITH {recursive}{}, {} SELECT {first} + (n.i * 13 + n.i / {ACCOUNTS} + k.i * 7) % {ACCOUNTS}, {email}, 'active', \
         'daily', 'zh-Hans', 1, 1 FROM n, k",
        numbers("n", count),
        numbers("k", FOLLOWED)
    ))
    .await?;
    let tidy =
        if *database == Database::Sqlite { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM ANALYZE" };
    db.execute_unprepared(tidy).await?;
    Ok(())
}

async fn number(instance: &Instance, query: &str) -> anyhow::Result<i64> {
    let db = instance.app.db.read();
    let statement = Statement::from_string(instance.app.db.backend(), query.to_owned());
    let row = db.query_one_raw(statement).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0))?)
}

/// Until a count is zero.
async fn wait(instance: &Instance, query: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    while number(instance, query).await? > 0 {
        if began.elapsed() > Duration::from_secs(900) {
            bail!("not over after 900 s: {query}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
