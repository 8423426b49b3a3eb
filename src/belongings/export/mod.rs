//! Exports: a person asks, a job writes one ZIP file into the data folder, a mail says that it is there, and after a
//! week it is deleted. The operations here are the only writers of `exports`.
//!
//! A job that is killed begins again: what it had written lies beside under another name until then. Rows are read and
//! written in batches, so however much there is, memory holds one batch; one export is made at a time by each node.

pub mod section;
pub mod sections;
mod write;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use tokio::sync::Semaphore;

use super::letters;
use crate::app::App;
use crate::auth::limits::Limit;
use crate::auth::{Address, users};
use crate::db::entities::export::{self, ExportState, Model as Export};
use crate::db::entities::job;
use crate::db::entities::user::{self, UserState};
use crate::error::Error;
use crate::jobs::{self, Job, Outcome};
use crate::page::Locale;

/// How long a file can be fetched.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How soon it is tried again while another is being made.
const CROWDED: Duration = Duration::from_secs(3);
/// Files that no row names are left alone for so long: one may be under way, here or on another node.
const STRAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One at a time: it keeps the disk and a core busy.
static TURN: Semaphore = Semaphore::const_new(1);

/// Where exports are kept.
pub fn folder(app: &App) -> PathBuf {
    app.config.data.join("exports")
}

/// Asks for an export; it takes the place of the one before it.
///
/// # Errors
/// Conflict while one is being made; forbidden for somebody who is shut out; too many in an hour.
pub async fn ask(app: &App, user: &user::Model, locale: Locale) -> Result<Export, Error> {
    let address = Address::parse(&user.email).map_err(|_| Error::NotFound)?;
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    // Two clicks wait for each other here, and for the wish to leave.
    let locked = user::Entity::find_by_id(user.id).lock_exclusive().one(&*tx).await?;
    if locked.is_none_or(|user| user.state != UserState::Active) {
        return Err(Error::forbidden());
    }
    let before = of(user.id).one(&*tx).await?;
    if let Some(before) = &before {
        if before.state == ExportState::Making && has_job(&*tx, before.id).await? {
            return Err(Error::Conflict("export-is-being-made".into()));
        }
        export::Entity::delete_by_id(before.id).exec(&*tx).await?;
    }
    app.limits.address(Limit::Export, &address)?;
    let row = export::ActiveModel {
        id: NotSet,
        user_id: Set(user.id),
        state: Set(ExportState::Making),
        locale: Set(locale.code().to_owned()),
        done: Set(0),
        total: Set(0),
        file: Set(None),
        bytes: Set(0),
        created_at: Set(now),
        finished_at: Set(None),
        expires_at: Set(None),
    };
    let export = row.insert(&*tx).await?;
    jobs::queue::enqueue(&*tx, now, Job::MakeExport { export_id: export.id }, now).await?;
    tx.commit().await?;
    if let Some(before) = before {
        remove_files(app, before.id).await?;
    }
    Ok(export)
}

/// A person's export, if there is one. One whose job has given up has failed.
pub async fn of_user(app: &App, user_id: i64) -> Result<Option<Export>, DbErr> {
    let Some(mut found) = of(user_id).one(app.db.read()).await? else { return Ok(None) };
    if found.state == ExportState::Making && !has_job(app.db.read(), found.id).await? {
        // Read again: its job may have finished between the two looks.
        let Some(again) = of(user_id).one(app.db.read()).await? else { return Ok(None) };
        found = again;
        if found.state == ExportState::Making {
            found.state = ExportState::Failed;
        }
    }
    let is_over = found.expires_at.is_some_and(|moment| moment <= app.clock.now());
    Ok(Some(found).filter(|_| !is_over))
}

