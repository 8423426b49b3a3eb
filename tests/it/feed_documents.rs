//! What an import makes of each document in tests/fixtures/feeds.

use std::fmt::Write;
use std::path::Path;

use chrono::SecondsFormat;
use url::Url;
use xiangxun::import::clean::clean_entry;
use xiangxun::import::fetch::unpack;
use xiangxun::import::parse::{MAX_DOCUMENT_BYTES, Repair, parse_feed};

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
