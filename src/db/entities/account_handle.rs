//! A former handle, which still leads to its account.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_handles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub handle: String,
    pub account_id: i64,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
