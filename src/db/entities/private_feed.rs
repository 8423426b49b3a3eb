//! A user's right to read their timeline as a feed without signing in.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "private_feeds")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// One for each user.
    pub user_id: i64,
    /// Part of what the address's signature is over; another one makes old addresses worthless.
    pub nonce: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
