//! Makes renditions: by a job after each picture that is kept, and one after the other for pictures that have none.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use tokio::sync::Semaphore;

use super::rendition::{self, Made};
use super::{folder, queries, write_file};
use crate::app::App;
use crate::db::entities::media;
use crate::jobs::{self, Job, Outcome};

/// Encoding takes a processor for seconds: one at a time. Uploads have a turn of their own (`DECODER`) and do not wait.
static ENCODER: Semaphore = Semaphore::const_new(1);
/// The pause after each picture of the backlog: what a node does for readers goes first.
const PACE: Duration = Duration::from_secs(2);
/// How long a picture's own job has before the backlog takes it up.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How long whoever has the turn goes on with what others wait for: many pictures that come at once would else ask for it
/// again and again.
const TURN: Duration = Duration::from_secs(20);
/// What it goes on with: pictures that came within this time.
const FRESH: Duration = Duration::from_secs(86_400);
/// The newest of them, of which it takes any: other nodes do the same.
const CHOICE: u64 = 16;
/// How long a picture waits whose turn it is not, in milliseconds. Mostly it is made by then.
const WAIT: std::ops::Range<u64> = 20_000..60_000;

/// Makes the renditions of a picture that has none. Safe to run twice and to be killed anywhere: files are named by
/// what they hold and renamed into place, and the row names them when all are there.
pub async fn run(app: &App, media_id: i64) -> anyhow::Result<Outcome> {
    let row = media::Entity::find_by_id(media_id).one(app.db.read()).await?;
    let Some(row) = row.filter(|row| row.renditions.is_none()) else { return Ok(Outcome::Done) };
    let Ok(_turn) = ENCODER.try_acquire() else {
        let wait = Duration::from_millis(rand::random_range(WAIT));
        return Ok(Outcome::Again { job: Job::RenderPicture { media_id }, run_at: app.clock.now() + wait });
    };
    render(app, row).await?;
    go_on(app).await?;
    Ok(Outcome::Done)
}

/// Makes the renditions of others too, and takes back their jobs.
async fn go_on(app: &App) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut failed = HashSet::new();
    while started.elapsed() < TURN {
        let since = app.clock.now() - FRESH;
        let mut rows = queries::newest_without_renditions(app.db.read(), since, CHOICE).await?;
        rows.retain(|row| !failed.contains(&row.id));
        if rows.is_empty() {
            break;
        }
        let row = rows.swap_remove(rand::random_range(0..rows.len()));
        let media_id = row.id;
        if render(app, row).await.is_err() {
            // Its own job says why.
            failed.insert(media_id);
            continue;
        }
        let key = Job::RenderPicture { media_id }.unique_key();
        jobs::queue::cancel(app.db.write(), &key.unwrap_or_default()).await?;
    }
    Ok(())
}

/// Takes up the next picture without renditions after one with the id `after`; those of a site that was brought up
/// to date, and any whose job was lost.
pub async fn run_backlog(app: &App, after: i64) -> anyhow::Result<Outcome> {
    let before = app.clock.now() - PATIENCE;
    let Some(row) = queries::without_renditions(app.db.read(), after, before).await? else {
        return Ok(Outcome::Done);
    };
    let id = row.id;
    let _turn = ENCODER.acquire().await.context("the encoder is closed")?;
    if let Err(error) = render(app, row).await {
        tracing::warn!(media = id, "a picture has no renditions: {error:#}");
    }
    Ok(Outcome::Again { job: Job::RenderBacklog { after: id }, run_at: app.clock.now() + PACE })
}

/// Queues the backlog where there is one.
pub async fn look_after(app: &App) -> anyhow::Result<()> {
    let now = app.clock.now();
    if queries::without_renditions(app.db.read(), 0, now - PATIENCE).await?.is_some() {
        jobs::queue::enqueue(app.db.write(), now, Job::RenderBacklog { after: 0 }, now).await?;
    }
    Ok(())
}

async fn render(app: &App, row: media::Model) -> anyhow::Result<()> {
    let path = folder(app).join(&row.key);
    let bytes = tokio::fs::read(&path).await.with_context(|| format!("reading {}", path.display()))?;
    let made = crate::blocking::run(move || rendition::make(&bytes)).await?;
    // What cannot be encoded once never can: it is shown as it is.
    let made = made.unwrap_or_else(|error| {
        tracing::warn!(media = row.id, "a picture cannot be encoded: {error:#}");
        Made::default()
    });
    for file in made.offered.iter().chain(&made.avatars) {
        write_file(&folder(app).join(key_of(&row.key, file.width, file.extension)), &file.bytes).await?;
    }
    let renditions = made.renditions();
    let tx = app.db.begin().await?;
    let mut row = row.into_active_model();
    row.renditions = Set(Some(renditions));
    row.tone = Set(made.tone);
    row.update(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// `1/0123456789abcdef0123456789abcdef-320.webp`, beside `1/0123456789abcdef0123456789abcdef.jpg`.
pub fn key_of(key: &str, width: u32, extension: &str) -> String {
    let stem = key.rsplit_once('.').map_or(key, |(stem, _)| stem);
    format!("{stem}-{width}.{extension}")
}
