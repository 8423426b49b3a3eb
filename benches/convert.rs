//! `cargo bench --bench convert [-- --rounds 400]`: how long an article of 5,000 characters takes to convert, in
//! each direction that readers are shown, alone and as HTML; and how long the dictionaries take to unpack.
//!
//! The text is the golden file of OpenCC's tests, cut to 5,000 characters.

#[expect(dead_code, unused_imports, reason = "other benches need the rest")]
mod support;

use std::time::{Duration, Instant};

use clap::Parser;
use xiangxun::shown::Shown;
use xiangxun::text::convert::Direction;

const HANS: &str = include_str!("../tests/fixtures/opencc/golden.txt");
const HANT: &str = include_str!("../tests/fixtures/opencc/golden.s2t.txt");
const CHARACTERS: usize = 5_000;

#[derive(Parser)]
struct Options {
    /// Conversions in each direction
    #[arg(long, default_value_t = 400)]
    rounds: usize,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    println!("cargo bench --bench convert -- --rounds {}", options.rounds);
    println!("{}", support::machine());
    println!("article of {CHARACTERS} characters, milliseconds: median / 99th percentile / slowest");
    let [hans, hant] = [HANS, HANT].map(|text| text.chars().take(CHARACTERS).collect::<String>());
    for (direction, text) in [
        (Direction::S2t, &hans),
        (Direction::T2s, &hant),
        (Direction::S2tw, &hans),
        (Direction::S2twp, &hans),
        (Direction::S2hk, &hans),
        (Direction::S2hkp, &hans),
        (Direction::Tw2s, &hant),
        (Direction::Tw2sp, &hant),
        (Direction::Hk2s, &hant),
    ] {
        let name: &str = direction.into();
        let started = Instant::now();
        direction.convert("一");
        let unpacked = started.elapsed();
        let times = times(options.rounds, || direction.convert(text).len());
        println!("{name:<8} {}   dictionaries {:.0} ms", figures(&times), milliseconds(unpacked));
    }
    for (name, shown, lang, text) in [
        ("HTML, zh-Hans for Taiwan", Shown::HantTw, "zh-Hans", &hans),
        ("HTML, zh-Hans for Hong Kong", Shown::HantHk, "zh-Hans", &hans),
        ("HTML, zh-Hant in Simplified", Shown::Hans, "zh-Hant", &hant),
        ("HTML, zh-Hant-TW in Simplified", Shown::Hans, "zh-Hant-TW", &hant),
    ] {
        let html = html(text);
        let times = times(options.rounds, || shown.html(&html, lang).len());
        println!("{name:<32} {}", figures(&times));
    }
}

/// Paragraphs with a link, something bold and a picture now and then.
fn html(text: &str) -> String {
    let paragraph = |(index, line): (usize, &str)| match index % 4 {
        0 => format!("<h2>{line}</h2>"),
        1 => format!("<p><strong>{line}</strong></p>"),
        2 => format!("<p>{line}<a href=\"https://news.test/\" rel=\"noopener\">全文</a></p>"),
        _ => format!("<p>{line}</p><figure><img src=\"/media/1/a.jpg\" alt=\"插图\"></figure>"),
    };
    text.lines().filter(|line| !line.is_empty()).enumerate().map(paragraph).collect()
}

fn times(rounds: usize, mut work: impl FnMut() -> usize) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..rounds.max(1))
        .map(|_| {
            let started = Instant::now();
            std::hint::black_box(work());
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn figures(times: &[Duration]) -> String {
    let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
    format!("{:.3} / {:.3} / {:.3}", at(0.5), at(0.99), at(1.0))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
