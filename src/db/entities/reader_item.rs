//! The number by which reader apps know an article or an outside item: given once, for all readers.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reader_items")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// One of the two is set.
    pub article_id: Option<i64>,
    pub outside_item_id: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
