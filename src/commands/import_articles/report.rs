//! What the import did, in numbers.

use std::path::Path;
use std::time::Duration;

use crate::app::App;

#[derive(Default)]
pub struct Report {
    /// Articles in the file, refused lines not counted.
    pub read: usize,
    /// Those that were not there before.
    pub new: usize,
    pub refused: usize,
    pub accounts: usize,
    /// Titles and bodies in UTF-8.
    pub text_bytes: u64,
    /// From the first line read to the last article committed.
    pub writing: Duration,
    /// From the first line read until everything can be searched; none if the index was left alone.
    pub searchable: Option<Duration>,
    /// The index alone, after the writing.
    pub indexing: Option<Duration>,
}

impl Report {
    pub fn print(&self, app: &App) {
        println!(
            "articles      {} read, {} new, {} there already; {} lines refused",
            self.read,
            self.new,
            self.read - self.new,
            self.refused
        );
        println!("accounts      {}", self.accounts);
        println!("text          {}", megabytes(self.text_bytes));
        self.print_pace("database", self.writing);
        if let Some(time) = self.indexing {
            self.print_pace("index alone", time);
        }
        if let Some(time) = self.searchable {
            self.print_pace("searchable", time);
            let index = folder_size(&app.config.data.join("index"));
            let share = index as f64 / self.text_bytes.max(1) as f64;
            println!("index         {}, {share:.2} of the text", megabytes(index));
        }
        if let Some(peak) = peak_memory() {
            println!("peak memory   {}", megabytes(peak));
        }
    }

    fn print_pace(&self, what: &str, time: Duration) {
        let pace = self.read as f64 / time.as_secs_f64().max(0.001);
        println!("{what:<13} {:.1} s, {pace:.0} articles/s", time.as_secs_f64());
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(kind) if kind.is_dir() => folder_size(&entry.path()),
            Ok(kind) => kind.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The most memory this process has had, from the kernel's notes.
fn peak_memory() -> Option<u64> {
    let notes = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = notes.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
