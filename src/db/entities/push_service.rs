//! A push service that asked to be left alone for a while; unique on its host.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_services")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub host: String,
    pub until: Timestamp,
    /// How often in a row.
    pub refusals: i32,
    pub answer: String,
}

impl ActiveModelBehavior for ActiveModel {}
