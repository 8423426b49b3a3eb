//! Full-text search over published articles, Chinese first.
//!
//! The index is a cache of the database: any of it can be thrown away and rebuilt. The parts, in
//! the order a text meets them:
//!
//! - [`tokenizer`]: cuts folded text into character bigrams and into words.
//! - [`schema`]: the fields of the index, and how an article is laid out over them.
//! - [`index`]: the directory on disk: open, write, commit with the follower's cursor, swap.
//! - [`query`]: what the reader typed, as tantivy queries.
//! - [`rank`]: tiers, freshness, exact totals and pages.
//! - [`snippet`]: the passage to show, from the article's own text.

pub mod index;
pub mod query;
pub mod rank;
pub mod schema;
pub mod snippet;
pub mod tokenizer;
