//! Work that one node claims and does.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// Whether a job may be claimed. A finished job is deleted.
    pub enum JobState {
        /// Due at `run_at`.
        Waiting,
        /// Claimed; free again when its lease ends.
        Running,
        /// Failed for good, kept to be looked at.
        Dead,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// See `jobs::Job`.
    pub kind: String,
    pub payload: Json,
    /// At most one waiting or running job has this key.
    pub unique_key: Option<String>,
    pub state: JobState,
    pub attempts: i32,
    pub run_at: Timestamp,
    /// While this is in the future its owner works on it.
    pub lease_until: Option<Timestamp>,
    pub lease_owner: Option<String>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
