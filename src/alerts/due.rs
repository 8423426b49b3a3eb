//! When the next mail of an alert is due, by the reader's clock.

use std::time::Duration;

use chrono::{Datelike, Days, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::db::entities::alert::AlertCadence;

/// The hour at which digests go out, where the reader is.
const HOUR: u32 = 8;
const WEEKDAY: Weekday = Weekday::Mon;
/// An instant alert that has told of [`MOST_AN_HOUR`] articles within an hour gathers the others for
/// so long.
pub const BREATHER: Duration = Duration::from_secs(60 * 60);
/// Mails of one instant alert within an hour.
pub const MOST_AN_HOUR: u64 = 10;

/// When what an alert has found at `now` is to be told, in one mail with all that comes until then.
pub fn next(cadence: AlertCadence, now: Timestamp, zone: Tz) -> Timestamp {
    let local = now.utc().with_timezone(&zone);
    let is_day = |date: &chrono::NaiveDate| match cadence {
        AlertCadence::Instant => false,
        AlertCadence::Daily => true,
        AlertCadence::Weekly => date.weekday() == WEEKDAY,
    };
    (0..=8)
        .filter_map(|days| local.date_naive().checked_add_days(Days::new(days)))
        .filter(is_day)
        .filter_map(|date| {
            // Where clocks skip the hour, it is the first that there is.
            let hours = (HOUR..HOUR + 4).filter_map(|hour| NaiveTime::from_hms_opt(hour, 0, 0));
            let mut moments = hours.map(|time| zone.from_local_datetime(&date.and_time(time)).earliest());
            moments.find_map(|moment| moment).map(|moment| Timestamp::from(moment.to_utc()))
        })
        .find(|moment| *moment > now)
        .unwrap_or(now + BREATHER)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Timestamp {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
    }

    #[rstest]
    #[case(AlertCadence::Daily, "2026-01-31T07:59:59+08:00", "Asia/Shanghai", "2026-01-31T00:00:00Z")]
    #[case(AlertCadence::Daily, "2026-01-31T08:00:00+08:00", "Asia/Shanghai", "2026-02-01T00:00:00Z")]
    // The night in which New York's clocks go forward, and the one in which they go back.
    #[case(AlertCadence::Daily, "2026-03-07T09:00:00-05:00", "America/New_York", "2026-03-08T12:00:00Z")]
    #[case(AlertCadence::Daily, "2026-10-31T09:00:00-04:00", "America/New_York", "2026-11-01T13:00:00Z")]
    // A Monday, and the Sunday before it.
    #[case(AlertCadence::Weekly, "2026-11-23T09:00:00+11:00", "Australia/Sydney", "2026-11-29T21:00:00Z")]
    #[case(AlertCadence::Weekly, "2026-11-22T09:00:00+11:00", "Australia/Sydney", "2026-11-22T21:00:00Z")]
    // Samoa had no 30 December 2011.
    #[case(AlertCadence::Daily, "2011-12-29T09:00:00-10:00", "Pacific/Apia", "2011-12-30T18:00:00Z")]
    #[case(AlertCadence::Instant, "2026-01-31T08:00:00Z", "UTC", "2026-01-31T09:00:00Z")]
    fn the_next_mail_comes_in_the_readers_morning(
        #[case] cadence: AlertCadence,
        #[case] now: &str,
        #[case] zone: &str,
        #[case] due: &str,
    ) {
        assert_eq!(next(cadence, at(now), zone.parse().unwrap()).rfc3339(), due);
    }

    #[test]
    fn a_year_of_mornings_has_one_mail_a_day() {
        for zone in [Tz::America__New_York, Tz::Europe__London, Tz::Australia__Sydney, Tz::Asia__Urumqi] {
            let mut now = at("2026-01-01T00:00:00Z");
            let mut days = std::collections::BTreeSet::new();
            for _ in 0..365 {
                now = next(AlertCadence::Daily, now, zone);
                let local = now.utc().with_timezone(&zone);
                assert_eq!(local.format("%H:%M").to_string(), "08:00");
                assert!(days.insert(local.date_naive()));
            }
        }
    }
}
