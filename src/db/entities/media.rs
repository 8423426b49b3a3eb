//! A picture of an account: one that a member uploaded, or a cover that an import brought.

use crate::clock::Timestamp;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;

/// What a picture is served as besides its own file: widths in pixels, rising.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, FromJsonQueryResult)]
pub struct Renditions {
    pub webp: Vec<u32>,
    pub avif: Vec<u32>,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "media")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    pub user_id: Option<i64>,
    /// Its path below the media folder, made from its content's hash.
    pub key: String,
    pub content_type: String,
    pub width: i32,
    pub height: i32,
    pub bytes: i64,
    pub created_at: Timestamp,
    /// None until they are made.
    pub renditions: Option<Renditions>,
    /// The class of the colour that stands in for it while it loads; none for one that is transparent.
    pub tone: Option<String>,
    /// Whether an import brought it, as a cover.
    pub imported: bool,
}

impl ActiveModelBehavior for ActiveModel {}
