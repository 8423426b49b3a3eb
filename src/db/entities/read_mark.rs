//! A user has read an article, or wants it to count as unread.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "read_marks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub article_id: i64,
    /// When it was marked.
    pub read_at: Timestamp,
    /// Counts before `read_until` of the subscription.
    pub is_read: bool,
}

impl ActiveModelBehavior for ActiveModel {}
