//! Makes one segment of several.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::index::SegmentReader;
use tantivy::plugin::PluginMergeContext;
use tantivy::{DocId, DocSet, TERMINATED};

use super::reader::Grams;
use super::writer::FileWriter;

/// Stands for an article that is deleted.
const GONE: DocId = DocId::MAX;

/// Segments follow each other, deleted articles left out (tantivy's order for segments that are not
/// sorted).
pub fn merge(context: &PluginMergeContext) -> tantivy::Result<()> {
    let sources = context.readers.iter().map(Grams::open).collect::<tantivy::Result<Vec<_>>>()?;
    let mut next = 0;
    let numbers: Vec<Vec<DocId>> =
        context.readers.iter().map(|reader| new_numbers(reader, &mut next)).collect();
    let mut lengths = Vec::with_capacity(next as usize);
    for (source, numbers) in sources.iter().zip(&numbers) {
        let alive = (0..).zip(numbers).filter(|(_, new)| **new != GONE);
        lengths
            .extend(alive.map(|(old, _)| (source.lengths().text(old), source.lengths().title(old) as u16)));
    }
    let mut file = FileWriter::create(context.target_segment)?;
    let mut entries: Vec<_> = sources.iter().map(|source| source.dict().from(0)).collect();
    let mut heap = BinaryHeap::new();
    for (n, entries) in entries.iter_mut().enumerate() {
        heap.extend(entries.next().map(|entry| Reverse((entry.key, n, entry.df, entry.start, entry.bytes))));
    }
    let mut places = Vec::new();
    while let Some(Reverse((key, ..))) = heap.peek().copied() {
        let list = file.list(key);
        while let Some(Reverse((_, n, df, start, bytes))) =
            heap.peek().copied().filter(|Reverse(head)| head.0 == key)
        {
            heap.pop();
            heap.extend(entries[n].next().map(|e| Reverse((e.key, n, e.df, e.start, e.bytes))));
            let mut postings = sources[n].list(key, df, start, bytes);
            while postings.doc() != TERMINATED {
                let new = numbers[n][postings.doc() as usize];
                postings.places(&mut places);
                if new != GONE {
                    list.push(new, places.iter().copied(), lengths[new as usize].0);
                }
                postings.advance();
            }
        }
        file.end_list(key)?;
    }
    file.finish(&lengths)
}

/// For each article of a segment its number in the merged one.
fn new_numbers(reader: &SegmentReader, next: &mut DocId) -> Vec<DocId> {
    let number = |doc| {
        let alive = reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc));
        if alive { std::mem::replace(next, *next + 1) } else { GONE }
    };
    (0..reader.max_doc()).map(number).collect()
}
