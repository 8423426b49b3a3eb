//! `cargo bench --bench alerts -- --corpus FILE [--alerts 100000] [--articles 2000] [--seed 1]`: saved
//! searches against new articles, on one core, from a file of articles (JSON lines with `title`, `body`,
//! `lang`, ...; may be `.zst`).
//!
//! The searches are made of the corpus itself: one to three words, phrases, alternatives, exclusions,
//! some with filters. Prints how long they take to be read and filed and how much memory they take,
//! then how long an article takes to find those that it matches, its folding included. A part of the
//! answers is compared with those of every search looked at by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use xiangxun::alerts::percolate::{Article, Frequencies, Percolator};
use xiangxun::search::query::parse::parse;
use xiangxun::search::query::{Atom, Parsed};
use xiangxun::search::schema::Entry;
use xiangxun::text::segment;

#[path = "support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

/// Articles whose letters are counted before the searches are filed, as a node does.
const SAMPLE: usize = 1_000;
/// Articles for which every search is looked at by itself.
const CHECKED: usize = 20;

#[derive(Parser)]
struct Options {
    /// Articles, one JSON object a line
    #[arg(long)]
    corpus: Option<String>,
    /// Saved searches
    #[arg(long, default_value_t = 100_000)]
    alerts: usize,
    /// Articles matched
    #[arg(long, default_value_t = 2_000)]
    articles: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Deserialize)]
struct Line {
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
        println!("alerts: no --corpus given, nothing to measure");
        return Ok(());
    };
    println!(
        "cargo bench --bench alerts -- --corpus {corpus} --alerts {} --articles {} --seed {}",
        options.alerts, options.articles, options.seed
    );
    println!("{}\n", support::machine());
    let entries = read(corpus)?;
    let mut dice = StdRng::seed_from_u64(options.seed);
    segment::load();
    let texts: Vec<String> = (0..options.alerts).map(|_| saved_search(&mut dice, &entries)).collect();
    for (number, text) in texts.iter().take(12).enumerate() {
        println!("search {}: {text}", number + 1);
    }

    let started = Instant::now();
    let queries: Vec<Parsed> = texts.iter().map(|text| resolved(parse(text, chrono_tz::Tz::UTC))).collect();
    let reading = started.elapsed();
    let started = Instant::now();
    let mut frequencies = Frequencies::default();
    for entry in entries.iter().rev().take(SAMPLE) {
        frequencies.count(&Article::new(entry));
    }
    let counting = started.elapsed();
    let read_into = resident();
    let started = Instant::now();
    let mut percolator = Percolator::new(frequencies);
    queries.iter().enumerate().for_each(|(id, query)| percolator.insert(id as i64, query));
    let filing = started.elapsed();
    println!(
        "\n{} searches of {} articles: read in {reading:.2?}, filed in {filing:.2?} ({SAMPLE} articles counted in \
         {counting:.2?})\nmemory: {:.0} MB for the searches as filed, {:.0} MB for the process with the corpus",
        percolator.len(),
        entries.len(),
        resident() - read_into,
        resident()
    );

    let chosen: Vec<&Entry> =
        (0..options.articles).map(|_| &entries[dice.random_range(0..entries.len())]).collect();
    let mut times = Vec::new();
    let (mut folding, mut met, mut matched) = (Duration::ZERO, 0, 0);
    for entry in &chosen {
        let started = Instant::now();
        let article = Article::new(entry);
        let folded = started.elapsed();
        let ids = percolator.matches(&article);
        times.push(started.elapsed());
        folding += folded;
        matched += ids.len();
        met += percolator.count_candidates(&article);
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let count = chosen.len() as f64;
    println!(
        "{} articles on one core: p50 {:.2?}, p95 {:.2?}, p99 {:.2?}, longest {:.2?}; {:.2?} of the mean is folding",
        chosen.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
        folding / chosen.len() as u32
    );
    println!("an article meets {:.0} searches and matches {:.0}", met as f64 / count, matched as f64 / count);
    check(&percolator, &queries, &chosen)
}

/// Every search looked at by itself, in a percolator of its own that files nothing under letters.
fn check(percolator: &Percolator, queries: &[Parsed], chosen: &[&Entry]) -> anyhow::Result<()> {
    let articles: Vec<Article> = chosen.iter().take(CHECKED).map(|entry| Article::new(entry)).collect();
    let mut expected: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); articles.len()];
    for (id, query) in queries.iter().enumerate() {
        let mut alone = Percolator::default();
        alone.insert(0, query);
        for (article, expected) in articles.iter().zip(&mut expected) {
            if !alone.matches(article).is_empty() {
                expected.insert(id as i64);
            }
        }
    }
    for (article, expected) in articles.iter().zip(expected) {
        let found: BTreeSet<i64> = percolator.matches(article).into_iter().collect();
        anyhow::ensure!(found == expected, "{:?} differ", found.symmetric_difference(&expected));
    }
    println!("{} articles against each search by itself: the same answers", articles.len());
    Ok(())
}

