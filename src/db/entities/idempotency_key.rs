//! The answer once given to a request that carried an `Idempotency-Key`.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub key: String,
    /// SHA-256 of method, path and body, in hex: the same key with another request is a conflict.
    pub request_hash: String,
    /// None while the first request is still under way.
    pub status: Option<i64>,
    pub response: Option<String>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
