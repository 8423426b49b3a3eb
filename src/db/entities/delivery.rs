//! One recipient's message on one channel: of a push to a subscriber, of an alert to its reader, or of a
//! digest.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// How a subscriber is told.
    pub enum Channel {
        /// A mail to the subscription's address.
        Email,
        /// A notification by the reader's browsers.
        WebPush,
    }
}

stored_word! {
    /// What has become of a delivery.
    pub enum DeliveryState {
        /// Due at `next_attempt_at`; a sender's while its lease lasts.
        Waiting,
        /// Its push was stopped; it waits for the push to go on.
        Held,
        /// The remote took it.
        Delivered,
        /// Given up; `answer` says why.
        Failed,
        /// Not sent: the address is suppressed or the reader has left.
        Suppressed,
    }
}

stored_word! {
    /// Who keeps the mailbox: each wants to be written to at a pace of its own.
    pub enum Provider {
        Gmail,
        Outlook,
        Qq,
        /// 163, 126 and yeah.net.
        Netease,
        Yahoo,
        Other,
        /// No mailbox: the services behind browsers' notifications.
        WebPush,
    }
}

impl Provider {
    /// Whether it takes mail.
    pub fn is_mail(self) -> bool {
        self != Self::WebPush
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Of a push to a subscriber: unique on both and the channel.
    pub push_id: Option<i64>,
    pub subscription_id: Option<i64>,
    /// Of an alert: unique on it, the occasion and the channel.
    pub alert_id: Option<i64>,
    /// Of a digest: unique on its reader, the occasion and the channel.
    pub reader_id: Option<i64>,
    /// What it tells of, as `alert_hits` has it; of a digest, the time at which it fell due.
    pub occasion: Option<String>,
    /// What a digest tells of: `digests::Told` as JSON.
    pub told: Option<String>,
    pub channel: Channel,
    /// Of the address, as the table of domains knew it when the row was written.
    pub provider: Provider,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: Timestamp,
    pub lease_until: Option<Timestamp>,
    pub lease_owner: Option<String>,
    /// Stable over attempts; empty until the first.
    pub message_id: String,
    /// The remote's last words.
    pub answer: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a delivery tells of, and whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    Push { push_id: i64, subscription_id: i64 },
    Alert { alert_id: i64, occasion: &'a str },
    Digest { reader_id: i64, told: &'a str },
}

impl Model {
    /// None for a row that a later version wrote.
    pub fn subject(&self) -> Option<Subject<'_>> {
        match (self.push_id, self.subscription_id, self.alert_id, &self.occasion) {
            (Some(push_id), Some(subscription_id), ..) => Some(Subject::Push { push_id, subscription_id }),
            (_, _, Some(alert_id), Some(occasion)) => Some(Subject::Alert { alert_id, occasion }),
            _ => match (self.reader_id, &self.told) {
                (Some(reader_id), Some(told)) => Some(Subject::Digest { reader_id, told }),
                _ => None,
            },
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}
