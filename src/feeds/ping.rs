//! Pings: what has changed in a feed since an event, as a document of the feed's own format that holds only that.

use std::collections::HashSet;

use super::pages::{account_feed, article_tag, base_url, items, site_feed};
use super::{Format, MAX_ARTICLES, queries};
use crate::app::App;
use crate::db::entities::account::{self, AccountState};
use crate::error::Error;
use crate::shown::Shown;

/// What is told of a feed.
#[derive(Debug)]
pub struct Ping {
    /// The newest event that it tells of.
    pub until: i64,
    /// None where nothing that the feed shows has changed.
    pub document: Option<String>,
}

/// What readers of an account's feed, or of the site's, have to be told after the event `told_until`.
///
/// Entries that are in the feed now and have changed; those taken back as tombstones in Atom. The other formats
/// have no word for that, so they are sent whole then, and any is when an account changed its name or more has
/// changed than a feed holds.
pub async fn since(
    app: &App,
    account: Option<&account::Model>,
    format: Format,
    told_until: i64,
) -> Result<Ping, Error> {
    let db = app.db.read();
    let account_id = account.map(|account| account.id);
    let (until, changed_at) = queries::newest_event(db, account_id).await?;
    let nothing = Ping { until: until.max(told_until), document: None };
    if until <= told_until || account.is_some_and(|account| account.state != AccountState::Active) {
        return Ok(nothing);
    }
    let changes = queries::changes(db, account_id, told_until, until).await?;
    let mut articles = queries::newest_articles(db, account_id).await?;
    let shown: HashSet<i64> = articles.iter().map(|article| article.id).collect();
    let hidden: Vec<i64> = changes.article_ids.iter().copied().filter(|id| !shown.contains(id)).collect();
    let gone = queries::withdrawn(db, &hidden).await?;
    let whole = changes.all || (format != Format::Atom && !gone.is_empty());
    if !whole {
        articles.retain(|article| changes.article_ids.contains(&article.id));
    }
    if articles.is_empty() && gone.is_empty() && !changes.all {
        return Ok(nothing);
    }
    let items = items(app, articles, Shown::Original).await?;
    let mut feed = match account {
        Some(account) => account_feed(app, account, format, changed_at, items),
        None => site_feed(app, format, changed_at, items),
    };
    feed.gone = gone
        .iter()
        .take(MAX_ARTICLES as usize)
        .map(|article| (article_tag(app, article), article.withdrawn_at.unwrap_or(article.updated_at)))
        .collect();
    Ok(Ping { until, document: Some(feed.write(format, base_url(app))) })
}
