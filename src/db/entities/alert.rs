//! A search that a reader has saved, to be told of new articles that match it.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// At what pace the reader is told.
    pub enum AlertCadence {
        /// Each article at once.
        Instant,
        /// What came in a day, in one mail.
        Daily,
        /// What came in a week, in one mail.
        Weekly,
    }
}

stored_word! {
    /// Whether new articles are matched.
    pub enum AlertState {
        Active,
        Paused,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// What its reader calls it.
    pub name: String,
    /// In the language of searches; unique with the user.
    pub query: String,
    pub cadence: AlertCadence,
    pub state: AlertState,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
