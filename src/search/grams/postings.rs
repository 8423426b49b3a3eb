//! The list of articles that hold a bigram: for each its number in the segment, and where in it.
//!
//! A list is cut into blocks of 128 articles. A block is two streams of bits: gaps between articles
//! with the count of places each, and the places. More than one block are preceded by a table: for
//! each its last article and the bytes of its two parts, so that whole blocks are passed over.
//!
//! Places in a text whose length is known are a number below it where there is one only, and gaps
//! by the mean that length and count let expect where there are several. That costs about a bit
//! less for each than packing by the greatest of a block.

mod write;

pub use write::ListWriter;

use std::ops::Range;

use tantivy::directory::OwnedBytes;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, TERMINATED};

use super::bits::{BitReader, read_varint, rice_parameter};
use super::lengths::Lengths;
use crate::search::docs::{Set, Stretch};

pub const BLOCK: usize = 128;

/// Width of a block's own Rice parameter.
const PARAMETER_BITS: u32 = 5;
/// Stands for the length of texts that we keep no length of: names, author lines, tags.
const SHORT_TEXT: u32 = 16;

/// What a list says of each article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// That it holds the bigram.
    Docs,
    /// And where, in a text of known length.
    Places,
    /// And where, in a short text.
    ShortPlaces,
}

#[inline]
fn place_parameter(length: u32, count: u32, detail: Detail) -> u32 {
    let length = if detail == Detail::Places { length } else { SHORT_TEXT };
    rice_parameter(u64::from(length), u64::from(count))
}

/// Goes through one list.
#[derive(Clone)]
pub struct Postings {
    bytes: OwnedBytes,
    detail: Detail,
    lengths: Lengths,
    df: u32,
    blocks: Vec<Block>,
    /// The block that is decoded.
    block: usize,
    docs: Vec<DocId>,
    counts: Vec<u32>,
    /// In `docs`; at its end where the list ends.
    at: usize,
    doc: DocId,
    /// Places were read up to this article of the block, and so far in its bits.
    place_at: usize,
    place_bits: BitReader,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    /// The first article that may be in it.
    base: DocId,
    last: DocId,
    docs: usize,
    /// Where the places begin, or 0: behind the articles, wherever they end.
    places: usize,
}

impl Postings {
    /// The list of `df` articles in these bytes, at its first article.
    pub fn open(bytes: OwnedBytes, df: u32, detail: Detail, lengths: Lengths) -> Postings {
        // No list has more articles than there are; a damaged dictionary may say so.
        let df = df.min(lengths.count() as u32);
        let blocks = if df as usize > BLOCK {
            read_table(&bytes, df)
        } else {
            vec![Block { base: 0, last: TERMINATED - 1, docs: 0, places: 0 }]
        };
        let mut postings = Postings {
            bytes,
            detail,
            lengths,
            df,
            blocks,
            block: 0,
            docs: Vec::with_capacity(BLOCK.min(df as usize)),
            counts: Vec::new(),
            at: 0,
            doc: TERMINATED,
            place_at: 0,
            place_bits: BitReader::default(),
        };
        if df > 0 {
            postings.decode(0);
        }
        postings
    }

    /// Articles in the list, deleted ones too.
    pub fn df(&self) -> u32 {
        self.df
    }

    /// Goes through what is below `end` of the block that is decoded, each article with how many places it has, 1 where
    /// the list does not know. True where there is more below `end`.
    #[inline]
    pub fn walk_block(&mut self, end: DocId, mut take: impl FnMut(DocId, u32)) -> bool {
        let docs = &self.docs[self.at..];
        // Damaged blocks need not be in order: what is taken is below `end` all the same.
        let below = docs.iter().position(|doc| *doc >= end).unwrap_or(docs.len());
        match self.counts.get(self.at..self.at + below) {
            Some(counts) => docs[..below].iter().zip(counts).for_each(|(doc, count)| take(*doc, *count)),
            None => docs[..below].iter().for_each(|doc| take(*doc, 1)),
        }
        self.at += below;
        match self.docs.get(self.at) {
            Some(&doc) => {
                self.doc = doc;
                false
            }
            None => self.next_block() && self.doc < end,
        }
    }

    /// Goes to the next block; false at the end.
    fn next_block(&mut self) -> bool {
        let is_there = self.doc != TERMINATED && self.block + 1 < self.blocks.len();
        if is_there {
            self.decode(self.block + 1);
        } else {
            self.end();
        }
        is_there
    }

    fn end(&mut self) {
        self.at = self.docs.len();
        self.doc = TERMINATED;
    }

    /// How many places this article has.
    #[inline]
    pub fn frequency(&self) -> u32 {
        self.counts.get(self.at).copied().unwrap_or(1)
    }

