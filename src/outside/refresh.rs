//! The visit of an outside feed: a job that queues itself again at the feed's pace, for as long as somebody
//! follows it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use url::Url;

use super::wanted;
use crate::app::App;
use crate::articles::content;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::{outside_feed, outside_item};
use crate::import::cadence::{self, Rhythm};
use crate::import::clean::CleanEntry;
use crate::import::fetch::Fetched;
use crate::import::visit::{self, Failed, Seen};
use crate::import::{Failure, ReadFeed, read_document, strongest};
use crate::jobs::{Job, Outcome};
use crate::text;

/// A feed that readers follow for themselves is asked no more often than that.
pub const SHORTEST: Duration = Duration::from_secs(15 * 60);
/// Items kept of one feed, starred ones aside.
pub const KEPT: usize = 500;
/// Bytes of a document; larger ones hold years.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Seconds over which visits are spread that found no room.
const CROWD: u64 = 30;

/// Reads a feed that is due and keeps its items. Does nothing for one that nobody follows, or that is
/// not due. Safe to run twice and to be killed anywhere.
pub async fn refresh(app: &App, feed_id: i64) -> anyhow::Result<Outcome> {
    let Some(feed) = outside_feed::Entity::find_by_id(feed_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    if feed.gone || !wanted::is_followed(app.db.read(), feed_id).await? {
        return Ok(Outcome::Done);
    }
    let job = Job::RefreshOutside { feed_id };
    if feed.next_fetch_at > app.clock.now() {
        return Ok(Outcome::Again { job, run_at: feed.next_fetch_at });
    }
    let Some(_room) = visit::room(app, &feed.url) else {
        let later = visit::CROWDED + Duration::from_secs(feed_id.unsigned_abs() % CROWD);
        return Ok(Outcome::Again { job, run_at: app.clock.now() + later });
    };
    let run_at = match look(app, &feed).await? {
        Ok(brought) => note_success(app, feed, brought).await?,
        Err(failed) => note_failure(app, feed, failed).await?,
    };
    Ok(run_at.map_or(Outcome::Done, |run_at| Outcome::Again { job, run_at }))
}

/// What a visit brought; no feed where nothing has changed.
struct Visit {
    fetched: Fetched,
    feed: Option<ReadFeed>,
    is_new: bool,
}

/// The outer error is ours (the database's), the inner one the feed's.
async fn look(app: &App, feed: &outside_feed::Model) -> anyhow::Result<Result<Visit, Failed>> {
    let seen =
        Seen { url: &feed.url, etag: feed.etag.as_deref(), last_modified: feed.last_modified.as_deref() };
    let mut fetched = match visit::fetch(app, seen, MAX_BYTES).await {
        Ok(fetched) => fetched,
        Err(error) => return Ok(Err(error.into())),
    };
    let Some(body) = fetched.body.take() else {
        return Ok(Ok(Visit { fetched, feed: None, is_new: false }));
    };
    let url = fetched.url.clone();
    let read = match read_document(app, body, fetched.content_type.clone(), Some(url)).await {
        Ok(read) => read,
        Err(error) => return Ok(Err(Failure::from(&error).into())),
    };
    let inserted = keep_items(app, feed.id, &read).await?;
    Ok(Ok(Visit { fetched, feed: Some(read), is_new: inserted > 0 }))
}

/// Keeps the newest items of a document, follows edits, and forgets items beyond [`KEPT`]; returns how many
/// were new.
async fn keep_items(app: &App, feed_id: i64, read: &ReadFeed) -> anyhow::Result<usize> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let locked = outside_feed::Entity::find_by_id(feed_id).lock_exclusive().one(&*tx).await?;
    if locked.is_none() {
        return Ok(0);
    }
    let entries = &read.entries[..read.entries.len().min(KEPT)];
    let known = known(&tx, feed_id, entries).await?;
    let floor = floor(&tx, feed_id).await?;
    let (mut fresh, mut used, mut named) = (Vec::new(), HashSet::new(), HashSet::new());
    for entry in entries {
        let identity = strongest(&entry.identity);
        let found = known.get(&identity).or_else(|| known.get(&link_key(entry.identity.link.as_ref()?)));
        let is_forgotten =
            entry.date.map(Timestamp::from).zip(floor).is_some_and(|(date, floor)| date < floor);
        match found {
            Some(row) if used.insert(row.id) => revise(&tx, now, row, entry).await?,
            None if !is_forgotten && named.insert(identity.clone()) => fresh.push((identity, entry)),
            _ => {}
        }
    }
    let inserted = fresh.len();
    // Oldest first: ids then follow time.
    let rows: Vec<_> =
        fresh.into_iter().rev().map(|(identity, entry)| row(now, feed_id, read, identity, entry)).collect();
    for chunk in rows.chunks(200) {
        outside_item::Entity::insert_many(chunk.to_vec())
            .on_conflict_do_nothing_on([outside_item::Column::FeedId, outside_item::Column::Identity])
            .exec_without_returning(&*tx)
            .await?;
    }
    if inserted > 0 {
        forget_old(&tx, feed_id).await?;
    }
    tx.commit().await?;
    Ok(inserted)
}

