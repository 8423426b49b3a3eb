//! What a search keeps of the articles it comes by: the best for a page.

use std::cmp::Reverse;

use tantivy::DocId;

use super::batch::Batch;
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
    best: Top,
    rest: Top,
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
        Gather { tier, sort, limits, total: 0, best: Top::of(limits.best), rest: Top::of(limits.rest) }
    }

    /// An article of the segment of number `n`, by its score.
    #[inline]
    pub fn offer(&mut self, n: usize, segment: &Segment, doc: DocId, score: f32) {
        self.offer_with(n, segment, doc, Key::of_score(score, false));
    }

    /// Those of a batch; by date where none get a closer look.
    pub fn offer_all(&mut self, n: usize, segment: &Segment, batch: &Batch) {
        if self.limits.best > 0 {
            for (&doc, &score) in batch.docs.iter().zip(&batch.scores) {
                self.offer(n, segment, doc, score);
            }
        } else {
            for (&doc, &published) in batch.docs.iter().zip(&batch.published) {
                self.offer_with(n, segment, doc, date(self.sort, published));
            }
        }
    }

    #[inline]
    fn offer_with(&mut self, n: usize, segment: &Segment, doc: DocId, key: Key) {
        self.total += 1;
        if self.best.is_beyond(key) && self.rest.is_beyond(key) {
            return;
        }
        let place = Place { tier: self.tier, key, article: segment.ids.get_val(doc) };
        self.keep(Candidate { place, segment: n, doc });
    }

    /// Takes over what another one of the same tier has gathered.
    pub fn merge(&mut self, other: Gather) {
        self.total += other.total;
        other.best.kept.into_iter().chain(other.rest.kept).for_each(|candidate| self.keep(candidate));
    }

    fn keep(&mut self, candidate: Candidate) {
        self.best.kept.push(candidate);
        if self.best.is_full() {
            self.sift();
        }
    }

    /// Leaves no more than the best among them, and puts others where the page has room.
    fn sift(&mut self) {
        let after = self.limits.after;
        let others = self.best.cut().filter(|other| after.is_none_or(|after| other.place < after));
        for other in others {
            self.rest.kept.push(other);
            if self.rest.is_full() {
                self.rest.cut();
            }
        }
    }

    pub fn best(&mut self) -> &[Candidate] {
        self.sift();
        &self.best.kept
    }

    /// The page, best first, once `look` has given the `closer` best a factor each; they come to it
    /// by segment, in order. With `fold`, those of the best that say the same as a better one are
    /// put under it.
    pub fn finish(
        mut self,
        view: &View,
        closer: usize,
        fold: bool,
        mut look: impl FnMut(usize, &[DocId]) -> Vec<f32>,
    ) -> Vec<Placed> {
        self.sift();
        let mut best = self.best.sorted();
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
        placed.extend(self.rest.sorted().into_iter().map(Placed::alone));
        placed.retain(|hit| self.limits.after.is_none_or(|after| hit.place < after));
        placed.truncate(self.limits.room);
        placed
    }
}

/// The best of many. An archive mostly comes oldest first, each article better than all before it: a heap would
/// sort every one of them in, so they are only put down, and cut down to the best now and then.
struct Top {
    room: usize,
    kept: Vec<Candidate>,
    /// What is below this will not stay.
    least: Option<Key>,
}

impl Top {
    fn of(room: usize) -> Top {
        Top { room, kept: Vec::with_capacity(room * 2), least: None }
    }

    #[inline]
    fn is_beyond(&self, key: Key) -> bool {
        self.room == 0 || self.least.is_some_and(|least| key < least)
    }

    fn is_full(&self) -> bool {
        self.kept.len() >= self.room * 2
    }

    /// Leaves no more than there is room for; the others, in no order.
    fn cut(&mut self) -> std::vec::Drain<'_, Candidate> {
        if let Some(last) = self.room.checked_sub(1).filter(|last| *last < self.kept.len()) {
            let (_, least, _) = self.kept.select_nth_unstable_by_key(last, |kept| Reverse(*kept));
            self.least = Some(least.place.key);
        }
        self.kept.drain(self.room.min(self.kept.len())..)
    }

    /// Best first.
    fn sorted(mut self) -> Vec<Candidate> {
        self.cut();
        self.kept.sort_unstable_by_key(|kept| Reverse(*kept));
        self.kept
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
