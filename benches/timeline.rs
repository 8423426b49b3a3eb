//! `cargo bench --bench timeline -- [--postgres postgres://USER@HOST/postgres] [--articles 1000000]
//! [--accounts 2000] [--subscriptions 500] [--runs 300]`: the timeline of a reader who follows very many accounts,
//! over a large archive.
//!
//! Accounts publish at very different paces, as outlets do; the reader has read a part of what came, some of it one by
//! one. Prints what a page's queries take (median and 99th percentile): all, unread only, by list, by account, with mute
//! words, pages further down, the count of unread articles and the accounts beside the page; on SQLite, and on
//! PostgreSQL where a server is named.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::{ConnectionTrait, Database, DbBackend};
use xiangxun::db::Db;
use xiangxun::home::queries::Cursor;
use xiangxun::subscriptions::timeline::mute::Mute;
use xiangxun::subscriptions::timeline::queries::{self, Scope, Wanted};

#[path = "support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

/// The newest article, Unix milliseconds; the archive spans five years before it.
const NOW: i64 = 1_795_305_600_000;
const SPAN: i64 = 5 * 365 * 24 * 60 * 60 * 1_000;
/// Rows written by one statement.
const CHUNK: i64 = 500;
/// The reader, and the list that a tenth of the accounts are in.
const READER: i64 = 1;
const LIST: i64 = 1;

#[derive(Parser)]
struct Options {
    /// A PostgreSQL server where a database may be made
    #[arg(long)]
    postgres: Option<String>,
    #[arg(long, default_value_t = 1_000_000)]
    articles: i64,
    #[arg(long, default_value_t = 2_000)]
    accounts: i64,
    #[arg(long, default_value_t = 500)]
    subscriptions: i64,
    /// Measurements of each kind
    #[arg(long, default_value_t = 300)]
    runs: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    println!(
        "cargo bench --bench timeline -- --articles {} --accounts {} --subscriptions {} --runs {} --seed {}{}",
        options.articles,
        options.accounts,
        options.subscriptions,
        options.runs,
        options.seed,
        if options.postgres.is_some() { " --postgres URL" } else { "" }
    );
    println!("{}\n", support::machine());
    let folder = std::env::temp_dir().join(format!("xiangxun-bench-{:016x}", rand::random::<u64>()));
    std::fs::create_dir_all(&folder)?;
    let outcome = on_sqlite(&options, &folder).await;
    let _ = std::fs::remove_dir_all(&folder);
    outcome?;
    match &options.postgres {
        Some(server) => on_postgres(&options, server).await,
        None => Ok(()),
    }
}

async fn on_sqlite(options: &Options, folder: &std::path::Path) -> anyhow::Result<()> {
    let file: PathBuf = folder.join("bench.db");
    let db = Db::connect(&format!("sqlite://{}?mode=rwc", file.display()), 4).await?;
    println!("SQLite");
    fill(&db, options).await?;
    measure(&db, options).await?;
    Ok(db.close().await?)
}

async fn on_postgres(options: &Options, server: &str) -> anyhow::Result<()> {
    let (base, _) = server.rsplit_once('/').context("the server's URL names a database")?;
    let admin = Database::connect(server).await.context("connecting to PostgreSQL")?;
    let name = format!("timeline_{:016x}", rand::random::<u64>());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    let db = Db::connect(&format!("{base}/{name}"), 4).await?;
    println!("\nPostgreSQL");
    let outcome = async {
        fill(&db, options).await?;
        measure(&db, options).await
    };
    let outcome = outcome.await;
    db.close().await?;
    admin.execute_unprepared(&format!("DROP DATABASE {name}")).await?;
    outcome
}

