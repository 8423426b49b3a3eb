//! What changed in an article since it was published, for its readers.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::app::App;
use crate::articles::content::plain_text;
use crate::articles::queries::{self, Published};
use crate::clock::Timestamp;
use crate::db::entities::{account, article, revision};
use crate::error::Error;
use crate::page::{Page, View};
use crate::path::Path;
use crate::shown::Shown;
use crate::text::diff::{self, Part, Piece};

/// Changes on one page.
const SHOWN: usize = 10;

/// One version beside the one before.
struct Change {
    number: i32,
    created_at: Timestamp,
    /// What the editor says of it; empty where that is not for readers.
    note: String,
    title: Vec<Piece>,
    digest: Vec<Piece>,
    text: Vec<Part>,
}

impl Change {
    /// Both are shown in the reader's script and then compared, so that phrases are converted whole; what only changed
    /// its script reads the same.
    fn between(old: &revision::Model, new: &revision::Model, shown: Shown, lang: &str) -> Self {
        let line = |old: &str, new: &str| {
            let (old, new) = (shown.text(old, lang), shown.text(new, lang));
            if old == new { Vec::new() } else { diff::lines(&old, &new) }
        };
        let text = |html: &str| shown.text(&plain_text(html), lang).into_owned();
        let (before, after) = (text(&old.body_html), text(&new.body_html));
        Self {
            number: new.number,
            created_at: new.created_at,
            note: if new.note_shown { new.note.clone() } else { String::new() },
            title: line(&old.title, &new.title),
            digest: line(&old.digest, &new.digest),
            text: if before == after { Vec::new() } else { diff::texts(&before, &after) },
        }
    }

    /// Nothing that is read is another: pictures, links, type, tags.
    fn is_unread(&self) -> bool {
        self.title.is_empty() && self.digest.is_empty() && self.text.is_empty()
    }
}

#[derive(Template)]
#[template(path = "articles/changes.html")]
struct ChangesPage {
    page: Page,
    account: account::Model,
    article: article::Model,
    /// Newest first.
    changes: Vec<Change>,
    /// The page of older ones; empty where there are none.
    older_url: String,
    first: bool,
}

/// `?until=7`: from this version back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Until {
    until: String,
}

/// `GET /@{handle}/{slug}/changes`
pub async fn show_changes(
    State(app): State<Arc<App>>,
    page: Page,
    Path((handle, slug)): Path<(String, String)>,
    Query(asked): Query<Until>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let (account, article) = match queries::published(db, &handle, &slug).await? {
        Published::Here(found) => *found,
        Published::Moved(path) => {
            let location = format!("{path}/changes");
            return Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response());
        }
    };
    let until: Option<i32> = asked.until.parse().ok();
    // The first version is nobody's change, but the last change on the page needs the one before it.
    let revisions = queries::revisions_until(db, article.id, until, SHOWN as u64 + 1).await?;
    let older = revisions.get(SHOWN).map(|row| row.number).filter(|number| *number > 1);
    let (shown, lang) = (page.script.shown, article.lang.clone());
    let between = move |pair: &[revision::Model]| Change::between(&pair[1], &pair[0], shown, &lang);
    let changes = crate::blocking::run(move || revisions.windows(2).map(between).collect::<Vec<_>>());
    let changes = changes.await.map_err(anyhow::Error::from)?;
    let path = format!("{}/changes", queries::path(&account, &article));
    let older_url = older.map(|number| format!("{path}?until={number}")).unwrap_or_default();
    let title = page.t1("changes-of", "title", page.shown(&article.title, &article.lang));
    let mut page = page.titled(&title).canonical_path(&path);
    page.noindex = true;
    Ok(View(ChangesPage { page, account, article, changes, older_url, first: until.is_none() })
        .into_response())
}
