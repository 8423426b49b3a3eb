//! How often results at some rank were opened on a day.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_clicks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Days since 1970 in UTC.
    pub day: i64,
    /// The account searched in; 0 for the whole site.
    pub account_id: i64,
    /// 1 is the first result; unique for day and account.
    pub rank: i64,
    pub clicks: i64,
}

impl ActiveModelBehavior for ActiveModel {}
