//! Articles by month of publication, in the reader's zone.

use std::ops::Range;

use chrono_tz::Tz;
use rustc_hash::FxHashMap;

use super::query::moment::month_of;

/// Counts moments by month: the very ranges that a search from one month to the same one lets through.
pub struct Months {
    zone: Tz,
    /// By months since the year 0.
    found: FxHashMap<i32, Month>,
    /// The one that the last moment was in; most follow another of the same.
    last: (Range<i64>, usize, i32),
}

struct Month {
    range: Range<i64>,
    count: usize,
}

impl Months {
    pub fn of(zone: Tz) -> Months {
        Months { zone, found: FxHashMap::default(), last: (0..0, 0, 0) }
    }

    /// Unix milliseconds. What lies in no year that can be asked for is not counted.
    #[inline]
    pub fn count(&mut self, at: i64) {
        if self.last.0.contains(&at) {
            self.last.1 += 1;
        } else {
            self.go_to(at);
        }
    }

    #[cold]
    fn go_to(&mut self, at: i64) {
        self.put_down();
        let utc = utc_month(at);
        // No zone is a day away.
        for month in [utc, utc - 1, utc + 1] {
            if let Some(range) = self.range(month).filter(|range| range.contains(&at)) {
                self.last = (range, 1, month);
                return;
            }
        }
    }

    /// Where a month begins and the next one does.
    fn range(&mut self, month: i32) -> Option<Range<i64>> {
        if let Some(month) = self.found.get(&month) {
            return Some(month.range.clone());
        }
        let range = month_of(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, self.zone)?;
        let range = range.start.0..range.end.0;
        self.found.insert(month, Month { range: range.clone(), count: 0 });
        Some(range)
    }

    /// Adds up what was counted last.
    fn put_down(&mut self) {
        let (_, count, month) = std::mem::replace(&mut self.last, (0..0, 0, 0));
        if let Some(month) = self.found.get_mut(&month) {
            month.count += count;
        }
    }

    /// Takes over what another one of the same zone has counted.
    pub fn merge(&mut self, mut other: Months) {
        other.put_down();
        for (month, Month { range, count }) in other.found {
            self.found.entry(month).or_insert(Month { range, count: 0 }).count += count;
        }
    }

    /// Years and months (1 to 12) with their counts, newest first.
    pub fn finish(mut self) -> Vec<((i32, u32), usize)> {
        self.put_down();
        let counted = self.found.into_iter().filter(|(_, month)| month.count > 0);
        let mut months: Vec<_> = counted
            .map(|(at, month)| ((at.div_euclid(12), at.rem_euclid(12) as u32 + 1), month.count))
            .collect();
        months.sort_unstable_by(|one, other| other.cmp(one));
        months
    }
}

/// Year and month in UTC as one number: year * 12 + month, which counts from 0. By the arithmetic of
/// H. Hinnant's `civil_from_days`, for chrono ends before 64 bits do.
fn utc_month(at: i64) -> i32 {
    let days = at.div_euclid(86_400_000) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // Years begin in March here.
    let march = (5 * day_of_year + 2) / 153;
    let months = (era * 400 + year) * 12 + march + 2;
    months.clamp(i64::from(i32::MIN) + 1, i64::from(i32::MAX) - 1) as i32
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike};
    use proptest::prelude::*;

    use super::super::query::moment::read_period;
    use super::*;

    /// Zones with every kind of oddity: large and odd offsets, days left out, midnights that summer time skips.
    const ZONES: [Tz; 9] = [
        Tz::UTC,
        Tz::Asia__Shanghai,
        Tz::America__Toronto,
        Tz::America__Sao_Paulo,
        Tz::Pacific__Apia,
        Tz::Pacific__Kiritimati,
        Tz::Asia__Kathmandu,
        Tz::Asia__Manila,
        Tz::Africa__Monrovia,
    ];

    proptest! {
        #[test]
        fn months_of_utc_are_those_of_the_calendar(at in -60_000_000_000_000i64..250_000_000_000_000) {
            let calendar = DateTime::from_timestamp_millis(at).unwrap();
            prop_assert_eq!(utc_month(at), calendar.year() * 12 + calendar.month0() as i32);
        }

        #[test]
        fn a_month_counts_what_a_search_from_it_to_it_lets_through(
            zone in 0..ZONES.len(),
            spread in prop::collection::vec(-4_000_000_000_000i64..4_000_000_000_000, 0..60),
            // Close to the ends of months of one year.
            close in prop::collection::vec((0i64..13, -100_000_000i64..100_000_000), 0..60),
            cut in 0usize..60,
        ) {
            let zone = ZONES[zone];
            let close = close.into_iter().map(|(month, off)| 1_700_000_000_000 + month * 2_629_746_000 + off);
            let moments: Vec<i64> = spread.into_iter().chain(close).collect();
            let (one, other) = moments.split_at(cut.min(moments.len()));
            let (mut months, mut others) = (Months::of(zone), Months::of(zone));
            one.iter().for_each(|at| months.count(*at));
            other.iter().for_each(|at| others.count(*at));
            months.merge(others);
            let counted = months.finish();
            prop_assert_eq!(counted.iter().map(|(_, count)| count).sum::<usize>(), moments.len());
            prop_assert!(counted.is_sorted_by(|one, other| one.0 > other.0));
            for ((year, month), count) in &counted {
                let period = read_period(&format!("{year:04}-{month:02}"), zone).unwrap();
                let let_through = moments.iter().filter(|at| (period.start.0..period.end.0).contains(at)).count();
                prop_assert_eq!(let_through, *count, "{}-{} in {}", year, month, zone);
            }
            for year in counted.iter().map(|((year, _), _)| year) {
                let of_year = counted.iter().filter(|((other, _), _)| other == year).map(|(_, count)| count).sum::<usize>();
                let period = read_period(&format!("{year:04}"), zone).unwrap();
                let let_through = moments.iter().filter(|at| (period.start.0..period.end.0).contains(at)).count();
                prop_assert_eq!(let_through, of_year, "{} in {}", year, zone);
            }
        }

        #[test]
        fn any_moment_is_taken(moments in prop::collection::vec(any::<i64>(), 0..20)) {
            let mut months = Months::of(Tz::Asia__Shanghai);
            moments.iter().for_each(|at| months.count(*at));
            months.finish();
        }
    }
}
