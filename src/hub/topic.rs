//! Topics: feeds of ours that callbacks can be told of, and no other address in the world.

use super::Refusal;
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::error::Error;
use crate::feeds::Format;

/// A feed that the hub tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// None for the site's feed.
    pub account_id: Option<i64>,
    /// Its address, as the feed itself names it.
    pub url: String,
}

impl Topic {
    /// The feed at an address.
    pub async fn find(app: &App, url: &str) -> Result<Self, Refusal> {
        let url = url.trim();
        let path = url.strip_prefix(app.config.url("").as_str()).unwrap_or_default();
        let Some(format) = Format::of_path(path) else {
            return Err(Refusal::wrong(
                "hub.topic must be the address of an account's feed, or of the site's",
            ));
        };
        let url = app.config.url(path);
        let handle = path.strip_suffix(format.file()).unwrap_or_default();
        if handle == "/" {
            return Ok(Self { account_id: None, url });
        }
        let handle =
            handle.strip_prefix("/@").and_then(|handle| handle.strip_suffix('/')).unwrap_or_default();
        match open_by_handle(app.db.read(), handle).await {
            Ok(Found::Here(account)) if account.handle == handle => {
                Ok(Self { account_id: Some(account.id), url })
            }
            Ok(Found::Here(account) | Found::Moved(account)) => {
                let moved = app.config.url(&format!("/@{}/{}", account.handle, format.file()));
                Err(Refusal::wrong(format!("hub.topic: this feed is at {moved}")))
            }
            Err(Error::Internal(error)) => Err(Refusal::Broken(sea_orm::DbErr::Custom(format!("{error:#}")))),
            Err(_) => Err(Refusal::wrong("hub.topic: there is no such feed here")),
        }
    }
}
