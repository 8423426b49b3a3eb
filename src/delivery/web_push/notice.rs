//! What a notification says: what is new in a reader's inbox, in few words.

use serde_json::json;

use super::encrypt;
use crate::app::App;
use crate::db::entities::inbox_item::ItemKind;
use crate::db::entities::user;
use crate::inbox::queries::{self, Row};
use crate::page::Locale;
use crate::shown::Shown;

/// Items that one notification names.
const NAMED: usize = 4;
/// The longest title and line, in characters: more is not shown by any system.
const LONGEST: usize = 120;

/// A notification, as the service worker reads it.
#[derive(Clone, Debug)]
pub struct Notice {
    pub json: String,
    /// The newest item that it tells of.
    pub newest: i64,
}

impl Notice {
    /// Of a reader's unread items after one of them; none where there are none.
    pub async fn compose(app: &App, reader: &user::Model, after: i64) -> anyhow::Result<Option<Self>> {
        let db = app.db.read();
        let rows = queries::unread_after(db, reader.id, after, queries::MANY).await?;
        let Some(newest) = rows.first().map(|row| row.item.id) else { return Ok(None) };
        let locale = Locale::from_tag(&reader.locale).unwrap_or(Locale::ZhHans);
        let shown = Shown::chosen(Some(&reader.script), None, locale);
        let line = |row: &Row| line(row, locale, shown);
        let (title, body, path) = match &rows[..] {
            [row] => (row.from.clone(), line(row), format!("/inbox/{}", row.item.id)),
            rows => {
                let count = [("count", rows.len().to_string())];
                let lines = rows.iter().take(NAMED).map(|row| format!("{}: {}", row.from, line(row)));
                let body = lines.collect::<Vec<_>>().join("\n");
                (locale.text_with("notice-several", &count), body, "/inbox".to_owned())
            }
        };
        let unread = queries::unread(db, reader.id).await?;
        let write = |body: &str| {
            json!({
                "title": short(&title),
                "body": body,
                "url": app.config.url(&path),
                "lang": locale.code(),
                "unread": unread,
            })
            .to_string()
        };
        let mut json = write(&body);
        if json.len() > encrypt::LONGEST {
            json = write("");
        }
        Ok(Some(Self { json, newest }))
    }
}

/// An item in one line.
fn line(row: &Row, locale: Locale, shown: Shown) -> String {
    let title = row.articles.first().map(|article| shown.text(&article.title, &article.lang));
    let title = title.unwrap_or_default();
    let further = row.articles.len() + row.more;
    let title = if further > 1 {
        locale.text_with("notice-and-more", &[("title", short(&title)), ("count", (further - 1).to_string())])
    } else {
        short(&title)
    };
    match row.item.kind {
        ItemKind::Push | ItemKind::Alert => title,
        ItemKind::Correction => locale.text_with("notice-corrected", &[("title", title)]),
        ItemKind::Withdrawal => locale.text_with("notice-withdrawn", &[("title", title)]),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}
