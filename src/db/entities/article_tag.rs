//! A tag of an article that is or was public.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "article_tags")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: i64,
    /// The form in which both scripts, widths and cases are one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub folded: String,
    /// As the author wrote it.
    pub name: String,
    pub account_id: i64,
    /// The article's.
    pub published_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
