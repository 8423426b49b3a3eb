//! When the next mail of an alert is due, by the reader's clock.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::entities::alert::AlertCadence;
use crate::readers::hours::{Hours, Pace};

/// An instant alert that has told of [`MOST_AN_HOUR`] articles within an hour gathers the others for
/// so long.
pub const BREATHER: Duration = Duration::from_secs(60 * 60);
/// Mails of one instant alert within an hour.
pub const MOST_AN_HOUR: u64 = 10;

/// When what an alert has found at `now` is to be told, in one mail with all that comes until then: when
/// the reader's digests come.
pub fn next(cadence: AlertCadence, now: Timestamp, hours: &Hours) -> Timestamp {
    match cadence {
        AlertCadence::Instant => now + BREATHER,
        AlertCadence::Daily => hours.next(Pace::Daily, now),
        AlertCadence::Weekly => hours.next(Pace::Weekly, now),
    }
}
