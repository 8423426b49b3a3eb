//! What a search keeps of the articles it comes by: the best for a page, and counts of all.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use chrono::{DateTime, Datelike};
use strum::VariantArray;
use tantivy::DocId;

use super::query::Part;
use super::rank::{Facets, Place, Sort};
use super::view::{Segment, View};

/// An article that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub place: Place,
    /// Which segment.
    pub segment: usize,
    pub doc: DocId,
}

/// Keeps the best articles of one tier for a closer look, of the others those of the page, and
/// counts all of them.
pub struct Gather {
    tier: u8,
    sort: Sort,
    pub total: usize,
    /// How many get a closer look.
    top: usize,
    room: usize,
    after: Option<Place>,
    /// The worst of each on top.
    best: BinaryHeap<Reverse<Candidate>>,
    rest: BinaryHeap<Reverse<Candidate>>,
}

impl Gather {
    /// `top` articles get a closer look; `room` are on the page, which begins `after` a place.
    pub fn new(tier: u8, sort: Sort, top: usize, room: usize, after: Option<Place>) -> Gather {
        let top = if sort == Sort::Relevance { top } else { 0 };
        Gather { tier, sort, total: 0, top, room, after, best: BinaryHeap::new(), rest: BinaryHeap::new() }
    }

    #[inline]
    pub fn offer(&mut self, n: usize, segment: &Segment, doc: DocId, score: f32) {
        self.total += 1;
        let key = match self.sort {
            Sort::Newest => segment.published.get_val(doc),
            Sort::Oldest => segment.published.get_val(doc).saturating_neg(),
            Sort::Relevance => key(score, false),
        };
        let worse = |heap: &BinaryHeap<Reverse<Candidate>>, room| {
            heap.len() >= room && heap.peek().is_none_or(|worst| key < worst.0.place.key)
        };
        if worse(&self.best, self.top) && worse(&self.rest, self.room) {
            return;
        }
        let place = Place { tier: self.tier, key, article: segment.ids.get_val(doc) };
        let mut candidate = Candidate { place, segment: n, doc };
        if self.top > 0 {
            self.best.push(Reverse(candidate));
            if self.best.len() <= self.top {
                return;
            }
            let Some(Reverse(worst)) = self.best.pop() else { return };
            candidate = worst;
        }
        if self.room > 0 && self.after.is_none_or(|after| candidate.place < after) {
            self.rest.push(Reverse(candidate));
            if self.rest.len() > self.room {
                self.rest.pop();
            }
        }
    }

    /// The page, best first, once `look` has given the best a factor each; they come to it by
    /// segment, in order.
    pub fn finish(self, mut look: impl FnMut(usize, &[DocId]) -> Vec<f32>) -> Vec<Place> {
        let mut best: Vec<Candidate> = self.best.into_iter().map(|candidate| candidate.0).collect();
        best.sort_unstable_by_key(|candidate| (candidate.segment, candidate.doc));
        let mut places: Vec<Place> = Vec::new();
        for group in best.chunk_by(|one, other| one.segment == other.segment) {
            let docs: Vec<DocId> = group.iter().map(|candidate| candidate.doc).collect();
            let factors = look(group[0].segment, &docs);
            places.extend(group.iter().zip(factors).map(|(candidate, factor)| Place {
                key: key(score(candidate.place.key) * factor, true),
                ..candidate.place
            }));
        }
        places.retain(|place| self.after.is_none_or(|after| *place < after));
        places.extend(self.rest.into_iter().map(|candidate| candidate.0.place));
        places.sort_unstable_by(|one, other| other.cmp(one));
        places.truncate(self.room);
        places
    }
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
    accounts: HashMap<i64, usize>,
    /// By months since the year 0.
    months: HashMap<i32, usize>,
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
            accounts: HashMap::new(),
            months: HashMap::new(),
            langs: view.segments.iter().map(|segment| counts(&segment.langs)).collect(),
            has: view.segments.iter().map(|segment| counts(&segment.has)).collect(),
        }
    }

    /// Nothing counted yet, over the same segments.
    pub fn empty(&self) -> Tally {
        let zeros = |counts: &Vec<Vec<usize>>| counts.iter().map(|counts| vec![0; counts.len()]).collect();
        Tally {
            accounts: HashMap::new(),
            months: HashMap::new(),
            langs: zeros(&self.langs),
            has: zeros(&self.has),
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

    pub fn add(&mut self, other: Tally) {
        other.accounts.into_iter().for_each(|(id, count)| *self.accounts.entry(id).or_default() += count);
        other.months.into_iter().for_each(|(month, count)| *self.months.entry(month).or_default() += count);
        for (counts, more) in [(&mut self.langs, other.langs), (&mut self.has, other.has)] {
            for (counts, more) in counts.iter_mut().flatten().zip(more.into_iter().flatten()) {
                *counts += more;
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

/// Year and month in UTC as one number.
fn month(at: i64) -> i32 {
    DateTime::from_timestamp_millis(at).map_or(0, |at| at.year() * 12 + at.month0() as i32)
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
