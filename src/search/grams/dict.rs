//! The dictionary of a segment: where the list of each bigram is.
//!
//! Keys are in order and cut into pages of 64. For each page the first key and where its lists begin
//! are kept in plain form, to be searched in halves; within a page there are only differences.

use std::cmp::Ordering;

use tantivy::directory::OwnedBytes;

use super::bits::{read_varint, write_varint};

const PAGE: usize = 64;
/// Bytes of a page in the index: key, where lists begin, where the page begins.
const ENTRY: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermEntry {
    pub key: u64,
    /// Articles in the list.
    pub df: u32,
    /// Where the list is.
    pub start: u64,
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub struct DictWriter {
    pub pages: Vec<u8>,
    pub index: Vec<u8>,
    /// In the last page.
    count: usize,
    last: u64,
    /// Where the next list begins.
    end: u64,
}

impl DictWriter {
    /// Keys come in order, and lists follow each other.
    pub fn push(&mut self, key: u64, df: u32, bytes: u64) {
        if self.count.is_multiple_of(PAGE) {
            for word in [key, self.end, self.pages.len() as u64] {
                self.index.extend(word.to_le_bytes());
            }
            self.last = key;
        }
        write_varint(key - self.last, &mut self.pages);
        write_varint(u64::from(df), &mut self.pages);
        write_varint(bytes, &mut self.pages);
        self.last = key;
        self.end += bytes;
        self.count += 1;
    }
}

#[derive(Clone)]
pub struct Dict {
    pages: OwnedBytes,
    index: OwnedBytes,
}

impl Dict {
    pub fn open(pages: OwnedBytes, index: OwnedBytes) -> Dict {
        Dict { pages, index }
    }

    pub fn get(&self, key: u64) -> Option<TermEntry> {
        self.from(key).next().filter(|entry| entry.key == key)
    }

    /// Entries with this key and greater ones, in order.
    pub fn from(&self, key: u64) -> Entries<'_> {
        let count = self.index.len() / ENTRY;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = (low + high) / 2;
            match self.word(middle, 0).cmp(&key) {
                Ordering::Greater => high = middle,
                _ => low = middle + 1,
            }
        }
        let mut entries =
            Entries { dict: self, page: low.saturating_sub(1), at: 0, end: 0, key: 0, start: 0 };
        entries.turn();
        while let Some(entry) = entries.clone().next().filter(|entry| entry.key < key) {
            entries.next();
            debug_assert!(entry.key < key);
        }
        entries
    }

    /// One of the words of a page's entry.
    fn word(&self, page: usize, n: usize) -> u64 {
        let at = page * ENTRY + n * 8;
        self.index
            .get(at..at + 8)
            .map_or(0, |eight| u64::from_le_bytes(eight.try_into().expect("eight bytes")))
    }
}

/// Goes through the dictionary.
#[derive(Clone)]
pub struct Entries<'a> {
    dict: &'a Dict,
    /// The page that is being read.
    page: usize,
    at: usize,
    end: usize,
    key: u64,
    start: u64,
}

impl Entries<'_> {
    /// Goes to the beginning of the page.
    fn turn(&mut self) {
        self.key = self.dict.word(self.page, 0);
        self.start = self.dict.word(self.page, 1);
        self.at = self.dict.word(self.page, 2) as usize;
        let last = (self.page + 1) * ENTRY >= self.dict.index.len();
        let end = if last { self.dict.pages.len() } else { self.dict.word(self.page + 1, 2) as usize };
        self.end = end.min(self.dict.pages.len());
    }
}

impl Iterator for Entries<'_> {
    type Item = TermEntry;

    fn next(&mut self) -> Option<TermEntry> {
        if self.at >= self.end {
            if (self.page + 1) * ENTRY >= self.dict.index.len() {
                return None;
            }
            self.page += 1;
            self.turn();
        }
        let pages = self.dict.pages.as_slice();
        self.key = self.key.saturating_add(read_varint(pages, &mut self.at));
        let df = read_varint(pages, &mut self.at) as u32;
        let bytes = read_varint(pages, &mut self.at);
        let entry = TermEntry { key: self.key, df, start: self.start, bytes };
        self.start = self.start.saturating_add(bytes);
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_key_is_found_and_no_other(keys in proptest::collection::btree_map(0..1u64 << 44, 1..9_000u32, 0..400), others in proptest::collection::vec(0..1u64 << 44, 20)) {
            let mut writer = DictWriter::default();
            let mut expected = Vec::new();
            let mut start = 0;
            for (key, df) in &keys {
                let bytes = u64::from(df / 3);
                writer.push(*key, *df, bytes);
                expected.push(TermEntry { key: *key, df: *df, start, bytes });
                start += bytes;
            }
            let dict = Dict::open(OwnedBytes::new(writer.pages), OwnedBytes::new(writer.index));
            prop_assert_eq!(dict.from(0).collect::<Vec<_>>(), expected.clone());
            for entry in &expected {
                prop_assert_eq!(dict.get(entry.key), Some(*entry));
            }
            for key in others {
                prop_assert_eq!(dict.get(key).is_some(), keys.contains_key(&key));
                let after = expected.iter().find(|entry| entry.key >= key).copied();
                prop_assert_eq!(dict.from(key).next(), after);
            }
        }
    }
}