/// When the oldest item was published that is kept of a feed with all the items it may have; older ones
/// that its document still holds have been forgotten.
async fn floor(tx: &Tx, feed_id: i64) -> anyhow::Result<Option<Timestamp>> {
    Ok(nth_newest(tx, feed_id, KEPT as u64 - 1).await?.map(|item| item.published_at))
}

async fn nth_newest(tx: &Tx, feed_id: i64, n: u64) -> anyhow::Result<Option<outside_item::Model>> {
    let newest = outside_item::Entity::find()
        .filter(outside_item::COLUMN.feed_id.eq(feed_id))
        .order_by_desc(outside_item::COLUMN.published_at)
        .order_by_desc(outside_item::COLUMN.id);
    Ok(newest.offset(n).limit(1).one(&**tx).await?)
}

/// Items that a document may be about, by identity and by link.
async fn known(
    tx: &Tx,
    feed_id: i64,
    entries: &[CleanEntry],
) -> anyhow::Result<HashMap<String, outside_item::Model>> {
    let identities = entries.iter().map(|entry| strongest(&entry.identity));
    let links = entries.iter().filter_map(|entry| entry.identity.link.clone());
    let any = Condition::any()
        .add(outside_item::Column::Identity.is_in(identities))
        .add(outside_item::Column::Link.is_in(links));
    let rows = outside_item::Entity::find()
        .filter(outside_item::COLUMN.feed_id.eq(feed_id))
        .filter(any)
        .all(&**tx)
        .await?;
    let mut known = HashMap::new();
    for row in rows {
        if let Some(link) = &row.link {
            known.insert(link_key(link), row.clone());
        }
        known.insert(row.identity.clone(), row);
    }
    Ok(known)
}

fn link_key(link: &str) -> String {
    format!("at:{link}")
}

async fn revise(
    tx: &Tx,
    now: Timestamp,
    known: &outside_item::Model,
    entry: &CleanEntry,
) -> anyhow::Result<()> {
    if known.content_hash == entry.identity.content {
        return Ok(());
    }
    let mut row = known.clone().into_active_model();
    row.content_hash = Set(entry.identity.content.clone());
    row.title = Set(entry.title.clone());
    row.author = Set(entry.author.clone().unwrap_or_default());
    row.html = Set(html_of(entry));
    row.updated_at = Set(now);
    row.update(&**tx).await?;
    Ok(())
}

