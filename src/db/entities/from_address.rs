//! An account's own sender: an address at its domain, with the key that signs for it.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "from_addresses")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique.
    pub account_id: i64,
    pub address: String,
    /// Of the address.
    pub domain: String,
    /// Where the domain has the key.
    pub selector: String,
    /// The private key, sealed with the instance's.
    pub secret: String,
    /// Since when the domain has it; none if it has not.
    pub proven_at: Option<Timestamp>,
    pub checked_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
