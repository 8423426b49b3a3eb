//! An address that follows accounts, with its hours: when its digests come, and when it is left in peace.

use crate::clock::Timestamp;
use crate::db::entities::subscription::Cadence;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "readers")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Lower case, unique; a user with this address is the same person.
    pub email: String,
    /// IANA name; none until chosen. A user's own counts before it.
    pub timezone: Option<String>,
    /// Language of the digests, unless a user has another.
    pub locale: String,
    /// Script of the articles in mails, as `shown::Shown` names it, unless a user has another; empty follows the
    /// language.
    pub script: String,
    /// Of new subscriptions.
    pub cadence: Cadence,
    /// 0 to 23, in the reader's zone.
    pub digest_hour: i32,
    /// Of weekly digests: 1 for Monday to 7 for Sunday.
    pub digest_weekday: i32,
    /// Hours from and until which no mail comes that could wait; both or none.
    pub quiet_from: Option<i32>,
    pub quiet_until: Option<i32>,
    /// Digests also hold what was on the timeline when the reader last looked.
    pub with_seen: bool,
    /// When the next daily digest is due; none while nothing is followed so.
    pub daily_due_at: Option<Timestamp>,
    /// Articles published up to this event have been told, by daily digests.
    pub daily_told: i64,
    pub weekly_due_at: Option<Timestamp>,
    pub weekly_told: i64,
    /// The newest event when the reader last looked at the timeline.
    pub seen: Option<i64>,
    pub seen_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
