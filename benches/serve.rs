//! How fast a site answers, beside nginx with the same article as a static file, and how soon an
//! article can be found: alone, and while fifty others a second arrive and fifty searches run.
//!
//!     cargo bench --bench serve                            with the demo's 308 articles
//!     cargo bench --bench serve -- ARCHIVE.jsonl.zst       with an archive of yours
//!
//! Needs `wrk` and `nginx`. All on loopback and one machine: the client takes its share of it.

#[allow(dead_code)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::pace::{A_SECOND, pace};
use support::{Load, Nginx, Site, machine};

/// Connections that `wrk` keeps busy.
const CONNECTIONS: u32 = 16;
const SECONDS: u32 = 10;
/// Articles published one after the other to see how soon each is found.
const PUBLISHED: usize = 200;
/// How long articles and searches arrive together.
const PACED: u32 = 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let archive = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!(
        "cargo bench --bench serve{}",
        archive.as_ref().map(|path| format!(" -- {path}")).unwrap_or_default()
    );
    println!("{}\n", machine());
    let site = Site::start(archive.as_deref()).await?;
    let page = site.typical_article().await?;
    let nginx = Nginx::start(&[("article", &page.html)])?;

    println!("wrk -t1 -c{CONNECTIONS} -d{SECONDS}s, article of {} bytes of HTML", page.html.len());
    println!("{:<34} {:>12} {:>10} {:>10}", "", "requests/s", "p50", "p99");
    let file = Load::of(&[nginx.url("article")]).run(CONNECTIONS, SECONDS)?;
    println!("{:<34} {file}", "nginx, the page as a file");
    let article = Load::of(&[site.url(&page.path)]).run(CONNECTIONS, SECONDS)?;
    println!("{:<34} {article}   {:.2} of nginx", "article page", article.rate / file.rate);
    let pages = Load::of(&site.searches("/search?q=")).run(CONNECTIONS, SECONDS)?;
    println!("{:<34} {pages}   {:.2} of nginx", "search page", pages.rate / file.rate);
    let api = Load::of(&site.searches("/api/v1/search?q=")).run(CONNECTIONS, SECONDS)?;
    println!("{:<34} {api}   {:.2} of nginx", "search API", api.rate / file.rate);

    let mut waits = site.publish_and_find(PUBLISHED).await?;
    println!("\none article after the other");
    print_times("published -> found", &mut waits);

    let mut paced = pace(Arc::new(site), PACED).await?;
    println!("\n{A_SECOND} articles and {A_SECOND} searches a second, for {PACED} s");
    print_times("published -> found", &mut paced.found);
    print_times("withdrawn -> gone", &mut paced.gone);
    print_times("a search", &mut paced.searches);
    Ok(())
}

fn print_times(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| shown(times[((times.len() - 1) as f64 * share) as usize]);
    println!("{what:<20} p50 {}   p99 {}   longest {}   of {}", at(0.5), at(0.99), at(1.0), times.len());
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
