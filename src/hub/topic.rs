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
    /// Its address, as the feed itself names it.
    pub url: String,
}

impl Topic {
    /// The feed at an address.
    ///
    /// # Errors
    /// Says why it is none that can be told of, or where the feed is.
    pub async fn find(app: &App, url: &str) -> Result<Self, Refusal> {
        let Self { url, .. } = Self::named(&app.config, url)?;
        let path = path(&app.config, &url).unwrap_or_default();
        let address = Address::find(app, path).await.map_err(refusal)?;
        let named = app.config.url(&address.path());
        if url != named {
            return Err(Refusal::wrong(format!("hub.topic: this feed is at {named}")));
        }
        let feed = address.feed(app).await.map_err(refusal)?;
        if feed.items.is_empty() && matches!(address.of, Of::Tag(..)) {
            return Err(refusal(Error::NotFound));
        }
        Ok(Self { account_id: address.account_id(), url })
    }

    /// What somebody calls by an address of ours, whether there is a feed or not.
    ///
    /// # Errors
    /// Says why no feed can ever have been there.
    pub fn named(config: &Config, url: &str) -> Result<Self, Refusal> {
        let url = url.trim();
        if path(config, url).is_none() {
            return Err(Refusal::wrong("hub.topic must be the address of a feed of this site"));
        }
        if url.len() > LONGEST {
            return Err(Refusal::wrong("hub.topic: too long"));
        }
        Ok(Self { account_id: None, url: url.to_owned() })
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
