//! The dates feeds write, proper and otherwise.

use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Utc};

/// What a date is read against.
#[derive(Clone, Copy)]
pub struct DateContext {
    /// The time of the fetch: "3小时前" counts from here, and nothing may be later than a day after.
    pub now: DateTime<Utc>,
    /// A Chinese feed: a time without a zone is Beijing's, and CST means China, not Chicago.
    pub chinese: bool,
}

/// Earlier dates are a broken clock (1970, 0000-00-00), not news.
const EARLIEST_YEAR: i32 = 1990;

impl DateContext {
    /// Reads a date, or answers `None` when it says nothing believable.
    pub fn parse(&self, text: &str) -> Option<DateTime<Utc>> {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || text.len() > 100 {
            return None;
        }
        let read = self.relative(&text).or_else(|| self.unix(&text)).or_else(|| self.absolute(&text))?;
        (read.year() >= EARLIEST_YEAR && read <= self.now + Duration::days(1)).then_some(read)
    }

    fn default_zone(&self) -> FixedOffset {
        let hours = if self.chinese { 8 } else { 0 };
        FixedOffset::east_opt(hours * 3600).expect("8 hours are a valid offset")
    }

    /// "刚刚", "3小时前", "昨天 08:00".
    fn relative(&self, text: &str) -> Option<DateTime<Utc>> {
        if text == "刚刚" || text == "剛剛" {
            return Some(self.now);
        }
        if let Some(amount) = text.strip_suffix('前') {
            let digits: String = amount.chars().take_while(char::is_ascii_digit).collect();
            let number: i64 = digits.parse().ok().filter(|n| *n < 10_000)?;
            let unit = amount[digits.len()..].trim().trim_start_matches(['个', '個']);
            let span = match unit {
                "秒" | "秒钟" | "秒鐘" => Duration::seconds(number),
                "分" | "分钟" | "分鐘" => Duration::minutes(number),
                "小时" | "小時" | "钟头" | "鐘頭" => Duration::hours(number),
                "天" | "日" => Duration::days(number),
                "周" | "星期" | "週" => Duration::weeks(number),
                "月" => Duration::days(30 * number),
                "年" => Duration::days(365 * number),
                _ => return None,
            };
            return Some(self.now - span);
        }
        let days = [("今天", 0), ("今日", 0), ("昨天", 1), ("昨日", 1), ("前天", 2)];
        let (rest, back) = days.iter().find_map(|(word, back)| Some((text.strip_prefix(word)?, *back)))?;
        let zone = FixedOffset::east_opt(8 * 3600)?;
        let day = (self.now - Duration::days(back)).with_timezone(&zone).date_naive();
        let numbers = numbers_of(rest);
        let hour = numbers.first().copied().unwrap_or(0);
        let minute = numbers.get(1).copied().unwrap_or(0);
        let time = day.and_hms_opt(u32::try_from(hour).ok()?, u32::try_from(minute).ok()?, 0)?;
        Some(zone.from_local_datetime(&time).single()?.to_utc())
    }

    /// Unix seconds or milliseconds.
    fn unix(&self, text: &str) -> Option<DateTime<Utc>> {
        let number: i64 = text.parse().ok()?;
        match text.len() {
            9 | 10 => DateTime::from_timestamp(number, 0),
            12 | 13 => DateTime::from_timestamp_millis(number),
            _ => None,
        }
    }

    fn absolute(&self, text: &str) -> Option<DateTime<Utc>> {
        if let Ok(read) = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)) {
            let lies = self.chinese && text.ends_with("CST");
            return if lies { self.by_parts(text) } else { Some(read.to_utc()) };
        }
        self.by_parts(text)
    }

    /// Takes the date to pieces: year, month and day in whatever order their shapes give away, then
    /// the time, then the zone.
    fn by_parts(&self, text: &str) -> Option<DateTime<Utc>> {
        let (time, before, after) = split_time(text);
        let date = date_of(&before).or_else(|| date_of(&format!("{before} {after}")))?;
        let (hour, minute, second) = time.unwrap_or((0, 0, 0));
        let hour = afternoon(text, hour);
        // 24:00 is the next midnight, and leap seconds are not worth a lost date.
        let (date, hour) = if hour == 24 { (date.succ_opt()?, 0) } else { (date, hour) };
        let local = NaiveDateTime::new(date, chrono::NaiveTime::from_hms_opt(hour, minute, second.min(59))?);
        let zone = zone_of(&after, self.chinese).unwrap_or_else(|| self.default_zone());
        Some(zone.from_local_datetime(&local).single()?.to_utc())
    }
}

