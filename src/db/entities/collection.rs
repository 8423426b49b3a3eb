//! An ordered set of an account's articles (合集).

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "collections")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    /// Unique within the account; stays when the title changes.
    pub slug: String,
    pub title: String,
    /// What it is about; may be empty.
    pub intro: String,
    /// Its place among the account's; smaller ones come first.
    pub position: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
