//! A cover that an imported article has elsewhere, and what became of fetching it.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What became of it.
    pub enum CoverState {
        /// It is to be fetched.
        Waiting,
        /// It is one of the account's pictures.
        Kept,
        /// It is no picture that we take, or cannot be had: pages show it from where it is.
        Refused,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imported_covers")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub url: String,
    /// Names the address; unique within the account.
    pub url_hash: String,
    pub state: CoverState,
    pub media_id: Option<i64>,
    pub attempts: i32,
    pub next_try_at: Timestamp,
    /// Why it was refused, for the log and for operators.
    pub reason: Option<String>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
