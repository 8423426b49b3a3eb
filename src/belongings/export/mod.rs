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
    DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use tokio::sync::Semaphore;

use super::letters;
use crate::app::App;
use crate::db::entities::export::{self, ExportState, Model as Export};
use crate::db::entities::{job, user};
use crate::error::Error;
use crate::jobs::{self, Job, Outcome};
use crate::page::Locale;

/// How long a file can be fetched.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How soon it is tried again while another is being made.
const CROWDED: Duration = Duration::from_secs(3);
/// Files that no row names are left alone for so long: one may be under way on another node.
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
/// Conflict while one is being made.
pub async fn ask(app: &App, user: &user::Model, locale: Locale) -> Result<Export, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    // Two clicks wait for each other here.
    user::Entity::find_by_id(user.id).lock_exclusive().one(&*tx).await?.ok_or(Error::NotFound)?;
    let before = of(user.id).one(&*tx).await?;
    if let Some(before) = &before {
        if before.state == ExportState::Making && has_job(&*tx, before.id).await? {
            return Err(Error::Conflict("export-is-being-made".into()));
        }
        export::Entity::delete_by_id(before.id).exec(&*tx).await?;
    }
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
    let export = match row.insert(&*tx).await {
        Ok(export) => export,
        Err(error) if matches!(error.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_))) => {
            return Err(Error::Conflict("export-is-being-made".into()));
        }
        Err(error) => return Err(error.into()),
    };
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
    let found = of(user_id).one(app.db.read()).await?.ok_or(Error::NotFound)?;
    export::Entity::delete_by_id(found.id).exec(app.db.write()).await?;
    remove_files(app, found.id).await?;
    Ok(())
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
    let Some(user) = user::Entity::find_by_id(export.user_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let Ok(_turn) = TURN.try_acquire() else {
        return Ok(Outcome::Again { job: Job::MakeExport { export_id }, run_at: app.clock.now() + CROWDED });
    };
    // What was left by one that was killed.
    remove_files(app, export_id).await?;
    let folder = folder(app);
    tokio::fs::create_dir_all(&folder).await.context("making the folder of exports")?;
    let name = format!("{export_id}-{:016x}.zip", rand::random::<u64>());
    let beside = folder.join(format!("{name}.part"));
    let Some(bytes) = write::archive(app, &user, &export, &beside).await? else {
        remove_files(app, export_id).await?;
        return Ok(Outcome::Done);
    };
    tokio::fs::rename(&beside, folder.join(&name)).await.context("naming an export")?;
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
    if finished.rows_affected == 0 {
        // Nobody wants it any more.
        remove_files(app, export_id).await?;
        return Ok(Outcome::Done);
    }
    Ok(tell)
}

/// The job after it: says by mail that the file is there.
pub async fn tell(app: &App, export_id: i64) -> anyhow::Result<Outcome> {
    let Some(export) = export::Entity::find_by_id(export_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let Some(user) = user::Entity::find_by_id(export.user_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    letters::export_is_ready(app, &user, &export).await
}

/// Upkeep: deletes what has expired, and files that nothing names any more. Returns how many exports it were.
pub async fn forget_old(app: &App) -> anyhow::Result<u64> {
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

/// Deletes whatever was written for an export.
pub(super) async fn remove_files(app: &App, export_id: i64) -> anyhow::Result<()> {
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
    // Looked up after the files: one that was begun meanwhile has its row.
    let ids = export::Entity::find().select_only().column(export::Column::Id).into_tuple::<i64>();
    let ids: HashSet<i64> = ids.all(app.db.read()).await?.into_iter().collect();
    for (name, path) in files {
        let id = name.split('-').next().and_then(|id| id.parse().ok());
        let is_named = id.is_some_and(|id| ids.contains(&id));
        let age = tokio::fs::metadata(&path).await.and_then(|facts| facts.modified());
        let is_old = age.is_ok_and(|moment| moment.elapsed().is_ok_and(|age| age > STRAY));
        if !is_named && is_old {
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
