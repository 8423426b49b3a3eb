//! What visits to feeds elsewhere have in common, whether an outlet's source reads them or readers follow them.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use url::Url;

use super::cadence::{self, Rhythm};
use super::fetch::{ACCEPT_FEEDS, FetchError, FetchRequest, Fetched};
use super::read::Failure;
use crate::app::App;
use crate::clock::Timestamp;

/// How soon a visit that found no room, or its host busy, is tried again.
pub const CROWDED: Duration = Duration::from_secs(5);
/// How long what a server says of a document that has not changed may keep us away.
const LONGEST_UNCHANGED: Duration = Duration::from_secs(6 * 3600);

/// Why a visit brought nothing.
#[derive(Debug)]
pub struct Failed {
    pub failure: Failure,
    /// It is not coming back.
    pub gone: bool,
    pub retry_after: Option<Duration>,
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        let gone = matches!(error, FetchError::Status { status: 410, .. });
        Self { failure: Failure::from(&error), gone, retry_after: error.retry_after() }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, gone: false, retry_after: None }
    }
}

/// Room for one visit; none while there is not, or while its host is busy: it would only wait, in the place of work
/// that need not.
pub fn room<'a>(app: &'a App, url: &str) -> Option<SemaphorePermit<'a>> {
    let host_is_busy = Url::parse(url).is_ok_and(|url| app.fetcher.is_busy(&url));
    app.fetcher.visits.try_acquire().ok().filter(|_| !host_is_busy)
}

/// A feed as it was last seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub url: &'a str,
    pub etag: Option<&'a str>,
    pub last_modified: Option<&'a str>,
}

/// Asks for what a feed has now, of so many bytes at most; no body where nothing has changed.
pub async fn fetch(app: &App, seen: Seen<'_>, max_bytes: usize) -> Result<Fetched, FetchError> {
    let url = Url::parse(seen.url).map_err(|_| FetchError::Url)?;
    let Seen { etag, last_modified, .. } = seen;
    let request = FetchRequest { url: &url, accept: ACCEPT_FEEDS, etag, last_modified, max_bytes };
    app.fetcher.fetch(request).await
}

/// The pace after a visit. "Not modified" says nothing of the rhythm that the last document did not say.
pub fn pace(present_ms: i64, rhythm: Option<&Rhythm>, max_age: Option<Duration>, now: Timestamp) -> Duration {
    let present = millis(present_ms);
    match rhythm {
        Some(rhythm) => cadence::after_success(present, rhythm, now.utc()),
        None => present.max(max_age.unwrap_or_default().min(LONGEST_UNCHANGED)),
    }
}

/// When a feed is asked again that has failed so often in a row.
pub fn after_failure(
    present: Duration,
    id: i64,
    failures: i32,
    failed: &Failed,
    now: Timestamp,
) -> Timestamp {
    let failures = u32::try_from(failures).unwrap_or(1);
    now + cadence::spread(cadence::after_failure(present, failures, failed.retry_after), id)
}

/// A pace as the database keeps it.
pub fn millis(kept: i64) -> Duration {
    Duration::from_millis(u64::try_from(kept).unwrap_or_default())
}
