//! How many articles of an answer there are of each kind.

use std::cmp::Reverse;
use std::collections::HashMap;

use rustc_hash::FxHashMap;
use strum::VariantArray;
use tantivy::DocId;

use super::query::Part;
use super::rank::Facets;
use super::view::{Segment, View};

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

    /// Takes over what another one has counted of the same view.
    pub fn merge(&mut self, other: Tally) {
        other.accounts.into_iter().for_each(|(id, count)| *self.accounts.entry(id).or_default() += count);
        other.months.into_iter().for_each(|(month, count)| *self.months.entry(month).or_default() += count);
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
