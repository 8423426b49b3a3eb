//! What is in at least one of several sets.

use tantivy::{DocId, DocSet, TERMINATED};

use super::{Docs, Nothing, go_to};

/// What is in at least one set.
pub fn any_of(mut any: Vec<Docs>) -> Docs {
    any.retain(|docs| docs.doc() != TERMINATED);
    match any.len() {
        0 => Box::new(Nothing),
        1 => any.remove(0),
        _ => {
            let doc = any.iter().map(|docs| docs.doc()).min().unwrap_or(TERMINATED);
            Box::new(Any { any, doc, ahead: [0; AHEAD], from: doc, end: doc })
        }
    }
}

/// Words of 64 articles.
const AHEAD: usize = 16;

/// `advance` goes through a stretch ahead, one set after another; `seek` beyond it moves the sets themselves.
struct Any {
    any: Vec<Docs>,
    doc: DocId,
    /// The articles from `from` up to `end`, a bit for each; the sets are behind them.
    ahead: [u64; AHEAD],
    from: DocId,
    end: DocId,
}

impl Any {
    fn step(&mut self) {
        let mut target = self.doc + 1;
        loop {
            if let Some(doc) = self.next_ahead(target) {
                self.doc = doc;
                return;
            }
            target = self.least(self.end.max(target));
            if target == TERMINATED {
                self.doc = TERMINATED;
                return;
            }
            self.look_ahead(target);
        }
    }

    fn look_ahead(&mut self, from: DocId) {
        self.ahead = [0; AHEAD];
        (self.from, self.end) = (from, from + AHEAD as DocId * 64);
        for docs in &mut self.any {
            let mut doc = docs.doc();
            while doc < self.end {
                // What a damaged list has before them is passed over.
                if let Some(at) = doc.checked_sub(from).map(|at| at as usize) {
                    self.ahead[at / 64] |= 1 << (at % 64);
                }
                doc = docs.advance();
            }
        }
    }

    /// The first one from `target` on of those that were gone through.
    fn next_ahead(&self, target: DocId) -> Option<DocId> {
        let at = target.checked_sub(self.from).filter(|_| target < self.end)? as usize;
        let mut n = at / 64;
        let mut word = self.ahead[n] & (u64::MAX << (at % 64));
        while word == 0 {
            n += 1;
            word = *self.ahead.get(n)?;
        }
        Some(self.from + n as DocId * 64 + word.trailing_zeros())
    }

    /// Moves all sets to `target` or behind it.
    fn least(&mut self, target: DocId) -> DocId {
        self.any.iter_mut().map(|docs| go_to(docs, target)).min().unwrap_or(TERMINATED)
    }
}

impl DocSet for Any {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.step();
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if target == self.doc + 1 {
            return self.advance();
        }
        if self.doc < target {
            self.doc = match self.next_ahead(target) {
                Some(doc) => doc,
                None => self.least(self.end.max(target)),
            };
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.any.iter().map(|docs| docs.size_hint()).fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::Bits;
    use super::*;

    fn docs_of(articles: &BTreeSet<DocId>) -> Docs {
        let mut bits = Bits::new(10_000);
        articles.iter().for_each(|doc| bits.insert(*doc));
        bits.into_docs()
    }

    fn sets() -> impl Strategy<Value = Vec<BTreeSet<DocId>>> {
        let near = proptest::collection::btree_set(0..200u32, 0..40);
        let far = proptest::collection::btree_set(0..10_000u32, 0..40);
        proptest::collection::vec(prop_oneof![near, far], 2..6)
    }

    proptest! {
        #[test]
        fn steps_and_jumps_find_what_is_in_any_set(sets in sets(), jumps in proptest::collection::vec(0..600u32, 0..60)) {
            let all: BTreeSet<DocId> = sets.iter().flatten().copied().collect();
            let first = |from: DocId| all.range(from..).next().copied().unwrap_or(TERMINATED);
            let mut docs = any_of(sets.iter().map(docs_of).collect());
            prop_assert_eq!(docs.doc(), first(0));
            for jump in jumps {
                if docs.doc() == TERMINATED { break }
                let target = docs.doc() + 1 + jump.saturating_sub(300);
                let found = if target == docs.doc() + 1 { docs.advance() } else { docs.seek(target) };
                prop_assert_eq!(found, first(target));
                prop_assert_eq!(docs.doc(), found);
            }
        }
    }
}
