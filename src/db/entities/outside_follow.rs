//! A user follows an outside feed.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outside_follows")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// Once for each user.
    pub feed_id: i64,
    /// The list of the user's that it is in.
    pub list_id: Option<i64>,
    /// The user's own name for it; empty where the feed's own is good.
    pub title: String,
    /// Items published up to then count as read, unless marked otherwise.
    pub read_until: Timestamp,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