/// Hours after noon in the twelve-hour clock: 下午3:00, 3:00 PM; and midnight in it.
fn afternoon(text: &str, hour: u32) -> u32 {
    let upper = text.to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|w| upper.contains(w));
    if hour < 12 && says(&["下午", "晚上", "傍晚", " PM", "0PM", "5PM"]) {
        hour + 12
    } else if hour == 12 && says(&["凌晨", " AM", "上午"]) {
        0
    } else {
        hour
    }
}

type Clock = (u32, u32, u32);

/// Finds the time (`8:05[:09[.123]]`, `8时5分`, `8点`) and answers what stands before and after it.
fn split_time(text: &str) -> (Option<Clock>, String, String) {
    let chars: Vec<char> = text.chars().map(|c| if c == '：' { ':' } else { c }).collect();
    let colon = chars.iter().position(|c| matches!(c, ':' | '时' | '時' | '点' | '點'));
    let Some(colon) = colon else { return (None, text.to_owned(), String::new()) };
    let mut start = colon;
    while start > 0 && chars[start - 1].is_ascii_digit() && colon - start < 2 {
        start -= 1;
    }
    let mut end = colon;
    while end < chars.len() && (chars[end].is_ascii_digit() || ":时時点點分秒.整".contains(chars[end]))
    {
        end += 1;
    }
    let piece: String = chars[start..end].iter().collect();
    let numbers = numbers_of(piece.split('.').next().unwrap_or(""));
    let number = |at: usize| numbers.get(at).and_then(|n| u32::try_from(*n).ok()).unwrap_or(0);
    let clock = (start < colon).then(|| (number(0), number(1), number(2)));
    (clock, chars[..start].iter().collect(), chars[end..].iter().collect())
}

fn numbers_of(text: &str) -> Vec<i64> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|n| !n.is_empty() && n.len() < 9)
        .filter_map(|n| n.parse().ok())
        .collect()
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const HAN_MONTHS: [&str; 12] =
    ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"];

