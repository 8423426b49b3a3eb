//! The fields of the index, and how an article is laid out over them.

use std::sync::Arc;

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};

use super::grams::GramsPlugin;
use super::query::Part;
use super::sketch::Sketch;
use crate::text::spelled;

/// Part of the index directory's name. Raise it when fields, bigrams or folding change: an index of
/// another version is left alone and a new one is built.
pub const VERSION: u32 = 5;

/// Fast field names, as they are opened for a search.
pub const ID: &str = "id";
pub const ACCOUNT: &str = "account";
pub const PUBLISHED_AT: &str = "published_at";
pub const LANG: &str = "lang";
pub const HAS: &str = "has";
pub const SKETCH: [&str; 2] = ["sketch_a", "sketch_b"];

/// Nothing is stored: the answer is the id, everything shown comes from the database.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// Article id: fast, and a term so that it can be deleted.
    pub id: Field,
    pub account: Field,
    /// Unix milliseconds, fast.
    pub published_at: Field,
    pub lang: Field,
    /// What it holds besides text: names of [`Part`]s.
    pub has: Field,
    /// The halves of a [`Sketch`], fast.
    pub sketch: [Field; 2],
    /// [`spelled::letters`], for [`GramsPlugin`] only.
    pub title: Field,
    pub body: Field,
    /// The account's name and handle.
    pub name: Field,
    pub author: Field,
    pub tag: Field,
}

impl Fields {
    pub fn schema() -> (Schema, Fields) {
        let mut schema = SchemaBuilder::new();
        let letters = TextOptions::default;
        let fields = Fields {
            id: schema.add_i64_field(ID, FAST | INDEXED),
            account: schema.add_i64_field(ACCOUNT, FAST | INDEXED),
            published_at: schema.add_i64_field(PUBLISHED_AT, FAST),
            lang: schema.add_text_field(LANG, raw()),
            has: schema.add_text_field(HAS, raw()),
            sketch: SKETCH.map(|name| schema.add_u64_field(name, FAST)),
            title: schema.add_text_field("title", letters()),
            body: schema.add_text_field("body", letters()),
            name: schema.add_text_field("name", letters()),
            author: schema.add_text_field("author", letters()),
            tag: schema.add_text_field("tag", letters()),
        };
        (schema.build(), fields)
    }

    /// To be registered with an index of this schema.
    pub fn plugin(&self) -> Arc<GramsPlugin> {
        let Fields { title, body, name, author, tag, .. } = *self;
        Arc::new(GramsPlugin { title, body, name, author, tag })
    }
}

/// Compared as it is, and counted.
fn raw() -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing).set_fast("raw")
}

/// What the index takes of a published article. Text is as written; folding happens here.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub id: i64,
    pub account: i64,
    /// Unix milliseconds.
    pub published_at: i64,
    /// `zh-Hans`, `zh-Hant`, ...
    pub lang: String,
    pub has: Vec<Part>,
    pub title: String,
    /// Plain text.
    pub body: String,
    pub account_name: String,
    pub account_handle: String,
    pub author: String,
    pub tags: Vec<String>,
}

impl Entry {
    pub fn document(&self, fields: &Fields) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_i64(fields.id, self.id);
        document.add_i64(fields.account, self.account);
        document.add_i64(fields.published_at, self.published_at);
        document.add_text(fields.lang, &self.lang);
        self.has.iter().for_each(|part| document.add_text(fields.has, <&str>::from(*part)));
        let body = spelled::letters(&self.body);
        let sketch = Sketch::of(&body);
        fields.sketch.iter().zip(sketch.0).for_each(|(field, half)| document.add_u64(*field, half));
        document.add_text(fields.body, body);
        let mut add = |field, text: &str| document.add_text(field, spelled::letters(text));
        add(fields.title, &self.title);
        add(fields.name, &self.account_name);
        add(fields.name, &self.account_handle);
        add(fields.author, &self.author);
        self.tags.iter().for_each(|tag| add(fields.tag, tag));
        document
    }
}
