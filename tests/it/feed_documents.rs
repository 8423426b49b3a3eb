//! What an import makes of each document in tests/fixtures/feeds.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use url::Url;
use xiangxun::db::entities::source::SourceMode;
use xiangxun::import::Failure;
use xiangxun::import::clean::clean_entry;
use xiangxun::import::fetch::unpack;
use xiangxun::import::file::{self, FileError};
use xiangxun::import::parse::{MAX_DOCUMENT_BYTES, ParseError, Repair, parse_feed};
use xiangxun::page::Locale;

use crate::support::{Backend, TestApp};

fn read(path: &Path) -> String {
    let packed = std::fs::read(path).unwrap();
    let bytes = unpack(&packed, None, MAX_DOCUMENT_BYTES).unwrap();
    let url = Url::parse("https://news.example.org/feed.xml").unwrap();
    let now = "2026-01-03T04:00:00Z".parse().unwrap();
    match parse_feed(&bytes, None, Some(&url), now) {
        Err(why) => why.key().to_owned(),
        Ok(feed) => {
            let repairs: Vec<&str> = feed.repairs.iter().map(|repair| (*repair).into()).collect();
            let title = feed.title.unwrap_or_default();
            let count = feed.entries.len();
            let first = feed
                .entries
                .into_iter()
                .next()
                .map(|entry| clean_entry(entry, feed.link.as_ref(), Some(&url)));
            let (name, date) = first.map_or_else(Default::default, |entry| {
                let date = entry.date.map(|date| date.to_rfc3339_opts(SecondsFormat::Secs, true));
                (entry.title, date.unwrap_or_default())
            });
            format!("{count}\t{title}\t{name}\t{date}\t{}", repairs.join(","))
        }
    }
}

#[test]
fn every_document_is_imported_or_refused_as_expected() {
    let folder = Path::new("tests/fixtures/feeds");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|path| std::fs::read_dir(path).unwrap().map(|item| item.unwrap().path()))
        .collect();
    files.sort();
    let mut found = String::from("document\tentries or error\tfeed\tfirst entry\tdate\trepairs\n");
    for path in &files {
        writeln!(found, "{}\t{}", path.strip_prefix(folder).unwrap().display(), read(path)).unwrap();
    }
    let expected_path = folder.join("expected.tsv");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&expected_path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(expected_path).unwrap();
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// Every file below a folder.
fn files_below(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The most memory that this process ever took, in bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// `XIANGXUN_TEST_FEEDS=DIR` names a folder of documents; without it only the fixtures are read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corpus_of_documents_is_imported_or_refused_with_words() {
    let folder = std::env::var_os("XIANGXUN_TEST_FEEDS").unwrap_or("tests/fixtures/feeds".into());
    let app = TestApp::start(Backend::Sqlite).await;
    // Nobody fetches their covers.
    app.allow_unfinished_jobs();
    let (account, _) = app.account("corpus").await;
    let mut files = Vec::new();
    files_below(Path::new(&folder), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no files below {}", folder.display());
    let before = peak_memory();
    let (mut imported, mut entries, mut slowest) = (0, 0, Duration::ZERO);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let started = Instant::now();
        match file::import_file(&app.app, &account, &bytes, SourceMode::Publish).await {
            Ok(done) => {
                imported += 1;
                entries += done.entries;
            }
            Err(FileError::House(error)) => panic!("{}: {error}", path.display()),
            Err(FileError::Packed(why)) => *refused.entry(Failure::from(&why).key).or_default() += 1,
            Err(FileError::Document(why)) => {
                // A panic is caught and would be told as this.
                assert!(!matches!(why, ParseError::Unreadable(_)), "{}: {why}", path.display());
                *refused.entry(Failure::from(&why).key).or_default() += 1;
            }
        }
        slowest = slowest.max(started.elapsed());
        assert!(started.elapsed() < Duration::from_secs(60), "{} takes too long", path.display());
    }
    for (key, count) in &refused {
        for locale in [Locale::ZhHans, Locale::ZhHant, Locale::En] {
            assert_ne!(&locale.text(key), key, "no words for {key}");
        }
        println!("{count:>5} refused: {}", Locale::En.text(key));
    }
    let grown = (peak_memory() - before) / 1024 / 1024;
    println!(
        "{} documents: {imported} imported with {entries} entries, {} refused; slowest {slowest:.1?}, {grown} MB more memory",
        files.len(),
        refused.values().sum::<usize>()
    );
    assert!(grown < 256, "{grown} MB");
    app.allow_unfinished_jobs();
    app.finish().await;
}

fn parse(document: &str) -> xiangxun::import::parse::ParsedFeed {
    parse_feed(document.as_bytes(), None, None, chrono::Utc::now()).unwrap()
}

#[test]
fn nesting_a_hundred_thousand_deep_is_read_without_harm() {
    let deep = format!(
        "<rss><channel><title>深</title><item><title>甲</title><description>{}文字{}</description></item></channel></rss>",
        "<a>".repeat(100_000),
        "</a>".repeat(100_000)
    );
    let feed = parse(&deep);
    let entry = clean_entry(feed.entries.into_iter().next().unwrap(), None, None);
    assert!(entry.html.contains("文字") && entry.html.len() < 1_000_000, "{}", entry.html.len());
    let elements = format!("<feed>{}", "<x>".repeat(1_000_000));
    assert!(parse_feed(elements.as_bytes(), None, None, chrono::Utc::now()).is_err());
    let json =
        format!("{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":{}", "[".repeat(1_000_000));
    assert!(parse_feed(json.as_bytes(), None, None, chrono::Utc::now()).is_err());
}

#[test]
fn a_document_of_nothing_but_entries_keeps_a_bounded_number() {
    let many = format!(
        "<rss><channel><title>多</title>{}</channel></rss>",
        "<item><title>a</title><guid>b</guid></item>".repeat(20_000)
    );
    let feed = parse(&many);
    assert!(feed.repairs.contains(&Repair::TooManyEntries));
    // They are all the same one.
    assert_eq!(feed.entries.len(), 1);
}

#[test]
fn an_author_with_a_mail_address_in_full_width_brackets_is_read() {
    let feed = parse(
        "<rss><channel><item><title>甲</title><author>张三（zhang@example.org）</author></item></channel></rss>",
    );
    assert_eq!(feed.entries[0].author.as_deref(), Some("张三"));
}

#[test]
fn any_bytes_are_read_without_panic() {
    let samples: Vec<Vec<u8>> = [
        "feedsmith/atom-03.xml",
        "chinese/gbk.xml",
        "feedparser/json__example.json",
        "hostile/xss-description.xml",
    ]
    .iter()
    .map(|name| std::fs::read(Path::new("tests/fixtures/feeds").join(name)).unwrap())
    .collect();
    proptest::proptest!(proptest::test_runner::Config::with_cases(400), |(which in 0usize..4, from: u16, length in 0usize..40, noise: Vec<u8>)| {
        let mut bytes = samples[which].clone();
        let from = usize::from(from) % bytes.len();
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, noise);
        if let Ok(feed) = parse_feed(&bytes, Some("text/xml; charset=gbk"), None, chrono::Utc::now()) {
            for entry in feed.entries {
                clean_entry(entry, feed.link.as_ref(), None);
            }
        }
    });
}
