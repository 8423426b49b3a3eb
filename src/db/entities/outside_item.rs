//! An item of an outside feed.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outside_items")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub feed_id: i64,
    /// Its id, link or hash, with its kind; unique within the feed.
    pub identity: String,
    /// Of its own page.
    pub link: Option<String>,
    pub content_hash: String,
    pub title: String,
    /// May be empty.
    pub author: String,
    /// Sanitised; may be empty.
    pub html: String,
    /// As its text tells, else as the feed declares.
    pub lang: Option<String>,
    /// As the feed says, never in the future; else when it was first seen.
    pub published_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
