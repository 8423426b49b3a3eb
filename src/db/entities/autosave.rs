//! Unsaved work on an article, kept from the editor; never public.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "autosaves")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: i64,
    pub user_id: Option<i64>,
    /// The version of the article that this work began from.
    pub version: i32,
    /// The editor's form, as `articles::ArticleForm`.
    pub fields: Json,
    pub saved_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
