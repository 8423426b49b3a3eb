//! What is in at least one of several sets.

use tantivy::{DocId, DocSet, TERMINATED};

use super::stretch::Stretch;
use super::{Docs, Nothing, Set, go_to};

/// What is in at least one set.
pub fn any_of(mut any: Vec<Docs>) -> Docs {
    any.retain(|docs| docs.doc() != TERMINATED);
    match any.len() {
        0 => Box::new(Nothing),
        1 => any.remove(0),
        _ => {
            let doc = any.iter().map(|docs| docs.doc()).min().unwrap_or(TERMINATED);
            Box::new(Any { any, doc, ahead: Stretch::none(doc), end: doc })
        }
    }
}

/// `advance` goes through a stretch ahead, one set after another; `seek` beyond it moves the sets themselves.
struct Any {
    any: Vec<Docs>,
    doc: DocId,
    ahead: Stretch,
    /// What was looked at ends there, and the sets are behind it.
    end: DocId,
}

impl Any {
    fn step(&mut self) {
        let mut target = self.doc + 1;
        loop {
            if let Some(doc) = self.ahead.next(target) {
                self.doc = doc;
                return;
            }
            target = self.least(self.end.max(target));
            if target >= TERMINATED {
                self.doc = TERMINATED;
                return;
            }
            self.look_ahead(target);
        }
    }

    fn look_ahead(&mut self, from: DocId) {
        self.ahead = Stretch::none(from);
        self.end = self.ahead.end();
        self.any.iter_mut().for_each(|docs| docs.mark(&mut self.ahead));
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
            self.doc = match self.ahead.next(target) {
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

impl Set for Any {
    fn is_light(&self) -> bool {
        self.any.iter().all(|docs| docs.is_light())
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