/// Writes accounts, articles, the reader with what they follow, and what they have read.
async fn fill(db: &Db, options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    db.migrate().await?;
    let mut dice = StdRng::seed_from_u64(options.seed);
    let tx = db.begin().await?;
    let articles = article_rows(options, &mut dice);
    let rows = |from: i64, to: i64, row: &mut dyn FnMut(i64) -> String| -> String {
        (from..to).map(row).collect::<Vec<_>>().join(", ")
    };
    tx.execute_unprepared(
        "INSERT INTO users (id, email, name, operator, state, locale, timezone, created_at) VALUES \
         (1, 'reader@example.org', 'Reader', FALSE, 'active', 'zh-Hans', 'UTC', 0)",
    )
    .await?;
    tx.execute_unprepared(
        "INSERT INTO lists (id, user_id, name, place, created_at) VALUES (1, 1, 'list', 0, 0)",
    )
    .await?;
    for from in (1..=options.accounts).step_by(CHUNK as usize) {
        let mut row = |id: i64| format!("({id}, 'a{id}', '第{id}号', '', 'zh-Hans', '[]', 'active', 0)");
        let values = rows(from, (from + CHUNK).min(options.accounts + 1), &mut row);
        let columns = "id, handle, name, bio, lang, links, state, created_at";
        tx.execute_unprepared(&format!("INSERT INTO accounts ({columns}) VALUES {values}")).await?;
    }
    for chunk in articles.chunks(CHUNK as usize) {
        let columns = "id, account_id, slug, title, digest, author, body_format, body_html, tags, lang, state, version, \
             word_count, created_at, updated_at, published_at";
        let values = chunk.join(", ");
        tx.execute_unprepared(&format!("INSERT INTO articles ({columns}) VALUES {values}")).await?;
    }
    // Every third account or so, of all paces; half of them were read until a month ago.
    let step = (options.accounts / options.subscriptions).max(1);
    for from in (0..options.subscriptions).step_by(CHUNK as usize) {
        let mut row = |number: i64| {
            let list = if number % 10 == 0 { LIST.to_string() } else { "NULL".into() };
            let until = if number % 2 == 0 { NOW - SPAN / 60 } else { NOW - SPAN / 6 };
            format!(
                "({}, 1, 'reader@example.org', 'active', 'instant', 'zh-Hans', 0, {until}, {list})",
                number * step + 1
            )
        };
        let values = rows(from, (from + CHUNK).min(options.subscriptions), &mut row);
        let columns = "account_id, user_id, email, state, cadence, locale, created_at, read_until, list_id";
        tx.execute_unprepared(&format!("INSERT INTO subscriptions ({columns}) VALUES {values}")).await?;
    }
    // Two of three of the newest articles were opened; some older ones are to be read again.
    tx.execute_unprepared(&format!(
        "INSERT INTO read_marks (user_id, article_id, read_at, is_read) \
         SELECT 1, a.id, 0, (a.id % 97 <> 0) FROM articles a JOIN subscriptions s ON s.account_id = a.account_id \
         WHERE a.published_at > {} AND a.id % 3 <> 0",
        NOW - SPAN / 120
    ))
    .await?;
    tx.commit().await?;
    let analyse = if db.backend() == DbBackend::Postgres { "VACUUM ANALYZE" } else { "PRAGMA optimize" };
    db.write().execute_unprepared(analyse).await?;
    println!(
        "{} articles of {} accounts, {} subscriptions: written in {:.1?}",
        options.articles,
        options.accounts,
        options.subscriptions,
        started.elapsed()
    );
    Ok(())
}

/// Values of articles in the order in which they were published; a few accounts publish most of them.
fn article_rows(options: &Options, dice: &mut StdRng) -> Vec<String> {
    let body = "国务院新闻办公室上午举行发布会，介绍全年经济运行情况。".repeat(60);
    let words = ["经济", "台风", "選舉", "航天", "教育", "彩票", "足球", "电影"];
    (1..=options.articles)
        .map(|id| {
            // Squared twice: half of all come from a sixteenth of the accounts.
            let chance: f64 = dice.random();
            let account = 1 + ((chance * chance * chance * chance) * options.accounts as f64) as i64;
            let account = 1 + (account * 7_919) % options.accounts;
            let moment = NOW - SPAN + id * (SPAN / options.articles) + dice.random_range(0..1_000);
            let word = words[dice.random_range(0..words.len())];
            format!(
                "({id}, {account}, 's{id}', '{word}新闻第{id}条', '', '', 'html', '<p>{body}</p>', '[\"{word}\"]', 'zh-Hans', \
                 'published', 1, 1500, {moment}, {moment}, {moment})"
            )
        })
        .collect()
}

async fn measure(db: &Db, options: &Options) -> anyhow::Result<()> {
    let none = Arc::new(Mute::default());
    let words = Arc::new(Mute::of(&["彩票".into(), "选举".into(), "足球".into()]));
    let all = Wanted::default();
    let unread = Wanted::unread();
    let list =
        |wanted: &Wanted| Wanted { scope: Scope { list: Some(LIST), account: None }, ..wanted.clone() };
    let account = Wanted { scope: Scope { account: Some(1), list: None }, ..Wanted::default() };
    let tag = Wanted { tag: "航天".into(), ..Wanted::default() };
    println!("{:<34} {:>8} {:>8} {:>8}", "ms", "p50", "p99", "longest");
    for (name, wanted, mute, old) in [
        ("all", &all, &none, false),
        ("all, somewhere in the past", &all, &none, true),
        ("unread", &unread, &none, false),
        ("unread, somewhere in the past", &unread, &none, true),
        ("a list", &list(&all), &none, false),
        ("a list, unread", &list(&unread), &none, false),
        ("one account", &account, &none, false),
        ("all, with mute words", &all, &words, false),
        ("unread, with mute words", &unread, &words, false),
        ("a tag", &tag, &none, false),
    ] {
        let mut dice = StdRng::seed_from_u64(options.seed);
        let mut times = Vec::new();
        for _ in 0..options.runs {
            let past = Cursor { published_at: NOW - dice.random_range(0..SPAN / 8), id: 0 };
            let started = Instant::now();
            let page = queries::page(db.read(), READER, wanted, mute, old.then_some(past)).await?;
            times.push(started.elapsed());
            anyhow::ensure!(page.items.len() <= queries::PAGE, "a page is too long");
        }
        print_row(name, times);
    }
    for (name, mute) in [("count of unread", &none), ("count of unread, with mute words", &words)] {
        let mut times = Vec::new();
        for _ in 0..options.runs {
            let started = Instant::now();
            queries::count_unread(db.read(), READER, &Scope::default(), mute).await?;
            times.push(started.elapsed());
        }
        print_row(name, times);
    }
    let mut times = Vec::new();
    for _ in 0..options.runs {
        let started = Instant::now();
        queries::followed(db.read(), READER).await?;
        times.push(started.elapsed());
    }
    print_row("accounts beside the page", times);
    Ok(())
}

fn print_row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{name:<34} {:>8.2} {:>8.2} {:>8.2}", at(0.5), at(0.99), at(1.0));
}
