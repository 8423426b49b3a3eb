//! Writing an export: a ZIP file with one document of all rows, the subscriptions as OPML, and the saved articles as
//! pages with their pictures. `docs/export.md` describes it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono_tz::Tz;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value as Json, json};

use super::sections::SECTIONS;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::export::{self, Model as Export};
use crate::db::entities::{saved_article, user};
use crate::opml;
use crate::page::Locale;
use crate::saved::export::{Book, Format, Piece, kept, list, own_pictures};
use crate::saved::queries::{self as saved, Cursor};
use crate::zip::Zip;

/// What the document calls itself; the number goes up when something that was there is written differently.
const FORMAT: &str = "xiangxun-export";
const VERSION: u32 = 1;
/// Saved articles that are in memory at once.
const CHUNK: u64 = 20;
/// Entries of the list of them.
const LISTED: usize = 200;
/// Bytes of pictures in one export; others stay links to where they are.
const MOST_PICTURES: i64 = 1024 * 1024 * 1024;
/// How often the page is told how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(300);

/// Writes the file; returns its size, or none if it is not wanted any more.
pub async fn archive(
    app: &App,
    user: &user::Model,
    export: &Export,
    path: &Path,
) -> anyhow::Result<Option<u64>> {
    let total = total(app, user).await?;
    let path = path.to_owned();
    let zip = crate::blocking::run(move || create(&path)).await?.context("making an export's file")?;
    let locale = Locale::from_tag(&export.locale).unwrap_or(Locale::ZhHans);
    let zone = user.timezone.parse().unwrap_or(Tz::UTC);
    let writing = Writing {
        app,
        user,
        export,
        locale,
        zone,
        zip: Some(zip),
        done: 0,
        told: Instant::now(),
        is_wanted: true,
        pictures: HashSet::new(),
        room: MOST_PICTURES,
    };
    export::Entity::update_many()
        .col_expr(export::Column::Total, Expr::value(total))
        .col_expr(export::Column::Done, Expr::value(0))
        .filter(export::COLUMN.id.eq(export.id))
        .exec(app.db.write())
        .await?;
    writing.everything().await
}

/// Readable by this program's user alone.
fn create(path: &Path) -> io::Result<Zip<BufWriter<File>>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(Zip::new(BufWriter::new(options.open(path)?)))
}

/// Rows that there are to write; saved articles count twice, once for the document and once for their pages.
async fn total(app: &App, user: &user::Model) -> anyhow::Result<i64> {
    let mut total = 0;
    for section in SECTIONS {
        total += section.count(app.db.read(), user).await?;
    }
    let saved = saved_article::Entity::find()
        .filter(saved_article::COLUMN.user_id.eq(user.id))
        .count(app.db.read())
        .await?;
    Ok(total + 2 * i64::try_from(saved).unwrap_or(0))
}

struct Writing<'a> {
    app: &'a App,
    user: &'a user::Model,
    export: &'a Export,
    locale: Locale,
    zone: Tz,
    /// Taken while another thread writes.
    zip: Option<Zip<BufWriter<File>>>,
    done: i64,
    told: Instant,
    is_wanted: bool,
    /// Paths of those that are in it.
    pictures: HashSet<String>,
    room: i64,
}

