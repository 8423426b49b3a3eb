//! A browser that its reader lets us notify; it goes with the session in which it was registered.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub session_id: i64,
    /// Where its push service takes messages for it; unique.
    pub endpoint: String,
    /// Of the endpoint.
    pub host: String,
    /// Its key of P-256 as a point, in base64url.
    pub public_key: String,
    /// Its secret, in base64url.
    pub auth: String,
    /// What browser it is.
    pub name: String,
    pub created_at: Timestamp,
    /// When its push service last took a message.
    pub notified_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
