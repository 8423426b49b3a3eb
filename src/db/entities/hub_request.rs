//! A wish to be told of a feed's changes, or no longer, until its callback has said that it is meant.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What is wished.
    pub enum HubMode {
        Subscribe,
        Unsubscribe,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hub_requests")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub mode: HubMode,
    /// None for the site's feed.
    pub account_id: Option<i64>,
    /// Unique with the callback: a newer wish takes the place of an older one.
    pub topic: String,
    pub callback: String,
    pub host: String,
    pub secret: Option<String>,
    pub lease_seconds: i64,
    /// How often the callback was asked.
    pub attempts: i32,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
