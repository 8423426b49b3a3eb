//! Reads every feed document under a folder as an import would (unpack, parse, clean) and prints, by
//! folder, how many were imported, how many refused and why, and the longest time and largest memory
//! that one document took.
//!
//!     cargo bench --bench feeds -- FOLDER [--each]
//!
//! `--each` prints a line for every document too. Without a folder it reads tests/fixtures/feeds.
//! Exits with 1 when a document makes the reader panic, takes over 10 s, or over 256 MB.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use url::Url;
use xiangxun::import::clean::clean_entry;
use xiangxun::import::fetch::unpack;
use xiangxun::import::parse::{MAX_DOCUMENT_BYTES, parse_feed};

const MAX_TIME: Duration = Duration::from_secs(10);
const MAX_MEMORY: usize = 256 * 1024 * 1024;

/// Counts what is allocated, so that a document's memory can be told from the process's.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What became of one document.
struct Outcome {
    /// Entries, or the reason for refusing it.
    result: Result<usize, String>,
    repairs: Vec<&'static str>,
    detail: String,
    time: Duration,
    memory: usize,
}

#[derive(Default)]
struct Row {
    documents: usize,
    bytes: usize,
    imported: usize,
    entries: usize,
    repaired: usize,
    refused: BTreeMap<String, usize>,
    time: Duration,
    memory: usize,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| a != "--bench" && a != "--test").collect();
    let each = arguments.iter().any(|a| a == "--each");
    let folder =
        arguments.iter().find(|a| !a.starts_with("--")).map_or("tests/fixtures/feeds", String::as_str);
    let mut files = Vec::new();
    collect(Path::new(folder), &mut files);
    files.sort();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut broken = 0;
    for file in &files {
        let bytes = std::fs::read(file).expect("a readable file");
        let size = bytes.len();
        let outcome = measure(bytes);
        let name = file.strip_prefix(folder).unwrap_or(file);
        let group = name.parent().map(|p| p.display().to_string()).unwrap_or_default();
        if each {
            print_document(name, &outcome);
        }
        if outcome.time > MAX_TIME || outcome.memory > MAX_MEMORY || is_broken(&outcome) {
            broken += 1;
            eprintln!(
                "BROKEN {}: {:?}, {:?}, {} MB",
                name.display(),
                outcome.result,
                outcome.time,
                outcome.memory >> 20
            );
        }
        add(rows.entry(group).or_default(), size, &outcome);
    }
    print_table(&rows);
    std::process::exit(i32::from(broken > 0));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).expect("a folder of feed documents") {
        let path = item.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none_or(|e| e != "md") {
            files.push(path);
        }
    }
}

fn is_broken(outcome: &Outcome) -> bool {
    outcome.result.as_ref().is_err_and(|why| why == "panic" || why == "hang")
}

/// Reads one document in a thread of its own, so that a panic or an endless loop is seen and named.
fn measure(bytes: Vec<u8>) -> Outcome {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let started = Instant::now();
    let (send, receive) = mpsc::channel();
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(move || {
        let _ = send.send(import(&bytes));
    });
    let (result, repairs, detail) = match receive.recv_timeout(MAX_TIME * 2) {
        Ok(read) => read,
        Err(mpsc::RecvTimeoutError::Timeout) => (Err("hang".into()), Vec::new(), String::new()),
        Err(mpsc::RecvTimeoutError::Disconnected) => (Err("panic".into()), Vec::new(), String::new()),
    };
    let time = started.elapsed();
    if result.as_ref().is_ok_and(|_| true) {
        let _ = thread.map(std::thread::JoinHandle::join);
    }
    Outcome { result, repairs, detail, time, memory: PEAK.load(Ordering::Relaxed).saturating_sub(before) }
}

