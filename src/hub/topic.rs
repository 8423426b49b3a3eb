//! Topics: feeds of ours that callbacks can be told of, and no other address in the world.

use super::Refusal;
use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::feeds::address::{Address, Of};

/// The longest topic, in bytes; it is a key together with the callback.
const LONGEST: usize = 1_000;

/// A feed that the hub tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The account that all its articles are of.
    pub account_id: Option<i64>,
    pub is_search: bool,
    /// Its address, as the feed itself names it.
    pub url: String,
}

impl Topic {
    /// The feed at an address.
    ///
    /// # Errors
    /// Says why it is none that can be told of, or where the feed is.
    pub async fn find(app: &App, url: &str) -> Result<Self, Refusal> {
        let url = url.trim();
        let Some(path) = path(&app.config, url) else {
            return Err(Refusal::wrong("hub.topic must be the address of a feed of this site"));
        };
        if url.len() > LONGEST {
            return Err(Refusal::wrong("hub.topic: too long"));
        }
        let address = Address::find(app, path).await.map_err(refusal)?;
        let named = app.config.url(&address.path());
        if url != named {
            return Err(Refusal::wrong(format!("hub.topic: this feed is at {named}")));
        }
        let feed = address.feed(app).await.map_err(refusal)?;
        if feed.items.is_empty() && matches!(address.of, Of::Tag(..)) {
            return Err(refusal(Error::NotFound));
        }
        let is_search = matches!(address.of, Of::Search(_));
        Ok(Self { account_id: address.account_id(), is_search, url: named })
    }
}

/// The path of an address of ours, with its query part.
pub(super) fn path<'url>(config: &Config, url: &'url str) -> Option<&'url str> {
    url.strip_prefix(config.url("").as_str()).filter(|path| path.starts_with('/'))
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Internal(error) => Refusal::Broken(sea_orm::DbErr::Custom(format!("{error:#}"))),
        Error::Busy { .. } | Error::Unavailable { .. } => Refusal::Full("this search cannot be done now"),
        Error::Invalid(_) => Refusal::wrong("hub.topic: this search cannot be read"),
        _ => Refusal::wrong("hub.topic: there is no such feed here"),
    }
}
