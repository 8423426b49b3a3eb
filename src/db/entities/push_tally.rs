//! How many deliveries of a push are in which state, by channel and provider: changed in the
//! transaction that changes the deliveries, so that nobody has to count a million rows to see.

use crate::db::entities::delivery::{Channel, Provider};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_tallies")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique with channel and provider.
    pub push_id: i64,
    pub channel: Channel,
    pub provider: Provider,
    pub waiting: i64,
    pub held: i64,
    pub delivered: i64,
    pub failed: i64,
    pub suppressed: i64,
}

impl ActiveModelBehavior for ActiveModel {}
