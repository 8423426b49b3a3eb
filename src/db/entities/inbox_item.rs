//! Something that a signed-in reader was told, on the site itself; unique on the reader and what it is about.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What was told.
    pub enum ItemKind {
        /// A push of an account that the reader follows and is told of at once.
        Push,
        /// What a saved search found.
        Alert,
        /// An article that the reader was told of was put right.
        Correction,
        /// It was taken back.
        Withdrawal,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox_items")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// `push:7`, `alert:3:article:9`, ..: the same thing is told once.
    pub subject: String,
    pub kind: ItemKind,
    pub push_id: Option<i64>,
    pub alert_id: Option<i64>,
    /// As `alert_hits` has it.
    pub occasion: Option<String>,
    /// That was put right or taken back.
    pub article_id: Option<i64>,
    /// The account's words about it.
    pub words: Option<String>,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