    /// The places in this article, in order. May be asked for once in each article only.
    pub fn places(&mut self, out: &mut Vec<u32>) {
        out.clear();
        if self.detail == Detail::Docs || self.at >= self.counts.len() {
            return;
        }
        let bytes = self.bytes.as_slice();
        while self.place_at <= self.at {
            let wanted = self.place_at == self.at;
            let count = self.counts[self.place_at];
            let length = match self.detail {
                Detail::Places => self.lengths.text(self.docs[self.place_at]).max(1),
                _ => SHORT_TEXT,
            };
            if count == 1 && self.detail == Detail::Places {
                let place = self.place_bits.read_below(bytes, length);
                if wanted {
                    out.push(place);
                }
            } else {
                let k = place_parameter(length, count, self.detail);
                let mut next = 0u32;
                for _ in 0..count {
                    let place = next.wrapping_add(self.place_bits.read_rice(bytes, k));
                    if wanted {
                        out.push(place);
                    }
                    next = place.wrapping_add(1);
                }
            }
            self.place_at += 1;
        }
    }

    fn decode(&mut self, block: usize) {
        let Block { base, docs, places, .. } = self.blocks[block];
        let count = (self.df as usize - block * BLOCK).min(BLOCK);
        let bytes = self.bytes.as_slice();
        let last = (self.lengths.count() as DocId).saturating_sub(1);
        let mut bits = BitReader { at: docs * 8 };
        let k = bits.read(bytes, PARAMETER_BITS);
        let mut next = base;
        // Damage must not lead past the segment's articles.
        let mut doc_behind = |gap: u32| {
            let doc = next.wrapping_add(gap).min(last);
            next = doc + 1;
            doc
        };
        self.docs.resize(count, 0);
        if self.detail == Detail::Docs {
            self.docs.iter_mut().for_each(|doc| *doc = doc_behind(bits.read_rice(bytes, k)));
        } else {
            self.counts.resize(count, 0);
            let mut entries = self.docs.iter_mut().zip(&mut self.counts);
            bits.read_rice_and_unary(bytes, k, count, |gap, more| {
                let Some((doc, places)) = entries.next() else { return };
                *doc = doc_behind(gap);
                // No article has more places than its text has letters.
                *places = more.min(1 << 24) + 1;
            });
        }
        bits.align();
        self.place_bits = BitReader { at: if places > 0 { places * 8 } else { bits.at } };
        self.place_at = 0;
        self.block = block;
        self.at = 0;
        self.doc = self.docs[0];
    }
}

/// The blocks of a list of more than one; damaged tables give blocks at the end of the bytes, where
/// all numbers are zero.
fn read_table(bytes: &OwnedBytes, df: u32) -> Vec<Block> {
    let count = (df as usize).div_ceil(BLOCK);
    let (mut at, mut base) = (0, 0u32);
    let mut blocks = Vec::with_capacity(count.min(bytes.len()));
    let mut sizes: Vec<Range<usize>> = Vec::with_capacity(count.min(bytes.len()));
    let mut end = 0usize;
    for _ in 0..count {
        let last = base.saturating_add(read_varint(bytes, &mut at) as u32).min(TERMINATED - 1);
        let docs = read_varint(bytes, &mut at) as usize;
        let places = read_varint(bytes, &mut at) as usize;
        sizes.push(end..end.saturating_add(docs));
        end = end.saturating_add(docs).saturating_add(places);
        blocks.push(Block { base, last, docs: 0, places: 0 });
        base = last.saturating_add(1);
    }
    for (block, size) in blocks.iter_mut().zip(sizes) {
        block.docs = at.saturating_add(size.start).min(bytes.len());
        block.places = at.saturating_add(size.end).min(bytes.len());
    }
    blocks
}

impl DocSet for Postings {
    #[inline]
    fn advance(&mut self) -> DocId {
        self.at += 1;
        if let Some(&doc) = self.docs.get(self.at) {
            self.doc = doc;
        } else {
            self.next_block();
        }
        self.doc
    }

    #[inline]
    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc >= target {
            return self.doc;
        }
        if self.blocks[self.block].last < target {
            let ahead = self.blocks[self.block + 1..].partition_point(|block| block.last < target);
            let block = self.block + 1 + ahead;
            if block >= self.blocks.len() {
                self.end();
                return TERMINATED;
            }
            self.decode(block);
        }
        let ahead = self.docs[self.at..].iter().take_while(|doc| **doc < target).count();
        self.at += ahead;
        match self.docs.get(self.at) {
            Some(&doc) => {
                self.doc = doc;
                doc
            }
            None => self.advance(),
        }
    }

    fn fill_buffer(&mut self, buffer: &mut [DocId; COLLECT_BLOCK_BUFFER_LEN]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() && self.doc != TERMINATED {
            let ahead = &self.docs[self.at..];
            let count = ahead.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&ahead[..count]);
            filled += count;
            self.at += count - 1;
            self.advance();
        }
        filled
    }

    #[inline]
    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.df
    }
}

