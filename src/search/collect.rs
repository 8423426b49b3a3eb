//! What a search keeps of the articles it comes by: the best for a page, and counts of all.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use rustc_hash::FxHashMap;
use strum::VariantArray;
use tantivy::DocId;

use super::query::Part;
use super::rank::{Facets, Place, Sort};
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
    tier: u8,
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
    pub fn new(tier: u8, sort: Sort, limits: Limits) -> Gather {
        Gather { tier, sort, limits, total: 0, best: BinaryHeap::new(), rest: BinaryHeap::new() }
    }

    #[inline]
    pub fn offer(&mut self, n: usize, segment: &Segment, doc: DocId, score: f32) {
        self.total += 1;
        let Limits { best, rest, after, .. } = self.limits;
        let key = if best > 0 { key(score, false) } else { date(self.sort, segment.published.get_val(doc)) };
        let worse = |heap: &BinaryHeap<Reverse<Candidate>>, room| {
            heap.len() >= room && heap.peek().is_none_or(|worst| key < worst.0.place.key)
        };
        if worse(&self.best, best) && worse(&self.rest, rest) {
            return;
        }
        let place = Place { tier: self.tier, key, article: segment.ids.get_val(doc) };
        let mut candidate = Candidate { place, segment: n, doc };
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
                candidate.place.key = key(score(candidate.place.key) * factor, true);
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

/// The key of an order by date.
fn date(sort: Sort, published: i64) -> i64 {
    if sort == Sort::Oldest { published.saturating_neg() } else { published }
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

/// A score in the order of answers: those that had a closer look first. Bits of floats that are not
/// negative are in the order of the floats.
fn key(score: f32, closer: bool) -> i64 {
    i64::from(closer) << 32 | i64::from(score.max(0.0).to_bits())
}

/// The score of a [`key`].
pub fn score(key: i64) -> f32 {
    f32::from_bits(key as u32)
}

/// Counts articles by account, month, language and parts.
pub struct Tally {
    accounts: FxHashMap<i64, usize>,
    /// By months since the year 0.
    months: FxHashMap<i32, usize>,
    /// For each segment, by the ordinals of its columns.
    langs: Vec<Vec<usize>>,
    has: Vec<Vec<usize>>,
}

impl Tally {
    pub fn new(view: &View) -> Tally {
        let counts = |column: &Option<tantivy::columnar::StrColumn>| {
            vec![0; column.as_ref().map_or(0, |c| c.num_terms())]
        };
        Tally {
            accounts: FxHashMap::default(),
            months: FxHashMap::default(),
            langs: view.segments.iter().map(|segment| counts(&segment.langs)).collect(),
            has: view.segments.iter().map(|segment| counts(&segment.has)).collect(),
        }
    }

    pub fn count(&mut self, n: usize, segment: &Segment, doc: DocId) {
        *self.accounts.entry(segment.accounts.get_val(doc)).or_default() += 1;
        *self.months.entry(month(segment.published.get_val(doc))).or_default() += 1;
        for (column, counts) in [(&segment.langs, &mut self.langs[n]), (&segment.has, &mut self.has[n])] {
            for ordinal in column.iter().flat_map(|column| column.term_ords(doc)) {
                counts[ordinal as usize] += 1;
            }
        }
    }

    pub fn finish(self, view: &View) -> Facets {
        let mut accounts: Vec<(i64, usize)> = self.accounts.into_iter().collect();
        accounts.sort_unstable_by_key(|(id, count)| (Reverse(*count), *id));
        let months = self.months.into_iter();
        let mut months: Vec<_> = months
            .map(|(month, count)| ((month.div_euclid(12), month.rem_euclid(12) as u32 + 1), count))
            .collect();
        months.sort_unstable_by(|one, other| other.cmp(one));
        let langs = by_name(view.segments.iter().map(|segment| &segment.langs), &self.langs);
        let has = by_name(view.segments.iter().map(|segment| &segment.has), &self.has);
        let has = Part::VARIANTS.iter().filter_map(|part| {
            let name: &str = part.into();
            has.iter().find(|(found, _)| found == name).map(|(_, count)| (*part, *count))
        });
        Facets { accounts, months, langs, has: has.collect() }
    }
}

/// Year and month in UTC as one number: year * 12 + month, which counts from 0. Done for every
/// article of an answer, so by the arithmetic of H. Hinnant's `civil_from_days` and not by chrono.
fn month(at: i64) -> i32 {
    let days = at.div_euclid(86_400_000) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // Years begin in March here.
    let march = (5 * day_of_year + 2) / 153;
    ((era * 400 + year) * 12 + march + 2).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Counts of all segments together, more first.
fn by_name<'a>(
    columns: impl Iterator<Item = &'a Option<tantivy::columnar::StrColumn>>,
    counts: &[Vec<usize>],
) -> Vec<(String, usize)> {
    let mut names: HashMap<String, usize> = HashMap::new();
    for (column, counts) in columns.zip(counts) {
        let Some(column) = column else { continue };
        for (ordinal, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let mut name = String::new();
            if column.ord_to_str(ordinal as u64, &mut name).is_ok_and(|found| found) {
                *names.entry(name).or_default() += count;
            }
        }
    }
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    names
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn months_are_those_of_the_calendar(at in -60_000_000_000_000i64..250_000_000_000_000) {
            let calendar = DateTime::from_timestamp_millis(at).unwrap();
            prop_assert_eq!(month(at), calendar.year() * 12 + calendar.month0() as i32);
        }
    }
}
