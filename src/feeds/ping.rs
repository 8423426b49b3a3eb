//! Pings: what has changed in a feed since an event, as a document of the feed's own format that holds only that.

use std::collections::HashSet;

use super::address::{Address, Of};
use super::pages::{article_tag, base_url};
use super::queries::{Changes, Gone};
use super::{Feed, Format, MAX_ARTICLES, queries, search};
use crate::app::App;
use crate::db::entities::article::ArticleState;
use crate::error::Error;
use crate::outbox;
use crate::search::wanted::Wanted;

/// Events that are read; more than that change what a feed shows as a whole.
const MANY: u64 = 1_000;
/// Of a search, which has no whole that could be told without an index.
const MANY_OF_SEARCH: u64 = 20_000;
/// Changed articles that a search is asked of, those published last.
const ASKED: u64 = 2_000;

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
/// collection that it is of changed its name, or there were a thousand events. What left a feed in another way, such as
/// by a tag that was taken off, is not told. A search is asked of those that have changed: of the 2,000 articles
/// published last, until a feed of it is full, and of as many that were taken back.
///
/// # Errors
/// Those of reading.
pub async fn since(app: &App, address: &Address, told_until: i64) -> Result<Ping, Error> {
    let db = app.db.read();
    let until = outbox::latest(db).await?;
    let nothing = Ping { until: until.max(told_until), document: None };
    if until <= told_until {
        return Ok(nothing);
    }
    let (collection_id, limit) = match &address.of {
        Of::Collection(_, collection) => (Some(collection.id), MANY),
        Of::Search(_) => (None, MANY_OF_SEARCH),
        _ => (None, MANY),
    };
    let changes =
        queries::changes(db, address.account_id(), collection_id, (told_until, until), limit).await?;
    if changes.are_none() {
        return Ok(nothing);
    }
    let told = match &address.of {
        Of::Search(wanted) => of_search(app, address, wanted, changes).await?,
        _ => of_feed(app, address, changes).await?,
    };
    let Some((mut feed, gone)) = told else { return Ok(nothing) };
    feed.updated = gone.iter().map(|article| article.at).fold(feed.updated, Ord::max);
    feed.gone = gone.iter().map(|gone| (article_tag(app, gone.id, gone.created_at), gone.at)).collect();
    let body = feed.write(address.format, base_url(app));
    Ok(Ping { until, document: Some(Document { body, hubs: feed.hubs }) })
}

/// Of a feed whose entries are known, those that have changed, and what was taken back.
async fn of_feed(app: &App, address: &Address, changes: Changes) -> Result<Option<(Feed, Vec<Gone>)>, Error> {
    let db = app.db.read();
    let changed: HashSet<i64> = match &address.of {
        Of::Tag(_, tag) => queries::tagged(db, tag, &changes.article_ids).await?,
        Of::Collection(_, collection) => queries::held_by(db, collection.id, &changes.article_ids).await?,
        _ => changes.article_ids,
    };
    if changed.is_empty() && changes.accounts.is_empty() && !changes.all {
        return Ok(None);
    }
    let mut feed = address.feed(app).await?;
    let gone = queries::withdrawn(db, changed.iter().copied()).await?;
    let whole = changes.all || (address.format != Format::Atom && !gone.is_empty());
    feed.items.retain(|item| {
        whole || changed.contains(&item.article.id) || changes.accounts.contains(&item.article.account_id)
    });
    let is_told = !feed.items.is_empty() || !gone.is_empty();
    Ok(is_told.then_some((feed, gone)))
}

/// What holds all of a search of that which has changed. What is in its feed altogether only an index knows.
async fn of_search(
    app: &App,
    address: &Address,
    wanted: &Wanted,
    changes: Changes,
) -> Result<Option<(Feed, Vec<Gone>)>, Error> {
    let db = app.db.read();
    let changed = changes.article_ids;
    let of_accounts = match changes.accounts.len() as u64 {
        0 => Vec::new(),
        count => queries::newest_ids(db, changes.accounts, ASKED.min(MAX_ARTICLES * count)).await?,
    };
    let there = changed.iter().copied().chain(of_accounts);
    let there = queries::newest_of(db, there, ArticleState::Published, ASKED).await?;
    let there = search::held_by(app, wanted, &there, MAX_ARTICLES as usize).await?;
    let there = queries::articles(db, &there).await?;
    let gone = if address.format == Format::Atom {
        let gone = queries::newest_of(db, changed, ArticleState::Withdrawn, ASKED).await?;
        queries::withdrawn(db, search::held_by(app, wanted, &gone, gone.len()).await?).await?
    } else {
        Vec::new()
    };
    if there.is_empty() && gone.is_empty() {
        return Ok(None);
    }
    let feed = search::feed_with(app, wanted, there, address.format, address.shown).await?;
    Ok(Some((feed, gone)))
}
