//! An article's place in a collection.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "collection_articles")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub collection_id: i64,
    /// Once in a collection.
    pub article_id: i64,
    /// Smaller ones come first; numbers may be missing where an article was deleted.
    pub position: i32,
    pub added_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
