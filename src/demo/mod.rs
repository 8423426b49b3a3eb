//! The demo: a throw-away instance with real articles, whose mail is captured.

mod mail;
pub mod pages;
pub mod seed;
