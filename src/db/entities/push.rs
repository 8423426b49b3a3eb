//! One sending (群发) of articles to an account's subscribers.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// How far a push has come.
    pub enum PushState {
        /// Rows for its subscribers are being written.
        FanningOut,
        /// Every subscriber has a row; some are still to be told.
        Sending,
        /// Nobody is left to tell.
        Sent,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pushes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub created_by: Option<i64>,
    /// Unique within the account.
    pub idempotency_key: String,
    pub state: PushState,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Since when nobody is told, until it goes on.
    pub stopped_at: Option<Timestamp>,
    /// JSON: how many subscribers have no row, and why; empty until the fan-out is over.
    pub untold: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
