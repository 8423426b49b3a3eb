//! How far a reader's devices were notified; unique on the reader.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notified_readers")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// The newest item of the inbox that was shown.
    pub told_until: i64,
    pub told_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
