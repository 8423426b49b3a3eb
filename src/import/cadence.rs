//! When a source is fetched next: as often as it brings something, within bounds, and seldom while
//! it fails.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The pace of a feed that says nothing of its rhythm.
pub const FIRST: Duration = Duration::from_secs(30 * 60);
const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The longest that a server may ask us to stay away.
const LONGEST_RETRY: Duration = Duration::from_secs(7 * 24 * 3600);
/// Entries whose dates tell the rhythm.
const LOOKED_AT: usize = 20;

/// What one fetch says of a feed's rhythm.
#[derive(Clone, Debug, Default)]
pub struct Rhythm {
    /// Dates of its entries.
    pub dates: Vec<DateTime<Utc>>,
    /// Whether this fetch brought anything.
    pub brought: bool,
    /// What the publisher asks for: `ttl`, and Cache-Control.
    pub ttl: Option<Duration>,
    pub max_age: Option<Duration>,
}

/// The pace after a fetch that succeeded.
pub fn after_success(present: Duration, rhythm: &Rhythm, now: DateTime<Utc>) -> Duration {
    let own = gap(rhythm.dates.clone(), now).map(|gap| gap / 2);
    let wish = own.unwrap_or(if rhythm.brought { present / 2 } else { present * 3 / 2 });
    // Asked for by the publisher, but a ttl of a month does not keep news from readers.
    let asked = rhythm.ttl.into_iter().chain(rhythm.max_age).max().unwrap_or_default().min(LONGEST / 4);
    wish.max(asked).clamp(SHORTEST, LONGEST)
}

/// The pause after the nth failure in a row.
pub fn after_failure(present: Duration, failures: u32, retry_after: Option<Duration>) -> Duration {
    let pause = present.max(SHORTEST).saturating_mul(1 << failures.min(8)).min(LONGEST);
    pause.max(retry_after.unwrap_or_default().min(LONGEST_RETRY))
}

/// The typical time between entries: the newest date to now counts as one of the gaps, so that a
/// feed that has fallen silent is asked less and less often.
fn gap(mut dates: Vec<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Duration> {
    dates.sort_unstable_by(|a, b| b.cmp(a));
    dates.truncate(LOOKED_AT);
    let (newest, oldest) = (dates.first()?, dates.last()?);
    let spans = u32::try_from(dates.len() - 1).ok().filter(|spans| *spans > 0)?;
    let typical = (*newest - *oldest).to_std().ok()? / spans;
    let silence = (now - *newest).to_std().unwrap_or_default();
    Some(typical.max(silence / 4))
}

/// Spreads sources that were connected together: up to a tenth later.
pub fn spread(pause: Duration, source_id: i64) -> Duration {
    let part = source_id.wrapping_mul(2_654_435_761).rem_euclid(1000) as u32;
    pause + pause / 10 * part / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(n: i64) -> Duration {
        Duration::from_secs(n as u64 * 60)
    }

    fn every(step: i64, count: i64, now: DateTime<Utc>) -> Rhythm {
        let dates = (0..count).map(|n| now - chrono::Duration::minutes(n * step)).collect();
        Rhythm { dates, ..Rhythm::default() }
    }

    #[test]
    fn the_pace_follows_the_feed_within_bounds() {
        let now = Utc::now();
        assert_eq!(after_success(FIRST, &every(60, 10, now), now), minutes(30));
        assert_eq!(after_success(FIRST, &every(1, 10, now), now), SHORTEST);
        assert_eq!(after_success(FIRST, &every(60 * 24 * 30, 10, now), now), LONGEST);
        // Nothing for two days: no longer every half hour.
        let silent = every(60, 10, now - chrono::Duration::days(2));
        assert_eq!(after_success(FIRST, &silent, now), minutes(6 * 60));
    }

    #[test]
    fn a_feed_without_dates_is_paced_by_what_it_brings() {
        let rhythm = |brought| Rhythm { brought, ..Rhythm::default() };
        assert_eq!(after_success(FIRST, &rhythm(true), Utc::now()), minutes(15));
        assert_eq!(after_success(FIRST, &rhythm(false), Utc::now()), minutes(45));
        let asked = Rhythm { ttl: Some(minutes(60)), brought: true, ..Rhythm::default() };
        assert_eq!(after_success(FIRST, &asked, Utc::now()), minutes(60));
    }

    #[test]
    fn failures_back_off_and_retry_after_is_honoured() {
        assert_eq!(after_failure(FIRST, 1, None), minutes(60));
        assert_eq!(after_failure(FIRST, 30, None), LONGEST);
        assert_eq!(after_failure(FIRST, 1, Some(minutes(600))), minutes(600));
        assert_eq!(after_failure(FIRST, 1, Some(Duration::MAX)), LONGEST_RETRY);
    }
}
