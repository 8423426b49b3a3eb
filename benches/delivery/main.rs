//! How fast a push reaches its readers: the fan-out of a million subscriptions, and messages a second
//! into Postfix's `smtp-sink`, beside Postfix's `smtp-source` with messages of the same size over as
//! many connections in the same run.
//!
//!     cargo bench --bench delivery                                       SQLite
//!     cargo bench --bench delivery -- --postgres postgres://USER@HOST/postgres    PostgreSQL too
//!     cargo bench --bench delivery -- --digests 100000                            digests instead of pushes
//!
//! Needs Debian's postfix (its two programs, no mail server). All on loopback and one machine: sink and
//! database take their share of it. The sender is the program itself (`xiangxun serve`), its ledger
//! included; memory and processor time are the process's own.

mod digests;
mod instance;
mod postfix;

use std::time::{Duration, Instant};

use clap::Parser;
use instance::{Database, Instance};
use postfix::Sink;

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

#[derive(Parser)]
struct Options {
    /// Subscriptions of the fan-out
    #[arg(long, default_value_t = 1_000_000)]
    subscriptions: u64,
    /// Messages sent in each row of the table
    #[arg(long, default_value_t = 60_000)]
    messages: u64,
    /// Connections to the sink
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// A PostgreSQL server on which databases may be made
    #[arg(long)]
    postgres: Option<String>,
    /// Only on PostgreSQL
    #[arg(long)]
    only_postgres: bool,
    /// Leaves the fan-out out
    #[arg(long)]
    only_sending: bool,
    /// Leaves the sending out
    #[arg(long)]
    only_fan_out: bool,
    /// Readers who get a digest each; leaves pushes out
    #[arg(long)]
    digests: Option<u64>,
    /// Leaves the rows with DKIM out
    #[arg(long)]
    no_dkim: bool,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let what = match options.digests {
        Some(count) => format!("--digests {count}"),
        None => format!("--subscriptions {} --messages {}", options.subscriptions, options.messages),
    };
    println!(
        "cargo bench --bench delivery -- {what} --connections {}{}",
        options.connections,
        if options.postgres.is_some() { " --postgres URL" } else { "" }
    );
    println!("{}\n", support::machine());
    let mut databases = Vec::new();
    if !options.only_postgres {
        databases.push(Database::Sqlite);
    }
    if let Some(url) = &options.postgres {
        databases.push(Database::Postgres(url.clone()));
    }
    if let Some(count) = options.digests {
        return digests::run(count, options.connections, &databases).await;
    }
    if !options.only_sending {
        fan_out(&options, &databases).await?;
    }
    if !options.only_fan_out {
        send(&options, &databases).await?;
    }
    Ok(())
}

async fn fan_out(options: &Options, databases: &[Database]) -> anyhow::Result<()> {
    println!(
        "{} subscriptions to ledger rows, the article's page asked for meanwhile",
        options.subscriptions
    );
    println!(
        "{:<12} {:>8} {:>12} {:>12} {:>10} {:>10} {:>14}",
        "", "seconds", "rows/s", "peak memory", "page p50", "page p99", "longest"
    );
    for database in databases {
        let mut instance = Instance::create(database, options.subscriptions).await?;
        // A cap that leaves no room: nothing is sent meanwhile.
        instance.set("XIANGXUN_MAIL_CAPS", "all=1/31d");
        instance.take_the_one_place().await?;
        let server = instance.serve().await?;
        let idle = server.peak_memory();
        let probe = server.probe();
        let began = Instant::now();
        let push = instance.push().await?;
        instance.wait_until_fanned_out(push).await?;
        let took = began.elapsed().as_secs_f64();
        let pages = probe.finish().await;
        println!(
            "{:<12} {took:>8.1} {:>12.0} {:>9.0} MB {:>10} {:>10} {:>14}   (idle {idle:.0} MB)",
            database.name(),
            options.subscriptions as f64 / took,
            server.peak_memory(),
            shown(pages.at(0.5)),
            shown(pages.at(0.99)),
            shown(pages.at(1.0)),
        );
        instance.assert_counts(push, options.subscriptions).await?;
        server.stop();
        instance.remove().await?;
    }
    println!();
    Ok(())
}

async fn send(options: &Options, databases: &[Database]) -> anyhow::Result<()> {
    let mut bytes = 0;
    let mut kinds = vec![("", &[][..])];
    if !options.no_dkim {
        kinds.extend([
            (", Ed25519", &["ed25519"][..]),
            (", RSA-2048", &["rsa"][..]),
            (", both keys", &["ed25519", "rsa"][..]),
        ]);
    }
    let mut reference = 0.0;
    for database in databases {
        for (name, keys) in &kinds {
            if *database != Database::Sqlite && !keys.is_empty() {
                continue;
            }
            let mut instance = Instance::create(database, options.messages).await?;
            let sink = Sink::start()?;
            if bytes == 0 {
                bytes = instance.bytes_of_a_message().await?;
                reference = smtp_source(options, &sink, bytes)?;
            }
            instance.set("XIANGXUN_SMTP_URL", &sink.url());
            instance.set("XIANGXUN_SMTP_CONNECTIONS", &options.connections.to_string());
            instance.sign_with(keys)?;
            let push = instance.push().await?;
            instance.fan_out(push).await?;
            let server = instance.serve().await?;
            let (before, began) = instance.wait_until_some_are_sent(push).await?;
            let cpu = server.cpu_seconds();
            instance.wait_until_sent(push).await?;
            let took = began.elapsed().as_secs_f64();
            let count = (options.messages - before) as f64;
            let cpu = server.cpu_seconds() - cpu;
            println!(
                "{:<28} {:>10.0} {:>8.2} {:>12.0} ms {:>9.0} MB",
                format!("{}{name}", database.name()),
                count / took,
                count / took / reference,
                cpu / count * 1e6,
                server.peak_memory()
            );
            instance.assert_counts(push, options.messages).await?;
            server.stop();
            instance.remove().await?;
        }
    }
    let sink = Sink::start()?;
    let again = postfix::source(&sink, options.messages, options.connections, bytes)?;
    println!("{:<28} {again:>10.0} {:>8.2}", "smtp-source, once more", again / reference);
    Ok(())
}

fn smtp_source(options: &Options, sink: &Sink, bytes: usize) -> anyhow::Result<f64> {
    println!("{} messages of {bytes} bytes, {} connections", options.messages, options.connections);
    println!("{:<28} {:>10} {:>8} {:>15} {:>12}", "", "messages/s", "share", "CPU per 1,000", "peak memory");
    let rate = postfix::source(sink, options.messages, options.connections, bytes)?;
    println!("{:<28} {rate:>10.0} {:>8.2}", "smtp-source -d", 1.0);
    Ok(rate)
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
