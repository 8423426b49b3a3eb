//! Belongings: all that is kept of one person, over all rooms. An [`export`] is a file of it to take along; [`leaving`]
//! deletes it.
//!
//! [`places`] is the one list of where a person is named in the database, and what becomes of each place; a test walks
//! the schema and fails where one is missing. `leaving` is the one operation that writes into tables of other rooms:
//! each of them would otherwise need an operation that differs by the table's name alone.

mod download;
pub mod export;
pub mod leaving;
mod letters;
pub mod pages;
pub mod places;
