//! Pings: what has changed in a feed since an event, as a document of the feed's own format that holds only that.

use std::collections::HashSet;

use super::address::{Address, Of};
use super::pages::{article_tag, base_url};
use super::{Feed, Format, MAX_ARTICLES, queries, search};
use crate::app::App;
use crate::error::Error;
use crate::outbox;

/// Changed articles that are looked at, the newest of them.
const LOOKED_AT: u64 = 200;

/// What is told of a feed.
#[derive(Debug)]
pub struct Ping {
    /// The newest event that it tells of.
    pub until: i64,
    /// None where nothing that the feed shows has changed.
    pub document: Option<Document>,
}

/// A feed, or part of it.
#[derive(Debug)]
pub struct Document {
    pub body: String,
    /// As the feed names them.
    pub hubs: Vec<String>,
}

/// What readers of a feed have to be told after the event `told_until`.
///
/// Entries that are in the feed now and have changed; those taken back as tombstones in Atom. The other formats
/// have no word for that, so they are sent whole then, but for those of searches; and any is when the account or the
/// collection that it is of changed its name, or more has changed than a feed holds. What left a feed in another way,
/// such as by a tag that was taken off, is not told.
///
/// # Errors
/// Those of reading.
pub async fn since(app: &App, address: &Address, told_until: i64) -> Result<Ping, Error> {
    let db = app.db.read();
    let account_id = address.account_id();
    let until = outbox::latest(db).await?;
    let nothing = Ping { until: until.max(told_until), document: None };
    if until <= told_until {
        return Ok(nothing);
    }
    let collection_id = match &address.of {
        Of::Collection(_, collection) => Some(collection.id),
        _ => None,
    };
    let changes = queries::changes(db, account_id, collection_id, (told_until, until)).await?;
    if changes.are_none() {
        return Ok(nothing);
    }
    let mut ids: Vec<i64> = changes.article_ids.into_iter().collect();
    for account_id in changes.accounts {
        ids.extend(queries::newest_articles(db, Some(account_id)).await?.iter().map(|article| article.id));
    }
    let newest = queries::newest_of(db, &ids, LOOKED_AT).await?;
    let here = address.of_it(app, queries::articles(db, &newest).await?).await?;
    let gone = address.of_it(app, queries::withdrawn(db, &newest).await?).await?;
    if here.is_empty() && gone.is_empty() && !changes.all {
        return Ok(nothing);
    }
    let mut feed: Feed = match &address.of {
        // What is in it altogether only an index knows.
        Of::Search(wanted) => {
            let here = here.into_iter().take(MAX_ARTICLES as usize).collect();
            search::feed_with(app, wanted, here, address.format, address.shown).await?
        }
        _ => {
            let mut feed = address.feed(app).await?;
            let whole = changes.all || (address.format != Format::Atom && !gone.is_empty());
            let changed: HashSet<i64> = here.iter().map(|article| article.id).collect();
            feed.items.retain(|item| whole || changed.contains(&item.article.id));
            if feed.items.is_empty() && gone.is_empty() && !changes.all {
                return Ok(nothing);
            }
            feed
        }
    };
    if feed.items.is_empty() && address.format != Format::Atom && matches!(address.of, Of::Search(_)) {
        return Ok(nothing);
    }
    feed.gone = gone
        .iter()
        .take(MAX_ARTICLES as usize)
        .map(|article| (article_tag(app, article), article.withdrawn_at.unwrap_or(article.updated_at)))
        .collect();
    let body = feed.write(address.format, base_url(app));
    Ok(Ping { until, document: Some(Document { body, hubs: feed.hubs }) })
}
