//! `cargo bench --bench suggest -- --corpus FILE [--headlines FILE] [--titles 200000] [--pinyin FILE]`:
//! suggestions alone and through the router, on files of articles and headlines (JSON lines with
//! `title`, `outlet`, `tags`; may be `.zst`).
//!
//! Prints how long they take to make and how much memory they need; how long each letter typed takes
//! to answer; how often the right one of 1,000 names and titles is among the first five by pinyin; and
//! the same for pinyin made by another program (`--pinyin`: lines of text, full, initials, by tabs).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::time::Instant;

use anyhow::Context;
use axum::body::Body;
use axum::http::Request;
use clap::Parser;
use serde::Deserialize;
use tower::ServiceExt;
use xiangxun::accounts::{self, By, NewAccount};
use xiangxun::app::App;
use xiangxun::articles::{self, NewArticle};
use xiangxun::config::Config;
use xiangxun::search::suggest::dictionary::{Dictionary, NAMES};
use xiangxun::search::suggest::near::VocabularyBuilder;
use xiangxun::search::suggest::{Known, follower};
use xiangxun::text::{fold, pinyin};

#[derive(Parser)]
struct Options {
    /// Articles, one JSON object a line
    #[arg(long)]
    corpus: Option<String>,
    /// More titles, in the same form
    #[arg(long)]
    headlines: Option<String>,
    /// Titles in all; made up of halves of real ones where there are too few
    #[arg(long, default_value_t = 200_000)]
    titles: usize,
    /// Names and titles of the pinyin set
    #[arg(long, default_value_t = 1_000)]
    set: usize,
    /// Pinyin made elsewhere: text, full, initials, by tabs
    #[arg(long)]
    pinyin: Option<String>,
    /// Writes the pinyin set's texts to a file, for making it elsewhere
    #[arg(long)]
    write_set: Option<String>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Deserialize)]
struct Row {
    title: String,
    #[serde(default)]
    outlet: Option<String>,
}

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let Some(corpus) = &options.corpus else {
        println!("suggest: no --corpus given, nothing to measure");
        return Ok(());
    };
    println!(
        "cargo bench --bench suggest -- {}",
        std::env::args().skip(1).filter(|a| a != "--bench").collect::<Vec<_>>().join(" ")
    );
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} processors, {:.0} GB memory\n", memory("/proc/meminfo", "MemTotal:") / 1024.0);
    let mut rows = read(corpus)?;
    if let Some(headlines) = &options.headlines {
        rows.extend(read(headlines)?);
    }
    let mut names: Vec<String> = rows.iter().filter_map(|row| row.outlet.clone()).collect();
    names.sort();
    names.dedup();
    let mut random = Random(options.seed);
    let real: Vec<String> = rows.into_iter().map(|row| row.title).collect();
    let titles = recombined(&real, options.titles, &mut random);
    let set = choose(&names, &real, options.set, &mut random);
    if let Some(path) = &options.write_set {
        std::fs::write(path, set.join("\n"))?;
    }
    let known = make(&names, &titles);
    keystrokes(&known, &set);
    quality(&known, &names, &titles, &set, &options)?;
    tokio::runtime::Runtime::new()?.block_on(server(&names, &real, &set))
}

