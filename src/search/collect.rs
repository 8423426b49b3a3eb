//! What a search keeps of the articles it comes by: the best for a page, and counts of all.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use chrono::{DateTime, Datelike};
use strum::VariantArray;
use tantivy::DocId;

use super::query::Part;
use super::rank::{Facets, Place, Sort};
use super::view::{Segment, View};

/// Keeps the best places of one tier behind the end of the page before, and counts all of them.
pub struct Gather {
    tier: u8,
    sort: Sort,
    room: usize,
    after: Option<Place>,
    pub total: usize,
    /// The worst on top.
    heap: BinaryHeap<Reverse<Place>>,
}

impl Gather {
    pub fn new(tier: u8, sort: Sort, room: usize, after: Option<Place>) -> Gather {
        Gather { tier, sort, room, after, total: 0, heap: BinaryHeap::with_capacity(room + 1) }
    }

    pub fn offer(&mut self, _: usize, segment: &Segment, doc: DocId, score: f32) {
        self.total += 1;
        if self.room == 0 {
            return;
        }
        let key = match self.sort {
            Sort::Newest => segment.published.get_val(doc),
            Sort::Oldest => segment.published.get_val(doc).saturating_neg(),
            // Bits of floats that are not negative are in the order of the floats.
            Sort::Relevance => i64::from(score.max(0.0).to_bits()),
        };
        let full = self.heap.len() >= self.room;
        if full && self.heap.peek().is_some_and(|worst| key < worst.0.key) {
            return;
        }
        let place = Place { tier: self.tier, key, article: segment.ids.get_val(doc) };
        if self.after.is_some_and(|after| place >= after) {
            return;
        }
        self.heap.push(Reverse(place));
        if full {
            self.heap.pop();
        }
    }

    /// Best first.
    pub fn finish(self) -> Vec<Place> {
        self.heap.into_sorted_vec().into_iter().map(|place| place.0).collect()
    }
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
