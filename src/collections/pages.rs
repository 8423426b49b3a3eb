//! Collections as readers see them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::queries::{self, Listed};
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::db::entities::{account, collection};
use crate::error::Error;
use crate::home::accounts::feeds_of_lang;
use crate::home::queries::{ArticleCard, PAGE};
use crate::page::{Page, View};
use crate::path::Path;

#[derive(Template)]
#[template(path = "collections/list.html")]
struct ListPage {
    page: Page,
    account: account::Model,
    collections: Vec<Listed>,
}

/// `GET /@{handle}/collections`
pub async fn list_collections(
    State(app): State<Arc<App>>,
    page: Page,
    Path(handle): Path<String>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account = match open_by_handle(db, &handle).await? {
        Found::Here(account) => account,
        Found::Moved(account) => return Ok(moved(format!("/@{}/collections", account.handle))),
    };
    let collections = queries::to_read(db, account.id).await?;
    let path = format!("/@{}/collections", account.handle);
    let title = page.t1("collections-of", "name", &account.name);
    let page = page.titled(&title).canonical_path(&path);
    Ok(View(ListPage { page, account, collections }).into_response())
}

#[derive(Template)]
#[template(path = "collections/show.html")]
struct ShowPage {
    page: Page,
    account: account::Model,
    collection: collection::Model,
    /// With their places in it, from 1.
    articles: Vec<(u64, ArticleCard)>,
    total: u64,
    /// Addresses of the pages before and after; empty where there are none.
    before_url: String,
    after_url: String,
}

/// `?page=2`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Number {
    page: String,
}

/// `GET /@{handle}/collections/{slug}`
pub async fn show_collection(
    State(app): State<Arc<App>>,
    page: Page,
    Path((handle, slug)): Path<(String, String)>,
    Query(asked): Query<Number>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account = match open_by_handle(db, &handle).await? {
        Found::Here(account) => account,
        Found::Moved(account) => return Ok(moved(format!("/@{}/collections/{slug}", account.handle))),
    };
    let collection = queries::by_slug(db, account.id, &slug).await?.ok_or(Error::NotFound)?;
    let number: u64 =
        if asked.page.is_empty() { 1 } else { asked.page.parse().map_err(|_| Error::NotFound)? };
    let skip = number.checked_sub(1).and_then(|n| n.checked_mul(PAGE as u64)).ok_or(Error::NotFound)?;
    let cards = queries::cards(db, collection.id, skip).await?;
    if cards.items.is_empty() && number > 1 {
        return Err(Error::NotFound);
    }
    let path = path(&account, &collection);
    let at = |number: u64| if number == 1 { path.clone() } else { format!("{path}?page={number}") };
    let title = page.shown(&collection.title, &account.lang).into_owned();
    let intro = page.shown(&collection.intro, &account.lang).into_owned();
    let page = page.with_covers(&app, cards.items.iter().map(|(_, card)| &card.cover_url)).await?;
    let page = page.titled(&title).described(&intro).canonical_path(&at(number));
    let page = page.or_described_by(cards.items.iter().map(|(_, card)| card));
    let mut page = page.in_scripts(&at(number), &account.lang);
    page.feeds = feeds_of_lang(&page, &format!("{title} · {}", account.name), &path, &account.lang);
    Ok(View(ShowPage {
        before_url: if number > 1 { at(number - 1) } else { String::new() },
        after_url: cards.more.map(|_| at(number + 1)).unwrap_or_default(),
        page,
        account,
        collection,
        articles: cards.items,
        total: cards.total,
    })
    .into_response())
}

/// `/@handle/collections/slug`
pub fn path(account: &account::Model, collection: &collection::Model) -> String {
    format!("/@{}/collections/{}", account.handle, collection.slug)
}

fn moved(location: String) -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response()
}
