//! Sources: the feeds that outlets already have, read and made into articles.
//!
//! `fetch` is the one door to other people's servers; `parse` reads what comes, `clean` makes it fit
//! to publish, `take_in` makes articles of it through the articles room; `refresh` is the job that
//! does all of this at the source's pace (`cadence`). The operations here and `take_in` are the only
//! writers of `sources` and `entries`. Import never pushes: nobody is told of what it brings.

pub mod cadence;
pub mod clean;
pub mod discover;
pub mod fetch;
pub mod file;
pub mod markup;
pub mod pages;
pub mod parse;
pub mod queries;
mod read;
mod refresh;
mod take_in;
pub mod visit;

pub use read::{Failure, Preview, ReadFeed, preview, read_document};
pub use refresh::refresh;
pub use take_in::strongest;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use url::Url;

use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::articles::Actor;
use crate::db::entities::source::{self, SourceMode, SourceState};
use crate::error::Error;
use crate::jobs::{self, Job};

/// Sources of one account.
pub const MAX_SOURCES: u64 = 50;

/// Connects a feed that has been looked at; its entries come with its first refresh, at once.
/// Connecting the same feed again answers with the source that there is.
///
/// # Errors
/// Forbidden to members who may not; invalid when the account has too many sources.
pub async fn connect(
    app: &App,
    actor: Actor,
    url: &Url,
    title: &str,
    mode: SourceMode,
) -> Result<source::Model, Error> {
    let now = app.clock.now();
    app.fetcher.check(url).map_err(|why| Error::invalid("url", why.key()))?;
    let tx = app.db.begin().await?;
    allow(&*tx, actor).await?;
    if let Some(existing) = by_url(&*tx, actor.account_id, url.as_str()).await? {
        return Ok(existing);
    }
    let mine = source::Entity::find().filter(source::COLUMN.account_id.eq(actor.account_id));
    if mine.count(&*tx).await? >= MAX_SOURCES {
        return Err(Error::invalid("url", "import-error-too-many-sources"));
    }
    let row = source::ActiveModel {
        id: NotSet,
        account_id: Set(actor.account_id),
        url: Set(url.to_string()),
        title: Set(title.chars().take(200).collect()),
        mode: Set(mode),
        state: Set(SourceState::Active),
        etag: Set(None),
        last_modified: Set(None),
        interval_ms: Set(i64::try_from(cadence::FIRST.as_millis()).unwrap_or(i64::MAX)),
        next_fetch_at: Set(now),
        last_fetched_at: Set(None),
        last_success_at: Set(None),
        failures: Set(0),
        last_error: Set(None),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(now),
    };
    let source = row.insert(&*tx).await?;
    jobs::queue::enqueue(&*tx, now, Job::RefreshSource { source_id: source.id }, now).await?;
    tx.commit().await?;
    Ok(source)
}

/// Fetches a source as soon as a worker is free; one that was gone is tried again.
pub async fn refresh_now(app: &App, actor: Actor, source_id: i64) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let source = lock(&tx, actor, source_id).await?;
    if source.state == SourceState::Paused {
        return Err(Error::Conflict("import-source-is-paused".into()));
    }
    let mut row = source.into_active_model();
    row.state = Set(SourceState::Active);
    row.next_fetch_at = Set(now);
    row.update(&*tx).await?;
    queue_again(app, &tx, source_id).await?;
    tx.commit().await?;
    Ok(())
}

/// Stops fetching until [`resume`].
pub async fn pause(app: &App, actor: Actor, source_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let source = lock(&tx, actor, source_id).await?;
    let mut row = source.into_active_model();
    row.state = Set(SourceState::Paused);
    row.update(&*tx).await?;
    jobs::queue::cancel(&*tx, &key(source_id)).await?;
    tx.commit().await?;
    Ok(())
}

/// Fetches a paused source again, at once and then at its pace.
pub async fn resume(app: &App, actor: Actor, source_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let source = lock(&tx, actor, source_id).await?;
    let mut row = source.into_active_model();
    row.state = Set(SourceState::Active);
    row.next_fetch_at = Set(app.clock.now());
    row.update(&*tx).await?;
    queue_again(app, &tx, source_id).await?;
    tx.commit().await?;
    Ok(())
}

/// Changes what becomes of new entries.
pub async fn set_mode(app: &App, actor: Actor, source_id: i64, mode: SourceMode) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let mut row = lock(&tx, actor, source_id).await?.into_active_model();
    row.mode = Set(mode);
    row.update(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Disconnects a source. The articles it brought stay; connected again, it makes none of them twice.
pub async fn remove(app: &App, actor: Actor, source_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    let source = lock(&tx, actor, source_id).await?;
    jobs::queue::cancel(&*tx, &key(source_id)).await?;
    source::Entity::delete_by_id(source.id).exec(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Queues the refresh of every active source that has none; returns how many had none.
pub async fn revive(app: &App) -> Result<u64, DbErr> {
    let now = app.clock.now();
    let lost = queries::without_job(app.db.read()).await?;
    for source in &lost {
        let job = Job::RefreshSource { source_id: source.id };
        jobs::queue::enqueue(app.db.write(), now, job, source.next_fetch_at.max(now)).await?;
    }
    Ok(lost.len() as u64)
}

async fn allow<C: ConnectionTrait>(db: &C, actor: Actor) -> Result<(), Error> {
    roles::require(db, actor.account_id, actor.user_id, Operation::ManageSources).await?;
    Ok(())
}

/// A source of the actor's account, for changing it.
async fn lock(tx: &DatabaseTransaction, actor: Actor, source_id: i64) -> Result<source::Model, Error> {
    use sea_orm::QuerySelect;
    allow(tx, actor).await?;
    let source = source::Entity::find_by_id(source_id).lock_exclusive().one(tx).await?;
    source.filter(|source| source.account_id == actor.account_id).ok_or(Error::NotFound)
}

async fn by_url<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    url: &str,
) -> Result<Option<source::Model>, DbErr> {
    let mine = source::Entity::find().filter(source::COLUMN.account_id.eq(account_id));
    mine.filter(source::COLUMN.url.eq(url)).one(db).await
}

/// Puts the refresh at the head of the queue; one that is under way is what was asked for.
async fn queue_again(app: &App, tx: &DatabaseTransaction, source_id: i64) -> Result<(), DbErr> {
    let now = app.clock.now();
    jobs::queue::hasten(tx, now, Job::RefreshSource { source_id }, now).await
}

fn key(source_id: i64) -> String {
    Job::RefreshSource { source_id }.unique_key().unwrap_or_default()
}
