//! What the binary can be told to do: one file per command.

pub mod config;
pub mod serve;
