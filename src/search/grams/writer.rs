//! Gathers the bigrams of new articles and writes them as a segment.

use std::io::Write;

use rustc_hash::FxHashMap;
use tantivy::directory::TerminatingWrite;
use tantivy::index::SegmentComponent;
use tantivy::indexer::doc_id_mapping::DocIdMapping;
use tantivy::plugin::PluginWriter;
use tantivy::schema::document::{ErasedDocument, Value};
use tantivy::schema::{Field, Schema};
use tantivy::{DocId, Segment, TantivyDocument, TantivyError};

use super::dict::DictWriter;
use super::lengths::Lengths;
use super::postings::ListWriter;
use super::{EXTENSION, Gram, MAX_TITLE, Space, gram, key};

/// Collects in memory: 8 bytes for each letter, 16 while the segment is written.
pub struct GramsWriter {
    fields: [(Space, Field); 4],
    title: Field,
    terms: FxHashMap<u64, u32>,
    /// Terms and their places, one article after another.
    tokens: Vec<(u32, u32)>,
    /// For each article where its tokens end.
    ends: Vec<usize>,
    lengths: Vec<(u32, u16)>,
    /// Of each of the letters [`gram::LISTED`]: its term, and the last article that had it, counted from 1.
    letters: Vec<(u32, u32)>,
}

impl GramsWriter {
    /// `fields` hold [`spelled::letters`](crate::text::spelled::letters): of the body, and the other spaces.
    pub fn new(title: Field, fields: [(Space, Field); 4]) -> GramsWriter {
        GramsWriter {
            fields,
            title,
            terms: FxHashMap::default(),
            tokens: Vec::new(),
            ends: Vec::new(),
            lengths: Vec::new(),
            letters: vec![(0, 0); gram::listed_at(*gram::LISTED.end()) + 1],
        }
    }

    fn add(&mut self, document: &TantivyDocument) {
        let text_of = |field| document.get_first(field).and_then(|value| value.as_str());
        let title = text_of(self.title).unwrap_or_default();
        let title = title.char_indices().nth(MAX_TITLE).map_or(title, |(at, _)| &title[..at]);
        let title_end = self.add_run(Space::Text, title, 0);
        self.add_run(Space::Title, title, 0);
        self.add_letters(title);
        let mut text_end = title_end;
        for (space, field) in self.fields {
            // A place is left out between texts, so that no run goes from one into the next.
            let mut next = if space == Space::Text { title_end + 1 } else { 0 };
            for value in document.get_all(field) {
                let value = value.as_str().unwrap_or_default();
                next = self.add_run(space, value, next) + 1;
                if space == Space::Text {
                    self.add_letters(value);
                }
            }
            if space == Space::Text {
                text_end = next;
            }
        }
        self.ends.push(self.tokens.len());
        self.lengths.push((text_end, title_end as u16));
    }

    /// Adds the letters of a text that the article did not have yet.
    fn add_letters(&mut self, spelled: &str) {
        let article = self.ends.len() as u32 + 1;
        for letter in spelled.chars().filter(|letter| Gram::is_listed(*letter)) {
            let (term, noted) = &mut self.letters[gram::listed_at(letter)];
            if *noted == article {
                continue;
            }
            if *noted == 0 {
                let next = self.terms.len() as u32;
                *term = *self.terms.entry(key(Space::Letter, Gram::last(letter))).or_insert(next);
            }
            *noted = article;
            self.tokens.push((*term, 0));
        }
    }

    /// Adds the bigrams of a text from a place on, and returns the place behind its last letter.
    fn add_run(&mut self, space: Space, spelled: &str, start: u32) -> u32 {
        let mut end = start;
        gram::cut(spelled, |place, gram| {
            let next = self.terms.len() as u32;
            let term = *self.terms.entry(key(space, gram)).or_insert(next);
            self.tokens.push((term, start + place));
            end = end.max(start + place + 1);
        });
        end
    }
}

