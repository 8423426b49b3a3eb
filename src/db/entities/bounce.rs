//! Word that came back about a message: it bounced, or its reader complained.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What the word is.
    pub enum BounceKind {
        /// Nothing will ever be taken for the address.
        Hard,
        /// This message was not delivered; another may be.
        Soft,
        /// The reader called it spam.
        Complaint,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bounces")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What makes the same word, said twice, one row.
    pub key: String,
    /// None where only the address is known.
    pub delivery_id: Option<i64>,
    /// Lower case.
    pub email: String,
    pub kind: BounceKind,
    /// The remote's.
    pub words: String,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
