//! A new index, built beside the live one.

use std::sync::Arc;

use super::super::index::{Progress, Volume, Writer, WriterSize};
use super::super::queries;
use super::{Follower, LOAD, Step, blocking, commit};
use crate::app::App;
use crate::outbox;

/// Builds a new index beside the live one and swaps it in; `tell(done, all)` hears of articles done.
/// A follower of this or another process that is at work on the old one goes over to the new. Of one that
/// fails nothing is left.
pub async fn rebuild(app: &App, tell: impl FnMut(u64, u64)) -> anyhow::Result<Arc<Volume>> {
    // Read first: what changes while we build is done again from here.
    let progress = progress_now(app).await?;
    let shelf = app.search.shelf().clone();
    let volume = blocking(move || Ok(Arc::new(shelf.start()?))).await?;
    let name = volume.name();
    let built = build(app, volume, progress, tell).await;
    if built.is_err() {
        let shelf = app.search.shelf().clone();
        if let Err(error) = blocking(move || Ok(shelf.discard(&name)?)).await {
            tracing::warn!("removing an unfinished search index failed: {error:#}");
        }
    }
    built
}

async fn build(
    app: &App,
    volume: Arc<Volume>,
    progress: Progress,
    mut tell: impl FnMut(u64, u64),
) -> anyhow::Result<Arc<Volume>> {
    let all = queries::count_published(app.db.read()).await?;
    let written = volume.clone();
    let mut writer: Writer = blocking(move || written.writer(WriterSize::Bulk)).await?;
    let (mut last, mut done) = (0, 0);
    tell(done, all);
    loop {
        let rows = queries::published_after(app.db.read(), last, LOAD as u64).await?;
        let Some(newest) = rows.last() else { break };
        last = newest.id;
        done += rows.len() as u64;
        writer = blocking(move || {
            rows.into_iter().try_for_each(|row| writer.insert(&row.into_entry()))?;
            Ok(writer)
        })
        .await?;
        tell(done, all.max(done));
    }
    let writer = commit(writer, progress).await?;
    let mut follower = Follower::with(volume.clone(), Some((writer, WriterSize::Bulk)), progress.cursor);
    while matches!(follower.catch_up_once(app).await?, Step::Done { .. }) {}
    let shelf = app.search.shelf().clone();
    let published = volume.clone();
    // Before the lock is given back, so that nobody takes it for an abandoned one.
    blocking(move || shelf.publish(published)).await?;
    if let Err(error) = follower.settle().await {
        // It is live: what could not be merged will be another time.
        tracing::warn!("merging the new search index failed: {error:#}");
    }
    Ok(volume)
}

/// What an index that knows everything up to now remembers.
async fn progress_now(app: &App) -> anyhow::Result<Progress> {
    let cursor = outbox::latest(app.db.read()).await?;
    let at = written_at(app, cursor).await?.unwrap_or_default();
    Ok(Progress { cursor, at })
}

/// Is the index's last event in this database? Not so after a backup was put back, or another
/// database was configured; then the index holds what is not there, and must not be followed on.
pub async fn belongs(app: &App, volume: &Volume) -> anyhow::Result<bool> {
    let progress = volume.progress()?;
    Ok(progress.cursor == 0 || written_at(app, progress.cursor).await? == Some(progress.at))
}

async fn written_at(app: &App, event: i64) -> anyhow::Result<Option<i64>> {
    let found = outbox::after(app.db.read(), event - 1, 1).await?;
    Ok(found.first().filter(|recorded| recorded.id == event).map(|recorded| recorded.created_at.0))
}
