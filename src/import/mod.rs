//! Sources: the feeds that outlets already have, read and made into articles.

pub mod clean;
pub mod discover;
pub mod fetch;
pub mod markup;
pub mod parse;
