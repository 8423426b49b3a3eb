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
    /// Invalid `script` where it names none: a reader that was set up wrongly is told so.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters = url::form_urlencoded::parse(query.as_bytes());
        let shown = match parameters.find(|(name, _)| name == PARAMETER) {
            Some((_, code)) => {
                Shown::from_code(&code).ok_or_else(|| Error::invalid(PARAMETER, "script-wrong"))?
            }
            None => Shown::Original,
        };
        Ok(Self(shown))
    }
}

/// What the address of a feed names.
pub fn of_feed(shown: Shown) -> Option<Shown> {
    Some(shown).filter(|shown| *shown != Shown::Original)
}

impl Feed {
    /// The feed at the address that names a script; its articles are in it already. No hub tells of it.
    pub fn in_script(mut self, shown: Shown) -> Self {
        let Some(shown) = of_feed(shown) else { return self };
        self.description = shown.text(&self.description, &self.lang).into_owned();
        self.self_url = path_in(&self.self_url, Some(shown));
        self.page_url = path_in(&self.page_url, Some(shown));
        self.lang = shown.lang(&self.lang).into_owned();
        self.hubs.clear();
        self
    }
}
