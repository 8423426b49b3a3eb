//! What a reader has saved, to take along: as EPUB, Markdown or one HTML page, with their highlights and notes.

mod epub;
pub mod list;
mod markdown;
mod page;
mod xhtml;

use std::collections::HashMap;
use std::path::PathBuf;

use chrono_tz::Tz;
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr, sea_query::ExprTrait};

use super::queries::{self, Cursor};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::{highlight, media, saved_article};
use crate::error::Error;
use crate::media::folder;
use crate::page::Locale;

/// Articles in one file.
pub const MOST: usize = 500;
/// Bytes of their texts, and of the pictures in an e-book.
const MOST_TEXT: usize = 48 * 1024 * 1024;
const MOST_PICTURES: usize = 48 * 1024 * 1024;
const CHUNK: u64 = 50;

/// A form to take articles along in; also the end of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    Epub,
    Md,
    Html,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Epub => "application/epub+zip",
            Self::Md => "text/markdown; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }
}

/// An article with what was marked in it.
#[derive(Debug)]
pub struct Piece {
    pub saved: saved_article::Model,
    pub highlights: Vec<highlight::Model>,
}

/// Articles as one book.
#[derive(Debug)]
pub struct Book {
    pub title: String,
    pub locale: Locale,
    pub zone: Tz,
    /// Of this site, without a slash at the end.
    pub base_url: String,
    pub made_at: Timestamp,
    pub pieces: Vec<Piece>,
    /// Pictures of this site by their paths.
    pictures: HashMap<String, Picture>,
    /// Where a page finds those that lie beside it, by their paths here.
    pub beside: HashMap<String, String>,
}

#[derive(Debug)]
struct Picture {
    content_type: String,
    bytes: Vec<u8>,
}

impl Book {
    /// All that a reader has saved, last saved first, up to [`MOST`].
    pub async fn of_reader(
        app: &App,
        user_id: i64,
        title: String,
        locale: Locale,
        zone: Tz,
    ) -> Result<Self, Error> {
        let mut saved = Vec::new();
        let (mut after, mut bytes) = (None, 0);
        loop {
            let rows = queries::whole(app.db.read(), user_id, after, CHUNK).await?;
            let Some(last) = rows.last() else { break };
            after = Some(Cursor { saved_at: last.saved_at.0, id: last.id });
            bytes += rows.iter().map(|row| row.body_html.len()).sum::<usize>();
            saved.extend(rows);
            if saved.len() >= MOST || bytes > MOST_TEXT {
                break;
            }
        }
        saved.truncate(MOST);
        Self::of(app, saved, title, locale, zone).await
    }

    /// The same of copies that are at hand.
    pub async fn of(
        app: &App,
        saved: Vec<saved_article::Model>,
        title: String,
        locale: Locale,
        zone: Tz,
    ) -> Result<Self, Error> {
        let ids: Vec<i64> = saved.iter().map(|row| row.id).collect();
        let mut highlights = queries::highlights(app.db.read(), &ids).await?;
        let pieces = saved.into_iter().map(|saved| {
            let highlights = highlights.remove(&saved.id).unwrap_or_default();
            Piece { saved, highlights }
        });
        Ok(Self::of_pieces(app, pieces.collect(), title, locale, zone))
    }

    /// The same with their highlights at hand.
    pub fn of_pieces(app: &App, pieces: Vec<Piece>, title: String, locale: Locale, zone: Tz) -> Self {
        Self {
            title,
            locale,
            zone,
            base_url: app.config.base_url.trim_end_matches('/').to_owned(),
            made_at: app.clock.now(),
            pieces,
            pictures: HashMap::new(),
            beside: HashMap::new(),
        }
    }

    /// The file. Slow: to be called where that holds up nobody.
    pub fn write(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Epub => epub::write(self),
            Format::Md => markdown::write(self).into_bytes(),
            Format::Html => page::write(self).into_bytes(),
        }
    }

    /// Reads those pictures that are kept here; others stay links to where they are.
    pub async fn with_pictures(mut self, app: &App) -> Result<Self, Error> {
        let paths: Vec<String> = self.pieces.iter().flat_map(|piece| own_pictures(&piece.saved)).collect();
        let mut room = MOST_PICTURES;
        for path in paths {
            if self.pictures.contains_key(&path) {
                continue;
            }
            let Some((row, file)) = kept(app, &path).await? else { continue };
            match tokio::fs::read(file).await {
                Ok(bytes) if bytes.len() <= room => {
                    room -= bytes.len();
                    self.pictures.insert(path, Picture { content_type: row.content_type, bytes });
                }
                _ => {}
            }
        }
        Ok(self)
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') && !path.starts_with("//") {
            format!("{}{path}", self.base_url)
        } else {
            path.to_owned()
        }
    }

    /// Where a page of the book finds a picture.
    fn picture(&self, path: &str) -> String {
        self.beside.get(path).cloned().unwrap_or_else(|| self.absolute(path))
    }

    /// Who wrote it where and when, in one line.
    fn facts(&self, piece: &Piece) -> String {
        let date = piece.saved.published_at.map(|moment| self.locale.date(moment, self.zone));
        let facts = [Some(piece.saved.account_name.clone()), Some(piece.saved.author.clone()), date];
        facts.into_iter().flatten().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// Paths of the pictures in a copy that were uploaded here.
pub fn own_pictures(saved: &saved_article::Model) -> Vec<String> {
    let mut paths: Vec<String> =
        saved.cover_url.iter().filter(|url| url.starts_with("/media/")).cloned().collect();
    let html = &saved.body_html;
    for (at, start) in html.match_indices("src=\"/media/") {
        let value = &html[at + start.len() - "/media/".len()..];
        if let Some((path, _)) = value.split_once('"') {
            paths.push(path.to_owned());
        }
    }
    paths
}

/// The row and the file of a picture of ours.
pub async fn kept(app: &App, path: &str) -> Result<Option<(media::Model, PathBuf)>, Error> {
    let Some(key) = path.strip_prefix("/media/") else { return Ok(None) };
    let row = media::Entity::find().filter(Expr::col(media::Column::Key).eq(key)).one(app.db.read()).await?;
    // The row's own key names the file: whatever stands in an article leads to no other.
    Ok(row.map(|row| {
        let file = folder(app).join(&row.key);
        (row, file)
    }))
}
