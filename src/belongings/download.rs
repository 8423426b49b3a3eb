//! Handing an export's file over, whole or from some byte on: slow links break, and browsers go on where they were.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::db::entities::export::Model as Export;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// Both are part of it.
    Between(u64, u64),
    /// What begins behind its end.
    Nothing,
}

impl Part {
    /// One range is heeded; several, and what is none, may be answered by the whole (RFC 9110, 14.2). So is a download
    /// that began with another file.
    fn of(headers: &HeaderMap, tag: &str, size: u64) -> Self {
        let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if value(header::IF_RANGE).is_some_and(|known| known != tag) {
            return Self::Whole;
        }
        let range = value(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
        let Some((first, last)) = range.and_then(|range| range.split_once('-')) else { return Self::Whole };
        let end = size.saturating_sub(1);
        match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
            (Ok(first), Ok(last)) if last < first => Self::Whole,
            (Ok(first), last_byte) if last_byte.is_ok() || last.trim().is_empty() => {
                let part = Self::Between(first, last_byte.unwrap_or(end).min(end));
                if first < size { part } else { Self::Nothing }
            }
            // So many of the end.
            (Err(_), Ok(0)) if first.trim().is_empty() => Self::Nothing,
            (Err(_), Ok(count)) if first.trim().is_empty() => Self::Between(size.saturating_sub(count), end),
            _ => Self::Whole,
        }
    }
}

/// The answer to a request for it.
pub async fn answer(export: &Export, mut file: File, asked: &HeaderMap) -> anyhow::Result<Response> {
    let size = export.bytes.unsigned_abs();
    // No two files have the same name.
    let tag = format!("\"{}\"", export.file.as_deref().unwrap_or_default());
    let (status, from, length) = match Part::of(asked, &tag, size) {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Between(first, last) => (StatusCode::PARTIAL_CONTENT, first, last + 1 - first),
        Part::Nothing => {
            // Programs ask so, and want no page.
            let headers = [
                (header::CONTENT_TYPE, "application/zip".to_owned()),
                (header::CONTENT_RANGE, format!("bytes */{size}")),
            ];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
    };
    file.seek(SeekFrom::Start(from)).await?;
    let body = stream::try_unfold(file.take(length), async |mut file| {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>(Some((chunk, file)).filter(|(chunk, _)| !chunk.is_empty()))
    });
    let day = export.created_at.utc().format("%Y-%m-%d");
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"xiangxun-{day}.zip\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, tag),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    let range = (status == StatusCode::PARTIAL_CONTENT)
        .then(|| [(header::CONTENT_RANGE, format!("bytes {from}-{}/{size}", from + length - 1))]);
    Ok((status, headers, range, Body::from_stream(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_goes_on_where_it_was_with_the_same_file_alone() {
        let part = |range: &'static str, known: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            headers.extend(known.map(|known| (header::IF_RANGE, known.parse().unwrap())));
            Part::of(&headers, "\"1-a.zip\"", 1_000)
        };
        assert_eq!(part("bytes=100-", None), Part::Between(100, 999));
        assert_eq!(part("bytes=0-0", None), Part::Between(0, 0));
        assert_eq!(part("bytes=990-2000", Some("\"1-a.zip\"")), Part::Between(990, 999));
        assert_eq!(part("bytes=-100", None), Part::Between(900, 999));
        assert_eq!(part("bytes=-5000", None), Part::Between(0, 999));
        for behind in ["bytes=1000-", "bytes=1000-1001", "bytes=-0"] {
            assert_eq!(part(behind, None), Part::Nothing, "{behind}");
        }
        for whole in ["bytes=5-4", "bytes=0-1,5-6", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=5"] {
            assert_eq!(part(whole, None), Part::Whole, "{whole}");
        }
        for other in ["\"2-b.zip\"", "Mon, 23 Nov 2026 08:00:00 GMT"] {
            assert_eq!(part("bytes=100-", Some(other)), Part::Whole, "{other}");
        }
        assert_eq!(Part::of(&HeaderMap::new(), "", 0), Part::Whole);
    }
}
