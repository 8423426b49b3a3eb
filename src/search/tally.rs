//! How many articles of an answer there are of each kind.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono_tz::Tz;
use rustc_hash::FxHashMap;
use strum::VariantArray;
use tantivy::DocId;
use tantivy::columnar::StrColumn;

use super::months::Months;
use super::query::Part;
use super::rank::Facets;
use super::view::{Segment, View};

/// Counts articles by account, month, language and parts.
pub struct Tally {
    accounts: FxHashMap<i64, usize>,
    months: Months,
    /// For each segment, by the ordinals of its columns.
    langs: Vec<Vec<usize>>,
    has: Vec<Vec<usize>>,
    /// Room for what columns hold of some articles.
    values: Vec<i64>,
    ordinals: Ordinals,
}

/// Reads the terms of a column, of many articles at once.
#[derive(Default)]
struct Ordinals {
    docs: Vec<DocId>,
    rows: Vec<u32>,
    ordinals: Vec<u64>,
}

impl Ordinals {
    /// Each term that some articles have, by its number.
    fn each(&mut self, column: Option<&StrColumn>, docs: &[DocId], take: impl FnMut(u64)) {
        let Some(column) = column else { return };
        self.docs.clear();
        self.rows.clear();
        column.ords().index.docids_to_rowids(docs, &mut self.docs, &mut self.rows);
        self.ordinals.resize(self.rows.len(), 0);
        column.ords().values.get_vals(&self.rows, &mut self.ordinals);
        self.ordinals.iter().copied().for_each(take);
    }
}

impl Tally {
    pub fn new(view: &View, zone: Tz) -> Tally {
        let counts = |column: &Option<StrColumn>| vec![0; column.as_ref().map_or(0, |c| c.num_terms())];
        Tally {
            accounts: FxHashMap::default(),
            months: Months::of(zone),
            langs: view.segments.iter().map(|segment| counts(&segment.langs)).collect(),
            has: view.segments.iter().map(|segment| counts(&segment.has)).collect(),
            values: Vec::new(),
            ordinals: Ordinals::default(),
        }
    }

    /// Articles of the segment of number `n`, with when each was published.
    pub fn count(&mut self, n: usize, segment: &Segment, docs: &[DocId], published: &[i64]) {
        self.values.resize(docs.len(), 0);
        segment.accounts.get_vals(docs, &mut self.values);
        for account in &self.values {
            *self.accounts.entry(*account).or_default() += 1;
        }
        published.iter().for_each(|at| self.months.count(*at));
        for (column, counts) in [(&segment.langs, &mut self.langs[n]), (&segment.has, &mut self.has[n])] {
            // A damaged column may name a term that there is not.
            let count =
                |ordinal: u64| counts.get_mut(ordinal as usize).into_iter().for_each(|count| *count += 1);
            self.ordinals.each(column.as_ref(), docs, count);
        }
    }

    /// Takes over what another one has counted of the same view.
    pub fn merge(&mut self, other: Tally) {
        other.accounts.into_iter().for_each(|(id, count)| *self.accounts.entry(id).or_default() += count);
        self.months.merge(other.months);
        let add = |own: &mut [Vec<usize>], others: &[Vec<usize>]| {
            let counts = own.iter_mut().flatten().zip(others.iter().flatten());
            counts.for_each(|(count, other)| *count += other);
        };
        add(&mut self.langs, &other.langs);
        add(&mut self.has, &other.has);
    }

    pub fn finish(self, view: &View) -> Facets {
        let mut accounts: Vec<(i64, usize)> = self.accounts.into_iter().collect();
        accounts.sort_unstable_by_key(|(id, count)| (Reverse(*count), *id));
        let langs = by_name(view.segments.iter().map(|segment| &segment.langs), &self.langs);
        let has = by_name(view.segments.iter().map(|segment| &segment.has), &self.has);
        let has = Part::VARIANTS.iter().filter_map(|part| {
            let name: &str = part.into();
            has.iter().find(|(found, _)| found == name).map(|(_, count)| (*part, *count))
        });
        Facets { accounts, months: self.months.finish(), langs, has: has.collect() }
    }
}

/// Counts of all segments together, more first.
fn by_name<'a>(
    columns: impl Iterator<Item = &'a Option<StrColumn>>,
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
