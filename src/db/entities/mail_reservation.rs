//! Messages that count against a cap until a moment: claimed ones, and those sent within its time.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_reservations")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which cap, as `delivery::caps` writes it.
    pub scope: String,
    /// The sender and its claim; empty once the messages were sent.
    pub holder: String,
    /// The cap's time in milliseconds.
    pub span: i64,
    pub count: i64,
    pub until: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
