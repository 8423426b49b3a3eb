//! A reader follows an account, signed in or by address alone.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// Whether the reader is told.
    pub enum SubscriptionState {
        /// Waits for the address to be confirmed.
        Pending,
        /// Told at its cadence.
        Active,
        /// Kept, and told nothing until resumed.
        Paused,
        /// Left.
        Ended,
    }
}

stored_word! {
    /// At what pace the reader is told.
    pub enum Cadence {
        /// Each push at once.
        Instant,
        /// One digest a day.
        Daily,
        /// One digest a week.
        Weekly,
        /// On the timeline only.
        Muted,
    }
}

impl Cadence {
    /// Whether it is told by digests.
    pub fn has_digests(self) -> bool {
        matches!(self, Self::Daily | Self::Weekly)
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscriptions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub user_id: Option<i64>,
    /// Lower case; unique within the account.
    pub email: String,
    pub state: SubscriptionState,
    pub cadence: Cadence,
    /// Language of the mails around the articles.
    pub locale: String,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// When a letter about subscribing was last sent to the address.
    pub asked_at: Option<Timestamp>,
    /// Articles published up to then count as read.
    pub read_until: Option<Timestamp>,
    /// Articles published up to this event have been told by digests; none where the reader's own mark
    /// says so.
    pub told: Option<i64>,
    /// The reader's list that it is in.
    pub list_id: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What stands before its id in place of the address of one that is nobody's any more.
pub const NOBODYS: &str = "left-";

impl Model {
    pub fn is_nobodys(&self) -> bool {
        is_nobodys(&self.email)
    }
}

/// Whether the address of a subscription is nobody's: its reader has left for good, and pushes count it still. Every
/// address has an at sign.
pub fn is_nobodys(email: &str) -> bool {
    !email.contains('@')
}
