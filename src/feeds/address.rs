//! Addresses of feeds: which feed one names, and the feed that is there now.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use strum::IntoEnumIterator;

use super::script::{named, of_feed};
use super::{Feed, Format, collections, pages, queries, search, tags};
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::articles::tags::folded;
use crate::db::entities::{account, collection};
use crate::error::Error;
use crate::home;
use crate::search::wanted::Wanted;
use crate::shown::{Shown, path_in};

/// When a search that ran out of time may be tried again.
const LATER: Duration = Duration::from_secs(5);

/// What a feed is of.
#[derive(Clone, Debug)]
pub enum Of {
    Site,
    Account(account::Model),
    /// Folded; of one account, or of the site.
    Tag(Option<account::Model>, String),
    Collection(account::Model, collection::Model),
    Search(Wanted),
}

/// One of our feeds, in a format and a script.
#[derive(Clone, Debug)]
pub struct Address {
    pub of: Of,
    pub format: Format,
    pub shown: Shown,
}

impl Address {
    /// The feed that a path with its query part names; that of an account also by a handle it had before.
    ///
    /// # Errors
    /// Not found where it names none; gone where the account is suspended or closed.
    pub async fn find(app: &App, path: &str) -> Result<Self, Error> {
        let db = app.db.read();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (folder, file) = path.rsplit_once('/').ok_or(Error::NotFound)?;
        let format = Format::iter().find(|format| format.file() == file).ok_or(Error::NotFound)?;
        let names: Vec<String> = folder
            .split('/')
            .skip(1)
            .map(|name| percent_decode_str(name).decode_utf8().map(|name| name.into_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| Error::NotFound)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let of = match names[..] {
            [] => Of::Site,
            ["search"] => Of::Search(search::wanted(query)),
            ["tag", tag] => Of::Tag(None, folded(tag)),
            [account] => Of::Account(owner(app, account).await?),
            [account, "tag", tag] => Of::Tag(Some(owner(app, account).await?), folded(tag)),
            [account, "collections", slug] => {
                let account = owner(app, account).await?;
                let found = crate::collections::queries::by_slug(db, account.id, slug).await?;
                Of::Collection(account, found.ok_or(Error::NotFound)?)
            }
            _ => return Err(Error::NotFound),
        };
        Ok(Self { of, format, shown: named(query)? })
    }

    /// Its path with its query part, as the feed itself names it.
    pub fn path(&self) -> String {
        let file = self.format.file();
        let path = match &self.of {
            Of::Site => format!("/{file}"),
            Of::Account(account) => format!("/@{}/{file}", account.handle),
            Of::Tag(account, tag) => format!("{}/{file}", home::tags::path(account.as_ref(), tag)),
            Of::Collection(account, collection) => {
                format!("{}/{file}", crate::collections::pages::path(account, collection))
            }
            Of::Search(wanted) => wanted.at(&format!("/search/{file}")),
        };
        path_in(&path, of_feed(self.shown))
    }

    /// The account that all its articles are of.
    pub fn account_id(&self) -> Option<i64> {
        match &self.of {
            Of::Account(account) | Of::Tag(Some(account), _) | Of::Collection(account, _) => Some(account.id),
            Of::Site | Of::Tag(None, _) | Of::Search(_) => None,
        }
    }

    /// The feed as it is now; that of a tag nobody uses is empty.
    ///
    /// # Errors
    /// Invalid where a search cannot be read; busy where it could not be searched through.
    pub async fn feed(&self, app: &App) -> Result<Feed, Error> {
        let (format, shown) = (self.format, self.shown);
        match &self.of {
            Of::Site => {
                let (_, changed) = queries::newest_event(app.db.read(), None).await?;
                pages::site_feed(app, format, changed, shown).await
            }
            Of::Account(account) => {
                let (_, changed) = queries::newest_event(app.db.read(), Some(account.id)).await?;
                pages::account_feed(app, account, format, changed, shown).await
            }
            Of::Tag(account, tag) => tags::feed(app, account.as_ref(), tag, format, shown).await,
            Of::Collection(account, collection) => {
                collections::feed(app, account, collection, format, shown).await
            }
            Of::Search(wanted) => match search::feed(app, wanted, format, shown).await? {
                (feed, false) => Ok(feed),
                (_, true) => Err(Error::Busy { retry_after: LATER }),
            },
        }
    }
}

async fn owner(app: &App, name: &str) -> Result<account::Model, Error> {
    let handle = name.strip_prefix('@').ok_or(Error::NotFound)?;
    let (Found::Here(account) | Found::Moved(account)) = open_by_handle(app.db.read(), handle).await?;
    Ok(account)
}
