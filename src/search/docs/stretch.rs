//! Numbers of articles in a row, a bit for each: what many sets have in common is found word by word.

use tantivy::{DocId, TERMINATED};

/// Words of 64 articles.
const WORDS: usize = 16;

/// The marked ones of a stretch; all before its end were looked at.
#[derive(Clone)]
pub struct Stretch {
    words: [u64; WORDS],
    from: DocId,
}

impl Stretch {
    /// Articles in a stretch.
    pub const LENGTH: usize = WORDS * 64;

    /// None of those from `from` on.
    pub fn none(from: DocId) -> Stretch {
        Stretch { words: [0; WORDS], from }
    }

    pub fn from(&self) -> DocId {
        self.from
    }

    /// The first number behind it; no article has one from [`TERMINATED`] on.
    pub fn end(&self) -> DocId {
        self.from.saturating_add(Self::LENGTH as DocId).min(TERMINATED)
    }

    /// What a damaged list has outside is passed over.
    #[inline]
    pub fn mark(&mut self, doc: DocId) {
        let at = doc.wrapping_sub(self.from) as usize;
        if let Some(word) = self.words.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Leaves those that are marked in `other` as well. Both begin at the same one.
    pub fn keep(&mut self, other: &Stretch) {
        self.words.iter_mut().zip(other.words).for_each(|(word, other)| *word &= other);
    }

    /// Leaves those that are not marked in `other`.
    pub fn remove(&mut self, other: &Stretch) {
        self.words.iter_mut().zip(other.words).for_each(|(word, other)| *word &= !other);
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The first marked one from `target` on.
    #[inline]
    pub fn next(&self, target: DocId) -> Option<DocId> {
        let at = target.checked_sub(self.from)? as usize;
        let mut n = at / 64;
        let mut word = self.words.get(n)? & (u64::MAX << (at % 64));
        while word == 0 {
            n += 1;
            word = *self.words.get(n)?;
        }
        Some(self.from + n as DocId * 64 + word.trailing_zeros())
    }
}
