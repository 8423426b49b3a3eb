//! Subscriptions: readers follow accounts, signed in or by address alone, and leave again.

pub mod queries;
