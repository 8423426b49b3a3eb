//! Covers that imported articles have elsewhere: each is fetched once for each account, kept as a picture of it, and shown
//! from here. The article keeps the address that its outlet gave, so nothing about it changes; pages look the address up.
//!
//! What cannot be had, or is no picture that we take, stays where it is, with the reason beside it.

use std::time::{Duration, Instant};

use sea_orm::sea_query::{Expr, Func};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
};
use sha2::{Digest, Sha256};
use url::{Position, Url};

use super::{FULL, queries};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::imported_cover::{self, CoverState};
use crate::error::Error;
use crate::import::fetch::{FetchError, FetchRequest};
use crate::jobs::{self, Job, Outcome};

/// The largest file that is fetched, in bytes.
const MAX_BYTES: usize = 12 * 1024 * 1024;
const ACCEPT: &str = "image/webp, image/png, image/jpeg, image/gif;q=0.8";
/// The longest address that is kept, in bytes.
const LONGEST_URL: usize = 2_048;
/// One run of the job: pictures, and how long it goes on to the next one.
const BATCH: u64 = 10;
const RUN: Duration = Duration::from_secs(20);
/// The articles come first.
const FIRST: Duration = Duration::from_secs(10);
/// The pause after a run, and while all room for covers is taken.
const PAUSE: Duration = Duration::from_secs(5);
/// Tries of one picture, and the pause after the first; it grows fourfold.
const TRIES: i32 = 5;
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// How soon it is looked at again whether there is room for more.
const UNTIL_ROOM: Duration = Duration::from_secs(86_400);

/// Names an address in the database.
pub fn hash(url: &str) -> String {
    hex::encode(&Sha256::digest(url)[..16])
}

/// Says within the caller's transaction that an account's articles have covers at these addresses.
pub async fn want(
    tx: &Tx,
    now: Timestamp,
    account_id: i64,
    urls: impl IntoIterator<Item = &str>,
) -> Result<(), Error> {
    let is_elsewhere = |url: &&str| url.starts_with("http") && url.len() <= LONGEST_URL;
    let mut rows: Vec<_> =
        urls.into_iter().filter(is_elsewhere).map(|url| waiting(account_id, url, now)).collect();
    rows.sort_by(|a, b| a.url_hash.as_ref().cmp(b.url_hash.as_ref()));
    rows.dedup_by(|a, b| a.url_hash == b.url_hash);
    if rows.is_empty() {
        return Ok(());
    }
    // 10 columns a row; SQLite allows 32,766 values in a statement.
    for chunk in rows.chunks(3_000) {
        imported_cover::Entity::insert_many(chunk.to_vec())
            .on_conflict_do_nothing_on([imported_cover::Column::UrlHash, imported_cover::Column::AccountId])
            .exec_without_returning(&**tx)
            .await?;
    }
    // The job may wait for one that failed.
    if let Some(next) = queries::next_cover(&**tx, account_id).await? {
        let job = Job::FetchCovers { account_id };
        jobs::queue::hasten(&**tx, now, job, Ord::max(next, now + FIRST)).await?;
    }
    Ok(())
}

fn waiting(account_id: i64, url: &str, now: Timestamp) -> imported_cover::ActiveModel {
    imported_cover::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        url: Set(url.to_owned()),
        url_hash: Set(hash(url)),
        state: Set(CoverState::Waiting),
        media_id: Set(None),
        attempts: Set(0),
        next_try_at: Set(now),
        reason: Set(None),
        created_at: Set(now),
    }
}

/// Fetches an account's covers that are due, a few at a time and as politely as feeds. Safe to run twice and to be
/// killed anywhere: a picture is named by what it holds, and each row is settled by itself.
pub async fn run(app: &App, account_id: i64) -> anyhow::Result<Outcome> {
    let due = queries::due_covers(app.db.read(), account_id, app.clock.now(), BATCH).await?;
    if !due.is_empty() {
        match super::is_full(app, account_id, true).await? {
            true => put_off_all(app, account_id).await?,
            false => fetch_some(app, due).await?,
        }
    }
    let job = Job::FetchCovers { account_id };
    let next = queries::next_cover(app.db.read(), account_id).await?;
    let again = |next: Timestamp| Outcome::Again { job, run_at: Ord::max(next, app.clock.now() + PAUSE) };
    Ok(next.map_or(Outcome::Done, again))
}

async fn fetch_some(app: &App, due: Vec<imported_cover::Model>) -> anyhow::Result<()> {
    let started = Instant::now();
    for row in due {
        let Ok(url) = Url::parse(&row.url) else {
            settle(app, row, Err(FetchError::Url)).await?;
            continue;
        };
        // It would only wait here, in the place of work that need not.
        if app.fetcher.is_busy(&url) {
            continue;
        }
        let Ok(_room) = app.fetcher.covers.try_acquire() else { break };
        match fetch(app, &url).await {
            Err(error) if is_silence(&error) => {
                // Nothing takes longer, and the next one may be of the same host.
                put_off_host(app, &row, &url, &error).await?;
                break;
            }
            fetched => settle(app, row, fetched).await?,
        }
        if started.elapsed() > RUN {
            break;
        }
    }
    Ok(())
}

async fn fetch(app: &App, url: &Url) -> Result<Vec<u8>, FetchError> {
    let request = FetchRequest { url, accept: ACCEPT, etag: None, last_modified: None, max_bytes: MAX_BYTES };
    Ok(app.fetcher.fetch(request).await?.body.unwrap_or_default())
}

