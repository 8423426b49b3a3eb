//! A mail server that is left alone for a while, because it took nothing.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_rests")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// As the settings name it, unique; empty for the only one.
    pub name: String,
    pub until: Timestamp,
    /// Rests since it last took a message.
    pub refusals: i32,
    /// The server's words.
    pub answer: String,
}

impl ActiveModelBehavior for ActiveModel {}