impl PluginWriter for GramsWriter {
    fn add_document(&mut self, _: DocId, document: &dyn ErasedDocument, _: &Schema) -> tantivy::Result<()> {
        let document = document.as_any().downcast_ref::<TantivyDocument>();
        self.add(document.ok_or_else(|| TantivyError::InvalidArgument("not a plain document".into()))?);
        Ok(())
    }

    fn serialize(self: Box<Self>, segment: &Segment, sorted: Option<&DocIdMapping>) -> tantivy::Result<()> {
        if sorted.is_some() {
            return Err(TantivyError::InvalidArgument("segments of bigrams are not sorted".into()));
        }
        let GramsWriter { terms, tokens, ends, lengths, .. } = *self;
        // Counted and dealt out by term: within one, articles and places stay in order.
        let mut starts = vec![0usize; terms.len() + 1];
        tokens.iter().for_each(|(term, _)| starts[*term as usize + 1] += 1);
        for n in 1..starts.len() {
            starts[n] += starts[n - 1];
        }
        let mut dealt = vec![(0, 0); tokens.len()];
        let mut next = starts.clone();
        let mut from = 0;
        for (doc, &end) in ends.iter().enumerate() {
            for &(term, place) in &tokens[from..end] {
                let slot = &mut next[term as usize];
                dealt[*slot] = (doc as DocId, place);
                *slot += 1;
            }
            from = end;
        }
        drop((tokens, next));
        let mut keys: Vec<(u64, u32)> = terms.into_iter().collect();
        keys.sort_unstable();
        let mut file = FileWriter::create(segment)?;
        for (key, term) in keys {
            let list = &dealt[starts[term as usize]..starts[term as usize + 1]];
            let writer = file.list(key);
            for article in list.chunk_by(|one, other| one.0 == other.0) {
                let doc = article[0].0;
                let length = lengths[doc as usize].0;
                writer.push(doc, article.iter().map(|(_, place)| *place), length);
            }
            file.end_list(key)?;
        }
        file.finish(&lengths)
    }

    fn mem_usage(&self) -> usize {
        self.tokens.len() * 16 + self.terms.len() * 40 + self.lengths.len() * 16
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

/// Writes the file of a segment: lists, dictionary, lengths, and where each begins.
pub struct FileWriter {
    out: tantivy::directory::WritePtr,
    dict: DictWriter,
    lists: u64,
    writers: [ListWriter; 3],
}

impl FileWriter {
    pub fn create(segment: &Segment) -> tantivy::Result<FileWriter> {
        let out = segment.clone().open_write(SegmentComponent::Custom(EXTENSION.to_owned()))?;
        let writers = super::DETAILS.map(ListWriter::new);
        Ok(FileWriter { out, dict: DictWriter::default(), lists: 0, writers })
    }

    /// The list of the next key, to be filled.
    pub fn list(&mut self, key: u64) -> &mut ListWriter {
        &mut self.writers[Space::of(key).detail() as usize]
    }

    /// Writes it, if there is anything in it.
    pub fn end_list(&mut self, key: u64) -> tantivy::Result<()> {
        let (bytes, df) = self.writers[Space::of(key).detail() as usize].finish();
        if df > 0 {
            self.out.write_all(bytes)?;
            self.dict.push(key, df, bytes.len() as u64);
            self.lists += bytes.len() as u64;
        }
        Ok(())
    }

    pub fn finish(mut self, lengths: &[(u32, u16)]) -> tantivy::Result<()> {
        let places: u64 = lengths.iter().map(|(text, _)| u64::from(*text)).sum();
        let lengths = Lengths::encode(lengths);
        let parts = [&self.dict.pages, &self.dict.index, &lengths];
        for part in parts {
            self.out.write_all(part)?;
        }
        let sizes = [self.lists, parts[0].len() as u64, parts[1].len() as u64, parts[2].len() as u64, places];
        for size in sizes {
            self.out.write_all(&size.to_le_bytes())?;
        }
        self.out.terminate()?;
        Ok(())
    }
}