impl Writing<'_> {
    async fn everything(mut self) -> anyhow::Result<Option<u64>> {
        let readme =
            self.locale.text_with("export-readme", &[("site", self.app.config.site_name_in(self.locale))]);
        self.put(move |zip| zip.deflate("README.txt", readme.as_bytes())).await?;
        self.document().await?;
        let opml = opml::write(self.app, self.user).await.map_err(|why| anyhow::anyhow!("OPML: {why:?}"))?;
        self.put(move |zip| zip.deflate("subscriptions.opml", opml.as_bytes())).await?;
        self.list().await?;
        self.pages().await?;
        let Some(zip) = self.zip.take().filter(|_| self.is_wanted) else { return Ok(None) };
        let size = crate::blocking::run(move || -> io::Result<u64> {
            let file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(file.metadata()?.len())
        });
        Ok(Some(size.await?.context("ending an export")?))
    }

    /// Does something to the file where it holds up nobody.
    async fn put(
        &mut self,
        work: impl FnOnce(&mut Zip<BufWriter<File>>) -> io::Result<()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let Some(mut zip) = self.zip.take() else { anyhow::bail!("an export's file was lost") };
        let written = crate::blocking::run(move || work(&mut zip).map(|()| zip)).await?;
        self.zip = Some(written.context("writing an export")?);
        Ok(())
    }

    async fn text(&mut self, text: String) -> anyhow::Result<()> {
        self.put(move |zip| zip.append(text.as_bytes())).await
    }

    /// Notes that rows were written, and whether somebody still wants them.
    async fn wrote(&mut self, rows: usize) -> anyhow::Result<()> {
        self.done += rows as i64;
        if self.told.elapsed() < TOLD_EVERY {
            return Ok(());
        }
        self.told = Instant::now();
        let told = export::Entity::update_many()
            .col_expr(export::Column::Done, Expr::value(self.done))
            .filter(export::COLUMN.id.eq(self.export.id))
            .exec(self.app.db.write())
            .await?;
        self.is_wanted = told.rows_affected == 1;
        Ok(())
    }

    /// `account.json`: one object, whose lists are written row by row.
    async fn document(&mut self) -> anyhow::Result<()> {
        let base_url = self.app.config.base_url.trim_end_matches('/').to_owned();
        let site = json!({ "name": self.app.config.site_name_in(self.locale), "url": base_url });
        let made_at = self.app.clock.now().rfc3339();
        let asked_at = self.export.created_at.rfc3339();
        let head = format!(
            "{{\"format\": \"{FORMAT}\", \"version\": {VERSION},\n\"site\": {site},\n\"made_at\": \"{made_at}\",\n\
             \"profile\": {},\n\"exports\": [{{\"created_at\": \"{asked_at}\"}}]",
            self.profile()
        );
        self.put(|zip| zip.begin("account.json")).await?;
        self.text(head).await?;
        for section in SECTIONS {
            self.text(format!(",\n\"{}\": [", section.name)).await?;
            let (mut after, mut is_first) = (0, true);
            while self.is_wanted {
                let batch = section.batch(self.app.db.read(), self.user, after, &base_url).await?;
                self.rows(&batch.0, &mut is_first).await?;
                match batch.1 {
                    Some(last) => after = last,
                    None => break,
                }
            }
            self.text("]".into()).await?;
        }
        self.text(",\n\"saved_articles\": [".into()).await?;
        let (mut after, mut is_first) = (None, true);
        while self.is_wanted {
            let copies = saved::whole(self.app.db.read(), self.user.id, after, CHUNK).await?;
            let Some(last) = copies.last() else { break };
            after = Some(Cursor { saved_at: last.saved_at.0, id: last.id });
            let pieces = self.pieces(copies).await?;
            let rows: Vec<Json> = pieces.iter().map(|piece| saved_json(piece, &base_url)).collect();
            self.rows(&rows, &mut is_first).await?;
        }
        self.text("]}\n".into()).await
    }

    async fn rows(&mut self, rows: &[Json], is_first: &mut bool) -> anyhow::Result<()> {
        let mut text = String::new();
        for row in rows {
            text.push_str(if std::mem::take(is_first) { "\n" } else { ",\n" });
            text.push_str(&row.to_string());
        }
        self.text(text).await?;
        self.wrote(rows.len()).await
    }

    fn profile(&self) -> Json {
        let user = self.user;
        json!({
            "email": user.email,
            "name": user.name,
            "has_password": user.password_hash.is_some(),
            "operator": user.operator,
            "locale": user.locale,
            "script": user.script,
            "timezone": user.timezone,
            "created_at": user.created_at.rfc3339(),
        })
    }

    /// `saved/index.html`: what was saved, last saved first.
    async fn list(&mut self) -> anyhow::Result<()> {
        let title = self.locale.text_with("saved-export-book", &[("name", self.user.name.clone())]);
        let head = list::head(&title, self.locale);
        self.put(|zip| zip.begin("saved/index.html")).await?;
        self.text(head).await?;
        let mut after = None;
        while self.is_wanted {
            let (cards, older) = saved::page(self.app.db.read(), self.user.id, after, LISTED).await?;
            let entries = cards.iter().map(|card| list::entry(card, self.locale, self.zone)).collect();
            self.text(entries).await?;
            match older {
                Some(older) => after = Some(older),
                None => break,
            }
        }
        self.text(list::END.into()).await
    }

    /// A page for each saved article, and the pictures of it that are kept here.
    async fn pages(&mut self) -> anyhow::Result<()> {
        let mut after = None;
        while self.is_wanted {
            let copies = saved::whole(self.app.db.read(), self.user.id, after, CHUNK).await?;
            let Some(last) = copies.last() else { return Ok(()) };
            after = Some(Cursor { saved_at: last.saved_at.0, id: last.id });
            let count = copies.len();
            for piece in self.pieces(copies).await? {
                self.page(piece).await?;
            }
            self.wrote(count).await?;
        }
        Ok(())
    }

    /// Copies with what was marked in them.
    async fn pieces(&self, copies: Vec<saved_article::Model>) -> anyhow::Result<Vec<Piece>> {
        let ids: Vec<i64> = copies.iter().map(|copy| copy.id).collect();
        let mut highlights = saved::highlights(self.app.db.read(), &ids).await?;
        let piece = |saved: saved_article::Model| {
            let highlights = highlights.remove(&saved.id).unwrap_or_default();
            Piece { saved, highlights }
        };
        Ok(copies.into_iter().map(piece).collect())
    }

    async fn page(&mut self, piece: Piece) -> anyhow::Result<()> {
        let (id, title, paths) = (piece.saved.id, piece.saved.title.clone(), own_pictures(&piece.saved));
        let mut book = Book::of_pieces(self.app, vec![piece], title, self.locale, self.zone);
        for path in paths {
            if self.picture(&path).await? {
                let file = format!("pictures/{}", picture_file(&path));
                book.beside.insert(path, file);
            }
        }
        self.put(move |zip| zip.deflate(&format!("saved/{id}.html"), &book.write(Format::Html))).await
    }

    /// Takes a picture in; whether it is there now.
    async fn picture(&mut self, path: &str) -> anyhow::Result<bool> {
        if self.pictures.contains(path) {
            return Ok(true);
        }
        let found = kept(self.app, path).await.map_err(|why| anyhow::anyhow!("a picture: {why:?}"))?;
        let Some((row, file)) = found.filter(|(row, _)| row.bytes <= self.room) else { return Ok(false) };
        let Ok(bytes) = tokio::fs::read(file).await else { return Ok(false) };
        self.room -= row.bytes;
        let name = format!("saved/pictures/{}", picture_file(path));
        self.put(move |zip| zip.store(&name, &bytes)).await?;
        self.pictures.insert(path.to_owned());
        Ok(true)
    }
}

/// `/media/7/0123.jpg` as `7-0123.jpg`.
fn picture_file(path: &str) -> String {
    path.trim_start_matches("/media/").replace('/', "-")
}

fn saved_json(Piece { saved: copy, highlights }: &Piece, base_url: &str) -> Json {
    let highlights: Vec<Json> = highlights
        .iter()
        .map(|mark| {
            json!({
                "quote": mark.quote,
                "before": mark.before,
                "after": mark.after,
                "note": mark.note,
                "created_at": mark.created_at.rfc3339(),
            })
        })
        .collect();
    json!({
        "url": format!("{base_url}{}", copy.url),
        "file": format!("saved/{}.html", copy.id),
        "title": copy.title,
        "account": copy.account_handle,
        "account_name": copy.account_name,
        "author": copy.author,
        "digest": copy.digest,
        "tags": copy.tags.0,
        "lang": copy.lang,
        "version": copy.version,
        "saved_at": copy.saved_at.rfc3339(),
        "starred": copy.starred,
        "published_at": copy.published_at.map(Timestamp::rfc3339),
        "cover_url": copy.cover_url,
        "html": copy.body_html,
        "highlights": highlights,
    })
}
