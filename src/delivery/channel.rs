//! Channels: the ways to tell a reader. Each has its file; this is where they are chosen between.

use sea_orm::Iterable;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};

use crate::clock::Timestamp;
use crate::db::entities::delivery::Channel;
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};

/// What came of handing a delivery to its channel; the text is the remote's words, or our reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    Delivered(String),
    /// Worth another attempt later.
    Later(String),
    /// This message will never be taken.
    Failed(String),
    /// Nothing will ever be taken for this address.
    Unreachable {
        email: String,
        words: String,
    },
    /// Not handed over: there is nobody to tell, or nothing to tell of.
    Suppressed(String),
    /// Not tried: given back as it was.
    NotMade,
    /// The mail server that was to carry it takes nothing now: another may.
    ServerRests(String),
    /// Not tried: the reader is left in peace until then.
    Quiet(Timestamp),
}

/// What a delivery that waits for the end of its reader's quiet hours answers.
pub const QUIET: &str = "the reader's quiet hours";

impl Attempt {
    /// Whether the message may have reached the remote.
    pub fn was_handed_over(&self) -> bool {
        !matches!(
            self,
            Self::Suppressed(_) | Self::NotMade | Self::ServerRests(_) | Self::Quiet(_)
        )
    }
}

/// Every channel that a push fans out to, and an alert is told on.
pub fn all() -> impl Iterator<Item = Channel> {
    Channel::iter()
}

/// Which subscriptions a channel tells of a push at once; a condition on the subscriptions table.
pub fn audience(channel: Channel) -> Condition {
    match channel {
        Channel::Email => Condition::all()
            .add(Expr::col((subscription::Entity, subscription::Column::State)).eq(SubscriptionState::Active))
            .add(Expr::col((subscription::Entity, subscription::Column::Cadence)).eq(Cadence::Instant)),
    }
}

/// The same for one subscription, asked again just before sending: why it is not told any more.
pub fn objection(channel: Channel, state: SubscriptionState, cadence: Cadence) -> Option<&'static str> {
    match (channel, state, cadence) {
        (_, SubscriptionState::Ended, _) => Some("the reader has left"),
        (_, SubscriptionState::Paused, _) => Some("the reader has paused"),
        (_, SubscriptionState::Pending, _) => Some("the address is not confirmed"),
        (Channel::Email, SubscriptionState::Active, Cadence::Instant) => None,
        (Channel::Email, SubscriptionState::Active, _) => Some("the reader wants no mail at once"),
    }
}
