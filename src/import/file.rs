//! A feed document from a file, taken in once.

use url::Url;

use super::parse::ParseError;
use super::read::read_document;
use super::take_in::Origin;
use crate::app::App;
use crate::articles;
use crate::db::entities::account;
use crate::db::entities::source::SourceMode;
use crate::error::Error;
use crate::media::covers;

/// Why a file was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(transparent)]
    Packed(#[from] super::fetch::FetchError),
    #[error(transparent)]
    Document(#[from] ParseError),
    #[error(transparent)]
    House(#[from] Error),
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileImport {
    pub entries: usize,
    pub inserted: usize,
}

/// Makes articles of the entries of a feed document. The same file twice makes them once.
pub async fn import_file(
    app: &App,
    account: &account::Model,
    packed: &[u8],
    mode: SourceMode,
) -> Result<FileImport, FileError> {
    let bytes = super::fetch::unpack(packed, None, super::parse::MAX_DOCUMENT_BYTES)?;
    let feed = read_document(app, bytes, None, None).await?;
    let url = feed.link.as_ref().map(Url::to_string).unwrap_or_default();
    let origin = Origin::new(account, feed.lang.clone(), &url, mode);
    let mut done = FileImport { entries: feed.entries.len(), inserted: 0 };
    // Oldest first: ids then follow time.
    let oldest_first: Vec<_> = feed.entries.iter().rev().collect();
    for batch in oldest_first.chunks(200) {
        let (now, tx) = (app.clock.now(), app.db.begin().await.map_err(Error::from)?);
        let articles = batch.iter().map(|entry| origin.article(entry)).collect();
        done.inserted += articles::insert_imported(&tx, now, articles).await?.inserted.len();
        let covers = batch.iter().filter_map(|entry| entry.image.as_ref()).map(Url::as_str);
        covers::want(&tx, now, account.id, covers).await?;
        tx.commit().await.map_err(Error::from)?;
    }
    Ok(done)
}
