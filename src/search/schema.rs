//! The fields of the index, and how an article is laid out over them.

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};

use super::query::Part;
use super::tokenizer::{GRAMS, WORDS};
use crate::text::fold;

/// Part of the index directory's name. Raise it when fields, tokenizers or folding change: an index
/// of another version is left alone and a new one is built.
pub const VERSION: u32 = 2;

/// Fast field names, as the collector asks for them.
pub const ID: &str = "id";
pub const PUBLISHED_AT: &str = "published_at";

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
    /// Bigrams with positions: these decide what an article holds.
    pub title: Field,
    pub body: Field,
    /// Words without positions: these help to rank.
    pub title_words: Field,
    pub body_words: Field,
    /// Bigrams of the account's name and handle, the author line, the tags.
    pub account_name: Field,
    pub author: Field,
    pub tags: Field,
}

impl Fields {
    pub fn schema() -> (Schema, Fields) {
        let mut schema = SchemaBuilder::new();
        let fields = Fields {
            id: schema.add_i64_field(ID, FAST | INDEXED),
            account: schema.add_i64_field("account", FAST | INDEXED),
            published_at: schema.add_i64_field(PUBLISHED_AT, FAST),
            lang: schema.add_text_field("lang", text("raw", IndexRecordOption::Basic)),
            has: schema.add_text_field("has", text("raw", IndexRecordOption::Basic)),
            title: schema.add_text_field("title", grams()),
            body: schema.add_text_field("body", grams()),
            title_words: schema.add_text_field("title_words", text(WORDS, IndexRecordOption::WithFreqs)),
            body_words: schema.add_text_field("body_words", text(WORDS, IndexRecordOption::WithFreqs)),
            account_name: schema.add_text_field("account_name", grams()),
            author: schema.add_text_field("author", grams()),
            tags: schema.add_text_field("tags", grams()),
        };
        (schema.build(), fields)
    }
}

fn grams() -> TextOptions {
    text(GRAMS, IndexRecordOption::WithFreqsAndPositions)
}

fn text(tokenizer: &str, record: IndexRecordOption) -> TextOptions {
    let scored = record != IndexRecordOption::Basic;
    let indexing =
        TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record).set_fieldnorms(scored);
    TextOptions::default().set_indexing_options(indexing)
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
    /// Each text is folded once for both of its fields.
    pub fn document(&self, fields: &Fields) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_i64(fields.id, self.id);
        document.add_i64(fields.account, self.account);
        document.add_i64(fields.published_at, self.published_at);
        document.add_text(fields.lang, &self.lang);
        self.has.iter().for_each(|part| document.add_text(fields.has, <&str>::from(*part)));
        let mut folded = String::with_capacity(self.body.len() + 16);
        let mut add = |text: &str, into: &[Field]| {
            folded.clear();
            fold::fold_into(text, &mut folded);
            into.iter().for_each(|field| document.add_text(*field, &folded));
        };
        add(&self.title, &[fields.title, fields.title_words]);
        add(&self.body, &[fields.body, fields.body_words]);
        add(&self.account_name, &[fields.account_name]);
        add(&self.account_handle, &[fields.account_name]);
        add(&self.author, &[fields.author]);
        self.tags.iter().for_each(|tag| add(tag, &[fields.tags]));
        document
    }
}
