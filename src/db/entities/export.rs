//! All that belongs to a person as one file, made by a job for them to take along.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// How far it is.
    pub enum ExportState {
        /// Its job waits or runs.
        Making,
        /// Its file can be fetched.
        Ready,
        /// Its job has given up, which the hourly upkeep writes down; until then it has no job.
        Failed,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exports")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// One for each user.
    pub user_id: i64,
    pub state: ExportState,
    /// Language of what is written around the person's own words.
    pub locale: String,
    /// Rows written, of those that there were when it began.
    pub done: i64,
    pub total: i64,
    /// Its name in the folder of exports.
    pub file: Option<String>,
    pub bytes: i64,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// When its file is deleted.
    pub expires_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
