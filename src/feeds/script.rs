//! Feeds in the script that their address names: `feed.atom?script=hant-tw`. Without it they are as they were written,
//! whoever asks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Feed;
use crate::error::Error;
use crate::shown::{PARAMETER, Shown, path_in};

/// Extractor: the script of a feed's address.
pub struct InScript(pub Shown);

impl<S: Sync> FromRequestParts<S> for InScript {
    type Rejection = Error;

    /// # Errors
    /// As of [`named`].
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(named(parts.uri.query().unwrap_or_default())?))
    }
}

/// The script that the query part of a feed's address names.
///
/// # Errors
/// Invalid `script` where it names none: a reader that was set up wrongly is told so.
pub(super) fn named(query: &str) -> Result<Shown, Error> {
    let mut parameters = url::form_urlencoded::parse(query.as_bytes());
    match parameters.find(|(name, _)| name == PARAMETER) {
        Some((_, code)) => Shown::from_code(&code).ok_or_else(|| Error::invalid(PARAMETER, "script-wrong")),
        None => Ok(Shown::Original),
    }
}

/// What stands in the address of a feed.
pub fn of_feed(shown: Shown) -> Option<Shown> {
    Some(shown).filter(|shown| *shown != Shown::Original)
}

impl Feed {
    /// The feed at the address that names a script; its articles are in it already. Hubs elsewhere are not told
    /// of it, only our own is, which is the first.
    pub fn in_script(mut self, shown: Shown) -> Self {
        let Some(shown) = of_feed(shown) else { return self };
        self.description = shown.text(&self.description, &self.lang).into_owned();
        self.self_url = path_in(&self.self_url, Some(shown));
        self.page_url = path_in(&self.page_url, Some(shown));
        self.lang = shown.lang(&self.lang).into_owned();
        self.hubs.truncate(1);
        self
    }
}
