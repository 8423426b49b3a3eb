//! Xiangxun (乡讯, "news from home"): an official-accounts (公众号) news platform anyone can host.
//!
//! # The house
//! Rooms by noun. A room's `mod.rs` holds its operations (the only writers of its tables),
//! `queries.rs` its reads, `pages.rs` its HTML and `api.rs` its JSON handlers.
//!
//! - [`app`]: what every room is handed; [`config`], [`clock`], [`error`]; [`blocking`]: slow work, off the requests' threads
//! - [`server`]: connections; [`routes`]: every URL; [`path`]: what stands in one; [`page`]: what pages share; [`page_cache`]: pages made
//!   once for all who are not signed in; [`statics`]: files built in; [`packing`]: answers made smaller for their way
//! - [`search`]: full-text search and the follower that feeds it; [`text`]: folding, words, slugs
//! - [`home`]: the front page and accounts' public pages; [`look`]: stand-in pictures
//! - [`auth`]: sign-in, sessions, tokens
//! - [`articles`]: what accounts publish; [`articles::content`] makes bodies safe
//! - [`collections`]: an account's ordered sets of articles
//! - [`api`]: the API's frame: its description and docs, paging, idempotency keys
//! - [`db`]: connections, transactions, one entity per table
//! - [`accounts`]: official accounts, their members, and the one table of what each role may do
//! - [`pushes`]: sending articles to subscribers, once; [`media`]: pictures that are kept here, and smaller copies of them
//! - [`studio`]: the frame of all pages where members work on an account
//! - [`outbox`]: events in the transaction of their change; [`jobs`]: work that one node claims
//! - [`feeds`]: feeds that we serve, sitemaps; [`hub`]: servers that are told when those change (WebSub)
//! - [`import`]: sources, the feeds that outlets already have
//! - [`mail`]: letters and who carries them; [`bounces`]: word that comes back about them
//! - [`subscriptions`]: subscribing, leaving, the timeline; [`delivery`]: telling subscribers of a push
//! - [`lists`]: folders for what one follows; [`saved`]: articles that readers keep
//! - [`belongings`]: all that is kept of one person, taken along or deleted; [`zip`]: files of files
//! - [`readers`]: an address with its hours: when it is told; [`digests`]: many articles in one message
//! - [`devices`]: browsers that readers let us notify
//! - [`inbox`]: what a signed-in reader was told, on the site itself
//! - [`share`]: what a link to an article looks like elsewhere
//! - [`shown`]: the script in which Chinese is shown to a reader
//! - [`webhooks`]: addresses elsewhere that are told what happens in an account
//! - [`alerts`]: saved searches that read each new article, and tell their readers of those that match
//! - [`offline`]: the site as an app on a phone, and without a network
//! - [`outside`]: feeds elsewhere that a reader follows for themselves; [`opml`]: all that one follows as a file
//! - [`reader_apps`]: the APIs by which reader apps sync; [`private_feeds`]: a timeline at a secret address
//! - [`demo`]: the throw-away instance of `xiangxun demo`
//! - [`commands`]: what the binary can be told to do

pub mod accounts;
pub mod alerts;
pub mod api;
pub mod app;
pub mod articles;
pub mod auth;
pub mod belongings;
pub mod blocking;
pub mod bounces;
pub mod clock;
pub mod collections;
pub mod commands;
pub mod config;
pub mod db;
pub mod delivery;
pub mod demo;
pub mod devices;
pub mod digests;
pub mod error;
pub mod feeds;
pub mod home;
pub mod hub;
pub mod import;
pub mod inbox;
pub mod jobs;
pub mod lists;
pub mod look;
pub mod mail;
pub mod media;
pub mod offline;
pub mod opml;
pub mod outbox;
pub mod outside;
pub mod packing;
pub mod page;
pub mod page_cache;
pub mod path;
pub mod private_feeds;
pub mod pushes;
pub mod reader_apps;
pub mod readers;
pub mod routes;
pub mod saved;
pub mod search;
pub mod server;
pub mod share;
pub mod shown;
pub mod statics;
pub mod studio;
pub mod subscriptions;
pub mod text;
pub mod webhooks;
pub mod zip;
