//! An article's place in a push. An article is pushed at most once.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_articles")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub push_id: i64,
    /// Unique.
    pub article_id: i64,
    /// From 0.
    pub position: i32,
}

impl ActiveModelBehavior for ActiveModel {}
