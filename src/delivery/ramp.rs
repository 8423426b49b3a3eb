//! [`Ramp`]: warming up. A new domain or server is trusted little; it may send a little on its first day
//! and more on each further one, until it is known.

use std::str::FromStr;

use chrono::NaiveDate;

use crate::clock::Timestamp;

/// Messages within 24 hours on the first day, the second, ...; after the last there is no bound. About
/// half as much again to twice as much each day, as mailbox providers advise.
pub const STEPS: [u32; 14] =
    [50, 100, 200, 400, 800, 1_500, 3_000, 5_000, 10_000, 20_000, 40_000, 75_000, 150_000, 300_000];

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// The most messages within 24 hours, day by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// The first day's midnight in UTC.
    start: Timestamp,
    steps: Vec<u32>,
}

impl Ramp {
    /// None of an empty text.
    ///
    /// # Errors
    /// Words for those who wrote it.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        if text.trim().is_empty() { Ok(None) } else { text.parse().map(Some) }
    }

    /// The most within 24 hours at a moment; none when it is over. Before its first day, the first
    /// step holds.
    pub fn most(&self, now: Timestamp) -> Option<u32> {
        let day = usize::try_from((now.0 - self.start.0).max(0) / DAY).unwrap_or(usize::MAX);
        self.steps.get(day).copied()
    }
}

impl FromStr for Ramp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not like 2026-12-01 or 2026-12-01: 50, 100, 200");
        let (day, steps) = text.split_once(':').map_or((text, None), |(day, steps)| (day, Some(steps)));
        let day: NaiveDate = day.trim().parse().map_err(|_| wrong())?;
        let start = Timestamp(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
        let steps: Vec<u32> = match steps {
            None => STEPS.to_vec(),
            Some(steps) => steps
                .split(',')
                .map(|step| step.trim().parse().ok().filter(|step| *step > 0).ok_or_else(wrong))
                .collect::<Result<_, _>>()?,
        };
        // A window holds what was sent on the day before: it must never be over the next day's bound.
        if steps.len() > 366 || !steps.is_sorted() {
            return Err(format!("`{text}` must not fall from day to day, and last a year at most"));
        }
        Ok(Self { start, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    #[test]
    fn a_ramp_grows_by_the_day_and_ends() {
        let ramp: Ramp = "2026-12-01: 50, 120,500".parse().unwrap();
        assert_eq!(ramp.most(at("2026-11-01T00:00:00Z")), Some(50), "the day before the first as well");
        assert_eq!(ramp.most(at("2026-12-01T23:59:59Z")), Some(50));
        assert_eq!(ramp.most(at("2026-12-02T00:00:00Z")), Some(120));
        assert_eq!(ramp.most(at("2026-12-03T12:00:00Z")), Some(500));
        assert_eq!(ramp.most(at("2026-12-04T00:00:00Z")), None);
        let usual: Ramp = "2026-12-01".parse().unwrap();
        assert_eq!(usual.most(at("2026-12-14T00:00:00Z")), Some(300_000));
        assert_eq!(Ramp::parse(" "), Ok(None));
        for wrong in
            ["soon", "2026-13-01", "2026-12-01:", "2026-12-01: 0", "2026-12-01: 100, 50", "2026-12-01: x"]
        {
            assert!(wrong.parse::<Ramp>().is_err(), "{wrong}");
        }
    }
}
