//! Sets of articles of one segment, put together from lists: all of, any of, none of, and runs of letters. Sets that
//! much of the segment is in are put together by stretches, a bit for each article.

mod all;
mod any;
mod run;
mod stretch;

use tantivy::postings::SegmentPostings;
use tantivy::{DocId, DocSet, TERMINATED};

pub use self::all::all_of;
pub use self::any::any_of;
pub use self::run::Run;
pub use self::stretch::Stretch;
use super::budget::Budget;

/// A set of articles, at one of them.
pub trait Set: DocSet {
    /// Marks its articles of a stretch, and goes behind them.
    fn mark(&mut self, stretch: &mut Stretch) {
        let mut doc = self.doc();
        if doc < stretch.from() {
            doc = self.seek(stretch.from());
        }
        while doc < stretch.end() {
            stretch.mark(doc);
            doc = self.advance();
        }
    }

    /// Whether it costs little to go through all of it.
    fn is_light(&self) -> bool {
        true
    }
}

pub type Docs = Box<dyn Set>;

impl Set for SegmentPostings {}
impl Set for Nothing {}
impl Set for Bits {}
impl<F: FnMut(DocId) -> bool + Send + 'static> Set for Checked<F> {}

/// Nothing.
pub struct Nothing;

impl DocSet for Nothing {
    fn advance(&mut self) -> DocId {
        TERMINATED
    }

    fn seek(&mut self, _: DocId) -> DocId {
        TERMINATED
    }

    fn doc(&self) -> DocId {
        TERMINATED
    }

    fn size_hint(&self) -> u32 {
        0
    }
}

/// Every article below a number for which something holds.
pub struct Checked<F> {
    doc: DocId,
    end: DocId,
    check: F,
    budget: Budget,
}

impl<F: FnMut(DocId) -> bool + Send> Checked<F> {
    pub fn new(end: DocId, check: F, budget: Budget) -> Checked<F> {
        let mut docs = Checked { doc: 0, end, check, budget };
        docs.seek(0);
        docs
    }
}

impl<F: FnMut(DocId) -> bool + Send> DocSet for Checked<F> {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.seek_from(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target || target == 0 {
            self.seek_from(target);
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.end
    }
}

impl<F: FnMut(DocId) -> bool + Send> Checked<F> {
    fn seek_from(&mut self, mut doc: DocId) {
        while doc < self.end && !(self.check)(doc) {
            if self.budget.is_spent() {
                doc = self.end;
                break;
            }
            doc += 1;
        }
        self.doc = if doc < self.end { doc } else { TERMINATED };
    }
}

/// A set that was worked out beforehand, a bit for each article.
pub struct Bits {
    words: Vec<u64>,
    doc: DocId,
    count: u32,
}

impl Bits {
    pub fn new(end: DocId) -> Bits {
        Bits { words: vec![0; end as usize / 64 + 1], doc: TERMINATED, count: 0 }
    }

    #[inline]
    pub fn insert(&mut self, doc: DocId) {
        let word = &mut self.words[doc as usize / 64];
        let bit = 1 << (doc % 64);
        self.count += u32::from(*word & bit == 0);
        *word |= bit;
    }

    /// At its first article.
    pub fn into_docs(mut self) -> Docs {
        self.doc = self.next_from(0);
        Box::new(self)
    }

    fn next_from(&self, target: DocId) -> DocId {
        let mut n = target as usize / 64;
        let Some(first) = self.words.get(n) else { return TERMINATED };
        let mut word = first & (u64::MAX << (target % 64));
        while word == 0 {
            n += 1;
            match self.words.get(n) {
                Some(next) => word = *next,
                None => return TERMINATED,
            }
        }
        n as DocId * 64 + word.trailing_zeros()
    }
}

impl DocSet for Bits {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.doc = self.next_from(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.doc = self.next_from(target);
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.count
    }
}

/// Some sets may only be told to seek what is ahead of them.
#[inline]
pub fn go_to(docs: &mut Docs, target: DocId) -> DocId {
    if docs.doc() < target { docs.seek(target) } else { docs.doc() }
}

/// The first article from `target` on that is in every set; small ones should come first. `seek` moves
/// one of them to the first of its articles from a number on.
fn meet<S>(
    sets: &mut [S],
    seek: impl Fn(&mut S, DocId) -> DocId,
    target: DocId,
    budget: &mut Budget,
) -> DocId {
    let Some((first, others)) = sets.split_first_mut() else { return TERMINATED };
    let mut target = seek(first, target);
    'candidates: while target != TERMINATED {
        if budget.is_spent() {
            return TERMINATED;
        }
        for other in others.iter_mut() {
            let doc = seek(other, target);
            if doc > target {
                target = seek(first, doc);
                continue 'candidates;
            }
        }
        break;
    }
    target
}