/// The file of a person's export, with its size.
///
/// # Errors
/// Not found: it is another's, is not ready, or has been deleted.
pub async fn open(app: &App, user_id: i64, export_id: i64) -> Result<(Export, tokio::fs::File), Error> {
    let found = of_user(app, user_id).await?.ok_or(Error::NotFound)?;
    let name = found.file.as_ref().filter(|_| found.id == export_id && found.state == ExportState::Ready);
    let path = folder(app).join(name.ok_or(Error::NotFound)?);
    match tokio::fs::File::open(&path).await {
        Ok(file) => Ok((found, file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NotFound),
        Err(error) => Err(anyhow::Error::from(error).context("opening an export").into()),
    }
}

/// Deletes a person's export before its time; one that is being made is given up.
pub async fn delete(app: &App, user_id: i64) -> Result<(), Error> {
    if drop_of(app, user_id).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Deletes whatever export a person has, also one that has expired; whether there was one. Files go first: what a job
/// that runs writes after that it clears away itself, when it finds that its row is gone.
pub(super) async fn drop_of(app: &App, user_id: i64) -> anyhow::Result<bool> {
    let Some(found) = of(user_id).one(app.db.write()).await? else { return Ok(false) };
    remove_files(app, found.id).await?;
    let gone = export::Entity::delete_by_id(found.id).exec(app.db.write()).await?;
    Ok(gone.rows_affected > 0)
}

/// The job: writes the file.
pub async fn make(app: &App, export_id: i64) -> anyhow::Result<Outcome> {
    let Some(export) = export::Entity::find_by_id(export_id).one(app.db.read()).await? else {
        remove_files(app, export_id).await?;
        return Ok(Outcome::Done);
    };
    let tell = Outcome::Again { job: Job::TellExport { export_id }, run_at: app.clock.now() };
    if export.state == ExportState::Ready {
        return Ok(tell);
    }
    let Some(user) = users::active(app, export.user_id).await? else { return Ok(Outcome::Done) };
    let Ok(_turn) = TURN.try_acquire() else {
        return Ok(Outcome::Again { job: Job::MakeExport { export_id }, run_at: app.clock.now() + CROWDED });
    };
    // What was left by one that was killed.
    remove_files(app, export_id).await?;
    let folder = folder(app);
    tokio::fs::create_dir_all(&folder).await.context("making the folder of exports")?;
    let name = format!("{export_id}-{:016x}.zip", rand::random::<u64>());
    let beside = folder.join(format!("{name}.part"));
    let written = write::archive(app, &user, &export, &beside).await;
    if written.is_err() {
        // Most likely the disk is full: the next attempt may be far off, or there is none.
        remove_file(&beside).await?;
    }
    if let Some(bytes) = written? {
        match tokio::fs::rename(&beside, folder.join(&name)).await {
            Ok(()) if is_ready(app, export_id, name, bytes).await? => return Ok(tell),
            Ok(()) => {}
            // It was deleted while it was written.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::Done),
            Err(error) => return Err(anyhow::Error::from(error).context("naming an export")),
        }
    }
    // Nobody wants it any more.
    remove_files(app, export_id).await?;
    Ok(Outcome::Done)
}

/// Writes down that the file is there; false when its row is gone.
async fn is_ready(app: &App, export_id: i64, name: String, bytes: u64) -> Result<bool, DbErr> {
    let now = app.clock.now();
    let tx = app.db.begin_unnoticed().await?;
    let finished = export::Entity::update_many()
        .col_expr(export::Column::State, Expr::value(ExportState::Ready))
        .col_expr(export::Column::Done, Expr::col(export::Column::Total))
        .col_expr(export::Column::File, Expr::value(Some(name)))
        .col_expr(export::Column::Bytes, Expr::value(i64::try_from(bytes).unwrap_or(i64::MAX)))
        .col_expr(export::Column::FinishedAt, Expr::value(Some(now)))
        .col_expr(export::Column::ExpiresAt, Expr::value(Some(now + KEPT)))
        .filter(export::COLUMN.id.eq(export_id))
        .exec(&*tx)
        .await?;
    tx.commit().await?;
    Ok(finished.rows_affected > 0)
}

/// The job after it: says by mail that the file is there.
pub async fn tell(app: &App, export_id: i64) -> anyhow::Result<Outcome> {
    let Some(export) = export::Entity::find_by_id(export_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let Some(user) = users::active(app, export.user_id).await? else { return Ok(Outcome::Done) };
    letters::export_is_ready(app, &user, &export).await
}

/// Upkeep: writes down what has failed, deletes what has expired, and files that nothing names any more. Returns how
/// many exports have expired.
pub async fn forget_old(app: &App) -> anyhow::Result<u64> {
    note_failed(app).await?;
    let old = export::Entity::find()
        .filter(export::COLUMN.expires_at.lte(app.clock.now()))
        .all(app.db.read())
        .await?;
    for export in &old {
        remove_files(app, export.id).await?;
        export::Entity::delete_by_id(export.id).exec(app.db.write()).await?;
    }
    remove_strays(app).await?;
    Ok(old.len() as u64)
}

/// Those whose jobs have given up are kept as failed for as long as a file would be.
async fn note_failed(app: &App) -> Result<(), DbErr> {
    let now = app.clock.now();
    let making = export::Entity::find().filter(export::COLUMN.state.eq(ExportState::Making));
    for found in making.all(app.db.read()).await? {
        if has_job(app.db.read(), found.id).await? {
            continue;
        }
        export::Entity::update_many()
            .col_expr(export::Column::State, Expr::value(ExportState::Failed))
            .col_expr(export::Column::FinishedAt, Expr::value(Some(now)))
            .col_expr(export::Column::ExpiresAt, Expr::value(Some(now + KEPT)))
            .filter(export::COLUMN.id.eq(found.id))
            .filter(export::COLUMN.state.eq(ExportState::Making))
            .exec(app.db.write())
            .await?;
    }
    Ok(())
}

/// Deletes whatever was written for an export.
async fn remove_files(app: &App, export_id: i64) -> anyhow::Result<()> {
    let begin = format!("{export_id}-");
    for (name, path) in files(app).await? {
        if name.starts_with(&begin) {
            remove_file(&path).await?;
        }
    }
    Ok(())
}

async fn remove_strays(app: &App) -> anyhow::Result<()> {
    let files = files(app).await?;
    // Looked up after the files: one that was finished meanwhile is named.
    let named = export::Entity::find().select_only().column(export::Column::File);
    let named: HashSet<Option<String>> = named.into_tuple().all(app.db.read()).await?.into_iter().collect();
    for (name, path) in files {
        let age = tokio::fs::metadata(&path).await.and_then(|facts| facts.modified());
        let is_old = age.is_ok_and(|moment| moment.elapsed().is_ok_and(|age| age > STRAY));
        if is_old && !named.contains(&Some(name)) {
            remove_file(&path).await?;
        }
    }
    Ok(())
}

async fn files(app: &App) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut entries = match tokio::fs::read_dir(folder(app)).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(anyhow::Error::from(error).context("reading the folder of exports")),
    };
    while let Some(entry) = entries.next_entry().await? {
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    Ok(found)
}

async fn remove_file(path: &std::path::Path) -> anyhow::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow::Error::from(error).context("deleting an export"))
        }
        _ => Ok(()),
    }
}

fn of(user_id: i64) -> sea_orm::Select<export::Entity> {
    export::Entity::find().filter(export::COLUMN.user_id.eq(user_id))
}

async fn has_job<C: sea_orm::ConnectionTrait>(db: &C, export_id: i64) -> Result<bool, DbErr> {
    let key = Job::MakeExport { export_id }.unique_key();
    Ok(job::Entity::find().filter(job::COLUMN.unique_key.eq(key)).count(db).await? > 0)
}
