//! The bigrams of one segment, to be searched.

use tantivy::TantivyError;
use tantivy::directory::OwnedBytes;
use tantivy::error::DataCorruption;
use tantivy::index::{SegmentComponent, SegmentReader};

use super::dict::{Dict, TermEntry};
use super::lengths::Lengths;
use super::postings::Postings;
use super::{EXTENSION, Gram, Space, key};

/// Bytes of the end of the file: five sizes.
const TRAILER: usize = 40;

#[derive(Clone)]
pub struct Grams {
    lists: OwnedBytes,
    dict: Dict,
    lengths: Lengths,
    places: u64,
}

impl Grams {
    /// # Errors
    /// Where the segment has no such file, or one that was cut.
    pub fn open(segment: &SegmentReader) -> tantivy::Result<Grams> {
        let file = segment.open_read(SegmentComponent::Custom(EXTENSION.to_owned()))?;
        let bytes = file.read_bytes()?;
        let cut = || DataCorruption::comment_only("a file of bigrams was cut");
        Grams::of(bytes).ok_or_else(|| TantivyError::DataCorruption(cut()))
    }

    fn of(bytes: OwnedBytes) -> Option<Grams> {
        let end = bytes.len().checked_sub(TRAILER)?;
        let sizes: Vec<u64> = bytes[end..]
            .chunks(8)
            .map(|eight| u64::from_le_bytes(eight.try_into().expect("eight bytes")))
            .collect();
        let mut at = 0usize;
        let mut part = |size: u64| -> Option<OwnedBytes> {
            let to = at.checked_add(usize::try_from(size).ok()?).filter(|to| *to <= end)?;
            let part = bytes.slice(at..to);
            at = to;
            Some(part)
        };
        let (lists, pages, index, lengths) =
            (part(sizes[0])?, part(sizes[1])?, part(sizes[2])?, part(sizes[3])?);
        let (dict, lengths) = (Dict::open(pages, index), Lengths::open(lengths));
        Some(Grams { lists, dict, lengths, places: sizes[4] })
    }

    pub fn dict(&self) -> &Dict {
        &self.dict
    }

    pub fn lengths(&self) -> &Lengths {
        &self.lengths
    }

    /// Letters of all texts together.
    pub fn places(&self) -> u64 {
        self.places
    }

    /// The articles that hold it.
    pub fn postings(&self, space: Space, gram: Gram) -> Option<Postings> {
        self.entry(space, gram).map(|entry| self.open_list(entry))
    }

    /// Where their list is.
    pub fn entry(&self, space: Space, gram: Gram) -> Option<TermEntry> {
        self.dict.get(key(space, gram))
    }

    /// The lists of everything that begins with a letter.
    pub fn starting_with(&self, space: Space, letter: char) -> impl Iterator<Item = Postings> + '_ {
        self.entries_from(space, letter).map(|entry| self.open_list(entry))
    }

    /// Where they are.
    pub fn entries_from(&self, space: Space, letter: char) -> impl Iterator<Item = TermEntry> + '_ {
        let (first, last) = Gram::beginning_with(letter).into_inner();
        let last = key(space, last);
        self.dict.from(key(space, first)).take_while(move |entry| entry.key <= last)
    }

    pub fn open_list(&self, entry: TermEntry) -> Postings {
        self.list(entry.key, entry.df, entry.start, entry.bytes)
    }

    pub(super) fn list(&self, key: u64, df: u32, start: u64, bytes: u64) -> Postings {
        let end = (start.saturating_add(bytes) as usize).min(self.lists.len());
        let start = (start as usize).min(end);
        Postings::open(self.lists.slice(start..end), df, Space::of(key).detail(), self.lengths.clone())
    }
}
