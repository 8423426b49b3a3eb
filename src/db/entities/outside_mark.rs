//! What a user noted on an outside item.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outside_marks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub item_id: i64,
    /// None leaves it to `read_until` of the user's follow.
    pub is_read: Option<bool>,
    pub starred_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
