//! Time as the house keeps it: [`Timestamp`] in rows, [`Clock`] where "now" is asked for, so that
//! tests can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// A moment in Unix milliseconds, UTC. This is how both databases store it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, DeriveValueType,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment as a calendar date-time; a value outside the calendar becomes the epoch.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// `2026-01-31T08:00:00Z`, for feeds, JSON and `<time datetime>`.
    pub fn rfc3339(self) -> String {
        self.utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// `Sat, 31 Jan 2026 08:00:00 GMT`, for HTTP headers.
    pub fn http_date(self) -> String {
        self.utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

// Lets typed columns compare it: they take any type named so for a date-time.
impl sea_orm::sea_query::DateTimeLikeValue for Timestamp {}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_millis())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_millis() as i64))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_millis() as i64))
    }
}

/// Tells the time; shared by all that were cloned from it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds added to the system's time; moved by tests only.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        let moment: Timestamp = Utc::now().into();
        Timestamp(moment.0 + self.ahead.load(Ordering::Relaxed))
    }

    /// Moves this clock forward, for tests.
    pub fn advance(&self, span: Duration) {
        self.ahead.fetch_add(span.as_millis() as i64, Ordering::Relaxed);
    }
}