impl Set for Postings {
    fn mark(&mut self, stretch: &mut Stretch) {
        self.seek(stretch.from());
        while self.walk_block(stretch.end(), |doc, _| stretch.mark(doc)) {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Articles with the length of their text and the places in it.
    fn lists() -> impl Strategy<Value = Vec<(u32, Vec<u32>)>> {
        let places = proptest::collection::btree_set(0..2_000u32, 1..6);
        let article = (0..40u32, places.prop_map(|places| places.into_iter().collect()));
        proptest::collection::vec(article, 1..600).prop_map(|gaps| {
            let mut doc = 0;
            gaps.into_iter()
                .map(|(gap, places)| {
                    doc += gap + 1;
                    (doc, places)
                })
                .collect()
        })
    }

    fn written(list: &[(u32, Vec<u32>)], detail: Detail) -> Postings {
        let mut lengths = vec![(0, 0); list.last().map_or(0, |(doc, _)| *doc as usize + 1)];
        let mut writer = ListWriter::new(detail);
        for (doc, places) in list {
            let length = places[places.len() - 1] + 1 + doc % 7;
            lengths[*doc as usize] = (length, 0);
            writer.push(*doc, places.iter().copied(), length);
        }
        let (bytes, df) = writer.finish();
        Postings::open(OwnedBytes::new(bytes.to_vec()), df, detail, Lengths::of(&lengths))
    }

    proptest! {
        #[test]
        fn a_list_is_read_as_written(list in lists(), short in any::<bool>()) {
            let detail = if short { Detail::ShortPlaces } else { Detail::Places };
            let mut postings = written(&list, detail);
            let mut places = Vec::new();
            for (doc, expected) in &list {
                prop_assert_eq!(postings.doc(), *doc);
                prop_assert_eq!(postings.frequency() as usize, expected.len());
                postings.places(&mut places);
                prop_assert_eq!(&places, expected);
                postings.advance();
            }
            prop_assert_eq!(postings.doc(), TERMINATED);
            prop_assert_eq!(postings.advance(), TERMINATED);
        }

        #[test]
        fn blocks_have_what_walking_finds(list in lists(), before in 0..300usize, ends in proptest::collection::btree_set(0..25_000u32, 0..20)) {
            let mut postings = written(&list, Detail::Places);
            let before = before.min(list.len() - 1);
            (0..before).for_each(|_| { postings.advance(); });
            let mut found = Vec::new();
            for end in ends.into_iter().chain([TERMINATED]) {
                while postings.walk_block(end, |doc, count| found.push((doc, count))) {}
                let expected = list[before..].iter().take_while(|(doc, _)| *doc < end);
                let expected: Vec<(u32, u32)> = expected.map(|(doc, places)| (*doc, places.len() as u32)).collect();
                prop_assert_eq!(&found, &expected);
                prop_assert!(postings.doc() >= end);
            }
        }

        #[test]
        fn buffers_have_what_walking_finds(list in lists(), before in 0..300usize) {
            let mut postings = written(&list, Detail::Places);
            let before = before.min(list.len() - 1);
            (0..before).for_each(|_| { postings.advance(); });
            let (mut found, mut buffer) = (Vec::new(), [0; COLLECT_BLOCK_BUFFER_LEN]);
            loop {
                let count = postings.fill_buffer(&mut buffer);
                found.extend_from_slice(&buffer[..count]);
                if count < buffer.len() { break }
            }
            let expected: Vec<DocId> = list[before..].iter().map(|(doc, _)| *doc).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(postings.doc(), TERMINATED);
        }

        #[test]
        fn seeking_finds_what_walking_finds(list in lists(), targets in proptest::collection::btree_set(0..25_000u32, 1..20)) {
            let mut postings = written(&list, Detail::Places);
            let mut places = Vec::new();
            for target in targets {
                let found = list.iter().find(|(doc, _)| *doc >= target);
                if postings.doc() > target { continue }
                prop_assert_eq!(postings.seek(target), found.map_or(TERMINATED, |(doc, _)| *doc));
                if let Some((_, expected)) = found.filter(|(doc, _)| doc % 2 == 0) {
                    postings.places(&mut places);
                    prop_assert_eq!(&places, expected);
                    if postings.advance() == TERMINATED { break }
                }
            }
        }

        #[test]
        fn damaged_lists_end(bytes in proptest::collection::vec(any::<u8>(), 0..200), df in 1..2_000u32) {
            let lengths = Lengths::of(&vec![(9, 0); 1_500]);
            let open = || Postings::open(OwnedBytes::new(bytes.clone()), df, Detail::Places, lengths.clone());
            let mut postings = open();
            let steps = (0..=df).find(|_| postings.doc() == TERMINATED || { postings.advance(); false });
            prop_assert!(steps.is_some());
            let mut postings = open();
            let mut places = Vec::new();
            for target in (0..2_000).step_by(7) {
                if postings.seek(target) != TERMINATED { postings.places(&mut places) }
            }
            let mut postings = open();
            let (mut buffer, mut found) = ([0; COLLECT_BLOCK_BUFFER_LEN], 0);
            while postings.doc() != TERMINATED { found += postings.fill_buffer(&mut buffer) as u32 }
            prop_assert!(found <= df);
            let mut postings = open();
            for from in (0..3_000).step_by(Stretch::LENGTH) {
                postings.mark(&mut Stretch::none(from));
            }
            let mut postings = open();
            for end in (0..2_000).step_by(100) {
                while postings.walk_block(end, |doc, _| assert!(doc < end)) {}
            }
        }
    }
}
