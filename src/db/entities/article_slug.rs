//! A former slug, which still leads to its article.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "article_slugs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub slug: String,
    pub article_id: i64,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
