//! A fact, written in the same transaction as the change: the outbox. Read in id order.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// See `outbox::Event`.
    pub kind: String,
    pub account_id: Option<i64>,
    pub article_id: Option<i64>,
    pub payload: Json,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
