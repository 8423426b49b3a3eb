//! Accounts: who may do what in them.

pub mod roles;