type Read = (Result<usize, String>, Vec<&'static str>, String);

fn import(packed: &[u8]) -> Read {
    let now = "2026-11-01T00:00:00Z".parse().expect("a date");
    let bytes = match unpack(packed, None, MAX_DOCUMENT_BYTES) {
        Ok(bytes) => bytes,
        Err(why) => return (Err(why.to_string()), Vec::new(), String::new()),
    };
    let content_type = stated_header(&bytes, "Content-type");
    let url = stated_header(&bytes, "Content-Location").and_then(|url| Url::parse(&url).ok());
    let url = url.or_else(|| Url::parse("https://feeds.example.org/feed.xml").ok());
    match parse_feed(&bytes, content_type.as_deref(), url.as_ref(), now) {
        Err(why) => {
            let reason = why.to_string();
            let short = reason.split(": ").next().unwrap_or_default().to_owned();
            (Err(short), Vec::new(), reason)
        }
        Ok(feed) => {
            let link = feed.link;
            let count = feed.entries.len();
            let title = feed.title.clone().unwrap_or_default();
            let mut first = String::new();
            for entry in feed.entries {
                let clean = clean_entry(entry, link.as_ref(), url.as_ref());
                if first.is_empty() {
                    first = format!(
                        "{} | {:?} | {}",
                        clean.title,
                        clean.date.map(|d| d.to_rfc3339()),
                        clean.html.chars().take(60).collect::<String>()
                    );
                }
            }
            (
                Ok(count),
                feed.repairs.into_iter().map(Into::into).collect(),
                format!("{title} | {first}").replace(['\n', '\t'], " "),
            )
        }
    }
}

/// The conformance documents state in a comment with which HTTP header they are served.
fn stated_header(bytes: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let line = head.lines().find(|line| line.trim_start().starts_with("Header:") && line.contains(name))?;
    Some(line.split_once(name)?.1.trim_start_matches(':').trim().to_owned())
}

fn print_document(name: &Path, outcome: &Outcome) {
    let result = match &outcome.result {
        Ok(count) => format!("{count} entries"),
        Err(why) => format!("REFUSED {why}"),
    };
    let repairs = outcome.repairs.join(",");
    println!(
        "{}\t{result}\t{repairs}\t{:?}\t{} kB\t{}",
        name.display(),
        outcome.time,
        outcome.memory >> 10,
        outcome.detail
    );
}

fn add(row: &mut Row, size: usize, outcome: &Outcome) {
    row.documents += 1;
    row.bytes += size;
    match &outcome.result {
        Ok(count) => {
            row.imported += 1;
            row.entries += count;
        }
        Err(why) => *row.refused.entry(why.clone()).or_default() += 1,
    }
    row.repaired += usize::from(!outcome.repairs.is_empty());
    row.time = row.time.max(outcome.time);
    row.memory = row.memory.max(outcome.memory);
}

fn print_table(rows: &BTreeMap<String, Row>) {
    println!(
        "| folder | documents | MB | imported | entries | repaired | refused | longest ms | most MB | why refused |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    let mut total = Row::default();
    for (folder, row) in rows {
        print_row(folder, row);
        total.documents += row.documents;
        total.bytes += row.bytes;
        total.imported += row.imported;
        total.entries += row.entries;
        total.repaired += row.repaired;
        total.time = total.time.max(row.time);
        total.memory = total.memory.max(row.memory);
        for (why, count) in &row.refused {
            *total.refused.entry(why.clone()).or_default() += count;
        }
    }
    print_row("all", &total);
}

fn print_row(name: &str, row: &Row) {
    let why: Vec<String> = row.refused.iter().map(|(why, count)| format!("{count} {why}")).collect();
    println!(
        "| {name} | {} | {:.1} | {} | {} | {} | {} | {:.0} | {:.1} | {} |",
        row.documents,
        row.bytes as f64 / 1e6,
        row.imported,
        row.entries,
        row.repaired,
        row.refused.values().sum::<usize>(),
        row.time.as_secs_f64() * 1e3,
        row.memory as f64 / 1e6,
        why.join("; ")
    );
}
