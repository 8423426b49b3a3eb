//! The refresh of a source: a job that queues itself again at the source's pace.

use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};

use super::cadence::{self, Rhythm};
use super::fetch::Fetched;
use super::parse::MAX_DOCUMENT_BYTES;
use super::read::{Failure, ReadFeed, read_document};
use super::take_in::{Origin, TakenIn, take_in};
use super::visit::{self, Failed, Seen};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::source::{self, SourceState};
use crate::error::Error;
use crate::jobs::{Job, Outcome};

/// Entries of one transaction: readers of SQLite never wait, but writers do.
const BATCH: usize = 200;

/// How often a suspended account's sources are looked at again.
const WHILE_SUSPENDED: Duration = Duration::from_secs(6 * 3600);

/// Fetches a source that is due and takes its entries in. Does nothing for one that is gone, paused
/// or not due. Safe to run twice and to be killed anywhere: entries are unique, each batch is one
/// transaction, and the source only counts as fetched after the last.
pub async fn refresh(app: &App, source_id: i64) -> anyhow::Result<Outcome> {
    let Some(source) = source::Entity::find_by_id(source_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let account = account::Entity::find_by_id(source.account_id).one(app.db.read()).await?;
    let Some(account) = account.filter(|_| source.state == SourceState::Active) else {
        return Ok(Outcome::Done);
    };
    let job = Job::RefreshSource { source_id };
    if account.state != AccountState::Active {
        return Ok(Outcome::Again { job, run_at: app.clock.now() + WHILE_SUSPENDED });
    }
    if source.next_fetch_at > app.clock.now() {
        return Ok(Outcome::Again { job, run_at: source.next_fetch_at });
    }
    let Some(_room) = visit::room(app, &source.url) else {
        return Ok(Outcome::Again { job, run_at: app.clock.now() + visit::CROWDED });
    };
    let run_at = match fetch_and_take_in(app, &source, &account).await? {
        Ok(brought) => note_success(app, source, brought).await?,
        Err(failed) => note_failure(app, source, failed).await?,
    };
    Ok(run_at.map_or(Outcome::Done, |run_at| Outcome::Again { job, run_at }))
}

/// What a visit brought.
struct Visit {
    fetched: Fetched,
    title: Option<String>,
    rhythm: Rhythm,
}

/// The outer error is ours (the database's), the inner one the source's.
async fn fetch_and_take_in(
    app: &App,
    source: &source::Model,
    account: &account::Model,
) -> anyhow::Result<Result<Visit, Failed>> {
    let seen = Seen {
        url: &source.url,
        etag: source.etag.as_deref(),
        last_modified: source.last_modified.as_deref(),
    };
    let mut fetched = match visit::fetch(app, seen, MAX_DOCUMENT_BYTES).await {
        Ok(fetched) => fetched,
        Err(error) => return Ok(Err(error.into())),
    };
    let Some(body) = fetched.body.take() else {
        let rhythm = Rhythm { max_age: fetched.max_age, ..Rhythm::default() };
        return Ok(Ok(Visit { fetched, title: None, rhythm }));
    };
    let url = fetched.url.clone();
    let feed = match read_document(app, body, fetched.content_type.clone(), Some(url)).await {
        Ok(feed) => feed,
        Err(error) => return Ok(Err(Failure::from(&error).into())),
    };
    let taken = match take_in_feed(app, source, account, &feed).await {
        Ok(taken) => taken,
        // Removed while it was being fetched.
        Err(Error::NotFound) => TakenIn::default(),
        // Noted like the source's own faults: a job that dies would leave the source unread for good.
        Err(error) => {
            tracing::error!(source = source.id, "taking entries in failed: {error:#}");
            let failure = Failure { key: "import-error-internal".into(), detail: String::new() };
            return Ok(Err(failure.into()));
        }
    };
    let rhythm = Rhythm {
        dates: feed.entries.iter().filter_map(|entry| entry.date).collect(),
        brought: taken.inserted > 0,
        ttl: feed.ttl,
        max_age: fetched.max_age,
    };
    Ok(Ok(Visit { fetched, title: Some(feed.title), rhythm }))
}

async fn take_in_feed(
    app: &App,
    source: &source::Model,
    account: &account::Model,
    feed: &ReadFeed,
) -> Result<TakenIn, Error> {
    let origin = Origin::new(account, feed.lang.clone(), &source.url, source.mode);
    let mut all = TakenIn::default();
    for batch in feed.entries.chunks(BATCH) {
        let tx = app.db.begin().await?;
        let taken = take_in(&tx, app.clock.now(), source, &origin, batch).await?;
        tx.commit().await?;
        all.inserted += taken.inserted;
        all.revised += taken.revised;
    }
    if all != TakenIn::default() {
        tracing::info!(
            source = source.id,
            inserted = all.inserted,
            revised = all.revised,
            "source refreshed"
        );
    }
    Ok(all)
}

async fn note_success(app: &App, source: source::Model, brought: Visit) -> anyhow::Result<Option<Timestamp>> {
    let now = app.clock.now();
    let unchanged = brought.title.is_none();
    let rhythm = (!unchanged).then_some(&brought.rhythm);
    let interval = visit::pace(source.interval_ms, rhythm, brought.rhythm.max_age, now);
    let next = now + cadence::spread(interval, source.id);
    let moved = match &brought.fetched.moved_to {
        Some(url) if is_free(app, &source, url.as_str()).await? => Some(url.to_string()),
        _ => None,
    };
    let title = brought.title.filter(|title| !title.is_empty() && source.title.is_empty());
    let id = source.id;
    let mut row = source.into_active_model();
    if let Some(url) = moved {
        row.url = Set(url);
    }
    if let Some(title) = title {
        row.title = Set(title);
    }
    if !unchanged || brought.fetched.etag.is_some() {
        row.etag = Set(brought.fetched.etag);
        row.last_modified = Set(brought.fetched.last_modified);
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

async fn note_failure(app: &App, source: source::Model, failed: Failed) -> anyhow::Result<Option<Timestamp>> {
    let now = app.clock.now();
    let failures = source.failures.saturating_add(1);
    let next = visit::after_failure(visit::millis(source.interval_ms), source.id, failures, &failed, now);
    tracing::info!(source = source.id, failures, "source not read: {}", failed.failure.detail);
    let id = source.id;
    let mut row = source.into_active_model();
    row.failures = Set(failures);
    row.last_fetched_at = Set(Some(now));
    row.last_error = Set(Some(serde_json::to_string(&failed.failure)?));
    row.next_fetch_at = Set(next);
    if failed.gone {
        row.state = Set(SourceState::Gone);
    }
    save(app, id, row).await?;
    Ok((!failed.gone).then_some(next))
}

/// Writes the changed columns, if the source is still there.
async fn save(app: &App, id: i64, row: source::ActiveModel) -> anyhow::Result<()> {
    let tx = app.db.begin().await?;
    if source::Entity::find_by_id(id).one(&*tx).await?.is_some() {
        row.update(&*tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Whether the account has no other source at this address.
async fn is_free(app: &App, source: &source::Model, url: &str) -> anyhow::Result<bool> {
    let others = source::Entity::find()
        .filter(source::COLUMN.account_id.eq(source.account_id))
        .filter(source::COLUMN.url.eq(url))
        .count(app.db.read())
        .await?;
    Ok(others == 0)
}
