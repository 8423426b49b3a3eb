//! Words that a reader has marked in an article that they keep, known by what stands around them.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "highlights")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub saved_id: i64,
    /// Plain text.
    pub quote: String,
    /// What stands before and after it, some characters of plain text; empty where that is not known.
    pub before: String,
    pub after: String,
    /// The reader's own words about it; may be empty.
    pub note: String,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
