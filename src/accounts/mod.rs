//! Accounts: opening, profile, handles, members and what each role may do.

pub mod queries;
pub mod roles;
