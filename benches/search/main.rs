//! The search library alone, on a file of articles (JSON lines with `title`, `body`, `lang`, ...; may
//! be `.zst`).
//!
//!     cargo bench --bench search -- --corpus FILE
//!     cargo bench --bench search -- --corpus FILE --relevance DIR --phrases 10000
//!     cargo bench --bench search -- --corpus FILE --articles 1000000
//!     cargo bench --bench search -- --corpus FILE --articles 1000000 --index DIR
//!     cargo bench --bench search -- --corpus FILE --relevance DIR --layouts
//!
//! Prints how fast it is indexed and how large the index is, how long searches of each kind take,
//! how good the answers are (on the sets in DIR), and whether every quoted run of characters finds
//! exactly the articles that hold it. With `--articles` there are as many, made of the paragraphs of
//! the file's; `--index` keeps their index in DIR, and takes the one that an earlier run has left there. With
//! `--layouts` it prints what an index of words, of letter pairs, or of both would be.

mod classes;
mod corpus;
mod layouts;
mod phrases;
mod random;
mod relevance;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use xiangxun::search::index::{Progress, Shelf, Volume, WriterSize};
use xiangxun::search::query::Filter;
use xiangxun::search::query::parse::parse;
use xiangxun::search::rank::{Request, Sort};

use corpus::{Article, Recombined};

#[derive(Parser)]
struct Options {
    /// Articles, one JSON object a line
    #[arg(long)]
    corpus: Option<String>,
    /// Folder of relevance sets
    #[arg(long)]
    relevance: Option<String>,
    /// With each relevance set the queries whose first answer is wrong
    #[arg(long)]
    misses: bool,
    /// So many articles, made of paragraphs of the corpus
    #[arg(long)]
    articles: Option<usize>,
    /// Where the index of `--articles` stays, or is already
    #[arg(long)]
    index: Option<PathBuf>,
    /// Only searches of kinds whose name holds this
    #[arg(long, default_value = "")]
    kind: String,
    /// Instead: other layouts of an index, as plain fields of tantivy
    #[arg(long)]
    layouts: bool,
    /// Runs of the phrase check
    #[arg(long, default_value_t = 1_000)]
    phrases: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where indexes are made
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let Some(corpus) = &options.corpus else {
        println!("search: no --corpus given, nothing to measure");
        return Ok(());
    };
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    println!("cargo bench --bench search -- {}", arguments.join(" "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} processors, {:.0} GB memory\n", memory("/proc/meminfo", "MemTotal:") / 1024.0);
    let articles = corpus::read(corpus)?;
    let folder = options.folder.join(format!("xiangxun-bench-{}", std::process::id()));
    let measured = measure(&options, &articles, &folder);
    std::fs::remove_dir_all(&folder).ok();
    measured
}

fn measure(options: &Options, articles: &[Article], folder: &Path) -> anyhow::Result<()> {
    if options.layouts {
        let sets = options.relevance.as_deref().context("--layouts needs --relevance")?;
        return layouts::measure(articles, Path::new(sets), folder);
    }
    if let Some(count) = options.articles {
        let make = |folder: &Path| index(Recombined::new(articles, count, options.seed), folder);
        let volume = match &options.index {
            Some(kept) => kept_or_made(kept, count, make)?,
            None => make(folder)?,
        };
        return classes::measure(&volume, articles, options);
    }
    let volume = index(articles.iter().cloned(), &folder.join("corpus"))?;
    classes::measure(&volume, articles, options)?;
    if let Some(sets) = &options.relevance {
        answers(&volume, articles, Path::new(sets), folder, options.misses)?;
    }
    phrases::check(&volume, articles, options.phrases, options.seed)
}

/// The index that an earlier run has left in a folder, or a new one that stays there.
fn kept_or_made(
    folder: &Path,
    count: usize,
    make: impl FnOnce(&Path) -> anyhow::Result<Arc<Volume>>,
) -> anyhow::Result<Arc<Volume>> {
    let shelf = Shelf::at(folder);
    if shelf.current()?.is_some() {
        let volume = shelf.open()?;
        anyhow::ensure!(
            volume.count() == count as u64,
            "the index in --index is of {} articles",
            volume.count()
        );
        return Ok(volume);
    }
    let volume = make(folder)?;
    shelf.publish(volume.clone())?;
    Ok(volume)
}

/// How good the answers are; one set brings its own articles.
fn answers(
    volume: &Volume,
    articles: &[Article],
    sets: &Path,
    folder: &Path,
    misses: bool,
) -> anyhow::Result<()> {
    relevance::heading();
    for set in relevance::SETS {
        relevance::print_set(articles, &sets.join(set), misses, &|text, limit| ids(volume, text, limit))?;
    }
    let wiki = sets.join("qa-wiki");
    let own = corpus::read(&wiki.join("dev/docs.jsonl").to_string_lossy())?;
    let volume = Arc::new(Shelf::at(folder.join("wiki")).start()?);
    fill(&volume, own.iter().cloned())?;
    relevance::print_set(&own, &wiki, misses, &|text, limit| ids(&volume, text, limit))?;
    println!();
    Ok(())
}

fn ids(volume: &Volume, text: &str, limit: usize) -> anyhow::Result<Vec<i64>> {
    let answer = volume.search(&Request { limit, ..request(text) })?;
    Ok(answer.hits.iter().map(|hit| hit.article).collect())
}

/// Indexes everything as a rebuild does.
fn index(articles: impl Iterator<Item = Article>, folder: &Path) -> anyhow::Result<Arc<Volume>> {
    let own = OwnMemory::watch();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let volume = Arc::new(Shelf::at(folder).start()?);
    let (count, text) = fill(&volume, articles)?;
    let (seconds, cpu, size) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu, volume.size()?);
    let megabytes = text as f64 / 1e6;
    println!("{count} articles, {megabytes:.1} MB of text");
    println!(
        "indexed in {seconds:.1} s ({:.0} articles/s, {:.1} MB/s), {cpu:.1} s of CPU ({:.1} MB per CPU second)",
        count as f64 / seconds,
        megabytes / seconds,
        megabytes / cpu
    );
    println!(
        "index {:.1} MB, {:.2} of the text, {} segments",
        size as f64 / 1e6,
        size as f64 / text as f64,
        volume.view().segments.len()
    );
    println!("memory: {:.0} MB more of its own at the peak", own.peak());
    println!("{:.0} MB with the pages of files that the system may take back\n", memory(STATUS, "VmHWM:"));
    Ok(volume)
}

