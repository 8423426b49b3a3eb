//! How long searches take, by kind, and how many two threads do in a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use xiangxun::search::index::Volume;
use xiangxun::search::query::Filter;
use xiangxun::search::rank::{Request, Sort};
use xiangxun::text::{fold, segment};

use super::corpus::Article;
use super::random::Random;
use super::{Options, quantile, request};

const SEARCHES: usize = 300;
const LOAD: Duration = Duration::from_secs(5);

pub fn measure(volume: &Volume, articles: &[Article], options: &Options) -> anyhow::Result<()> {
    println!(
        "{:<26}{:>9}{:>9}{:>9}{:>12}{:>14}",
        "searches, ms", "p50", "p95", "p99", "mean total", "2 threads, /s"
    );
    let classes = classes(articles, options.seed);
    for (name, requests) in classes.into_iter().filter(|(name, _)| name.contains(&options.kind)) {
        let (mut times, mut total) = (Vec::new(), 0);
        for request in &requests {
            let started = Instant::now();
            total += volume.search(request)?.total;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| quantile(&mut times, share));
        let rate = load(volume, &requests);
        let mean = total as f64 / requests.len() as f64;
        println!("{name:<26}{p50:>9.2}{p95:>9.2}{p99:>9.2}{mean:>12.0}{rate:>14.0}");
    }
    println!();
    Ok(())
}

/// Two threads, one search after another each.
fn load(volume: &Volume, requests: &[Request]) -> f64 {
    let (next, started) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while started.elapsed() < LOAD {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    volume.search(&requests[n % requests.len()]).expect("searches of this corpus succeed");
                }
            });
        }
    });
    next.into_inner() as f64 / started.elapsed().as_secs_f64()
}

/// Requests of each kind, made from the articles themselves.
fn classes(articles: &[Article], seed: u64) -> Vec<(&'static str, Vec<Request>)> {
    let words = Words::of(articles, seed);
    let mut random = Random::new(seed + 1);
    let mut many =
        |make: &mut dyn FnMut(&mut Random) -> Request| (0..SEARCHES).map(|_| make(&mut random)).collect();
    let mut classes = vec![
        ("one word", many(&mut |r| request(words.any(r)))),
        ("two words", many(&mut |r| request(&format!("{} {}", words.any(r), words.any(r))))),
        (
            "phrase of 4 to 8 letters",
            many(&mut |r| {
                let length = 4 + r.below(5);
                request(&format!("\"{}\"", run(articles, length, r)))
            }),
        ),
        ("a title", many(&mut |r| request(&articles[r.below(articles.len())].title))),
        ("a sentence of 40 letters", many(&mut |r| request(&run(articles, 40, r)))),
        (
            "filtered by account, year",
            many(&mut |r| {
                let year = 2016 + r.below(10) as i32;
                let start = |year| {
                    chrono::NaiveDate::from_ymd_opt(year, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0))
                };
                let start = |year| start(year).map(|at| at.and_utc().timestamp_millis());
                let filter = Filter {
                    accounts: Some(vec![r.below(10) as i64]),
                    from: start(year),
                    to: start(year + 1),
                    ..Filter::default()
                };
                Request { filter, ..request(words.any(r)) }
            }),
        ),
        (
            "one word, with facets",
            many(&mut |r| Request { facets: Some(chrono_tz::Tz::UTC), ..request(words.any(r)) }),
        ),
        ("one word, newest first", many(&mut |r| Request { sort: Sort::Newest, ..request(words.any(r)) })),
        ("one letter", many(&mut |r| request(&run(articles, 1, r)))),
        ("a rare word", many(&mut |r| request(words.rare(r)))),
        ("the 50 commonest words", many(&mut |r| request(&words.common[r.below(50)]))),
    ];
    classes.extend(NASTY.map(|(name, kind)| (name, many(&mut |r| nasty(kind, articles, &words, r)))));
    classes
}

/// What takes long, each with facets.
#[derive(Clone, Copy)]
enum Nasty {
    /// Many words that are everywhere.
    All,
    Any,
    /// Nearly everything.
    AllBut,
    Letters,
    /// A pasted page.
    Page,
}

const NASTY: [(&str, Nasty); 5] = [
    ("nasty: 30 common words", Nasty::All),
    ("nasty: any of 30", Nasty::Any),
    ("nasty: all but one", Nasty::AllBut),
    ("nasty: ten letters", Nasty::Letters),
    ("nasty: 1,000 letters", Nasty::Page),
];

fn nasty(kind: Nasty, articles: &[Article], words: &Words, random: &mut Random) -> Request {
    let mut common = |count, between: &str| {
        let words: Vec<&str> = (0..count).map(|_| words.common[random.below(50)].as_str()).collect();
        words.join(between)
    };
    let text = match kind {
        Nasty::All => common(30, " "),
        Nasty::Any => common(30, " OR "),
        Nasty::AllBut => format!("-{}", common(1, "")),
        Nasty::Letters => "的 一 是 在 不 了 有 和 人 这".to_owned(),
        Nasty::Page => run(articles, 1_000, random),
    };
    Request { facets: Some(chrono_tz::Tz::UTC), ..request(&text) }
}

/// Letters that stand one after another in an article.
fn run(articles: &[Article], length: usize, random: &mut Random) -> String {
    for _ in 0..10_000 {
        let letters: Vec<char> =
            fold::letters(&articles[random.below(articles.len())].body).chars().collect();
        if letters.len() > length {
            let start = random.below(letters.len() - length);
            return letters[start..start + length].iter().collect();
        }
    }
    "没有".repeat(length.div_ceil(2))
}

/// Words of two to four letters.
struct Words {
    /// As often as they are in the texts.
    running: Vec<String>,
    rare: Vec<String>,
    common: Vec<String>,
}

impl Words {
    fn of(articles: &[Article], seed: u64) -> Words {
        let mut random = Random::new(seed + 2);
        let mut running = Vec::new();
        for _ in 0..2_000 {
            let text = fold::fold(&articles[random.below(articles.len())].body);
            let words = segment::words(&text);
            let words = words.into_iter().filter(|word| fold::letters(word).len() == word.len());
            running.extend(words.filter(|word| (2..=4).contains(&word.chars().count())).map(str::to_owned));
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        running.iter().for_each(|word| *counts.entry(word).or_default() += 1);
        let mut common: Vec<(&str, usize)> = counts.iter().map(|(word, count)| (*word, *count)).collect();
        common.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        let mut rare: Vec<String> =
            counts.iter().filter(|(_, count)| **count == 1).map(|(word, _)| (*word).to_owned()).collect();
        rare.sort();
        let common = common.into_iter().take(50).map(|(word, _)| word.to_owned()).collect();
        Words { common, rare, running }
    }

    fn any(&self, random: &mut Random) -> &str {
        &self.running[random.below(self.running.len())]
    }

    fn rare(&self, random: &mut Random) -> &str {
        &self.rare[random.below(self.rare.len())]
    }
}
