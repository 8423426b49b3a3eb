//! What is in every one of several sets, and in none of others.

use tantivy::{DocId, DocSet, TERMINATED};

use super::stretch::Stretch;
use super::{Docs, Nothing, Set, go_to, meet};
use crate::search::budget::Budget;

/// Where at least one of so many articles is in each of the sets, all are gone through: a set is gone through faster
/// than it is looked up.
const DENSE: u64 = 16;

/// What is in every set and in none of the others, of a segment whose articles end before `end`.
pub fn all_of(mut all: Vec<Docs>, none: Vec<Docs>, end: DocId, budget: Budget) -> Docs {
    all.sort_by_key(|docs| docs.size_hint());
    match (all.len(), none.is_empty()) {
        (0, _) => Box::new(Nothing),
        (1, true) => all.remove(0),
        _ => {
            let is_light = all.iter().chain(&none).all(|docs| docs.is_light());
            let in_stretches = is_light && u64::from(all[0].size_hint()) * DENSE > u64::from(end);
            let mut docs = All { all, none, budget, doc: 0, in_stretches, ahead: Stretch::none(0), end: 0 };
            docs.settle(0);
            Box::new(docs)
        }
    }
}

struct All {
    /// Small ones first.
    all: Vec<Docs>,
    none: Vec<Docs>,
    budget: Budget,
    doc: DocId,
    in_stretches: bool,
    ahead: Stretch,
    /// What was looked at ends there. The first set is behind it; others may have been left where they were.
    end: DocId,
}

impl All {
    /// Goes to the first article from `target` on.
    fn settle(&mut self, target: DocId) {
        self.doc = if self.in_stretches { self.in_stretch(target) } else { self.by_looking_up(target) };
    }

    fn by_looking_up(&mut self, target: DocId) -> DocId {
        let mut doc = meet(&mut self.all, go_to, target, &mut self.budget);
        while doc != TERMINATED && self.none.iter_mut().any(|docs| go_to(docs, doc) == doc) {
            doc = meet(&mut self.all, go_to, doc + 1, &mut self.budget);
        }
        doc
    }

    fn in_stretch(&mut self, mut target: DocId) -> DocId {
        loop {
            if let Some(doc) = self.ahead.next(target) {
                return doc;
            }
            // Nothing is in all of them before the one that is farthest ahead.
            let ahead = self.all.iter().map(|docs| docs.doc()).max().unwrap_or(TERMINATED);
            target = go_to(&mut self.all[0], target.max(self.end).max(ahead));
            if target >= TERMINATED || self.budget.is_spent_by(Stretch::LENGTH) {
                return TERMINATED;
            }
            self.look_ahead(target);
        }
    }

    fn look_ahead(&mut self, from: DocId) {
        self.ahead = Stretch::none(from);
        self.end = self.ahead.end();
        self.all[0].mark(&mut self.ahead);
        let marked = |docs: &mut Docs| {
            let mut marked = Stretch::none(from);
            docs.mark(&mut marked);
            marked
        };
        for docs in &mut self.all[1..] {
            if self.ahead.is_empty() {
                return;
            }
            self.ahead.keep(&marked(docs));
        }
        for docs in &mut self.none {
            self.ahead.remove(&marked(docs));
        }
    }
}

impl DocSet for All {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.settle(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.settle(target);
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.all[0].size_hint()
    }
}

impl Set for All {
    fn is_light(&self) -> bool {
        self.in_stretches
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::Bits;
    use super::*;

    const END: DocId = 4_000;

    fn docs_of(articles: &BTreeSet<DocId>) -> Docs {
        let mut bits = Bits::new(END);
        articles.iter().for_each(|doc| bits.insert(*doc));
        bits.into_docs()
    }

    /// Most of some articles, or a few of all.
    fn sets(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<BTreeSet<DocId>>> {
        let left_out =
            |from: DocId, out: BTreeSet<DocId>| (from..END).filter(|doc| !out.contains(doc)).collect();
        let most = (0..2_000u32, proptest::collection::btree_set(0..END, 0..600));
        let most = most.prop_map(move |(from, out)| left_out(from, out));
        let few = proptest::collection::btree_set(0..END, 0..60);
        proptest::collection::vec(prop_oneof![3 => most, 1 => few], count)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn steps_and_jumps_find_what_is_in_all_sets(
            all in sets(1..4),
            none in sets(0..2),
            jumps in proptest::collection::vec(0..900u32, 0..60),
        ) {
            let is_in = |doc: &DocId| all.iter().all(|set| set.contains(doc)) && !none.iter().any(|set| set.contains(doc));
            let expected: BTreeSet<DocId> = (0..END).filter(is_in).collect();
            let first = |from: DocId| expected.range(from..).next().copied().unwrap_or(TERMINATED);
            let sets = |sets: &[BTreeSet<DocId>]| sets.iter().map(docs_of).collect::<Vec<Docs>>();
            let mut docs = all_of(sets(&all), sets(&none), END, Budget::until(None));
            prop_assert_eq!(docs.doc(), first(0));
            for jump in jumps {
                if docs.doc() == TERMINATED { break }
                let target = docs.doc() + 1 + jump.saturating_sub(300);
                let found = if target == docs.doc() + 1 { docs.advance() } else { docs.seek(target) };
                prop_assert_eq!(found, first(target));
            }
            let mut docs = all_of(sets(&all), sets(&none), END, Budget::until(None));
            let mut stretch = Stretch::none(900);
            docs.mark(&mut stretch);
            let marked: Vec<DocId> = (900..stretch.end()).filter(|doc| stretch.next(*doc) == Some(*doc)).collect();
            prop_assert_eq!(marked, expected.range(900..stretch.end()).copied().collect::<Vec<_>>());
            prop_assert_eq!(docs.doc(), first(stretch.end()));
        }
    }
}
