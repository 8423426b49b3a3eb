//! One recipient's row for one push on one channel.

use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

/// How a subscriber is told.
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
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Channel {
    /// A mail to the subscription's address.
    Email,
}

/// What has become of a delivery.
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
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    /// Due at `next_attempt_at`.
    Waiting,
    /// Claimed by a sender; free again when its lease ends.
    Sending,
    /// The remote took it.
    Delivered,
    /// Given up; `answer` says why.
    Failed,
    /// Not sent: the address is suppressed or the reader has left.
    Suppressed,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub push_id: i64,
    pub subscription_id: i64,
    pub channel: Channel,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: Timestamp,
    pub lease_until: Option<Timestamp>,
    pub lease_owner: Option<String>,
    /// Stable over attempts; empty until the first.
    pub message_id: String,
    /// The remote's last words.
    pub answer: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
