//! A person who signs in.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// Whether a person may sign in.
    pub enum UserState {
        /// May sign in.
        Active,
        /// May not sign in; sessions are refused.
        Suspended,
        /// Has asked for everything to be deleted, which a job is doing.
        Leaving,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Lower case, unique.
    pub email: String,
    pub name: String,
    /// argon2id in PHC form; none when the person signs in by link only.
    pub password_hash: Option<String>,
    /// May run the instance: open any account, verify, suspend.
    pub operator: bool,
    pub state: UserState,
    /// Interface language: zh-Hans, zh-Hant or en.
    pub locale: String,
    /// Script in which Chinese is shown, as `shown::Shown` names it; empty follows the language.
    pub script: String,
    /// IANA name.
    pub timezone: String,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
