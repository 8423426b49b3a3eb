//! The bigrams of each article with their places: what decides whether an article holds a run of
//! letters.
//!
//! A part of each of tantivy's segments, kept in a form of our own. Tantivy writes, merges, deletes
//! and commits segments as ever; this is one more file in them. A text of 1,000 letters has about
//! 1,000 bigrams, nearly all different, so their lists are the index. Compared to a plain tantivy
//! field with positions the file is half as large and made in a third of the time: keys are two
//! letters in a number instead of hashed bytes, lists are dealt out by counting, and places cost
//! what a text of that length makes them cost ([`postings`]).
//!
//! Every two letters that follow each other are a term, punctuation and spaces left out: 新冠-19
//! gives 新冠, 冠1, 19. The last letter comes once more alone, so that each letter of a text begins a
//! term and a single one is found by what begins with it. A run of letters is in the text exactly
//! when its bigrams stand there one after another. Latin words and numbers are terms as a
//! whole too ([`gram`]). Letters of East Asia have a list each besides, without places: 的 begins
//! thousands of bigrams, and to put their lists together takes a hundred times as long.

pub mod bits;
pub mod dict;
pub mod gram;
pub mod lengths;
mod merge;
pub mod postings;
pub mod reader;
mod writer;

use tantivy::plugin::{PluginMergeContext, PluginWriter, PluginWriterContext, SegmentPlugin};
use tantivy::schema::Field;

pub use self::gram::Gram;
use self::postings::Detail;
pub use self::postings::Postings;
pub use self::reader::Grams;
use self::writer::GramsWriter;

/// Of the file's name.
const EXTENSION: &str = "grams";
/// Letters of a title; what is beyond is not searched.
const MAX_TITLE: usize = 2_000;
const DETAILS: [Detail; 3] = [Detail::Docs, Detail::Places, Detail::ShortPlaces];

/// What a bigram stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Title, a place left out, body.
    Text,
    /// The title once more, without places.
    Title,
    /// The account's name and handle.
    Name,
    Author,
    Tag,
    /// Single letters of the text, without places.
    Letter,
}

impl Space {
    fn of(key: u64) -> Space {
        match key >> 42 {
            0 => Space::Text,
            1 => Space::Title,
            2 => Space::Name,
            3 => Space::Author,
            4 => Space::Tag,
            _ => Space::Letter,
        }
    }

    fn detail(self) -> Detail {
        match self {
            Space::Text => Detail::Places,
            Space::Title | Space::Letter => Detail::Docs,
            Space::Name | Space::Author | Space::Tag => Detail::ShortPlaces,
        }
    }
}

fn key(space: Space, gram: Gram) -> u64 {
    (space as u64) << 42 | gram.code()
}

/// Tells tantivy of the file. The fields hold folded letters with their marks, neither indexed nor stored otherwise.
pub struct GramsPlugin {
    pub title: Field,
    pub body: Field,
    pub name: Field,
    pub author: Field,
    pub tag: Field,
}

impl SegmentPlugin for GramsPlugin {
    fn extensions(&self) -> &[&str] {
        &[EXTENSION]
    }

    fn create_writer(&self, _: &PluginWriterContext) -> tantivy::Result<Box<dyn PluginWriter>> {
        let fields = [
            (Space::Text, self.body),
            (Space::Name, self.name),
            (Space::Author, self.author),
            (Space::Tag, self.tag),
        ];
        Ok(Box::new(GramsWriter::new(self.title, fields)))
    }

    fn merge(&self, context: PluginMergeContext) -> tantivy::Result<()> {
        merge::merge(&context)
    }
}
