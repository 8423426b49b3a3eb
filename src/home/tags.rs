//! Pages of tags: of the whole site, and of one account. Both scripts of a tag are one page.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::accounts::feeds_at;
use super::pages::Place;
use super::queries::{self, ArticleCard, Cursor};
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::articles::tags::folded;
use crate::db::entities::account;
use crate::error::Error;
use crate::page::{Locale, Page, View};
use crate::path::Path;
use crate::shown::Shown;
use crate::text::script::{self, Script};

/// What stands as it is in the address of a tag.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Template)]
#[template(path = "home/tag.html")]
struct TagPage {
    page: Page,
    /// Where the tag is one account's.
    account: Option<account::Model>,
    name: String,
    articles: Vec<ArticleCard>,
    first: bool,
    path: String,
    older_url: String,
    /// The tag over all accounts.
    site_path: String,
}

/// `GET /tag/{tag}`
pub async fn show_tag(
    State(app): State<Arc<App>>,
    page: Page,
    Path(tag): Path<String>,
    Query(place): Query<Place>,
) -> Result<Response, Error> {
    Ok(tag_page(&app, page, None, &tag, &place).await?.into_response())
}

/// `GET /@{handle}/tag/{tag}`
pub async fn show_account_tag(
    State(app): State<Arc<App>>,
    page: Page,
    Path((handle, tag)): Path<(String, String)>,
    Query(place): Query<Place>,
) -> Result<Response, Error> {
    match open_by_handle(app.db.read(), &handle).await? {
        Found::Here(account) => Ok(tag_page(&app, page, Some(account), &tag, &place).await?.into_response()),
        Found::Moved(account) => {
            let location = path(Some(&account), &tag);
            Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response())
        }
    }
}

async fn tag_page(
    app: &App,
    page: Page,
    account: Option<account::Model>,
    tag: &str,
    place: &Place,
) -> Result<View<TagPage>, Error> {
    let db = app.db.read();
    let key = folded(tag);
    let account_id = account.as_ref().map(|account| account.id);
    let after = Cursor::parse(&place.after);
    let cards = queries::tags::of(db, &key, account_id, after).await?;
    if key.is_empty() || (cards.items.is_empty() && after.is_none()) {
        return Err(Error::NotFound);
    }
    let name = name(&queries::tags::names(db, &key, account_id).await?, page.locale).unwrap_or(key.clone());
    let name = name_in(&name, page.script.shown);
    let path = path(account.as_ref(), &key);
    let title = match &account {
        Some(account) => format!("#{name} · {}", account.name),
        None => format!("#{name}"),
    };
    let page = page.with_covers(app, cards.items.iter().map(|card| &card.cover_url)).await?;
    let mut page = page.titled(&title).or_described_by(&cards.items).canonical_path(&path);
    page.feeds = feeds_at(&page, &title, &path);
    Ok(View(TagPage {
        page,
        name,
        articles: cards.items,
        first: after.is_none(),
        older_url: cards.older.map(|cursor| format!("{path}?after={cursor}")).unwrap_or_default(),
        path,
        site_path: self::path(None, &key),
        account,
    }))
}

/// `/tag/...` or `/@handle/tag/...`
pub fn path(account: Option<&account::Model>, tag: &str) -> String {
    let tag = utf8_percent_encode(tag, PLAIN);
    match account {
        Some(account) => format!("/@{}/tag/{tag}", account.handle),
        None => format!("/tag/{tag}"),
    }
}

/// What a tag is called for a reader: as most write it, in the reader's script where some do.
pub fn name(written: &[String], locale: Locale) -> Option<String> {
    let wanted = locale.script();
    let fits =
        |name: &str| wanted == Script::Other || script::shown(name).is_none_or(|script| script == wanted);
    let count = |name: &String| written.iter().filter(|other| *other == name).count();
    written.iter().max_by_key(|name| (fits(name), count(name))).cloned()
}

/// The name of a tag as it is shown, whoever wrote it.
pub fn name_in(name: &str, shown: Shown) -> String {
    let written = script::shown(name).and_then(Script::tag).unwrap_or("zh-Hans");
    shown.text(name, written).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_called_as_most_write_it_in_the_readers_script() {
        let written = ["台风", "颱風", "台风", "AI"].map(str::to_owned);
        assert_eq!(name(&written[..3], Locale::ZhHans).as_deref(), Some("台风"));
        assert_eq!(name(&written[..3], Locale::ZhHant).as_deref(), Some("颱風"));
        assert_eq!(name(&written[..3], Locale::En).as_deref(), Some("台风"));
        assert_eq!(name(&written[3..], Locale::ZhHant).as_deref(), Some("AI"));
        assert_eq!(name(&[], Locale::En), None);
    }

    #[test]
    fn an_address_holds_any_tag() {
        assert_eq!(path(None, "c++/台"), "/tag/c%2B%2B%2F%E5%8F%B0");
    }
}
