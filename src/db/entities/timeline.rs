//! How a reader's timeline is shown.

use crate::clock::Timestamp;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;

/// Words that hide articles, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, FromJsonQueryResult)]
pub struct MuteWords(pub Vec<String>);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "timelines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    pub mute_words: MuteWords,
    /// When the reader last looked.
    pub visited_at: Option<Timestamp>,
    /// When the visit before the present one ended.
    pub left_at: Option<Timestamp>,
}

impl ActiveModelBehavior for ActiveModel {}