/// Returns how many articles there were and their bytes.
fn fill(volume: &Arc<Volume>, articles: impl Iterator<Item = Article>) -> anyhow::Result<(usize, usize)> {
    let mut writer = volume.writer(WriterSize::Bulk)?;
    let (mut accounts, mut count, mut text) = (Vec::new(), 0, 0);
    for article in articles {
        writer.insert(&article.entry(count as i64, &mut accounts))?;
        count += 1;
        text += article.bytes();
    }
    writer.commit(Progress::default())?;
    writer.settle()?;
    writer.finish()?;
    Ok((count, text))
}

fn request(query: &str) -> Request {
    Request {
        query: parse(query, chrono_tz::Tz::UTC),
        filter: Filter::default(),
        sort: Sort::Relevance,
        limit: 20,
        after: None,
        // 1 January 2026
        now: 1_767_225_600_000,
        facets: None,
        fold: false,
        time: None,
    }
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * share).ceil() as usize).clamp(1, values.len()) - 1]
}

/// A figure in kB of a file of /proc, in MB.
fn memory(file: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

const STATUS: &str = "/proc/self/status";

/// The most memory that is the process's own, beyond what it had; looked at by a thread every 20 ms.
struct OwnMemory {
    before: f64,
    peak: Arc<Mutex<f64>>,
}

impl OwnMemory {
    fn watch() -> OwnMemory {
        let before = memory(STATUS, "RssAnon:");
        let peak = Arc::new(Mutex::new(before));
        let watched = Arc::downgrade(&peak);
        std::thread::spawn(move || {
            while let Some(peak) = watched.upgrade() {
                let mut peak = peak.lock().expect("no thread panics with it");
                *peak = peak.max(memory(STATUS, "RssAnon:"));
                drop(peak);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        OwnMemory { before, peak }
    }

    fn peak(&self) -> f64 {
        *self.peak.lock().expect("no thread panics with it") - self.before
    }
}

/// Of this process, in user and system mode.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
