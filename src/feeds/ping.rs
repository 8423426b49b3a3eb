//! Pings: what has changed in a feed since an event, as a document of the feed's own format that holds only that.

use std::collections::HashSet;

use super::address::{Address, Of};
use super::pages::{article_tag, base_url};
use super::{Format, MAX_ARTICLES, queries};
use crate::app::App;
use crate::error::Error;

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

/// What readers of a feed have to be told after the event `told_until`; of a search what came up to the event `indexed`,
/// the last that this node's index knows.
///
/// Entries that are in the feed now and have changed; those taken back as tombstones in Atom. The other formats
/// have no word for that, so they are sent whole then, and any is when an account or a collection changed its name or
/// more has changed than a feed holds.
///
/// # Errors
/// As of [`Address::feed`].
pub async fn since(app: &App, address: &Address, told_until: i64, indexed: i64) -> Result<Ping, Error> {
    let db = app.db.read();
    let account_id = address.account_id();
    let (newest, _) = queries::newest_event(db, account_id).await?;
    let until = if matches!(address.of, Of::Search(_)) { newest.min(indexed) } else { newest };
    let nothing = Ping { until: until.max(told_until), document: None };
    if until <= told_until {
        return Ok(nothing);
    }
    let collection_id = match &address.of {
        Of::Collection(_, collection) => Some(collection.id),
        _ => None,
    };
    let changes = queries::changes(db, account_id, collection_id, (told_until, until)).await?;
    if changes.article_ids.is_empty() && !changes.all {
        return Ok(nothing);
    }
    let mut feed = address.feed(app).await?;
    let shown: HashSet<i64> = feed.items.iter().map(|item| item.article.id).collect();
    let hidden: Vec<i64> = changes.article_ids.iter().copied().filter(|id| !shown.contains(id)).collect();
    let gone = address.former(app, queries::withdrawn(db, &hidden).await?).await?;
    let whole = changes.all || (address.format != Format::Atom && !gone.is_empty());
    if !whole {
        feed.items.retain(|item| changes.article_ids.contains(&item.article.id));
    }
    if feed.items.is_empty() && gone.is_empty() && !changes.all {
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
