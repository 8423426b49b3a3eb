//! Dates as people write them.

use std::ops::Range;

use chrono::{Datelike, Months, NaiveDate, TimeZone};
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::text::fold;

/// The day, month, or year (2026-01-31, 2026-01, 2026; also 2026/1/31, 20260131, 2026年1月31日) in
/// `zone`, from its beginning to that of the next one; or a moment of RFC 3339, which is empty.
pub fn read_period(text: &str, zone: Tz) -> Option<Range<Timestamp>> {
    let text = text.trim();
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        let moment = Timestamp::from(moment.to_utc());
        return Some(moment..moment);
    }
    let parts = numbers(&fold::fold(text))?;
    let first = match parts[..] {
        [year] | [year, _] | [year, _, _] if !YEARS.contains(&(year as i32)) => return None,
        [year] => NaiveDate::from_ymd_opt(year as i32, 1, 1)?,
        [year, month] => NaiveDate::from_ymd_opt(year as i32, month, 1)?,
        [year, month, day] => NaiveDate::from_ymd_opt(year as i32, month, day)?,
        _ => return None,
    };
    let next = match parts.len() {
        1 => NaiveDate::from_ymd_opt(first.year() + 1, 1, 1)?,
        2 => first.checked_add_months(Months::new(1))?,
        _ => first.succ_opt()?,
    };
    Some(beginning(first, zone)?..beginning(next, zone)?)
}

/// The month (1 to 12) of a year in `zone`: what [`read_period`] reads in 2026-01.
pub fn month_of(year: i32, month: u32, zone: Tz) -> Option<Range<Timestamp>> {
    let first = NaiveDate::from_ymd_opt(year, month, 1).filter(|_| YEARS.contains(&year))?;
    Some(beginning(first, zone)?..beginning(first.checked_add_months(Months::new(1))?, zone)?)
}

/// Those that can be written.
const YEARS: Range<i32> = 1_000..9_999;

/// Year, month and day, as far as they are there.
fn numbers(folded: &str) -> Option<Vec<u32>> {
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = match folded.len() {
        6 if is_digits(folded) => vec![&folded[..4], &folded[4..]],
        8 if is_digits(folded) => vec![&folded[..4], &folded[4..6], &folded[6..]],
        _ => folded
            .strip_suffix(['年', '月', '日'])
            .unwrap_or(folded)
            .split(['-', '/', '.', '年', '月'])
            .collect(),
    };
    let number = |part: &str| part.parse().ok().filter(|_| part.len() <= 4 && is_digits(part));
    parts.into_iter().map(number).collect()
}

/// Where clocks skip midnight, the day begins when they go on.
fn beginning(day: NaiveDate, zone: Tz) -> Option<Timestamp> {
    let midnight = day.and_hms_opt(0, 0, 0)?;
    let moment = (0..4)
        .find_map(|hour| zone.from_local_datetime(&(midnight + chrono::Duration::hours(hour))).earliest())?;
    Some(moment.to_utc().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_months_and_years_have_a_beginning_and_an_end() {
        let read = |text| {
            let period = read_period(text, chrono_tz::Asia::Shanghai)?;
            Some((period.start.rfc3339(), period.end.rfc3339()))
        };
        let is = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        let day = is("2026-01-30T16:00:00Z", "2026-01-31T16:00:00Z");
        for text in
            ["2026-01-31", "2026/1/31", "2026.1.31", "20260131", "2026年1月31日", "２０２６－０１－３１"]
        {
            assert_eq!(read(text), day, "{text}");
        }
        let month = is("2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z");
        for text in ["2026-02", "2026/2", "202602", "2026年2月"] {
            assert_eq!(read(text), month, "{text}");
        }
        assert_eq!(read("2025"), is("2024-12-31T16:00:00Z", "2025-12-31T16:00:00Z"));
        assert_eq!(read("2025年"), read("2025"));
        assert_eq!(read("2026-01-31T08:00:00+08:00"), is("2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"));
        for text in [
            "",
            "gestern",
            "2026-13",
            "2026-02-30",
            "0",
            "26",
            "99999",
            "1-2-3-4",
            "-5",
            "2026-",
            "年",
            "2026--1",
            "+2026",
            "202613",
            "2026-1-",
            "月日",
            "日",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
