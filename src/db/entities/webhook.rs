//! An address elsewhere that is told what happens in an account.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

stored_word! {
    /// In what form it is told.
    pub enum WebhookForm {
        /// JSON, signed by the Standard Webhooks convention.
        Standard,
        /// What a Telegram bot's `sendMessage` takes.
        Telegram,
        /// What ntfy takes as JSON.
        Ntfy,
    }
}

stored_word! {
    /// Whether it is told.
    pub enum WebhookState {
        Active,
        /// Its owner has switched it off.
        Paused,
        /// It took nothing for days, or said that it is gone.
        Broken,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub form: WebhookForm,
    pub url: String,
    /// Telegram's chat, ntfy's topic; empty otherwise.
    pub target: String,
    /// `whsec_` and the key of signatures; ntfy's access token; empty for Telegram.
    pub secret: String,
    /// The kinds that it is told of, separated by spaces.
    pub kinds: String,
    pub state: WebhookState,
    /// Since when it has taken nothing.
    pub failing_since: Option<Timestamp>,
    /// Its words when it last took nothing.
    pub last_answer: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