fn row(
    now: Timestamp,
    feed_id: i64,
    read: &ReadFeed,
    identity: String,
    entry: &CleanEntry,
) -> outside_item::ActiveModel {
    let date = entry.date.map(Timestamp::from).filter(|date| date.0 > 0);
    outside_item::ActiveModel {
        id: NotSet,
        feed_id: Set(feed_id),
        identity: Set(identity),
        link: Set(entry.link.as_ref().map(Url::to_string)),
        content_hash: Set(entry.identity.content.clone()),
        title: Set(entry.title.clone()),
        author: Set(entry.author.clone().unwrap_or_default()),
        html: Set(html_of(entry)),
        lang: Set(lang_of(read, entry)),
        published_at: Set(date.map_or(now, |date| date.min(now))),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

fn html_of(entry: &CleanEntry) -> String {
    match &entry.summary {
        Some(summary) if entry.html.is_empty() => content::from_plain_text(summary),
        _ => entry.html.clone(),
    }
}

fn lang_of(read: &ReadFeed, entry: &CleanEntry) -> Option<String> {
    let sample: String =
        entry.title.chars().chain(content::plain_text(&entry.html).chars().take(1_000)).collect();
    let told = text::script::detect(&sample).tag().map(str::to_owned);
    told.or_else(|| read.lang.clone().filter(|lang| lang.len() < 36 && lang.is_ascii()))
}

/// Forgets the oldest items beyond [`KEPT`] that nobody starred.
async fn forget_old(tx: &Tx, feed_id: i64) -> anyhow::Result<()> {
    let Some(last) = nth_newest(tx, feed_id, KEPT as u64).await? else { return Ok(()) };
    outside_item::Entity::delete_many()
        .filter(outside_item::COLUMN.feed_id.eq(feed_id))
        .filter(outside_item::COLUMN.published_at.lte(last.published_at))
        .filter(outside_item::Column::Id.not_in_subquery(wanted::starred_ids()))
        .exec(&**tx)
        .await?;
    Ok(())
}

async fn note_success(
    app: &App,
    feed: outside_feed::Model,
    brought: Visit,
) -> anyhow::Result<Option<Timestamp>> {
    let now = app.clock.now();
    let rhythm = brought.feed.as_ref().map(|read| Rhythm {
        dates: read.entries.iter().filter_map(|entry| entry.date).collect(),
        brought: brought.is_new,
        ttl: read.ttl,
        max_age: brought.fetched.max_age,
    });
    let interval = visit::pace(feed.interval_ms, rhythm.as_ref(), brought.fetched.max_age, now);
    let interval = interval.max(SHORTEST);
    let next = now + cadence::spread(interval, feed.id);
    let id = feed.id;
    let moved = match &brought.fetched.moved_to {
        Some(url) if !wanted::is_taken(app.db.read(), url.as_str()).await? => Some(url.to_string()),
        _ => None,
    };
    let mut row = feed.into_active_model();
    if let Some(url) = moved {
        row.url = Set(url);
    }
    if brought.feed.is_some() || brought.fetched.etag.is_some() {
        row.etag = Set(brought.fetched.etag);
        row.last_modified = Set(brought.fetched.last_modified);
    }
    if let Some(read) = brought.feed {
        row.title = Set(read.title.chars().take(200).collect());
        row.site_url = Set(read.link.map(|link| link.to_string()));
        row.lang = Set(read.lang.filter(|lang| lang.len() < 36));
    }
    row.interval_ms = Set(i64::try_from(interval.as_millis()).unwrap_or(i64::MAX));
    row.next_fetch_at = Set(next);
    row.last_fetched_at = Set(Some(now));
    row.last_success_at = Set(Some(now));
    row.failures = Set(0);
    row.last_error = Set(None);
    save(app, id, row).await?;
    Ok(Some(next))
}

async fn note_failure(
    app: &App,
    feed: outside_feed::Model,
    failed: Failed,
) -> anyhow::Result<Option<Timestamp>> {
    let now = app.clock.now();
    let failures = feed.failures.saturating_add(1);
    let present = visit::millis(feed.interval_ms).max(SHORTEST);
    let next = visit::after_failure(present, feed.id, failures, &failed, now);
    tracing::info!(feed = feed.id, failures, "outside feed not read: {}", failed.failure.detail);
    let id = feed.id;
    let mut row = feed.into_active_model();
    row.failures = Set(failures);
    row.last_fetched_at = Set(Some(now));
    row.last_error = Set(Some(serde_json::to_string(&failed.failure)?));
    row.next_fetch_at = Set(next);
    row.gone = Set(failed.gone);
    save(app, id, row).await?;
    Ok((!failed.gone).then_some(next))
}

/// Writes the changed columns, if the feed is still there.
async fn save(app: &App, id: i64, row: outside_feed::ActiveModel) -> anyhow::Result<()> {
    let tx = app.db.begin_unnoticed().await?;
    if outside_feed::Entity::find_by_id(id).one(&*tx).await?.is_some() {
        row.update(&*tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
