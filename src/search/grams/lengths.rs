//! How long the text and the title of each article of a segment are, in letters.

use tantivy::DocId;
use tantivy::directory::OwnedBytes;

/// Bytes of one article.
const ENTRY: usize = 6;

#[derive(Clone)]
pub struct Lengths(OwnedBytes);

impl Lengths {
    /// For each article 4 bytes for the text, title included, and 2 for the title.
    pub fn encode(lengths: &[(u32, u16)]) -> Vec<u8> {
        lengths
            .iter()
            .flat_map(|(text, title)| text.to_le_bytes().into_iter().chain(title.to_le_bytes()))
            .collect()
    }

    pub fn open(bytes: OwnedBytes) -> Lengths {
        Lengths(bytes)
    }

    pub fn of(lengths: &[(u32, u16)]) -> Lengths {
        Lengths(OwnedBytes::new(Lengths::encode(lengths)))
    }

    pub fn count(&self) -> usize {
        self.0.len() / ENTRY
    }

    /// Places in the article's text, its title included.
    #[inline]
    pub fn text(&self, doc: DocId) -> u32 {
        let at = doc as usize * ENTRY;
        self.0.get(at..at + 4).map_or(0, |four| u32::from_le_bytes(four.try_into().expect("four bytes")))
    }

    /// Places below this one are in the title.
    #[inline]
    pub fn title(&self, doc: DocId) -> u32 {
        let at = doc as usize * ENTRY + 4;
        self.0
            .get(at..at + 2)
            .map_or(0, |two| u32::from(u16::from_le_bytes(two.try_into().expect("two bytes"))))
    }
}
