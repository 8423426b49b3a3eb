//! A piece of an account, in its present version.

use crate::clock::Timestamp;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;

stored_word! {
    /// Where an article is on its way.
    pub enum ArticleState {
        /// Seen by members only.
        Draft,
        /// Will be published at `publish_at`.
        Scheduled,
        /// Seen by everyone.
        Published,
        /// Taken back: its page says so and no more.
        Withdrawn,
    }
}

stored_word! {
    /// What the author writes in.
    pub enum BodyFormat {
        /// CommonMark with GitHub's extensions.
        Markdown,
        /// HTML, sanitised.
        Html,
    }
}

/// Tags of an article, in order, without doubles.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, FromJsonQueryResult)]
pub struct Tags(pub Vec<String>);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "articles")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub account_id: i64,
    /// Its id where it was imported from; unique within the account.
    pub external_id: Option<String>,
    /// Unique within the account.
    pub slug: String,
    pub title: String,
    /// A summary by its author; empty means the excerpt is shown.
    pub digest: String,
    /// The author line, as printed.
    pub author: String,
    pub body_format: BodyFormat,
    /// What the author typed, where that is Markdown; HTML is kept in `body_html` alone.
    pub body_source: Option<String>,
    /// Sanitised; safe to show as it is.
    pub body_html: String,
    pub cover_url: Option<String>,
    pub tags: Tags,
    /// BCP 47: zh-Hans, zh-Hant, en, ...
    pub lang: String,
    pub original_url: Option<String>,
    pub state: ArticleState,
    /// Counts saves; a save must name the version that it changes.
    pub version: i32,
    pub word_count: i32,
    pub created_by: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When a scheduled article is to be published.
    pub publish_at: Option<Timestamp>,
    pub published_at: Option<Timestamp>,
    pub withdrawn_at: Option<Timestamp>,
    pub withdrawn_reason: Option<String>,
    /// Makes a double submit of a new article one article; unique within the account.
    pub idempotency_key: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
