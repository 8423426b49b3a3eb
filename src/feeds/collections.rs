//! The feed of a collection: its articles, what was published last first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::pages::{Validators, base_url, items, tag};
use super::script::{InScript, of_feed};
use super::{Feed, Format, MAX_ARTICLES, newest_change, queries};
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::collections;
use crate::db::entities::article::ArticleState;
use crate::db::entities::{account, collection};
use crate::error::Error;
use crate::hub;
use crate::path::Path;
use crate::shown::{Shown, path_in};

/// `GET /@{handle}/collections/{slug}/feed.atom`, `.rss`, `.json`
pub async fn show_collection_feed(
    State(app): State<Arc<App>>,
    Path((handle, slug)): Path<(String, String)>,
    format: Format,
    InScript(shown): InScript,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account = match open_by_handle(db, &handle).await? {
        Found::Here(account) => account,
        Found::Moved(account) => {
            let path = format!("/@{}/collections/{slug}/{}", account.handle, format.file());
            let path = path_in(&path, of_feed(shown));
            return Ok(Redirect::permanent(&path).into_response());
        }
    };
    let collection = collections::queries::by_slug(db, account.id, &slug).await?.ok_or(Error::NotFound)?;
    let feed = feed(&app, &account, &collection, format, shown).await?;
    Ok(Validators::of_feed(&feed).answer_if_new(&app, format, &feed, &headers))
}

/// The feed of a collection.
pub(super) async fn feed(
    app: &App,
    account: &account::Model,
    collection: &collection::Model,
    format: Format,
    shown: Shown,
) -> Result<Feed, Error> {
    let db = app.db.read();
    let ids = collections::queries::published_ids(db, collection.id).await?;
    let ids = queries::newest_of(db, ids, ArticleState::Published, MAX_ARTICLES).await?;
    let path = collections::pages::path(account, collection);
    let items = items(app, queries::articles(db, &ids).await?, shown).await?;
    let updated = newest_change(&items);
    let feed = Feed {
        id: tag(app, &format!("collection/{}", collection.id), collection.created_at),
        title: format!("{} · {}", shown.text(&collection.title, &account.lang), account.name),
        description: collection.intro.clone(),
        lang: account.lang.clone(),
        page_url: app.config.url(&path),
        self_url: app.config.url(&format!("{path}/{}", format.file())),
        hubs: vec![hub::own_address(&app.config)],
        icon_url: account.avatar_url.as_ref().map(|url| super::pages::absolute(base_url(app), url)),
        updated: updated.max(collection.updated_at),
        items,
        gone: Vec::new(),
    };
    Ok(feed.in_script(shown))
}