/// Accounts have no rows here: the number in the handle is the id.
fn resolved(mut query: Parsed) -> Parsed {
    let handles = query.handles().map(str::to_owned).collect::<Vec<_>>();
    let ids = handles.into_iter().filter_map(|handle| {
        let id = handle.strip_prefix("outlet")?.parse().ok()?;
        Some((handle, id))
    });
    query.resolve(&ids.collect());
    debug_assert!(
        query
            .clauses
            .iter()
            .flat_map(|clause| &clause.any)
            .all(|atom| { !matches!(atom, Atom::Account { id: None, .. }) })
    );
    query
}

/// A search as a reader of this archive might save it.
fn saved_search(dice: &mut StdRng, entries: &[Entry]) -> String {
    let words = |dice: &mut StdRng, count: usize| {
        let entry = &entries[dice.random_range(0..entries.len())];
        (0..count).map(|_| word(dice, entry)).collect::<Vec<_>>().join(" ")
    };
    let count = dice.random_range(1..=3);
    match dice.random_range(0..20) {
        0..9 => words(dice, count),
        9..13 => format!("\"{}\"", run(dice, entries)),
        13 => format!("{} -{}", words(dice, 1), words(dice, 1)),
        14 => format!("{} OR {}", words(dice, 1), words(dice, 1)),
        15 => format!("title:{}", words(dice, 1)),
        16 => format!("{} from:@outlet{}", words(dice, 1), dice.random_range(0..20)),
        17 => format!("{} lang:zh-Hant", words(dice, 2)),
        18 => format!("{} \"{}\"", words(dice, 1), run(dice, entries)),
        // Now and then somebody wants all of an outlet.
        _ if dice.random_ratio(1, 10) => format!("from:@outlet{}", dice.random_range(0..1_000)),
        _ => words(dice, 2),
    }
}

/// A word of two letters or more from the text, the title half of the time.
fn word(dice: &mut StdRng, entry: &Entry) -> String {
    let text = if dice.random_ratio(1, 2) { &entry.title } else { &entry.body };
    let sentence: Vec<&str> = text.split(['。', '，', '\n', '、']).collect();
    let words: Vec<&str> = segment::words(sentence[dice.random_range(0..sentence.len())])
        .into_iter()
        .filter(|word| word.chars().filter(|c| c.is_alphanumeric()).count() > 1 && !word.contains(':'))
        .collect();
    match words.len() {
        0 => entry.title.chars().filter(|c| c.is_alphanumeric()).take(4).collect(),
        count => words[dice.random_range(0..count)].to_owned(),
    }
}

/// Four to eight characters in a row.
fn run(dice: &mut StdRng, entries: &[Entry]) -> String {
    let entry = &entries[dice.random_range(0..entries.len())];
    let letters: Vec<char> = entry.body.chars().filter(|c| c.is_alphanumeric()).collect();
    if letters.len() < 8 {
        return entry.title.clone();
    }
    let length = dice.random_range(4..=8);
    let start = dice.random_range(0..=letters.len() - length);
    letters[start..start + length].iter().collect()
}

fn read(path: &str) -> anyhow::Result<Vec<Entry>> {
    let file = File::open(path).with_context(|| format!("opening {path}"))?;
    let reader: Box<dyn Read> =
        if path.ends_with(".zst") { Box::new(zstd::Decoder::new(file)?) } else { Box::new(file) };
    let mut outlets = std::collections::HashMap::new();
    let mut entries = Vec::new();
    for line in BufReader::new(reader).lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let name = line.outlet.unwrap_or_default();
        let known = outlets.len() as i64;
        let account = *outlets.entry(name.clone()).or_insert(known);
        entries.push(Entry {
            id: entries.len() as i64 + 1,
            account,
            account_handle: format!("outlet{account}"),
            account_name: name,
            title: line.title,
            body: line.body,
            lang: line.lang,
            author: line.author.unwrap_or_default(),
            ..Entry::default()
        });
    }
    anyhow::ensure!(!entries.is_empty(), "{path} holds no articles");
    Ok(entries)
}

/// Memory of this process, in MB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kilobytes: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0.0);
    kilobytes / 1024.0
}
