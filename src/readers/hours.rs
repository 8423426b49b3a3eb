//! A reader's hours: when digests come, and when nothing does, by the clock on the reader's wall.

use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Timelike, Weekday};
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::db::entities::reader;

/// What a reader has who never chose: mornings, and weekly digests on Mondays.
pub const HOUR: u32 = 8;
pub const WEEKDAY: Weekday = Weekday::Mon;

/// How often digests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Pace {
    Daily,
    Weekly,
}

/// From an hour until another, on the next day if that is not later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    pub from: u32,
    pub until: u32,
}

/// By which a reader is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    pub zone: Tz,
    /// 0 to 23.
    pub hour: u32,
    pub weekday: Weekday,
    pub quiet: Option<Quiet>,
}

impl Hours {
    /// Those of somebody who never chose.
    pub fn usual(zone: Tz) -> Self {
        Self { zone, hour: HOUR, weekday: WEEKDAY, quiet: None }
    }

    /// Those of a row, in the reader's zone.
    pub fn of(row: &reader::Model, zone: Tz) -> Self {
        Self::read(zone, row.digest_hour, row.digest_weekday, row.quiet_from, row.quiet_until)
    }

    /// The same from columns.
    pub fn read(zone: Tz, hour: i32, weekday: i32, from: Option<i32>, until: Option<i32>) -> Self {
        let hour_of = |number: i32| u32::try_from(number).ok().filter(|hour| *hour < 24);
        let quiet = from.and_then(hour_of).zip(until.and_then(hour_of));
        Self {
            zone,
            hour: hour_of(hour).unwrap_or(HOUR),
            weekday: weekday_of(weekday).unwrap_or(WEEKDAY),
            quiet: quiet.map(|(from, until)| Quiet { from, until }).filter(|quiet| quiet.from != quiet.until),
        }
    }

    /// When the next digest after `now` is due: at the hour, once on each day. Where clocks skip the
    /// hour it is the first moment after it; where they show it twice, the first of the two.
    pub fn next(&self, pace: Pace, now: Timestamp) -> Timestamp {
        let is_day = |date: &NaiveDate| pace == Pace::Daily || date.weekday() == self.weekday;
        // A weekday that the zone skipped altogether (Samoa's 30 December 2011) comes a week later.
        self.dates(now, 15)
            .filter(is_day)
            .filter_map(|date| self.moment(date, self.hour))
            .find(|moment| *moment > now)
            .unwrap_or(now + Duration::from_secs(24 * 60 * 60))
    }

    /// When the quiet hours end, if `now` is within them.
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        let Quiet { from, until } = self.quiet?;
        let hour = self.local(now).hour();
        let is_quiet =
            if from < until { (from..until).contains(&hour) } else { hour >= from || hour < until };
        if !is_quiet {
            return None;
        }
        self.dates(now, 3).filter_map(|date| self.moment(date, until)).find(|moment| *moment > now)
    }

    fn local(&self, now: Timestamp) -> DateTime<Tz> {
        now.utc().with_timezone(&self.zone)
    }

    /// The day that it is, and those that follow.
    fn dates(&self, now: Timestamp, count: u64) -> impl Iterator<Item = NaiveDate> {
        let today = self.local(now).date_naive();
        (0..count).filter_map(move |days| today.checked_add_days(Days::new(days)))
    }

    /// When clocks show an hour on a day. Most that are put forward skip an hour, some half of one.
    fn moment(&self, date: NaiveDate, hour: u32) -> Option<Timestamp> {
        let local = date.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?);
        let quarters = (0..=8).map(|quarter| local + chrono::Duration::minutes(15 * quarter));
        let mut moments = quarters.map(|local| self.zone.from_local_datetime(&local).earliest());
        moments.find_map(|moment| moment).map(|moment| moment.to_utc().into())
    }
}

