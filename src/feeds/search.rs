//! The feed of a search: what it finds, newest first.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono_tz::Tz;

use super::pages::{Validators, items, tag};
use super::script::InScript;
use super::{Feed, Format, MAX_ARTICLES, newest_change, queries};
use crate::alerts::percolate::{Article, Percolator};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article;
use crate::error::Error;
use crate::hub;
use crate::page::Locale;
use crate::search::find::{Reader, asked, find_ids};
use crate::search::queries::Published;
use crate::search::query::Filter;
use crate::search::wanted::Wanted;
use crate::shown::Shown;
use crate::text::script::Script;

/// `GET /search/feed.atom`, `/search/feed.rss`, `/search/feed.json`: the parameters of `/search`,
/// but for those about order and pages, and `in`, since feed readers do not sign in.
pub async fn show_search_feed(
    State(app): State<Arc<App>>,
    format: Format,
    InScript(shown): InScript,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let wanted = wanted(&query.unwrap_or_default());
    let (feed, _) = feed(&app, &wanted, format, shown).await?;
    Ok(Validators::of_feed(&feed).answer_if_new(&app, format, &feed, &headers))
}

/// The search that the query part of a feed's address names.
pub(super) fn wanted(query: &str) -> Wanted {
    Wanted {
        sort: String::new(),
        limit: String::new(),
        cursor: String::new(),
        scope: String::new(),
        facets: false,
        fold: false,
        ..Wanted::from_query(query)
    }
}

/// The feed of a search, and whether there was no time to look at everything.
pub(super) async fn feed(
    app: &App,
    wanted: &Wanted,
    format: Format,
    shown: Shown,
) -> Result<(Feed, bool), Error> {
    let request = Wanted { sort: "newest".into(), limit: MAX_ARTICLES.to_string(), ..wanted.clone() };
    let (ids, partial) = find_ids(app, &request, anybody(app)).await?;
    let articles = queries::articles(app.db.read(), &ids).await?;
    Ok((feed_with(app, wanted, articles, format, shown).await?, partial))
}

fn anybody(app: &App) -> Reader {
    let zone = app.config.timezone.parse().unwrap_or(Tz::UTC);
    Reader { user: None, zone, script: Script::Other }
}

/// Of the given articles, those that hold all of a search as it stands, in the given order: none are looked at after so
/// many. The search is asked of the articles themselves and not of the index, as saved searches are: a node may have
/// none, and no index knows what was taken back.
pub(super) async fn held_by(app: &App, wanted: &Wanted, ids: &[i64], most: usize) -> Result<Vec<i64>, Error> {
    /// Articles that are in memory at once, with their bodies.
    const BATCH: usize = 20;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let Some((query, filter)) = asked(app, wanted, anybody(app)).await? else { return Ok(Vec::new()) };
    let mut percolator = Percolator::default();
    percolator.insert(0, &query);
    let asked = Arc::new((percolator, filter));
    let mut held = Vec::new();
    for ids in ids.chunks(BATCH) {
        let holding = holding(app, &asked, queries::by_id(app.db.read(), ids).await?).await?;
        held.extend(ids.iter().filter(|id| holding.contains(id)));
        if held.len() >= most {
            break;
        }
    }
    held.truncate(most);
    Ok(held)
}

/// Those of the given articles that a query finds and a filter admits.
async fn holding(
    app: &App,
    asked: &Arc<(Percolator, Filter)>,
    articles: Vec<article::Model>,
) -> Result<HashSet<i64>, Error> {
    let accounts: HashSet<i64> = articles.iter().map(|article| article.account_id).collect();
    let accounts = queries::accounts(app.db.read(), accounts).await?;
    let asked = asked.clone();
    let held = crate::blocking::run(move || {
        let (percolator, filter) = &*asked;
        let holds = |article: &article::Model| {
            let account = accounts.get(&article.account_id);
            account.map(|account| Published::of(article, account).into_entry()).is_some_and(|entry| {
                filter.admits(&entry) && !percolator.matches(&Article::new(&entry)).is_empty()
            })
        };
        articles.iter().filter(|article| holds(article)).map(|article| article.id).collect()
    });
    Ok(held.await.map_err(anyhow::Error::from)?)
}

/// The feed of a search with the given articles in it.
pub(super) async fn feed_with(
    app: &App,
    wanted: &Wanted,
    articles: Vec<article::Model>,
    format: Format,
    shown: Shown,
) -> Result<Feed, Error> {
    let items = items(app, articles, shown).await?;
    let locale = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let title = locale.text_with(
        "search-feed-title",
        &[("query", wanted.q.clone()), ("site", app.config.site_name_in(locale))],
    );
    let updated = newest_change(&items);
    let feed = Feed {
        id: tag(app, wanted.at("search").as_str(), Timestamp(0)),
        title,
        description: String::new(),
        lang: locale.code().to_owned(),
        page_url: app.config.url(&wanted.at("/search")),
        self_url: app.config.url(&wanted.at(&format!("/search/{}", format.file()))),
        hubs: vec![hub::own_address(&app.config)],
        icon_url: None,
        updated,
        items,
        gone: Vec::new(),
    };
    Ok(feed.in_script(shown))
}
