//! What one webhook is told of one thing that happened.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// What happened. As text it is as webhooks name it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    #[sea_orm(string_value = "article.published")]
    #[serde(rename = "article.published")]
    #[strum(serialize = "article.published")]
    ArticlePublished,
    /// Everybody whom a push reaches has been told.
    #[sea_orm(string_value = "push.sent")]
    #[serde(rename = "push.sent")]
    #[strum(serialize = "push.sent")]
    PushSent,
    /// Somebody asked to subscribe; an address that was merely typed is not confirmed yet.
    #[sea_orm(string_value = "subscription.created")]
    #[serde(rename = "subscription.created")]
    #[strum(serialize = "subscription.created")]
    SubscriptionCreated,
    #[sea_orm(string_value = "subscription.confirmed")]
    #[serde(rename = "subscription.confirmed")]
    #[strum(serialize = "subscription.confirmed")]
    SubscriptionConfirmed,
    #[sea_orm(string_value = "subscription.cancelled")]
    #[serde(rename = "subscription.cancelled")]
    #[strum(serialize = "subscription.cancelled")]
    SubscriptionCancelled,
    /// Asked for by a member, to see whether it arrives.
    #[sea_orm(string_value = "test")]
    #[serde(rename = "test")]
    #[strum(serialize = "test")]
    Test,
}

stored_word! {
    pub enum MessageState {
        /// A job will try at `next_attempt_at`.
        Waiting,
        Delivered,
        /// Given up.
        Failed,
        /// There was nothing left to tell of.
        Dropped,
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_messages")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub webhook_id: i64,
    pub kind: Kind,
    /// The article, push or subscription.
    pub subject_id: Option<i64>,
    /// The same over all attempts, so that its receiver can tell a repetition.
    pub name: String,
    /// Written before the first attempt and kept over all.
    pub body: Option<String>,
    pub state: MessageState,
    pub attempts: i32,
    pub next_attempt_at: Timestamp,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
