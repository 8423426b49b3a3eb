//! A callback's right to be told of changes of one of our feeds, for a while; unique on both.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hub_leases")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// That all articles of the feed are of; none where they may be of several.
    pub account_id: Option<i64>,
    /// The feed's address as the subscriber wrote it.
    pub topic: String,
    pub callback: String,
    /// Of the callback; limits count by it.
    pub host: String,
    /// What messages are signed with.
    pub secret: Option<String>,
    pub expires_at: Timestamp,
    /// The last event that was told.
    pub told_until: i64,
    /// A job waits that will tell it.
    pub queued: bool,
    /// Somebody tells it now.
    pub posting_until: Option<Timestamp>,
    /// How often in a row it could not be told, and since when.
    pub failures: i32,
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
