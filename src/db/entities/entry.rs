//! An item of a source that was imported.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub source_id: i64,
    /// guid, else link, else content hash; unique within the source.
    pub identity: String,
    pub link: Option<String>,
    /// Tells an edit upstream.
    pub content_hash: String,
    /// None once the article was deleted.
    pub article_id: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
