//! Reading and parsing, on threads of their own: the writer waits for neither disk nor text work.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::row;
use crate::articles::NewArticle;
use crate::clock::Timestamp;

/// Lines handed on at a time.
const CHUNK: usize = 128;
/// Chunks that may wait for the next stage: what bounds the memory.
const WAITING: usize = 8;
/// A line longer than this is refused, not read into memory.
const LINE_LIMIT: usize = 16 << 20;

/// What became of a line.
pub enum Parsed {
    Ready {
        outlet: String,
        article: Box<NewArticle>,
    },
    Refused {
        line: usize,
        reason: String,
    },
    /// The file cannot be read on.
    Broken(std::io::Error),
}

/// Starts to read a file: its progress, and chunks of parsed lines in no strict order.
pub fn start(path: &Path, undated: Timestamp) -> anyhow::Result<(ProgressBar, mpsc::Receiver<Vec<Parsed>>)> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let bar = ProgressBar::new(file.metadata()?.len()).with_style(
        ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}  {elapsed} (left: {eta})")
            .expect("the template is fixed"),
    );
    let lines = unpack(file, &bar).with_context(|| format!("opening {}", path.display()))?;
    let (to_parsers, chunks) = std_mpsc::sync_channel(WAITING);
    let (to_writer, parsed) = mpsc::channel(WAITING);
    let broken = to_writer.clone();
    std::thread::spawn(move || read(lines, &to_parsers, &broken));
    let chunks = Arc::new(Mutex::new(chunks));
    for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
        let (chunks, to_writer) = (chunks.clone(), to_writer.clone());
        std::thread::spawn(move || {
            loop {
                let chunk = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(chunk) = chunk else { return };
                if to_writer.blocking_send(parse(chunk, undated)).is_err() {
                    return;
                }
            }
        });
    }
    Ok((bar, parsed))
}

/// The file's text, unpacked if it begins as zstd's files do, whatever its name.
fn unpack(mut file: File, bar: &ProgressBar) -> std::io::Result<Box<dyn BufRead + Send>> {
    let mut magic = Vec::new();
    (&mut file).take(4).read_to_end(&mut magic)?;
    file.rewind()?;
    let file = bar.wrap_read(file);
    if magic == [0x28, 0xB5, 0x2F, 0xFD] {
        Ok(Box::new(BufReader::with_capacity(1 << 17, zstd::Decoder::new(file)?)))
    } else {
        Ok(Box::new(BufReader::with_capacity(1 << 17, file)))
    }
}

/// Lines with their numbers, blank ones left out.
type Chunk = Vec<(usize, Result<String, String>)>;

fn read(
    mut lines: Box<dyn BufRead + Send>,
    to: &std_mpsc::SyncSender<Chunk>,
    broken: &mpsc::Sender<Vec<Parsed>>,
) {
    let mut chunk = Vec::with_capacity(CHUNK);
    for number in 1.. {
        let mut line = Vec::new();
        match (&mut lines).take(LINE_LIMIT as u64).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                let _ = broken.blocking_send(vec![Parsed::Broken(error)]);
                return;
            }
        }
        let text = if line.len() == LINE_LIMIT {
            if let Err(error) = skip_line(&mut lines) {
                let _ = broken.blocking_send(vec![Parsed::Broken(error)]);
                return;
            }
            Err(format!("longer than {LINE_LIMIT} bytes"))
        } else {
            String::from_utf8(line).map_err(|_| "not UTF-8".to_owned())
        };
        if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            continue;
        }
        chunk.push((number, text));
        if chunk.len() == CHUNK && to.send(std::mem::take(&mut chunk)).is_err() {
            return;
        }
    }
    let _ = to.send(chunk);
}

/// Reads on to the end of a line without keeping it.
fn skip_line(lines: &mut Box<dyn BufRead + Send>) -> std::io::Result<()> {
    loop {
        let buffer = lines.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        lines.consume(used);
        if ended {
            return Ok(());
        }
    }
}

fn parse(chunk: Chunk, undated: Timestamp) -> Vec<Parsed> {
    let parse_line = |text: &String| row::parse(text, undated);
    chunk
        .into_iter()
        .map(|(line, text)| match text.as_ref().map_err(Clone::clone).and_then(parse_line) {
            Ok((outlet, article)) => Parsed::Ready { outlet, article: Box::new(article) },
            Err(reason) => Parsed::Refused { line, reason },
        })
        .collect()
}
