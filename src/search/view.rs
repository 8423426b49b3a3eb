//! The index as a search sees it: the segments of one commit, with everything of them open.

use std::sync::Arc;

use tantivy::columnar::{ColumnIndex, ColumnValues, StrColumn};
use tantivy::fastfield::FastFieldReaders;
use tantivy::index::SegmentReader;
use tantivy::{DocId, Searcher};

use super::grams::Grams;
use super::schema::{self, Fields};
use super::sketch::Sketch;

pub struct View {
    pub segments: Vec<Segment>,
    pub fields: Fields,
    /// Articles, deleted ones that are still in segments too.
    pub articles: u64,
    /// Letters of a text with its title, on average.
    pub mean_length: f32,
}

/// One segment.
pub struct Segment {
    pub reader: SegmentReader,
    pub grams: Grams,
    pub ids: Arc<dyn ColumnValues<i64>>,
    pub accounts: Arc<dyn ColumnValues<i64>>,
    pub published: Arc<dyn ColumnValues<i64>>,
    pub langs: Option<StrColumn>,
    pub has: Option<StrColumn>,
    sketches: [Arc<dyn ColumnValues<u64>>; 2],
}

impl View {
    pub fn of(searcher: &Searcher, fields: Fields) -> tantivy::Result<View> {
        let segments: Vec<Segment> =
            searcher.segment_readers().iter().map(Segment::open).collect::<tantivy::Result<_>>()?;
        let articles: u64 = segments.iter().map(|segment| u64::from(segment.reader.max_doc())).sum();
        let letters: u64 = segments.iter().map(|segment| segment.grams.places()).sum();
        let mean_length = (letters as f32 / articles.max(1) as f32).max(1.0);
        Ok(View { segments, fields, articles, mean_length })
    }
}

impl Segment {
    fn open(reader: &SegmentReader) -> tantivy::Result<Segment> {
        let columns = reader.fast_fields();
        Ok(Segment {
            grams: Grams::open(reader)?,
            ids: numbers(columns, schema::ID)?,
            accounts: numbers(columns, schema::ACCOUNT)?,
            published: numbers(columns, schema::PUBLISHED_AT)?,
            langs: columns.str(schema::LANG)?,
            has: columns.str(schema::HAS)?,
            sketches: [
                columns.column_first_or_default(schema::SKETCH[0])?,
                columns.column_first_or_default(schema::SKETCH[1])?,
            ],
            reader: reader.clone(),
        })
    }

    pub fn sketch(&self, doc: DocId) -> Sketch {
        Sketch([self.sketches[0].get_val(doc), self.sketches[1].get_val(doc)])
    }

    #[inline]
    pub fn is_alive(&self, doc: DocId) -> bool {
        // Damaged lists may name any number.
        doc < self.reader.max_doc() && self.reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
    }
}

/// A column of which each article has one; read without a look at its index where that is so.
fn numbers(columns: &FastFieldReaders, name: &str) -> tantivy::Result<Arc<dyn ColumnValues<i64>>> {
    match columns.column_opt::<i64>(name)? {
        Some(column) if matches!(column.index, ColumnIndex::Full) => Ok(column.values),
        _ => columns.column_first_or_default(name),
    }
}

#[cfg(test)]
impl View {
    /// One segment with these texts, their ids from 0 on.
    pub fn of_texts(texts: &[String]) -> View {
        let (schema, fields) = Fields::schema();
        let index = tantivy::Index::builder().schema(schema).register_plugin(fields.plugin());
        let index = index.create_in_ram().unwrap();
        let mut writer: tantivy::IndexWriter = index.writer_with_num_threads(1, 100_000_000).unwrap();
        for (id, body) in texts.iter().enumerate() {
            let entry = schema::Entry { id: id as i64, body: body.clone(), ..schema::Entry::default() };
            writer.add_document(entry.document(&fields)).unwrap();
        }
        writer.commit().unwrap();
        let view = View::of(&index.reader().unwrap().searcher(), fields).unwrap();
        assert_eq!(view.segments.len(), 1);
        view
    }
}
