//! A feed elsewhere that readers follow for themselves; read once for all of them.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outside_feeds")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique.
    pub url: String,
    /// Its own; empty until it was read.
    pub title: String,
    pub site_url: Option<String>,
    /// As it declares it.
    pub lang: Option<String>,
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
    /// Its server said that it is gone for good.
    pub gone: bool,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