async fn settle(
    app: &App,
    row: imported_cover::Model,
    fetched: Result<Vec<u8>, FetchError>,
) -> anyhow::Result<()> {
    let (account_id, attempts, id) = (row.account_id, row.attempts + 1, row.id);
    let mut change = row.into_active_model();
    change.attempts = Set(attempts);
    let refused = match fetched {
        Ok(bytes) => match super::keep_cover(app, account_id, bytes).await {
            Ok(media) => {
                change.state = Set(CoverState::Kept);
                change.media_id = Set(Some(media.id));
                change.reason = Set(None);
                None
            }
            Err(Error::Invalid(problems)) if problems.of("file").is_some_and(|why| why.key == FULL) => {
                change.attempts = Set(attempts - 1);
                change.next_try_at = Set(app.clock.now() + UNTIL_ROOM);
                change.reason = Set(Some(FULL.to_owned()));
                None
            }
            Err(Error::Invalid(problems)) => {
                Some(problems.of("file").map_or_else(|| "media-damaged".into(), |why| why.key.to_string()))
            }
            Err(error) => return Err(anyhow::anyhow!("keeping a cover: {error:?}")),
        },
        Err(error) if is_lasting(&error) || attempts >= TRIES => Some(error.to_string()),
        Err(error) => {
            let pause = pause_after(attempts);
            let pause =
                error.retry_after().map_or(pause, |asked| asked.clamp(pause, Duration::from_secs(86_400)));
            change.next_try_at = Set(app.clock.now() + pause);
            change.reason = Set(Some(error.to_string()));
            None
        }
    };
    if let Some(reason) = refused {
        tracing::info!(cover = id, "a cover stays where it is: {reason}");
        change.state = Set(CoverState::Refused);
        change.reason = Set(Some(reason));
    }
    let tx = app.db.begin().await?;
    // The account may be gone.
    if imported_cover::Entity::find_by_id(id).one(&*tx).await?.is_some() {
        change.update(&*tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The pause after so many tries: 10 minutes, then four times as long each time.
fn pause_after(attempts: i32) -> Duration {
    AGAIN * 4_u32.pow(attempts.clamp(1, TRIES).unsigned_abs() - 1)
}

/// What became of a cover whose host does not answer becomes of all that are due there.
async fn put_off_host(
    app: &App,
    row: &imported_cover::Model,
    url: &Url,
    error: &FetchError,
) -> anyhow::Result<()> {
    let now = app.clock.now();
    let origin = &url[..Position::BeforePath];
    let length = i32::try_from(origin.len())? + 1;
    let url = Expr::col(imported_cover::Column::Url);
    let start = Func::cust("substr").args([url, Expr::value(1), Expr::value(length)]);
    let is_there = Condition::any()
        .add(imported_cover::COLUMN.id.eq(row.id))
        .add(Expr::from(start).eq(format!("{origin}/")));
    let mut count = 0;
    let tx = app.db.begin().await?;
    for tried in 0..TRIES {
        let attempts = tried + 1;
        let state = if attempts < TRIES { CoverState::Waiting } else { CoverState::Refused };
        let done = imported_cover::Entity::update_many()
            .col_expr(imported_cover::Column::Attempts, Expr::value(attempts))
            .col_expr(imported_cover::Column::NextTryAt, Expr::value(now + pause_after(attempts)))
            .col_expr(imported_cover::Column::State, Expr::value(state))
            .col_expr(imported_cover::Column::Reason, Expr::value(error.to_string()))
            .filter(imported_cover::COLUMN.attempts.eq(tried))
            .filter(is_due(row.account_id, now))
            .filter(is_there.clone())
            .exec(&*tx)
            .await?;
        count += done.rows_affected;
    }
    tx.commit().await?;
    tracing::info!(account = row.account_id, covers = count, "covers of a host wait: {error}");
    Ok(())
}

/// Puts all covers of an account off that are due: there is no room for them.
async fn put_off_all(app: &App, account_id: i64) -> anyhow::Result<()> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    imported_cover::Entity::update_many()
        .col_expr(imported_cover::Column::NextTryAt, Expr::value(now + UNTIL_ROOM))
        .col_expr(imported_cover::Column::Reason, Expr::value(FULL))
        .filter(is_due(account_id, now))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    tracing::warn!(account = account_id, "no room for more covers (cover_space)");
    Ok(())
}

fn is_due(account_id: i64, now: Timestamp) -> Condition {
    Condition::all()
        .add(imported_cover::COLUMN.account_id.eq(account_id))
        .add(imported_cover::COLUMN.state.eq(CoverState::Waiting))
        .add(imported_cover::COLUMN.next_try_at.lte(now))
}

/// Whether nobody is there to answer, whatever is asked for.
fn is_silence(error: &FetchError) -> bool {
    matches!(error, FetchError::Timeout(_) | FetchError::Connect(_) | FetchError::UnknownHost(_))
}

/// Whether it will be the same tomorrow.
fn is_lasting(error: &FetchError) -> bool {
    match error {
        FetchError::Status { status, .. } => *status < 500 && !matches!(status, 408 | 425 | 429),
        FetchError::Timeout(_)
        | FetchError::Connect(_)
        | FetchError::Network(_)
        | FetchError::UnknownHost(_)
        | FetchError::Broken(_) => false,
        _ => true,
    }
}

/// Queues the fetching for accounts that have covers to fetch and no job.
pub async fn look_after(app: &App) -> anyhow::Result<()> {
    let now = app.clock.now();
    for account_id in queries::with_due_covers(app.db.read(), now).await? {
        jobs::queue::hasten(app.db.write(), now, Job::FetchCovers { account_id }, now).await?;
    }
    Ok(())
}
