//! Bodies of articles in other scripts, kept for the next reader.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::Shown;
use crate::blocking;
use crate::clock::Timestamp;
use crate::db::entities::article;
use crate::error::Error;

/// Bytes of bodies that are kept.
const ROOM: u64 = 32_000_000;
/// Bytes that one takes besides its text.
const OVERHEAD: usize = 200;
/// How long one is kept that nobody reads.
const IDLE: Duration = Duration::from_secs(3_600);
/// Bytes of a body that is converted where it is asked for; more has a thread of its own.
const SHORT: usize = 8_192;

/// An article's body is named by its version: one that was changed is another.
type Key = (i64, i32, Timestamp, Shown);

/// This node's converted bodies.
#[derive(Debug)]
pub struct Bodies(Cache<Key, Arc<str>>);

impl Default for Bodies {
    fn default() -> Self {
        let weight = |_: &Key, body: &Arc<str>| u32::try_from(body.len() + OVERHEAD).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(ROOM).weigher(weight).time_to_idle(IDLE).build())
    }
}

impl Bodies {
    /// The article with its title, summary, body and language as they are shown. Its tags stay as they are: they
    /// name it.
    pub async fn article(&self, article: article::Model, shown: Shown) -> Result<article::Model, Error> {
        if !shown.changes(&article.lang) {
            return Ok(article);
        }
        let body = self.body(&article, shown).await?;
        let lang = &article.lang;
        Ok(article::Model {
            title: shown.text(&article.title, lang).into_owned(),
            digest: shown.text(&article.digest, lang).into_owned(),
            body_html: body.to_string(),
            lang: shown.lang(lang).into_owned(),
            ..article
        })
    }

    async fn body(&self, article: &article::Model, shown: Shown) -> Result<Arc<str>, Error> {
        let key = (article.id, article.version, article.updated_at, shown);
        if let Some(body) = self.0.get(&key).await {
            return Ok(body);
        }
        let body = body_in(article.body_html.clone(), &article.lang, shown).await?;
        let body: Arc<str> = body.into();
        self.0.insert(key, body.clone()).await;
        Ok(body)
    }
}

/// A sanitised body of a language as it is shown, which nobody else will ask for.
pub async fn body_in(html: String, lang: &str, shown: Shown) -> Result<String, Error> {
    if !shown.changes(lang) {
        return Ok(html);
    }
    if html.len() <= SHORT {
        return Ok(shown.html(&html, lang).into_owned());
    }
    let lang = lang.to_owned();
    Ok(blocking::run(move || shown.html(&html, &lang).into_owned()).await.map_err(anyhow::Error::from)?)
}
