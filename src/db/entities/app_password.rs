//! A password that a user made for one reader app.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_passwords")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// What the user calls it.
    pub name: String,
    /// SHA-256 of its letters.
    pub secret_hash: String,
    /// SHA-256 of the key that Fever's apps make of it: the MD5 of `address:password`.
    pub fever_hash: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// The app that used it last, as it calls itself.
    pub last_used_by: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
