//! Writes lists.

use tantivy::DocId;

use super::{BLOCK, Detail, PARAMETER_BITS, place_parameter};
use crate::search::grams::bits::{BitWriter, rice_parameter, write_varint};

/// Writes one list after another.
#[derive(Debug)]
pub struct ListWriter {
    detail: Detail,
    docs: Vec<DocId>,
    /// Of each of `docs`: how many of `places` are its own, and the length of its text.
    counts: Vec<(u32, u32)>,
    places: Vec<u32>,
    /// The last article of the block before.
    before: Option<DocId>,
    written: u32,
    blocks: Vec<u8>,
    table: Vec<u8>,
    list: Vec<u8>,
}

impl ListWriter {
    pub fn new(detail: Detail) -> ListWriter {
        ListWriter {
            detail,
            docs: Vec::new(),
            counts: Vec::new(),
            places: Vec::new(),
            before: None,
            written: 0,
            blocks: Vec::new(),
            table: Vec::new(),
            list: Vec::new(),
        }
    }

    /// Articles come in order, with places in order; `length` is more than the last place.
    pub fn push(&mut self, doc: DocId, places: impl IntoIterator<Item = u32>, length: u32) {
        if self.docs.len() == BLOCK {
            self.end_block();
        }
        self.docs.push(doc);
        if self.detail != Detail::Docs {
            let before = self.places.len();
            self.places.extend(places);
            self.counts.push(((self.places.len() - before) as u32, length));
        }
    }

    /// The finished list and how many articles are in it.
    pub fn finish(&mut self) -> (&[u8], u32) {
        let several = self.written > 0;
        self.end_block();
        self.list.clear();
        if several {
            self.list.append(&mut self.table);
        }
        self.list.append(&mut self.blocks);
        self.table.clear();
        self.before = None;
        (&self.list, std::mem::take(&mut self.written))
    }

    fn end_block(&mut self) {
        let Some(&last) = self.docs.last() else { return };
        // The first gap is counted from the article behind the block before.
        let base = self.before.map_or(0, |doc| doc + 1);
        let mut bits = BitWriter::after(std::mem::take(&mut self.blocks));
        let start = bits.bytes.len();
        let k = rice_parameter(u64::from(last - base), self.docs.len() as u64);
        bits.write(k, PARAMETER_BITS);
        let mut next = base;
        for (n, &doc) in self.docs.iter().enumerate() {
            bits.write_rice(doc - next, k);
            next = doc + 1;
            if let Some((count, _)) = self.counts.get(n) {
                bits.write_rice(count - 1, 0);
            }
        }
        bits.align();
        let docs_end = bits.bytes.len();
        let mut places = &self.places[..];
        for &(count, length) in &self.counts {
            let (these, rest) = places.split_at(count as usize);
            write_places(&mut bits, these, length, self.detail);
            places = rest;
        }
        bits.align();
        self.blocks = bits.bytes;
        write_varint(u64::from(last - base), &mut self.table);
        write_varint((docs_end - start) as u64, &mut self.table);
        write_varint((self.blocks.len() - docs_end) as u64, &mut self.table);
        self.before = Some(last);
        self.written += self.docs.len() as u32;
        self.docs.clear();
        self.counts.clear();
        self.places.clear();
    }
}

fn write_places(bits: &mut BitWriter, places: &[u32], length: u32, detail: Detail) {
    match (places, detail) {
        ([place], Detail::Places) => bits.write_below(*place, length),
        _ => {
            let k = place_parameter(length, places.len() as u32, detail);
            let mut next = 0;
            for place in places {
                bits.write_rice(place - next, k);
                next = place + 1;
            }
        }
    }
}
