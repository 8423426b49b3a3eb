//! Tests of behaviour, one file per room, through the router and on both databases.

mod accounts;
mod articles;
mod auth;
mod commands;
mod config;
mod content;
mod crash;
mod delivery;
mod feed_documents;
mod feeds;
mod fetch;
mod home;
mod house;
mod import;
mod locales;
mod media;
mod outcome;
mod pages;
mod pushes;
mod search;
mod security;
mod subscriptions;
mod suggest;
mod support;
mod timeline;
