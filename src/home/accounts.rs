//! An account's public page.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::linked_data;
use super::pages::Place;
use super::queries::{self, ArticleCard, Cursor};
use super::tags;
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::collections::queries::{self as collections, Listed};
use crate::db::entities::account;
use crate::error::Error;
use crate::page::{FeedLink, Page, View};
use crate::path::Path;
use crate::shown::{Shown, path_in};
use crate::subscriptions::queries::{self as subscriptions, Standing};

#[derive(Template)]
#[template(path = "accounts/show.html")]
struct AccountPage {
    page: Page,
    account: account::Model,
    articles: Vec<ArticleCard>,
    count: u64,
    first: bool,
    older_url: String,
    standing: Standing,
    collections: Vec<Listed>,
    /// Tags that it uses often: their addresses and names.
    tags: Vec<(String, String)>,
}

/// `GET /@{handle}`
pub async fn show_account(
    State(app): State<Arc<App>>,
    page: Page,
    Path(handle): Path<String>,
    Query(place): Query<Place>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account = match open_by_handle(db, &handle).await? {
        Found::Here(account) => account,
        Found::Moved(account) => {
            return Ok(Redirect::permanent(&format!("/@{}", account.handle)).into_response());
        }
    };
    let after = Cursor::parse(&place.after);
    let cards = queries::of_account(db, account.id, after).await?;
    let count = queries::count_articles(db, account.id).await?;
    let standing = standing(&app, &page, account.id).await?;
    let collections = match after {
        None => collections::to_read(db, account.id).await?,
        Some(_) => Vec::new(),
    };
    let top = if after.is_none() { queries::tags::top(db, account.id).await? } else { Vec::new() };
    let tags = top.into_iter().map(|(folded, name)| (tags::path(Some(&account), &folded), name)).collect();
    let path = format!("/@{}", account.handle);
    let page = page.with_covers(&app, cards.items.iter().map(|card| &card.cover_url)).await?;
    let mut page = page.titled(&account.name).canonical_path(&path).in_scripts(&path, &account.lang);
    let bio = page.shown(&account.bio, &account.lang).into_owned();
    page = page.described(&bio).or_described_by(&cards.items);
    page.image = account.avatar_url.as_ref().map(|url| app.config.absolute(url)).unwrap_or_default();
    page.image_is_small = true;
    page.linked_data = Some(linked_data::of_account(&app, &page.site_name, &account));
    page.feeds = feed_links(&page, &account);
    Ok(View(AccountPage {
        page,
        articles: cards.items,
        count,
        first: after.is_none(),
        older_url: cards.older.map(|cursor| format!("{path}?after={cursor}")).unwrap_or_default(),
        standing,
        collections,
        tags,
        account,
    })
    .into_response())
}

/// The feeds of an account, for the head of its pages.
pub fn feed_links(page: &Page, account: &account::Model) -> Vec<FeedLink> {
    feeds_of_lang(page, &account.name, &format!("/@{}", account.handle), &account.lang)
}

/// The feeds of what is written in many languages, found under a path: the site's under "".
pub fn feeds_at(page: &Page, title: &str, path: &str) -> Vec<FeedLink> {
    feeds_of_lang(page, title, path, "")
}

/// The feeds found under a path of what is written in `lang`: in the script that the reader chose, or in which they are
/// shown it.
pub fn feeds_of_lang(page: &Page, title: &str, path: &str, lang: &str) -> Vec<FeedLink> {
    let is_wanted =
        |shown: &Shown| *shown != Shown::Original && (page.script.is_chosen || shown.changes(lang));
    let script = Some(page.script.shown).filter(is_wanted);
    [
        ("application/atom+xml", "feed.atom"),
        ("application/rss+xml", "feed.rss"),
        ("application/feed+json", "feed.json"),
    ]
    .into_iter()
    .map(|(kind, file)| FeedLink {
        kind,
        title: title.to_owned(),
        href: path_in(&format!("{path}/{file}"), script),
    })
    .collect()
}

/// How the reader of a page stands to an account.
pub async fn standing(app: &App, page: &Page, account_id: i64) -> Result<Standing, Error> {
    Ok(match &page.user {
        Some(user) => subscriptions::standing(app.db.read(), user, account_id).await?,
        None => Standing::default(),
    })
}