fn read(path: &str) -> anyhow::Result<Vec<Row>> {
    let file = File::open(path).with_context(|| format!("opening {path}"))?;
    let plain: Box<dyn Read> =
        if path.ends_with(".zst") { Box::new(zstd::Decoder::new(file)?) } else { Box::new(file) };
    BufReader::new(plain).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// The real ones, then beginnings of some with endings of others.
fn recombined(real: &[String], count: usize, random: &mut Random) -> Vec<String> {
    let mut titles: Vec<String> = real.iter().take(count).cloned().collect();
    while titles.len() < count {
        let [one, other] = [0; 2].map(|_| real[random.below(real.len())].chars().collect::<Vec<_>>());
        titles.push(one[..one.len().div_ceil(2)].iter().chain(&other[other.len() / 2..]).collect());
    }
    titles
}

/// Three of ten are names. Each has four letters at least that Chinese is written with.
fn choose(names: &[String], titles: &[String], count: usize, random: &mut Random) -> Vec<String> {
    let fits = |text: &str| {
        let read = pinyin::read(&fold::fold(text));
        (4..=dictionary_letters()).contains(&read.len())
            && read.iter().filter(|read| read.sound.is_some()).count() * 2 > read.len()
    };
    let mut set = Vec::new();
    while set.len() < count {
        let from = if set.len() % 10 < 3 { names } else { titles };
        let text = &from[random.below(from.len())];
        if fits(text) && !set.contains(text) {
            set.push(text.clone());
        }
    }
    set
}

fn dictionary_letters() -> usize {
    xiangxun::search::suggest::dictionary::LETTERS
}

fn make(names: &[String], titles: &[String]) -> Known {
    let before = memory("/proc/self/status", "VmRSS:");
    let started = Instant::now();
    let ids = |texts: &[String]| texts.iter().cloned().zip(0..).collect::<Vec<(String, i64)>>();
    let accounts = Dictionary::new(ids(names).into_iter().map(|(name, id)| (vec![name], id)), NAMES);
    let sorted = follower::title_dictionary(ids(titles).into_iter());
    let made = started.elapsed();
    let mut words = VocabularyBuilder::default();
    names.iter().for_each(|name| words.name(name, 1_000));
    titles.iter().for_each(|title| words.title(title));
    let known = Known::new(accounts, Dictionary::default(), sorted, words.finish());
    println!(
        "{} names and {} different titles of {}: sorted in {:.1} s, words for near misses in {:.1} s",
        names.len(),
        known.titles(),
        titles.len(),
        made.as_secs_f64(),
        (started.elapsed() - made).as_secs_f64()
    );
    println!(
        "memory: {:.1} MB kept, {:.0} MB more resident, {:.0} MB at the peak\n",
        known.bytes() as f64 / 1e6,
        memory("/proc/self/status", "VmRSS:") - before,
        memory("/proc/self/status", "VmHWM:")
    );
    known
}

/// What is typed for a text.
fn forms(text: &str) -> [(&'static str, String); 7] {
    let read = pinyin::read(&fold::fold(text));
    let full =
        |read: &pinyin::Read| read.sound.map_or(read.letter.to_string(), |sound| sound.text().to_owned());
    let initial = |read: &pinyin::Read| read.sound.map_or(read.letter, |sound| sound.initial());
    let mixed = |(at, read): (usize, &pinyin::Read)| match at % 3 {
        0 => read.letter.to_string(),
        1 => full(read),
        _ => initial(read).to_string(),
    };
    [
        ("full pinyin", read.iter().map(full).collect()),
        ("full, first 4", read.iter().take(4).map(full).collect()),
        ("full, first 8", read.iter().take(8).map(full).collect()),
        ("initials", read.iter().map(initial).collect()),
        ("initials, first 4", read.iter().take(4).map(initial).collect()),
        ("initials, first 8", read.iter().take(8).map(initial).collect()),
        ("mixed, first 8", read.iter().take(8).enumerate().map(mixed).collect()),
    ]
}

/// Every beginning of what would be typed.
fn beginnings(set: &[String]) -> Vec<(&'static str, String)> {
    let mut typed = Vec::new();
    for text in set {
        for (form, all) in forms(text).into_iter().chain([("Chinese", text.chars().take(12).collect())]) {
            if matches!(form, "full pinyin" | "initials" | "mixed, first 8" | "Chinese") {
                let letters: Vec<char> = all.chars().take(30).collect();
                typed.extend((1..=letters.len()).map(|to| (form, letters[..to].iter().collect())));
            }
        }
    }
    typed
}

fn keystrokes(known: &Known, set: &[String]) {
    println!(
        "{:<24}{:>9}{:>9}{:>9}{:>9}{:>10}",
        "each letter typed, ms", "p50", "p95", "p99", "max", "asked"
    );
    let all = beginnings(&set[..set.len().min(200)]);
    for form in ["Chinese", "full pinyin", "initials", "mixed, first 8"] {
        let mut times = Vec::new();
        for (_, typed) in all.iter().filter(|(of, _)| *of == form) {
            let started = Instant::now();
            std::hint::black_box(known.find(typed, 8));
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        print_times(form, &mut times);
    }
    let mut times: Vec<f64> = Vec::new();
    for (_, typed) in all.iter().step_by(37) {
        let started = Instant::now();
        std::hint::black_box(known.proposals(typed));
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    print_times("did you mean", &mut times);
    println!();
}

fn print_times(name: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get(((times.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0.0);
    println!(
        "{name:<24}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{:>10}",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
        times.len()
    );
}

fn quality(
    known: &Known,
    names: &[String],
    titles: &[String],
    set: &[String],
    options: &Options,
) -> anyhow::Result<()> {
    // As shown: accounts first, then titles.
    let among = |typed: &str, text: &str| {
        let found = known.find(typed, 8);
        let shown = found.accounts.iter().map(|id| &names[*id as usize]);
        let wanted = fold::letters(text);
        shown
            .chain(found.titles.iter().map(|id| &titles[*id as usize]))
            .take(5)
            .any(|one| fold::letters(one) == wanted)
    };
    println!("{:<24}{:>9}{:>9}{:>9}", "among the first five", "names", "titles", "all");
    let is_name = |text: &String| names.binary_search(text).is_ok();
    let print = |form: &str, found: &[(bool, bool)]| {
        let share = |of: &dyn Fn(bool) -> bool| {
            let chosen: Vec<bool> = found.iter().filter(|(name, _)| of(*name)).map(|(_, hit)| *hit).collect();
            chosen.iter().filter(|hit| **hit).count() as f64 * 100.0 / chosen.len().max(1) as f64
        };
        println!(
            "{form:<24}{:>8.1}%{:>8.1}%{:>8.1}%",
            share(&|name| name),
            share(&|name| !name),
            share(&|_| true)
        );
    };
    let mut by_form: Vec<(&str, Vec<(bool, bool)>)> = Vec::new();
    for text in set {
        for (at, (form, typed)) in forms(text).into_iter().enumerate() {
            if by_form.len() == at {
                by_form.push((form, Vec::new()));
            }
            by_form[at].1.push((is_name(text), among(&typed, text)));
        }
    }
    by_form.iter().for_each(|(form, found)| print(form, found));
    let Some(path) = &options.pinyin else {
        println!();
        return Ok(());
    };
    let (mut full, mut initials) = (Vec::new(), Vec::new());
    for line in std::fs::read_to_string(path)?.lines() {
        let mut parts = line.split('\t');
        let (Some(text), Some(typed), Some(short)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let text = text.to_owned();
        full.push((is_name(&text), among(typed, &text)));
        initials.push((is_name(&text), among(short, &text)));
    }
    print("full, made elsewhere", &full);
    print("initials, made elsewhere", &initials);
    println!();
    Ok(())
}

/// The same letters through the router, with a database.
async fn server(names: &[String], titles: &[String], set: &[String]) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("xiangxun-bench-{}", std::process::id()));
    let app = App::open(Config { data: folder.clone(), ..Config::default() }).await?;
    let account = {
        let new = |number: usize, name: &str| NewAccount {
            handle: format!("outlet-{number}"),
            name: name.to_owned(),
            bio: String::new(),
            lang: "zh-Hans".into(),
        };
        for (number, name) in names.iter().enumerate().take(200) {
            accounts::open(&app, By::Console, None, &new(number, name)).await?;
        }
        accounts::open(&app, By::Console, None, &new(9_999, "基准")).await?.id
    };
    let now = app.clock.now();
    for (part, titles) in titles.chunks(5_000).enumerate() {
        let article = |(at, title): (usize, &String)| {
            NewArticle::new(account, &format!("{part}-{at}"), title, articles::content::from_plain_text("。"))
        };
        let batch = titles.iter().enumerate().map(article).collect();
        let tx = app.db.begin().await?;
        articles::insert_imported(&tx, now, batch).await?;
        tx.commit().await?;
    }
    let started = Instant::now();
    follower::load(&app).await?;
    println!(
        "{} articles in SQLite: suggestions made in {:.1} s",
        titles.len(),
        started.elapsed().as_secs_f64()
    );
    let site = xiangxun::routes::Site::new(app.clone());
    let mut times = Vec::new();
    for (_, typed) in beginnings(&set[..set.len().min(60)]) {
        let query: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        let request = Request::get(format!("/api/v1/suggest?q={query}")).body(Body::empty())?;
        let started = Instant::now();
        let answer = site.clone().oneshot(request).await?;
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        std::hint::black_box(body);
    }
    println!("{:<24}{:>9}{:>9}{:>9}{:>9}{:>10}", "/api/v1/suggest, ms", "p50", "p95", "p99", "max", "asked");
    print_times("all forms", &mut times);
    app.db.clone().close().await?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A field of a file of /proc, in MB.
fn memory(file: &str, field: &str) -> f64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}