fn date_of(text: &str) -> Option<NaiveDate> {
    let numbers = numbers_of(text);
    let (year, month, day) = match (month_name(text), numbers.as_slice()) {
        // 01 Jan 2024, 1 一月 24; the year is the one that cannot be a day.
        (Some(month), [a, b, ..]) if *a > 31 => (*a, month, *b),
        (Some(month), [a, b, ..]) => (*b, month, *a),
        (None, [compact]) if (19_900_101..=21_001_231).contains(compact) => {
            (compact / 10_000, compact / 100 % 100, compact % 100)
        }
        // 2024-1-1, 2024年1月1日, 2024/1/1
        (None, [a, b, c, ..]) if *a > 31 => (*a, *b, *c),
        // 2024年1月
        (None, [a, b]) if *a > 1000 => (*a, *b, 1),
        // 31/12/2024 and 12/31/2024: told apart only when one of them cannot be a month.
        (None, [a, b, c, ..]) if *c > 31 => {
            if *a > 12 {
                (*c, *b, *a)
            } else {
                (*c, *a, *b)
            }
        }
        _ => return None,
    };
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn month_name(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    // 十一月 holds 一月: the longest name wins.
    let han = HAN_MONTHS.iter().rposition(|name| text.contains(name)).map(|at| match at {
        0 if text.contains("十一月") => 10,
        1 if text.contains("十二月") => 11,
        _ => at,
    });
    let named = han.or_else(|| {
        let words = lower.split(|c: char| !c.is_ascii_alphabetic());
        words.filter_map(|word| MONTHS.iter().position(|name| word.starts_with(name))).next()
    })?;
    i64::try_from(named).ok().map(|at| at + 1)
}

/// `+0800`, `+08:00`, `-5`, `Z`, `GMT+8` and the names still met in feeds.
fn zone_of(after: &str, chinese: bool) -> Option<FixedOffset> {
    if let Some(at) = after.find(['+', '-']) {
        let digits: String = after[at + 1..].chars().filter(char::is_ascii_digit).take(4).collect();
        let number: i32 = digits.parse().ok()?;
        let seconds = if digits.len() <= 2 { number * 3600 } else { number / 100 * 3600 + number % 100 * 60 };
        return FixedOffset::east_opt(if after[at..].starts_with('-') { -seconds } else { seconds });
    }
    let word: String =
        after.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
    let hours = match word.trim_start_matches("AM").trim_start_matches("PM") {
        "Z" | "GMT" | "UTC" | "UT" => 0,
        "CST" if chinese => 8,
        "HKT" | "CT" | "BJT" | "SGT" => 8,
        "JST" | "KST" => 9,
        "EST" | "CDT" => -5,
        "EDT" => -4,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "CET" | "BST" => 1,
        "CEST" => 2,
        _ => return None,
    };
    FixedOffset::east_opt(hours * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let now = "2026-01-03T04:00:00Z".parse().expect("a date");
        DateContext { now, chinese: true }
            .parse(text)
            .map(|d| d.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }

    #[test]
    fn dates_of_every_shape_are_read() {
        for (text, expected) in [
            ("2024-01-01", "2023-12-31T16:00:00Z"),
            ("2024年1月1日 08:00", "2024-01-01T00:00:00Z"),
            ("2026年1月3日 上午", "2026-01-02T16:00:00Z"),
            ("2026年1月2日 下午3:05", "2026-01-02T07:05:00Z"),
            ("2025年12月31日星期三 23时59分", "2025-12-31T15:59:00Z"),
            ("Mon, 1 Jan 2024 08:00:00 CST", "2024-01-01T00:00:00Z"),
            ("Mon, 01 Jan 24 08:00 +0800", "2024-01-01T00:00:00Z"),
            ("2024/1/1 8:00", "2024-01-01T00:00:00Z"),
            ("1704067200", "2024-01-01T00:00:00Z"),
            ("1704067200000", "2024-01-01T00:00:00Z"),
            ("2024-02-29T12:00:00", "2024-02-29T04:00:00Z"),
            ("2024-02-29T12:00:00.123Z", "2024-02-29T12:00:00Z"),
            ("星期一, 01 一月 2024 08:00:00 +0800", "2024-01-01T00:00:00Z"),
            ("01 十一月 2024 08:00:00 +0800", "2024-11-01T00:00:00Z"),
            ("Thurs, 13 July 2023 07:38:00 GMT", "2023-07-13T07:38:00Z"),
            ("July 13, 2023 7:38 PM", "2023-07-13T11:38:00Z"),
            ("Fri, 10 Oct 2025 10:16:00 EDT", "2025-10-10T14:16:00Z"),
            ("20240101", "2023-12-31T16:00:00Z"),
            ("31/12/2024", "2024-12-30T16:00:00Z"),
            ("3小时前", "2026-01-03T01:00:00Z"),
            ("3 个小时前", "2026-01-03T01:00:00Z"),
            ("昨天", "2026-01-01T16:00:00Z"),
            ("昨天 20:30", "2026-01-02T12:30:00Z"),
            ("刚刚", "2026-01-03T04:00:00Z"),
            ("2024-01-01T24:00:00+08:00", "2024-01-01T16:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn dates_that_say_nothing_believable_are_none() {
        for text in [
            "",
            "0000-00-00 00:00:00",
            "2099-12-31T23:59:59Z",
            "1969-12-31T23:59:59Z",
            "Mon, 32 Jan 2024 25:61:61 GMT",
            "明天",
            "前",
            "99999999999999999999前",
            "：",
            "点",
            "+",
            "2024-13-45",
            "一月",
            "é:é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
