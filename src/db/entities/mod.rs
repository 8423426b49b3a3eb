//! One file per table, named for one row of it.

/// An enum that the database, JSON and URLs all write as the same word: its variant's name in snake case.
macro_rules! stored_word {
    ($(#[$attribute:meta])* pub enum $name:ident { $($variants:tt)* }) => {
        $(#[$attribute])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            sea_orm::EnumIter,
            sea_orm::DeriveActiveEnum,
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
        pub enum $name { $($variants)* }
    };
}

pub mod account;
pub mod account_handle;
pub mod alert;
pub mod alert_hit;
pub mod api_token;
pub mod app_password;
pub mod article;
pub mod article_slug;
pub mod article_tag;
pub mod autosave;
pub mod bounce;
pub mod collection;
pub mod collection_article;
pub mod delivery;
pub mod device;
pub mod entry;
pub mod event;
pub mod export;
pub mod from_address;
pub mod highlight;
pub mod hub_lease;
pub mod hub_request;
pub mod idempotency_key;
pub mod imported_cover;
pub mod inbox_item;
pub mod job;
pub mod list;
pub mod mail_domain;
pub mod mail_reservation;
pub mod media;
pub mod member;
pub mod notified_reader;
pub mod outside_feed;
pub mod outside_follow;
pub mod outside_item;
pub mod outside_mark;
pub mod private_feed;
pub mod provider_pause;
pub mod push;
pub mod push_article;
pub mod push_service;
pub mod push_tally;
pub mod read_mark;
pub mod reader;
pub mod reader_item;
pub mod revision;
pub mod saved_article;
pub mod search_click;
pub mod search_query;
pub mod server_rest;
pub mod session;
pub mod setting;
pub mod sign_in_link;
pub mod source;
pub mod subscription;
pub mod suppression;
pub mod timeline;
pub mod user;
pub mod webhook;
pub mod webhook_attempt;
pub mod webhook_message;
