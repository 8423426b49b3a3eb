//! An outlet's existing feed that an account imports.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What becomes of new entries.
    pub enum SourceMode {
        /// Published at once.
        Publish,
        /// Kept as drafts.
        Draft,
    }
}

stored_word! {
    /// Whether the source is fetched.
    pub enum SourceState {
        /// Fetched at its pace.
        Active,
        /// Paused by a member.
        Paused,
        /// The remote says that it is gone for good.
        Gone,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sources")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub url: String,
    pub title: String,
    pub mode: SourceMode,
    pub state: SourceState,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// The present pace, adapted to the feed.
    pub interval_ms: i64,
    pub next_fetch_at: Timestamp,
    pub last_fetched_at: Option<Timestamp>,
    pub last_success_at: Option<Timestamp>,
    /// In a row.
    pub failures: i32,
    /// A translation key and the remote's words, as `import::Failure` in JSON.
    pub last_error: Option<String>,
    pub created_by: Option<i64>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
