//! Covers that imported articles have elsewhere: each is fetched once, kept as a picture of the account, and shown from
//! here. The article keeps the address that its outlet gave, so nothing about it changes; pages look the address up.
//!
//! What cannot be had, or is no picture that we take, stays where it is, with the reason beside it.

use std::time::{Duration, Instant};

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    EntityTrait, IntoActiveModel,
};
use sha2::{Digest, Sha256};
use url::Url;

use super::picture::Use;
use super::{keep_of_account, queries};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::outside_picture::{self, OutsideState};
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
/// The pause after a run, and while all room for visits is taken.
const PAUSE: Duration = Duration::from_secs(5);
/// Tries of one picture, and the pause after the first; it grows fourfold.
const TRIES: i32 = 5;
const AGAIN: Duration = Duration::from_secs(10 * 60);

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
    let is_outside = |url: &&str| url.starts_with("http") && url.len() <= LONGEST_URL;
    let mut rows: Vec<_> =
        urls.into_iter().filter(is_outside).map(|url| waiting(account_id, url, now)).collect();
    rows.sort_by(|a, b| a.url_hash.as_ref().cmp(b.url_hash.as_ref()));
    rows.dedup_by(|a, b| a.url_hash == b.url_hash);
    if rows.is_empty() {
        return Ok(());
    }
    // 10 columns a row; SQLite allows 32,766 values in a statement.
    for chunk in rows.chunks(3_000) {
        outside_picture::Entity::insert_many(chunk.to_vec())
            .on_conflict_do_nothing_on([outside_picture::Column::UrlHash, outside_picture::Column::AccountId])
            .exec_without_returning(&**tx)
            .await?;
    }
    if queries::next_outside(&**tx, account_id).await?.is_some() {
        jobs::queue::enqueue(&**tx, now, Job::FetchPictures { account_id }, now + FIRST).await?;
    }
    Ok(())
}

fn waiting(account_id: i64, url: &str, now: Timestamp) -> outside_picture::ActiveModel {
    outside_picture::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        url: Set(url.to_owned()),
        url_hash: Set(hash(url)),
        state: Set(OutsideState::Waiting),
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
    let started = Instant::now();
    for row in queries::due_outside(app.db.read(), account_id, app.clock.now(), BATCH).await? {
        if started.elapsed() > RUN {
            break;
        }
        let url = Url::parse(&row.url);
        // It would only wait here, in the place of work that need not.
        if url.as_ref().is_ok_and(|url| app.fetcher.is_busy(url)) {
            continue;
        }
        let Ok(_room) = app.fetcher.visits.try_acquire() else { break };
        let fetched = match url {
            Ok(url) => fetch(app, &url).await,
            Err(_) => Err(FetchError::Url),
        };
        settle(app, row, fetched).await?;
    }
    let job = Job::FetchPictures { account_id };
    let next = queries::next_outside(app.db.read(), account_id).await?;
    let again = |next: Timestamp| Outcome::Again { job, run_at: next.max(app.clock.now() + PAUSE) };
    Ok(next.map_or(Outcome::Done, again))
}

async fn fetch(app: &App, url: &Url) -> Result<Vec<u8>, FetchError> {
    let request = FetchRequest { url, accept: ACCEPT, etag: None, last_modified: None, max_bytes: MAX_BYTES };
    Ok(app.fetcher.fetch(request).await?.body.unwrap_or_default())
}

async fn settle(
    app: &App,
    row: outside_picture::Model,
    fetched: Result<Vec<u8>, FetchError>,
) -> anyhow::Result<()> {
    let (account_id, attempts, id) = (row.account_id, row.attempts + 1, row.id);
    let mut change = row.into_active_model();
    change.attempts = Set(attempts);
    let refused = match fetched {
        Ok(bytes) => match keep_of_account(app, None, account_id, bytes, Use::Illustration).await {
            Ok(media) => {
                change.state = Set(OutsideState::Kept);
                change.media_id = Set(Some(media.id));
                None
            }
            Err(Error::Invalid(problems)) => {
                Some(problems.of("file").map_or_else(|| "media-damaged".into(), |why| why.key.to_string()))
            }
            Err(error) => return Err(anyhow::anyhow!("keeping a cover: {error:?}")),
        },
        Err(error) if is_lasting(&error) || attempts >= TRIES => Some(error.to_string()),
        Err(error) => {
            let pause = AGAIN * 4_u32.pow(attempts.clamp(1, TRIES).unsigned_abs() - 1);
            let pause =
                error.retry_after().map_or(pause, |asked| asked.clamp(pause, Duration::from_secs(86_400)));
            change.next_try_at = Set(app.clock.now() + pause);
            change.reason = Set(Some(error.to_string()));
            None
        }
    };
    if let Some(reason) = refused {
        tracing::info!(outside_picture = id, "a cover stays where it is: {reason}");
        change.state = Set(OutsideState::Refused);
        change.reason = Set(Some(reason));
    }
    let tx = app.db.begin().await?;
    // The account may be gone.
    if outside_picture::Entity::find_by_id(id).one(&*tx).await?.is_some() {
        change.update(&*tx).await?;
    }
    tx.commit().await?;
    Ok(())
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
    for account_id in queries::with_due_outside(app.db.read(), now).await? {
        jobs::queue::enqueue(app.db.write(), now, Job::FetchPictures { account_id }, now).await?;
    }
    Ok(())
}
