//! A provider that has asked us to come back later.

use crate::clock::Timestamp;
use crate::db::entities::delivery::Provider;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_pauses")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique.
    pub provider: Provider,
    pub until: Timestamp,
    /// Pauses since it last took a message.
    pub refusals: i32,
    /// The remote's words.
    pub answer: String,
}

impl ActiveModelBehavior for ActiveModel {}
