//! An address that must not be written to any more.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suppressions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Lower case, unique.
    pub email: String,
    /// The remote's words.
    pub reason: String,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
