//! `xiangxun import articles`: a JSON Lines file into published articles, in bulk.
//!
//! One thread reads and unpacks, one for each core turns lines into ready articles, and this task
//! writes them in batches, each one transaction. An article that is there already is left alone,
//! so an import that broke off is finished by running it again.

mod accounts;
mod report;
mod row;
mod stage;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::articles::{self, NewArticle};
use crate::clock::Timestamp;
use crate::outbox;
use crate::search::follower;
use accounts::Accounts;
use report::Report;
use stage::Parsed;

/// Articles written in one transaction.
const BATCH: usize = 1_000;
/// How many refused lines are shown.
const SHOWN_REFUSALS: usize = 20;

#[derive(clap::Args)]
pub struct Options {
    /// The file: JSON Lines, plain or compressed by zstd
    file: PathBuf,
    /// Put each article into the account named in this field; missing accounts are created
    #[arg(long, value_enum, conflicts_with = "account", required_unless_present = "account")]
    account_by: Option<AccountBy>,
    /// Put all articles into the account with this handle
    #[arg(long, value_name = "HANDLE")]
    account: Option<String>,
    /// The day on which articles without a date are taken to be published
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2000-01-01", value_parser = row::parse_date)]
    undated: Timestamp,
    /// When to bring this node's search index up to date
    #[arg(long, value_enum, default_value_t = Indexing::Along)]
    index: Indexing,
}

/// A field that names an account.
#[derive(Clone, Copy, clap::ValueEnum)]
enum AccountBy {
    Outlet,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Indexing {
    /// While articles are written
    Along,
    /// When all are written
    After,
    /// Not now: the server does it when it next runs
    Never,
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    let app = super::open_app().await?;
    let mut report = Report::default();
    let started = Instant::now();
    let stop = CancellationToken::new();
    let follower =
        (options.index == Indexing::Along).then(|| tokio::spawn(follower::run(app.clone(), stop.clone())));
    import(&app, &options, &mut report).await?;
    report.writing = started.elapsed();
    if let Some(follower) = follower {
        wait_until_indexed(&app).await?;
        stop.cancel();
        follower.await?;
    } else if options.index == Indexing::After {
        follower::catch_up(&app).await.context("bringing the search index up to date")?;
        report.indexing = Some(started.elapsed() - report.writing);
    }
    if options.index != Indexing::Never {
        report.searchable = Some(started.elapsed());
        follower::settle(&app).await.context("merging the search index")?;
    }
    report.print(&app);
    app.db.clone().close().await?;
    if report.refused > 0 {
        bail!("{} lines were refused", report.refused);
    }
    Ok(())
}

/// Waits until this node's index has every event that is in the database now.
async fn wait_until_indexed(app: &App) -> anyhow::Result<()> {
    let latest = outbox::latest(app.db.read()).await?;
    loop {
        if let Some(volume) = app.search.shelf().live()
            && volume.progress()?.cursor >= latest
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reads the whole file into the database.
async fn import(app: &Arc<App>, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let mut accounts = Accounts::new(app.clone(), options.account.as_deref()).await?;
    let (bar, mut parsed) = stage::start(&options.file, options.undated)?;
    let mut batch = Vec::with_capacity(2 * BATCH);
    while let Some(rows) = parsed.recv().await {
        for row in rows {
            match row {
                Parsed::Ready { outlet, mut article } => {
                    article.account_id = accounts.id_of(&outlet, &article.lang).await?;
                    report.text_bytes += (article.title.len() + article.body_html.len()) as u64;
                    batch.push(*article);
                }
                Parsed::Refused { line, reason } => {
                    report.refused += 1;
                    if report.refused <= SHOWN_REFUSALS {
                        bar.suspend(|| eprintln!("line {line}: {reason}"));
                    }
                }
                Parsed::Broken(error) => {
                    return Err(error).with_context(|| format!("reading {}", options.file.display()));
                }
            }
        }
        if batch.len() >= BATCH {
            write(app, &mut batch, report).await?;
            bar.set_message(format!("{} articles", report.read));
        }
    }
    write(app, &mut batch, report).await?;
    report.accounts = accounts.count();
    bar.finish_and_clear();
    Ok(())
}

/// Writes a batch in one transaction.
async fn write(app: &App, batch: &mut Vec<NewArticle>, report: &mut Report) -> anyhow::Result<()> {
    report.read += batch.len();
    let tx = app.db.begin().await?;
    let imported = articles::insert_imported(&tx, app.clock.now(), std::mem::take(batch)).await?;
    tx.commit().await?;
    report.new += imported.inserted.len();
    Ok(())
}
