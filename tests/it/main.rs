//! Tests of behaviour, one file per room, through the router and on both databases.

mod config;
mod content;
mod home;
mod house;
mod locales;
mod support;
