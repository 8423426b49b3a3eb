//! A saved version of a published article.

use super::article::BodyFormat;
use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revisions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub article_id: i64,
    /// From 1, without gaps.
    pub number: i32,
    /// None where a source or an import made it.
    pub editor_id: Option<i64>,
    pub title: String,
    pub digest: String,
    pub body_format: BodyFormat,
    pub body_source: Option<String>,
    pub body_html: String,
    /// Why, in the editor's words.
    pub note: String,
    /// The note is for readers too: a correction.
    pub note_shown: bool,
    pub created_at: Timestamp,
}

impl ActiveModelBehavior for ActiveModel {}
