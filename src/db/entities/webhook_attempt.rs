//! One attempt to tell a webhook something.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_attempts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub message_id: i64,
    pub made_at: Timestamp,
    /// Of HTTP; 0 where there was no answer.
    pub status: i32,
    /// The beginning of the answer, or why there was none.
    pub answer: String,
    pub millis: i32,
}

impl ActiveModelBehavior for ActiveModel {}
