//! One line of the file, parsed into an article that cannot be wrong.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeZone};
use serde::Deserialize;

use crate::articles::{NewArticle, content};
use crate::clock::Timestamp;
use crate::text;

/// Dates without a zone are Chinese outlets' dates.
const CHINA: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("8 hours are an offset");
const ID_LIMIT: usize = 200;
const TITLE_LIMIT: usize = 300;
const TAG_LIMIT: usize = 20;

/// What a line may say; fields that are not here are left unread.
#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    body: String,
    outlet: Option<String>,
    source: Option<String>,
    published_at: Option<String>,
    /// `2024-01`, where the day is not known.
    published_month: Option<String>,
    lang: Option<String>,
    url: Option<String>,
    author: Option<String>,
    tags: Option<Vec<String>>,
}

/// An article of a line, its account yet to be set, and the outlet that it names.
///
/// # Errors
/// What is wrong with the line, for the person at the terminal.
pub fn parse(line: &str, undated: Timestamp) -> Result<(String, NewArticle), String> {
    let row: Row = serde_json::from_str(line).map_err(|error| format!("not an article: {error}"))?;
    let title = row.title.split_whitespace().collect::<Vec<_>>().join(" ");
    if row.id.trim().is_empty() || row.id.len() > ID_LIMIT {
        return Err(format!("id must have 1 to {ID_LIMIT} bytes"));
    }
    if title.is_empty() || title.chars().count() > TITLE_LIMIT {
        return Err(format!("{}: title must have 1 to {TITLE_LIMIT} characters", row.id));
    }
    if row.body.len() > content::MAX_SOURCE {
        return Err(format!("{}: the body is longer than {} bytes", row.id, content::MAX_SOURCE));
    }
    let date = row.published_at.as_deref().or(row.published_month.as_deref());
    let published_at = match date {
        Some(text) => parse_date(text).map_err(|error| format!("{}: {error}", row.id))?,
        None => undated,
    };
    let lang = row.lang.unwrap_or_else(|| text::script::detect(&row.body).tag().unwrap_or("und").to_owned());
    let mut article = NewArticle::from_plain_text(0, &row.id, &title, &row.body);
    article.lang = lang;
    article.published_at = Some(published_at);
    article.author = row.author.unwrap_or_default().trim().to_owned();
    article.tags = row.tags.unwrap_or_default();
    article.tags.retain(|tag| !tag.trim().is_empty());
    article.tags.truncate(TAG_LIMIT);
    article.original_url = row.url.filter(|url| url.starts_with("http://") || url.starts_with("https://"));
    let outlet = row.outlet.or(row.source).unwrap_or_default();
    Ok((outlet.trim().to_owned(), article))
}

/// A month, a day, or a moment; without a zone, in China's.
pub fn parse_date(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc().into());
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d"))
        .map(|day| day.and_hms_opt(0, 0, 0).expect("every day has a midnight"));
    day.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"))
        .ok()
        .and_then(|local| CHINA.from_local_datetime(&local).single())
        .map(|moment| moment.to_utc().into())
        .ok_or_else(|| format!("`{text}` is no date such as 2026-01-31 or 2026-01-31T08:00:00+08:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_shape_in_the_wild_are_read() {
        for (text, utc) in [
            ("2020-03-30", "2020-03-29T16:00:00Z"),
            ("2024-01", "2023-12-31T16:00:00Z"),
            ("2026-01-31T08:00:00+08:00", "2026-01-31T00:00:00Z"),
            ("2026-01-31T08:00:00.123Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:00", "2026-01-31T00:00:00Z"),
        ] {
            assert_eq!(parse_date(text).map(Timestamp::rfc3339).as_deref(), Ok(utc), "{text}");
        }
        assert!(parse_date("yesterday").is_err() && parse_date("2026-13-01").is_err());
    }

    #[test]
    fn a_line_that_is_no_article_is_refused_with_its_reason() {
        let refusal = |line: &str| parse(line, Timestamp(0)).map(|_| ()).unwrap_err();
        assert!(refusal("{").starts_with("not an article"));
        assert!(refusal(r#"{"id":"a","body":"b"}"#).contains("missing field `title`"));
        assert!(refusal(r#"{"id":"a","title":" ","body":"b"}"#).starts_with("a: title"));
        assert!(refusal(r#"{"id":"a","title":"t","body":"b","published_at":"soon"}"#).contains("`soon`"));
    }
}
