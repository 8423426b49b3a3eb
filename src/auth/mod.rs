//! Identity: signing in, sessions, API tokens, signed links, and the same-origin check.

pub mod session;
pub mod signed;
pub mod token;

pub use session::{CurrentUser, MaybeUser};
