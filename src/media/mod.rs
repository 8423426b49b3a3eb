//! Media: pictures that members upload and covers that imports bring, kept as files below the data folder and named by
//! what they hold, so that an address never changes its content.
//!
//! A picture is kept at once and served as it is; a job then makes its renditions, smaller copies in formats that take
//! fewer bytes (`render`), and pages offer those from then on (`on_page`, `body`).

pub mod body;
mod colour;
pub mod covers;
pub mod on_page;
pub mod pages;
pub mod picture;
pub mod queries;
pub mod render;
pub mod rendition;

use std::path::{Path, PathBuf};

use anyhow::Context;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, QueryFilter,
};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::db::entities::media;
use crate::error::{Error, Message};
use crate::jobs::{self, Job};
use picture::{Picture, Use};

/// The largest file that is taken, in bytes.
pub const UPLOAD_LIMIT: usize = 20 * 1024 * 1024;
/// The kinds of files that are taken, as forms name them.
pub const KINDS: &str = "image/jpeg,image/png,image/gif,image/webp";
/// What the pictures that an account's members bring may take, in bytes.
const ACCOUNT_LIMIT: i64 = 4 * 1024 * 1024 * 1024;
/// What somebody is told, or a cover's row, who brings a picture beyond the account's room.
pub const FULL: &str = "media-account-full";

/// Decoding a large picture takes hundreds of megabytes: one at a time.
static DECODER: Semaphore = Semaphore::const_new(1);

/// The address of a kept picture on this site.
pub fn url(row: &media::Model) -> String {
    format!("/media/{}", row.key)
}

/// Whether this is the key of a kept picture, `7/0123456789abcdef0123456789abcdef.jpg`; not of a rendition.
pub fn is_key(key: &str) -> bool {
    let Some((account, file)) = key.split_once('/') else { return false };
    !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit()) && pages::is_picture(file)
}

/// Keeps a picture for an account. The same picture again is the same row and file.
///
/// # Errors
/// Forbidden for those who may not write in the account; invalid `file` with the reason.
pub async fn keep(
    app: &App,
    user_id: i64,
    account_id: i64,
    bytes: Vec<u8>,
    purpose: Use,
) -> Result<media::Model, Error> {
    let operation = match purpose {
        Use::Illustration => Operation::WriteOwnDraft,
        Use::Avatar => Operation::ManageAccount,
    };
    roles::require(app.db.read(), account_id, user_id, operation).await?;
    keep_of(app, Some(user_id), account_id, bytes, purpose).await
}

/// Keeps a cover that an import brings.
///
/// # Errors
/// Invalid `file` with the reason.
pub async fn keep_cover(app: &App, account_id: i64, bytes: Vec<u8>) -> Result<media::Model, Error> {
    keep_of(app, None, account_id, bytes, Use::Illustration).await
}

/// `user_id` is the member who brings it; none where an import does.
async fn keep_of(
    app: &App,
    user_id: Option<i64>,
    account_id: i64,
    bytes: Vec<u8>,
    purpose: Use,
) -> Result<media::Model, Error> {
    if bytes.is_empty() {
        return Err(Error::invalid("file", "media-missing"));
    }
    if bytes.len() > UPLOAD_LIMIT {
        return Err(Error::invalid("file", too_large()));
    }
    if is_full(app, account_id, user_id.is_none()).await? {
        return Err(Error::invalid("file", FULL));
    }
    let picture = prepare(bytes, purpose).await?;
    let hash = hex::encode(&Sha256::digest(&picture.bytes)[..16]);
    let key = format!("{account_id}/{hash}.{}", picture.extension);
    write_file(&folder(app).join(&key), &picture.bytes).await?;
    insert(app, user_id, account_id, key, &picture).await
}

/// Whether an account has no room left for what its members bring, or for covers that imports bring: imports do not take
/// the members' room, nor they theirs.
pub async fn is_full(app: &App, account_id: i64, imported: bool) -> Result<bool, DbErr> {
    let room = if imported { i64::from(app.config.cover_space) * 1024 * 1024 } else { ACCOUNT_LIMIT };
    Ok(queries::bytes_of_account(app.db.read(), account_id, imported).await? >= room)
}

pub(crate) fn too_large() -> Message {
    Message::from("media-too-large").with("megabytes", UPLOAD_LIMIT / 1024 / 1024)
}

async fn prepare(bytes: Vec<u8>, purpose: Use) -> Result<Picture, Error> {
    let _turn = DECODER.acquire().await.context("the decoder is closed")?;
    let result = crate::blocking::run(move || picture::prepare(&bytes, purpose)).await;
    match result {
        Ok(Ok(picture)) => Ok(picture),
        Ok(Err(message)) => Err(Error::invalid("file", message)),
        Err(error) => {
            tracing::warn!("a picture could not be decoded: {error}");
            Err(Error::invalid("file", "media-damaged"))
        }
    }
}

/// Where pictures are kept.
pub fn folder(app: &App) -> PathBuf {
    app.config.data.join("media")
}

/// Writes beside and renames, so that a reader never meets half a picture.
pub(crate) async fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if tokio::fs::try_exists(path).await.unwrap_or(false) {
        return Ok(());
    }
    let folder = path.parent().context("a picture's path has a folder")?;
    tokio::fs::create_dir_all(folder).await.context("making the media folder")?;
    let beside = path.with_extension(format!("{:016x}.part", rand::random::<u64>()));
    let mut file = tokio::fs::File::create(&beside).await.context("making a picture's file")?;
    file.write_all(bytes).await.context("writing a picture")?;
    file.sync_all().await.context("writing a picture")?;
    tokio::fs::rename(&beside, path).await.context("naming a picture's file")
}

/// The bytes of a picture's file, if it is there.
pub(crate) async fn read_file(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match tokio::fs::read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow::Error::from(error).context("reading a picture").into()),
    }
}

/// The row, and the job that makes its renditions.
async fn insert(
    app: &App,
    user_id: Option<i64>,
    account_id: i64,
    key: String,
    picture: &Picture,
) -> Result<media::Model, Error> {
    let now = app.clock.now();
    let row = media::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        user_id: Set(user_id),
        key: Set(key.clone()),
        content_type: Set(picture.content_type.to_owned()),
        width: Set(picture.width as i32),
        height: Set(picture.height as i32),
        bytes: Set(picture.bytes.len() as i64),
        created_at: Set(now),
        renditions: Set(None),
        tone: Set(None),
        imported: Set(user_id.is_none()),
    };
    let tx = app.db.begin().await?;
    media::Entity::insert(row).on_conflict_do_nothing_on([media::Column::Key]).exec(&*tx).await?;
    let row = media::Entity::find().filter(media::COLUMN.key.eq(key)).one(&*tx).await?;
    let row = row.ok_or_else(|| anyhow::anyhow!("a picture's row vanished"))?;
    if row.renditions.is_none() {
        jobs::queue::enqueue(&*tx, now, Job::RenderPicture { media_id: row.id }, now).await?;
    }
    tx.commit().await?;
    Ok(row)
}
