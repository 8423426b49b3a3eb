//! Whose mailboxes are behind a mail domain; known from the start, or learned from its MX records.

use crate::clock::Timestamp;
use crate::db::entities::delivery::Provider;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_domains")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Lower case, unique.
    pub domain: String,
    pub provider: Provider,
    /// None for those known from the start.
    pub learned_at: Option<Timestamp>,
    /// When its MX records are looked up again; none for those that are not learned.
    pub ask_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
