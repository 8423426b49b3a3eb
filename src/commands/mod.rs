//! What the binary can be told to do: one file per command.

pub mod account;
pub mod config;
pub mod demo;
pub mod import_articles;
pub mod import_feed;
mod log;
pub mod mail;
pub mod migrate;
pub mod reindex;
pub mod serve;
pub mod test_mail;
pub mod user;

use std::sync::Arc;

use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::page::Locale;

/// The instance of the settings, for a command that talks to a person.
async fn open_app() -> anyhow::Result<Arc<App>> {
    let config = Config::load()?;
    log::start_quietly(&config);
    App::open(config).await
}

/// Turns what a room answers into words for the terminal.
trait Said<T> {
    /// `what` went wrong, and why, as the user of a page would be told.
    fn said(self, what: &'static str) -> anyhow::Result<T>;
}

impl<T> Said<T> for Result<T, Error> {
    fn said(self, what: &'static str) -> anyhow::Result<T> {
        self.map_err(|error| match error {
            Error::Internal(error) => error.context(what),
            Error::Invalid(problems) if !problems.is_empty() => {
                let words: Vec<String> = problems
                    .0
                    .iter()
                    .map(|(field, message)| format!("{field}: {}", message.text(Locale::En)))
                    .collect();
                anyhow::anyhow!("{what}: {}", words.join("; "))
            }
            error => anyhow::anyhow!("{what}: {}", error.message().text(Locale::En)),
        })
    }
}
