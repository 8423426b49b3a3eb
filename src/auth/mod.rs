//! Identity: signing in by link or password, sessions, API tokens, signed links, and what keeps
//! strangers out.

pub mod address;
pub mod api;
pub mod api_tokens;
pub mod client;
pub mod device;
pub mod headers;
mod letter;
pub mod limits;
pub mod links;
pub mod local_path;
pub mod origin;
pub mod pages;
pub mod password;
pub mod scope;
pub mod session;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod signed;
pub mod token;
pub mod users;

pub use address::Address;
pub use api::ApiUser;
pub use client::Client;
pub use local_path::LocalPath;
pub use scope::Scope;
pub use session::{CurrentUser, MaybeUser};