/// 1 for Monday to 7 for Sunday.
pub fn weekday_of(number: i32) -> Option<Weekday> {
    u8::try_from(number - 1).ok().and_then(|number| Weekday::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use super::*;

    const ZONES: [Tz; 4] =
        [Tz::America__New_York, Tz::Europe__London, Tz::Australia__Sydney, Tz::Asia__Urumqi];

    fn at(text: &str) -> Timestamp {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
    }

    fn hours(zone: &str, hour: u32) -> Hours {
        Hours { hour, ..Hours::usual(zone.parse().unwrap()) }
    }

    /// Moments of a year on which digests are due.
    fn year(hours: Hours, pace: Pace) -> Vec<Timestamp> {
        let mut now = at("2025-12-31T00:00:00Z");
        let mut moments = Vec::new();
        while now < at("2027-01-03T00:00:00Z") {
            now = hours.next(pace, now);
            moments.push(now);
        }
        moments
    }

    #[rstest]
    #[case(Pace::Daily, "2026-01-31T07:59:59+08:00", "Asia/Shanghai", 8, "2026-01-31T00:00:00Z")]
    #[case(Pace::Daily, "2026-01-31T08:00:00+08:00", "Asia/Shanghai", 8, "2026-02-01T00:00:00Z")]
    // The night in which New York's clocks go forward, and the one in which they go back.
    #[case(Pace::Daily, "2026-03-07T09:00:00-05:00", "America/New_York", 8, "2026-03-08T12:00:00Z")]
    #[case(Pace::Daily, "2026-10-31T09:00:00-04:00", "America/New_York", 8, "2026-11-01T13:00:00Z")]
    // On the first there is no 2:00, but 3:00; on the second 1:00 comes twice, and counts once.
    #[case(Pace::Daily, "2026-03-07T09:00:00-05:00", "America/New_York", 2, "2026-03-08T07:00:00Z")]
    #[case(Pace::Daily, "2026-10-31T09:00:00-04:00", "America/New_York", 1, "2026-11-01T05:00:00Z")]
    #[case(Pace::Daily, "2026-11-01T01:30:00-04:00", "America/New_York", 1, "2026-11-02T06:00:00Z")]
    // Lord Howe skips half an hour, from 2:00 to 2:30.
    #[case(Pace::Daily, "2026-10-03T09:00:00+10:30", "Australia/Lord_Howe", 2, "2026-10-03T15:30:00Z")]
    // Nuuk skips the last hour of a day.
    #[case(Pace::Daily, "2026-03-28T08:00:00-02:00", "America/Nuuk", 23, "2026-03-29T01:00:00Z")]
    // A Monday, and the Sunday before it.
    #[case(Pace::Weekly, "2026-11-23T09:00:00+11:00", "Australia/Sydney", 8, "2026-11-29T21:00:00Z")]
    #[case(Pace::Weekly, "2026-11-22T09:00:00+11:00", "Australia/Sydney", 8, "2026-11-22T21:00:00Z")]
    // Samoa had no 30 December 2011.
    #[case(Pace::Daily, "2011-12-29T09:00:00-10:00", "Pacific/Apia", 8, "2011-12-30T18:00:00Z")]
    fn the_next_digest_comes_at_the_readers_hour(
        #[case] pace: Pace,
        #[case] now: &str,
        #[case] zone: &str,
        #[case] hour: u32,
        #[case] due: &str,
    ) {
        assert_eq!(hours(zone, hour).next(pace, at(now)).rfc3339(), due);
    }

    #[test]
    fn each_day_of_a_year_has_one_digest_at_the_right_hour() {
        for zone in ZONES {
            for hour in 0..24 {
                let hours = Hours { hour, ..Hours::usual(zone) };
                let mut days = BTreeSet::new();
                let mut moved = Vec::new();
                for moment in year(hours, Pace::Daily) {
                    let local = hours.local(moment);
                    assert!(days.insert(local.date_naive()), "{zone} {hour}: twice on {local}");
                    assert_eq!((local.minute(), local.second()), (0, 0), "{zone} {local}");
                    if local.hour() != hour {
                        assert_eq!(local.hour(), hour + 1, "{zone} {local}");
                        moved.push(local.date_naive().to_string());
                    }
                }
                let all: BTreeSet<_> =
                    days.first().unwrap().iter_days().take_while(|day| day <= days.last().unwrap()).collect();
                assert_eq!(days, all, "{zone} {hour}: a day without");
                let skipped: &[&str] = match (zone, hour) {
                    (Tz::America__New_York, 2) => &["2026-03-08"],
                    (Tz::Europe__London, 1) => &["2026-03-29"],
                    (Tz::Australia__Sydney, 2) => &["2026-10-04"],
                    _ => &[],
                };
                assert_eq!(moved, skipped, "{zone} {hour}");
            }
        }
    }

    #[test]
    fn each_week_of_a_year_has_one_digest_on_the_right_day() {
        for zone in ZONES {
            for number in 1..=7 {
                let hours = Hours { weekday: weekday_of(number).unwrap(), ..Hours::usual(zone) };
                let moments = year(hours, Pace::Weekly);
                assert!(moments.len() >= 52);
                let days: Vec<_> = moments.iter().map(|moment| hours.local(*moment).date_naive()).collect();
                assert!(days.windows(2).all(|pair| (pair[1] - pair[0]).num_days() == 7));
                assert!(days.iter().all(|day| day.weekday() == hours.weekday));
            }
        }
    }

    #[rstest]
    #[case(22, 7, "2026-11-22T21:59:59Z", None)]
    #[case(22, 7, "2026-11-22T22:00:00Z", Some("2026-11-23T07:00:00Z"))]
    #[case(22, 7, "2026-11-23T06:59:59Z", Some("2026-11-23T07:00:00Z"))]
    #[case(22, 7, "2026-11-23T07:00:00Z", None)]
    #[case(13, 14, "2026-11-23T13:30:00Z", Some("2026-11-23T14:00:00Z"))]
    #[case(13, 14, "2026-11-23T12:30:00Z", None)]
    // London's clocks skip 1:00 on the first of these nights, and show it twice on the other.
    #[case(22, 1, "2026-03-29T00:30:00Z", Some("2026-03-29T01:00:00Z"))]
    #[case(22, 2, "2026-10-25T00:30:00Z", Some("2026-10-25T02:00:00Z"))]
    #[case(22, 2, "2026-10-25T01:30:00Z", Some("2026-10-25T02:00:00Z"))]
    fn quiet_hours_end_in_the_morning(
        #[case] from: u32,
        #[case] until: u32,
        #[case] now: &str,
        #[case] end: Option<&str>,
    ) {
        let quiet = Some(Quiet { from, until });
        let hours = Hours { quiet, ..Hours::usual(Tz::Europe__London) };
        assert_eq!(hours.quiet_until(at(now)).map(Timestamp::rfc3339).as_deref(), end);
    }

    #[test]
    fn quiet_hours_end_within_a_day_wherever_one_is() {
        for zone in ZONES {
            for (from, until) in [(22, 7), (0, 6), (23, 1), (1, 3)] {
                let hours = Hours { quiet: Some(Quiet { from, until }), ..Hours::usual(zone) };
                let mut now = at("2026-01-01T00:00:00Z");
                while now < at("2027-01-01T00:00:00Z") {
                    if let Some(end) = hours.quiet_until(now) {
                        assert!(
                            end > now && end.0 - now.0 <= 25 * 60 * 60 * 1_000,
                            "{zone} {}",
                            now.rfc3339()
                        );
                        assert_eq!(hours.quiet_until(end), None, "{zone} {}", end.rfc3339());
                    }
                    now = now + Duration::from_secs(17 * 60);
                }
            }
        }
    }
}
