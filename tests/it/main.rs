//! Tests of behaviour, one file per room, through the router and on both databases.

mod house;
mod support;
