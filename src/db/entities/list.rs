//! A reader's list of subscriptions, shown as a folder beside the timeline.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lists")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// Unique among the reader's.
    pub name: String,
    /// Lists stand in this order, and by their ids where it is the same.
    pub place: i32,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
