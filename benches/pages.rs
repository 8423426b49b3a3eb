//! How fast pages for everybody are, beside nginx with the same bytes as files in the same run: an article, an
//! account, the front, a feed, and the article packed as browsers take it. Then the article at half of its load, both
//! of them asked by a client that keeps to the rate; and how long a page takes that nobody has asked for before.
//!
//!     cargo bench --bench pages                            with the demo's 308 articles
//!     cargo bench --bench pages -- ARCHIVE.jsonl.zst       with an archive of yours
//!
//! Needs `wrk` and `nginx`. All on loopback and one machine: the client takes its share of it.

#[allow(dead_code, unused_imports)]
mod support;

use std::time::Instant;

use anyhow::Context;
use support::load::Measured;
use support::steady::Steady;
use support::{Load, Nginx, Site, machine};

/// Connections that `wrk` keeps busy.
const CONNECTIONS: u32 = 16;
const SECONDS: u32 = 2;
/// Each page and its file take so many turns of that length; the middle ones count.
const TURNS: usize = 9;
/// Seconds at half of its load.
const STEADY: u32 = 10;
/// What both can give without packing it anew.
const PACKING: &str = "gzip";
/// Pages asked for once each.
const FIRST: usize = 300;

/// A page beside its file, taken in turns: a machine that others slow down slows both.
struct Beside {
    file: Measured,
    page: Measured,
    /// The middle of the turns' ratios of rates.
    ratio: f64,
}

impl Beside {
    fn run(file: &Load, page: &Load) -> anyhow::Result<Self> {
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push((file.run(CONNECTIONS, SECONDS)?, page.run(CONNECTIONS, SECONDS)?));
        }
        let middle = |value: &dyn Fn(&(Measured, Measured)) -> f64| {
            let mut values: Vec<f64> = turns.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let measured = |one: fn(&(Measured, Measured)) -> &Measured| Measured {
            rate: middle(&|turn| one(turn).rate),
            p50: middle(&|turn| one(turn).p50),
            p99: middle(&|turn| one(turn).p99),
        };
        let ratio = middle(&|(file, page)| page.rate / file.rate);
        Ok(Self { file: measured(|turn| &turn.0), page: measured(|turn| &turn.1), ratio })
    }

    fn print(&self, name: &str, bytes: &str) {
        println!("{:<12} {bytes:>9} {}", format!("{name}, nginx"), self.file);
        println!("{name:<12} {:>9} {}   {:.2} of nginx", "", self.page, self.ratio);
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let archive = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!(
        "cargo bench --bench pages{}",
        archive.as_ref().map(|path| format!(" -- {path}")).unwrap_or_default()
    );
    println!("{}\n", machine());
    let site = Site::start(archive.as_deref()).await?;
    let article = site.typical_article().await?.path;
    let account = article.rsplit_once('/').map(|(account, _)| account.to_owned()).context("an account")?;
    let pages = [
        ("article", article.clone()),
        ("account", account.clone()),
        ("front", "/".to_owned()),
        ("feed", format!("{account}/feed.atom")),
    ];
    let mut files = Vec::new();
    for (name, path) in &pages {
        files.push((*name, site.get(&site.url(path)).await?));
    }
    let nginx = Nginx::start(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())?;

    println!("wrk -t1 -c{CONNECTIONS} -d{SECONDS}s, the middle of {TURNS} turns");
    println!("{:<12} {:>9} {:>12} {:>10} {:>10}", "", "bytes", "requests/s", "p50", "p99");
    let mut half = 0.0;
    for ((name, path), (_, text)) in pages.iter().zip(&files) {
        let beside = Beside::run(&Load::of(&[nginx.url(name)]), &Load::of(&[site.url(path)]))?;
        beside.print(name, &text.len().to_string());
        if *name == "article" {
            half = beside.page.rate / 2.0;
        }
    }
    let file = Load::of(&[nginx.url("article")]).packed(PACKING);
    Beside::run(&file, &Load::of(&[site.url(&article)]).packed(PACKING))?.print("packed", PACKING);

    println!("\nthe article at half of its load, by a client that keeps to the rate");
    println!("{:<12} {:>12} {:>10} {:>10} {:>10} {:>10}", "", "requests/s", "p50", "p99", "p99.9", "longest");
    println!("{:<12} {}", "nginx", Steady::run(&nginx.url("article"), half, STEADY)?);
    println!("{:<12} {}", "article", Steady::run(&site.url(&article), half, STEADY)?);

    let mut times = Vec::new();
    for path in site.articles(FIRST).await? {
        let began = Instant::now();
        site.get(&site.url(&path)).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "\narticles that nobody has asked for before: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
    Ok(())
}
