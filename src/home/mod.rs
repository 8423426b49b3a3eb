//! The readers' way in: the front page, accounts' public pages, tags, and the choice of language and look.
//! Nothing here writes a table.

pub mod accounts;
pub mod article;
mod beside;
pub mod linked_data;
pub mod look;
pub mod pages;
pub mod queries;
pub mod style;
pub mod tags;
