//! An article that a reader keeps: a copy of their own, as they saw it.

use super::article::Tags;
use crate::clock::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "saved_articles")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    /// None once the article is gone altogether; a withdrawn one is still there.
    pub article_id: Option<i64>,
    pub saved_at: Timestamp,
    /// Whether reader apps see it as starred. One that an app gave up stays where more would be lost with it.
    pub starred: bool,
    /// Of the article, when it was copied.
    pub version: i32,
    /// Its address then: `/@handle/slug`.
    pub url: String,
    pub account_handle: String,
    pub account_name: String,
    pub title: String,
    pub digest: String,
    pub author: String,
    pub tags: Tags,
    /// BCP 47.
    pub lang: String,
    pub published_at: Option<Timestamp>,
    pub cover_url: Option<String>,
    /// Folded letters of all its texts, for searching.
    pub letters: String,
    /// Sanitised; safe to show as it is.
    pub body_html: String,
}

impl ActiveModelBehavior for ActiveModel {}
