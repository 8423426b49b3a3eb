//! The readers' way in: the front page, accounts' public pages, and the choice of language.
//! Nothing here writes a table.

pub mod accounts;
pub mod article;
mod beside;
pub mod pages;
pub mod queries;
