//! What a search keeps of the articles it comes by: the best for a page.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::DocId;

use super::place::{Key, Place, Tier};
use super::rank::Sort;
use super::sketch::Sketch;
use super::view::{Segment, View};

/// An article that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub place: Place,
    /// Which segment.
    pub segment: usize,
    pub doc: DocId,
}

/// Keeps the best articles of one tier, of the others those of the page, and counts all of them.
pub struct Gather {
    tier: Tier,
    sort: Sort,
    limits: Limits,
    pub total: usize,
    /// The worst of each on top.
    best: BinaryHeap<Reverse<Candidate>>,
    rest: BinaryHeap<Reverse<Candidate>>,
}

/// How many articles are kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The best, which may get a closer look.
    pub best: usize,
    /// Of the others those that are on the page; with none of them the tier ends with the best.
    pub rest: usize,
    /// On the page.
    pub room: usize,
    /// Where the page before ended.
    pub after: Option<Place>,
}

impl Gather {
    pub fn new(tier: Tier, sort: Sort, limits: Limits) -> Gather {
        Gather { tier, sort, limits, total: 0, best: BinaryHeap::new(), rest: BinaryHeap::new() }
    }

    #[inline]
    pub fn offer(&mut self, n: usize, segment: &Segment, doc: DocId, score: f32) {
        self.total += 1;
        let Limits { best, rest, .. } = self.limits;
        let key = if best > 0 {
            Key::of_score(score, false)
        } else {
            date(self.sort, segment.published.get_val(doc))
        };
        let worse = |heap: &BinaryHeap<Reverse<Candidate>>, room| {
            heap.len() >= room && heap.peek().is_none_or(|worst| key < worst.0.place.key)
        };
        if worse(&self.best, best) && worse(&self.rest, rest) {
            return;
        }
        let place = Place { tier: self.tier, key, article: segment.ids.get_val(doc) };
        self.keep(Candidate { place, segment: n, doc });
    }

    /// Takes over what another one of the same tier has gathered.
    pub fn merge(&mut self, other: Gather) {
        self.total += other.total;
        other.best.into_iter().chain(other.rest).for_each(|candidate| self.keep(candidate.0));
    }

    fn keep(&mut self, mut candidate: Candidate) {
        let Limits { best, rest, after, .. } = self.limits;
        if best > 0 {
            self.best.push(Reverse(candidate));
            if self.best.len() <= best {
                return;
            }
            let Some(Reverse(worst)) = self.best.pop() else { return };
            candidate = worst;
        }
        if rest > 0 && after.is_none_or(|after| candidate.place < after) {
            self.rest.push(Reverse(candidate));
            if self.rest.len() > rest {
                self.rest.pop();
            }
        }
    }

    pub fn best(&self) -> impl Iterator<Item = &Candidate> {
        self.best.iter().map(|candidate| &candidate.0)
    }

    /// The page, best first, once `look` has given the `closer` best a factor each; they come to it
    /// by segment, in order. With `fold`, those of the best that say the same as a better one are
    /// put under it.
    pub fn finish(
        self,
        view: &View,
        closer: usize,
        fold: bool,
        mut look: impl FnMut(usize, &[DocId]) -> Vec<f32>,
    ) -> Vec<Placed> {
        let mut best: Vec<Candidate> =
            self.best.into_sorted_vec().into_iter().map(|candidate| candidate.0).collect();
        let looked_at = closer.min(best.len());
        let looked_at = &mut best[..looked_at];
        looked_at.sort_unstable_by_key(|candidate| (candidate.segment, candidate.doc));
        for group in looked_at.chunk_by_mut(|one, other| one.segment == other.segment) {
            let docs: Vec<DocId> = group.iter().map(|candidate| candidate.doc).collect();
            let factors = look(group[0].segment, &docs);
            for (candidate, factor) in group.iter_mut().zip(factors) {
                candidate.place.key = Key::of_score(candidate.place.key.score() * factor, true);
            }
        }
        if self.sort != Sort::Relevance {
            for candidate in &mut best {
                let published = view.segments[candidate.segment].published.get_val(candidate.doc);
                candidate.place.key = date(self.sort, published);
            }
        }
        best.sort_unstable_by_key(|candidate| Reverse(candidate.place));
        let mut placed =
            if fold { folded(view, best) } else { best.into_iter().map(Placed::alone).collect() };
        placed.extend(self.rest.into_sorted_vec().into_iter().map(|candidate| Placed::alone(candidate.0)));
        placed.retain(|hit| self.limits.after.is_none_or(|after| hit.place < after));
        placed.truncate(self.limits.room);
        placed
    }
}

fn date(sort: Sort, published: i64) -> Key {
    Key::of_time(if sort == Sort::Oldest { published.saturating_neg() } else { published })
}

/// A place in the answer, with the articles that are put under it.
pub struct Placed {
    pub place: Place,
    pub also: Vec<i64>,
}

impl Placed {
    fn alone(candidate: Candidate) -> Placed {
        Placed { place: candidate.place, also: Vec::new() }
    }
}

/// Each article under the first that says the same.
fn folded(view: &View, ranked: Vec<Candidate>) -> Vec<Placed> {
    let mut placed: Vec<(Sketch, Placed)> = Vec::with_capacity(ranked.len());
    for candidate in ranked {
        let sketch = view.segments[candidate.segment].sketch(candidate.doc);
        match placed.iter_mut().find(|(other, _)| sketch.says_the_same(*other)) {
            Some((_, better)) => better.also.push(candidate.place.article),
            None => placed.push((sketch, Placed::alone(candidate))),
        }
    }
    placed.into_iter().map(|(_, placed)| placed).collect()
}
