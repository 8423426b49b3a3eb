//! Articles that tell of the same things as another: found by its title, its tags, and the words that it keeps coming
//! back to. A report that says the same as the article, or as one that is named already, is not among them.
//!
//! The index finds what shares rare letter pairs with all of that; whether it is about the same is decided by whole
//! words ([`subject`]), for pairs alone also meet by chance.
//!
//! No page waits for that. News are looked at as soon as the index knows them ([`run`]); of other articles the first
//! reader sees none. An answer is given out for as long as it is asked for, and looked for anew behind
//! the back of a reader when it has become old. What was withdrawn meanwhile is left out where rows are read.

mod subject;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::subject::Subject;
use super::queries::{self, Published};
use super::query::Filter;
use super::rank::{Request, Sort};
use crate::app::App;
use crate::articles;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::error::Error;

/// Articles that are looked at.
const LOOKED_AT: usize = 16;
/// How long the index may look.
const SEARCH: Duration = Duration::from_millis(60);
/// From when on an answer is looked for anew, and one that named nothing.
const FRESH: Duration = Duration::from_secs(600);
const EMPTY_FRESH: Duration = Duration::from_secs(20);
/// Answers that are kept, and for how long where nobody asks.
const KEPT: u64 = 50_000;
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);
/// Articles that wait to be looked at: asked for by readers, and news.
const WAITING: usize = 64;
const NEWS: usize = 256;
/// Between two looks at news, so that a flood of them leaves the processor to readers.
const PAUSE: Duration = Duration::from_millis(100);

/// What this node has found, by article.
#[derive(Debug)]
pub struct Related {
    kept: Cache<i64, Kept>,
    /// One look at a time.
    turn: Semaphore,
    under_way: Mutex<HashSet<i64>>,
    news: mpsc::Sender<i64>,
    coming: tokio::sync::Mutex<mpsc::Receiver<i64>>,
}

#[derive(Clone, Debug)]
struct Kept {
    version: i32,
    ids: Vec<i64>,
    until: Timestamp,
}

impl Default for Related {
    fn default() -> Self {
        let (news, coming) = mpsc::channel(NEWS);
        Self {
            kept: Cache::builder().max_capacity(KEPT).time_to_idle(IDLE).build(),
            turn: Semaphore::new(1),
            under_way: Mutex::default(),
            news,
            coming: coming.into(),
        }
    }
}

impl Related {
    /// Whether an article was looked at.
    pub async fn is_known(&self, article: i64) -> bool {
        self.kept.get(&article).await.is_some()
    }

    /// Says that the index has come to know news. Where too many come at once, the rest wait for their readers.
    pub fn expect(&self, articles: &[i64]) {
        for id in articles {
            if self.news.try_send(*id).is_err() {
                return;
            }
        }
    }
}

/// Looks at news ahead of their readers, until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut coming = app.related.coming.lock().await;
    loop {
        let next = async {
            let id = coming.recv().await;
            tokio::time::sleep(PAUSE).await;
            id
        };
        let id = tokio::select! {
            id = next => id,
            () = stop.cancelled() => return,
        };
        if let Some(id) = id
            && let Err(error) = look_ahead(&app, id).await
        {
            tracing::warn!(article = id, "looking ahead for related articles failed: {error}");
        }
    }
}

/// Looks for what is related to an article that nobody has asked for yet.
pub async fn look_ahead(app: &Arc<App>, id: i64) -> Result<(), Error> {
    let (_, article) = articles::queries::with_account(app.db.read(), id).await?;
    if article.state == ArticleState::Published
        && let Some(looking) = start(app, &article)
    {
        looking.await.map_err(anyhow::Error::from)?;
    }
    Ok(())
}

/// Ids of related articles as they were found last, best first, and whether they should be looked for anew.
pub async fn known(app: &App, article: &article::Model) -> (Vec<i64>, bool) {
    match app.related.kept.get(&article.id).await {
        Some(kept) => {
            let is_good = kept.version == article.version && app.clock.now() < kept.until;
            (kept.ids, !is_good)
        }
        None => (Vec::new(), true),
    }
}

/// Looks for what is related to an article behind the back of its reader.
pub fn look_again(app: &Arc<App>, article: &article::Model) {
    drop(start(app, article));
}

/// Looks on its own, whether anybody waits for it; not where that is under way, or too many wait already.
fn start(app: &Arc<App>, article: &article::Model) -> Option<JoinHandle<()>> {
    let place = Place::take(app, article.id)?;
    let article = article.clone();
    let look = async move {
        let app = &place.app;
        match app.related.turn.acquire().await {
            Ok(_turn) => look_and_keep(app, &article).await,
            Err(_closed) => {}
        }
    };
    Some(tokio::spawn(look.in_current_span()))
}

/// An article that is looked at, or waits for that.
struct Place {
    app: Arc<App>,
    id: i64,
}

impl Place {
    fn take(app: &Arc<App>, id: i64) -> Option<Self> {
        let mut under_way = app.related.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let is_mine = under_way.len() < WAITING && under_way.insert(id);
        is_mine.then(|| Self { app: app.clone(), id })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.related.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

async fn look_and_keep(app: &App, article: &article::Model) {
    let ids = match look(app, article).await {
        Ok(ids) => ids,
        Err(Error::Busy { .. } | Error::Unavailable { .. }) => return,
        Err(error) => {
            tracing::warn!(article = article.id, "looking for related articles failed: {error:?}");
            return;
        }
    };
    let life = if ids.is_empty() { EMPTY_FRESH } else { FRESH };
    let kept = Kept { version: article.version, ids, until: app.clock.now() + life };
    app.related.kept.insert(article.id, kept).await;
}

async fn look(app: &App, article: &article::Model) -> Result<Vec<i64>, Error> {
    let started = std::time::Instant::now();
    let subject = {
        let (title, tags) = (article.title.clone(), article.tags.0.clone());
        let html = article.body_html.clone();
        crate::blocking::run(move || Subject::of(&title, &tags, &html)).await.map_err(anyhow::Error::from)?
    };
    let request = Request {
        query: subject.query(),
        filter: Filter::default(),
        sort: Sort::Relevance,
        limit: LOOKED_AT,
        after: None,
        now: app.clock.now().0,
        facets: None,
        fold: true,
        time: Some(SEARCH),
    };
    if request.query.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = app.search.ask(request).await?.hits.into_iter().map(|hit| hit.article).collect();
    let mut rows: HashMap<i64, Published> =
        queries::published(app.db.read(), &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let rows: Vec<Published> =
        ids.iter().filter(|id| **id != article.id).filter_map(|id| rows.remove(id)).collect();
    let (account_id, body) = (article.account_id, article.body_html.clone());
    let chosen = crate::blocking::run(move || subject.choose(account_id, &body, rows));
    let chosen = chosen.await.map_err(anyhow::Error::from)?;
    tracing::debug!(
        article = article.id,
        took_us = started.elapsed().as_micros() as u64,
        "looked for related articles"
    );
    Ok(chosen)
}
