//! Channels: the ways to tell a reader. Each has its file; this is where they are chosen between.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Iterable, QuerySelect};

use crate::clock::Timestamp;
use crate::db::entities::delivery::{Channel, DeliveryState, Provider};
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::{device, suppression};
use crate::delivery::provider;

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
        !matches!(self, Self::Suppressed(_) | Self::NotMade | Self::ServerRests(_) | Self::Quiet(_))
    }
}

/// Every channel that a push fans out to, and an alert is told on. Without any device nobody looks who has one.
pub async fn used<C: ConnectionTrait>(db: &C) -> Result<Vec<Channel>, DbErr> {
    let first = device::Entity::find().select_only().column(device::Column::Id).limit(1);
    let no_device = first.into_tuple::<i64>().one(db).await?.is_none();
    Ok(Channel::iter().filter(|channel| *channel != Channel::WebPush || !no_device).collect())
}

/// Which subscriptions a channel tells of a push at once; a condition on the subscriptions table.
pub fn audience(channel: Channel) -> Condition {
    let at_once = Condition::all()
        .add(Expr::col((subscription::Entity, subscription::Column::State)).eq(SubscriptionState::Active))
        .add(Expr::col((subscription::Entity, subscription::Column::Cadence)).eq(Cadence::Instant));
    match channel {
        Channel::Email => at_once,
        Channel::WebPush => {
            let reader = Expr::col((subscription::Entity, subscription::Column::UserId));
            at_once.add(reader.in_subquery(readers_with_devices()))
        }
    }
}

/// Those who have turned notifications on.
pub fn readers_with_devices() -> SelectStatement {
    Query::select().column(device::Column::UserId).from(device::Entity).take()
}

/// The provider and the first state of a row on a channel, and why it is not sent if it is not. An address that takes
/// no mail gets a row that says so; for that its domain and what is known of it must have been joined.
pub fn first_state(channel: Channel, free: DeliveryState) -> [Expr; 3] {
    if channel == Channel::WebPush {
        return [Expr::val(Provider::WebPush), Expr::val(free), Expr::val(None::<String>)];
    }
    let is_fine = Expr::col((suppression::Entity, suppression::Column::Id)).is_null();
    let state = Expr::case(is_fine, free).finally(DeliveryState::Suppressed);
    let reason = Expr::col((suppression::Entity, suppression::Column::Reason));
    [provider::of_row(), state.into(), reason]
}

/// The same for one subscription, asked again just before sending: why it is not told any more.
pub fn objection(channel: Channel, state: SubscriptionState, cadence: Cadence) -> Option<&'static str> {
    match (channel, state, cadence) {
        (_, SubscriptionState::Ended, _) => Some("the reader has left"),
        (_, SubscriptionState::Paused, _) => Some("the reader has paused"),
        (_, SubscriptionState::Pending, _) => Some("the address is not confirmed"),
        (Channel::Email | Channel::WebPush, SubscriptionState::Active, Cadence::Instant) => None,
        (Channel::Email, SubscriptionState::Active, _) => Some("the reader wants no mail at once"),
        (Channel::WebPush, SubscriptionState::Active, _) => Some("the reader is not told at once"),
    }
}
