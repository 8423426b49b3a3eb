//! One file per table, named for one row of it.

pub mod account;
pub mod account_handle;
pub mod alert;
pub mod alert_hit;
pub mod api_token;
pub mod article;
pub mod article_slug;
pub mod autosave;
pub mod delivery;
pub mod entry;
pub mod event;
pub mod idempotency_key;
pub mod job;
pub mod media;
pub mod member;
pub mod push;
pub mod push_article;
pub mod read_mark;
pub mod revision;
pub mod session;
pub mod setting;
pub mod sign_in_link;
pub mod source;
pub mod subscription;
pub mod suppression;
pub mod user;
