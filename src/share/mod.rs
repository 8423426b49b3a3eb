//! Share images: what a link to an article looks like in a chat or on a timeline elsewhere, where the article has no
//! cover of its own. Its title, its account and the seal, drawn here as a PNG of 1200 x 630 pixels.
//!
//! One is drawn when it is first asked for and kept in the data folder under a name made of all that is on it, so it is
//! drawn once, and a change of title is another image. Only what readers can see now is drawn.

mod canvas;
mod draw;
mod font;
mod lines;
pub mod pages;
mod seal;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::db::entities::{account, article};
use crate::error::Error;
use crate::media;
use crate::page::Locale;
use draw::Words;

pub use draw::{HEIGHT, WIDTH};

/// Another number draws all of them anew.
const EDITION: u32 = 1;
/// What all kept images may take, in bytes, and how much is written until that is looked at.
const ROOM: u64 = 256 * 1024 * 1024;
const UNLOOKED: u64 = 16 * 1024 * 1024;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Drawing takes a processor for a moment and a font's memory: one at a time.
static PAINTER: Semaphore = Semaphore::const_new(1);
/// Bytes written since the folder was looked at; it is when the program has just started.
static WRITTEN: AtomicU64 = AtomicU64::new(UNLOOKED);

fn folder(app: &App) -> PathBuf {
    app.config.data.join("share")
}

fn words(app: &App, account: &account::Model, article: &article::Model) -> Words {
    let locale = Locale::from_tag(&article.lang).unwrap_or(Locale::ZhHans);
    Words {
        title: article.title.clone(),
        account: account.name.clone(),
        handle: account.handle.clone(),
        site: app.config.site_name_in(locale),
        lang: article.lang.clone(),
    }
}

/// Names an image by all that is on it, in 32 hexadecimal digits.
fn name(app: &App, words: &Words) -> String {
    let font = app.config.share_font.display();
    hex::encode(&Sha256::digest(format!("{EDITION}\n{font}\n{words:?}"))[..16])
}

/// The path of an article's share image; it changes with what is on it.
pub fn path(app: &App, account: &account::Model, article: &article::Model) -> String {
    let name = name(app, &words(app, account, article));
    format!("/@{}/{}/share.png?v={}", account.handle, article.slug, &name[..12])
}

/// The image with these words, drawn if it is not kept. The caller has looked whether readers can see the article.
///
/// # Errors
/// Too many where it would have to wait longer than a few seconds.
async fn image(app: &App, words: Words, name: &str) -> Result<Vec<u8>, Error> {
    let file = folder(app).join(format!("{name}.png"));
    if let Some(bytes) = media::read_file(&file).await? {
        return Ok(bytes);
    }
    let turn = tokio::time::timeout(PATIENCE, PAINTER.acquire()).await;
    let Ok(turn) = turn else { return Err(Error::TooMany { retry_after: PATIENCE }) };
    let _turn = turn.context("the painter is gone")?;
    // Somebody may have asked for the same.
    if let Some(bytes) = media::read_file(&file).await? {
        return Ok(bytes);
    }
    let font = app.config.share_font.clone();
    let drawn = crate::blocking::run(move || draw::draw(&words, &font)).await;
    let bytes = drawn.context("drawing a share image")??;
    media::write_file(&file, &bytes).await?;
    let written = WRITTEN.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    if written >= UNLOOKED {
        WRITTEN.store(0, Ordering::Relaxed);
        make_room(&folder(app), ROOM).await;
    }
    Ok(bytes)
}

/// Removes the oldest images until the others take no more than `room`; they are drawn again when somebody asks.
async fn make_room(folder: &Path, room: u64) {
    let folder = folder.to_owned();
    let removed = crate::blocking::run(move || -> std::io::Result<usize> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let facts = entry.metadata()?;
            files.push((facts.modified()?, facts.len(), entry.path()));
        }
        let mut total: u64 = files.iter().map(|file| file.1).sum();
        files.sort_unstable();
        let mut removed = 0;
        for (_, size, path) in files {
            if total <= room {
                break;
            }
            std::fs::remove_file(path)?;
            total -= size;
            removed += 1;
        }
        Ok(removed)
    });
    match removed.await {
        Ok(Ok(0)) => {}
        Ok(Ok(removed)) => tracing::info!(removed, "share images: the oldest made room"),
        Ok(Err(error)) => tracing::warn!("share images: making room failed: {error}"),
        Err(error) => tracing::warn!("share images: making room failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_images_make_room() {
        let folder = std::env::temp_dir().join(format!("xiangxun-share-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(folder.join(name), [0; 100]).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        make_room(&folder, 300).await;
        assert!(folder.join("a").exists());
        make_room(&folder, 200).await;
        assert!(!folder.join("a").exists() && folder.join("b").exists() && folder.join("c").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
