//! How often something was looked for on a day.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_queries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Days since 1970 in UTC.
    pub day: i64,
    /// The account searched in; 0 for the whole site.
    pub account_id: i64,
    /// Folded; unique for day and account.
    pub query: String,
    /// As it was first typed.
    pub shown: String,
    pub searches: i64,
    /// Of these, the ones that found nothing.
    pub empty: i64,
    /// Results that were opened.
    pub clicks: i64,
}

impl ActiveModelBehavior for ActiveModel {}
