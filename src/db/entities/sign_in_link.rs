//! A single-use link that signs its reader in.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// What a sign-in link is for.
    pub enum LinkPurpose {
        /// Signs in, or signs up a new address.
        SignIn,
        /// Makes the first user of an empty instance its operator.
        Setup,
        /// Signs in and asks for a new password.
        ResetPassword,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_links")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub email: String,
    pub purpose: LinkPurpose,
    /// SHA-256 of the token, in hex; the token itself is only in the mail.
    pub token_hash: String,
    /// Where to go afterwards: a path on this site.
    pub next: String,
    /// Language of the mail; empty for the instance's.
    pub locale: String,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
