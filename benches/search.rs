//! `cargo bench --bench search -- --corpus FILE [--phrases 1000] [--seed 1]`: the search library
//! alone, on a file of articles (JSON lines with `title`, `body`, `lang`, ...; may be `.zst`).
//!
//! Prints how fast it is indexed and how large the index is, how long searches of several classes
//! take, and the phrase check: random runs of 2 to 12 characters from random articles, each of which
//! must find its article as a quoted phrase, and only articles that hold it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use serde::Deserialize;
use xiangxun::search::index::{Progress, Shelf, Volume, WriterSize};
use xiangxun::search::query::Filter;
use xiangxun::search::query::parse::parse;
use xiangxun::search::rank::{Request, Sort};
use xiangxun::search::schema::Entry;
use xiangxun::text::fold;

#[derive(Parser)]
struct Options {
    /// Articles, one JSON object a line
    #[arg(long)]
    corpus: Option<String>,
    /// Runs of the phrase check
    #[arg(long, default_value_t = 1_000)]
    phrases: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Deserialize)]
struct Article {
    title: String,
    body: String,
    lang: String,
    #[serde(default)]
    outlet: Option<String>,
    #[serde(default)]
    author: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let Some(corpus) = &options.corpus else {
        println!("search: no --corpus given, nothing to measure");
        return Ok(());
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "cargo bench --bench search -- --corpus {corpus} --phrases {} --seed {}",
        options.phrases, options.seed
    );
    println!("{cores} processors, {:.0} GB memory\n", memory("/proc/meminfo", "MemTotal:") / 1024.0);
    let articles = read(corpus)?;
    let folder = std::env::temp_dir().join(format!("xiangxun-bench-{}", std::process::id()));
    let measured = index(&articles, &folder).and_then(|volume| {
        classes(&volume, &articles, options.seed)?;
        phrases(&volume, &articles, &options)
    });
    std::fs::remove_dir_all(&folder).ok();
    measured
}

fn read(path: &str) -> anyhow::Result<Vec<Article>> {
    let file = File::open(path).with_context(|| format!("opening {path}"))?;
    let plain: Box<dyn Read> =
        if path.ends_with(".zst") { Box::new(zstd::Decoder::new(file)?) } else { Box::new(file) };
    BufReader::new(plain).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// Indexes everything as a rebuild does.
fn index(articles: &[Article], folder: &std::path::Path) -> anyhow::Result<Arc<Volume>> {
    let text: usize = articles.iter().map(|article| article.title.len() + article.body.len()).sum();
    let before = memory("/proc/self/status", "VmRSS:");
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let volume = Arc::new(Shelf::at(folder).start()?);
    let mut writer = volume.writer(WriterSize::Bulk)?;
    for (n, article) in articles.iter().enumerate() {
        writer.insert(&Entry {
            id: n as i64,
            account: 1,
            published_at: 0,
            lang: article.lang.clone(),
            title: article.title.clone(),
            body: article.body.clone(),
            account_name: article.outlet.clone().unwrap_or_default(),
            author: article.author.clone().unwrap_or_default(),
            ..Entry::default()
        })?;
    }
    writer.commit(Progress::default())?;
    writer.finish()?;
    let (seconds, cpu, size) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu, volume.size()?);
    let megabytes = text as f64 / 1e6;
    println!("{} articles, {megabytes:.1} MB of text", articles.len());
    println!(
        "indexed in {seconds:.1} s ({:.0} articles/s, {:.1} MB/s), {cpu:.1} s of CPU ({:.1} MB per CPU second)",
        articles.len() as f64 / seconds,
        megabytes / seconds,
        megabytes / cpu
    );
    println!("index {:.1} MB, {:.2} of the text", size as f64 / 1e6, size as f64 / text as f64);
    println!("memory: {:.0} MB more at the peak\n", memory("/proc/self/status", "VmHWM:") - before);
    Ok(volume)
}

/// Times of searches made from the articles themselves.
fn classes(volume: &Volume, articles: &[Article], seed: u64) -> anyhow::Result<()> {
    let mut random = Random(seed | 1 << 40);
    let mut run = |length: usize| loop {
        let letters: Vec<char> =
            fold::letters(&articles[random.below(articles.len())].body).chars().collect();
        if letters.len() > length {
            let start = random.below(letters.len() - length);
            return letters[start..start + length].iter().collect::<String>();
        }
    };
    let mut pick = Random(seed | 1 << 41);
    let mut title = || articles[pick.below(articles.len())].title.clone();
    println!("{:<24}{:>9}{:>9}{:>9}{:>12}", "searches, ms", "p50", "p95", "p99", "mean total");
    let class = |name: &str, make: &mut dyn FnMut() -> String| -> anyhow::Result<()> {
        let (mut times, mut total) = (Vec::new(), 0);
        for _ in 0..300 {
            let query = make();
            let started = Instant::now();
            total += volume.search(&request(&query))?.total;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| quantile(&mut times, share));
        println!("{name:<24}{p50:>9.2}{p95:>9.2}{p99:>9.2}{:>12.0}", total as f64 / 300.0);
        Ok(())
    };
    class("one character", &mut || run(1))?;
    class("two characters", &mut || run(2))?;
    class("two words", &mut || format!("{} {}", run(2), run(2)))?;
    class("phrase of six", &mut || format!("\"{}\"", run(6)))?;
    class("title", &mut title)?;
    class("forty characters", &mut || run(40))?;
    println!();
    Ok(())
}

fn phrases(volume: &Volume, articles: &[Article], options: &Options) -> anyhow::Result<()> {
    let mut random = Random(options.seed | 1 << 42);
    let (mut asked, mut found, mut returned, mut false_ones) = (0, 0, 0, 0);
    let mut times = Vec::new();
    while asked < options.phrases {
        let at = random.below(articles.len());
        let letters: Vec<char> = articles[at].body.chars().collect();
        let length = 2 + random.below(11);
        if letters.len() <= length {
            continue;
        }
        let start = random.below(letters.len() - length);
        let run: String = letters[start..start + length].iter().collect();
        let folded = fold::letters(&run);
        if run.contains(['"', '“', '”', '„', '＂', '«', '»']) || folded.chars().count() < 2 {
            continue;
        }
        asked += 1;
        let mut request = request(&format!("\"{run}\""));
        request.limit = 1_000;
        let mut here = false;
        loop {
            let started = Instant::now();
            let answer = volume.search(&request)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            here |= answer.hits.iter().any(|hit| hit.article == at as i64);
            for hit in answer.hits.iter().take(20) {
                let hit = &articles[hit.article as usize];
                returned += 1;
                let holds =
                    fold::letters(&hit.body).contains(&folded) || fold::letters(&hit.title).contains(&folded);
                false_ones += usize::from(!holds);
            }
            request.after = answer.next;
            if here || answer.next.is_none() {
                break;
            }
        }
        found += usize::from(here);
        if !here {
            println!("not found: {run:?} of article {at}");
        }
    }
    println!(
        "phrase check: {found} of {asked} random runs found as quoted phrases; {false_ones} of {returned} results looked at do not hold theirs"
    );
    println!("p50 {:.2} ms, p99 {:.2} ms", quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    Ok(())
}

fn request(query: &str) -> Request {
    Request {
        query: parse(query, chrono_tz::Tz::UTC),
        filter: Filter::default(),
        sort: Sort::Relevance,
        limit: 20,
        after: None,
        now: 0,
        facets: false,
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

/// Of this process, in user and system mode.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

/// xorshift: the same runs for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
