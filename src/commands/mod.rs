//! What the binary can be told to do: one file per command.

pub mod config;
mod log;
pub mod migrate;
pub mod reindex;
pub mod serve;
pub mod test_mail;
