//! A user's role in an account.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What a member is trusted with; `accounts::roles` says which operations that is.
    pub enum Role {
        /// Everything, members included.
        Owner,
        /// Publishes, pushes and withdraws everyone's articles.
        Editor,
        /// Writes own articles.
        Author,
        /// Reads the studio.
        Analyst,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "members")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub user_id: i64,
    pub role: Role,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
