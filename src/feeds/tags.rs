//! Feeds of tags: of the whole site, and of one account.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::pages::{Validators, items, tag as name_for_good};
use super::script::{InScript, of_feed};
use super::{Feed, Format, MAX_ARTICLES, newest_change, queries};
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::articles::tags::folded;
use crate::clock::Timestamp;
use crate::db::entities::account;
use crate::error::Error;
use crate::home;
use crate::home::tags::path;
use crate::hub;
use crate::page::Locale;
use crate::path::Path;
use crate::shown::{Shown, path_in};

/// `GET /tag/{tag}/feed.atom`, `.rss`, `.json`
pub async fn show_tag_feed(
    State(app): State<Arc<App>>,
    Path(tag): Path<String>,
    format: Format,
    script: InScript,
    headers: HeaderMap,
) -> Result<Response, Error> {
    tag_feed(&app, None, &tag, (format, script), &headers).await
}

/// `GET /@{handle}/tag/{tag}/feed.atom`, `.rss`, `.json`
pub async fn show_account_tag_feed(
    State(app): State<Arc<App>>,
    Path((handle, tag)): Path<(String, String)>,
    format: Format,
    script: InScript,
    headers: HeaderMap,
) -> Result<Response, Error> {
    match open_by_handle(app.db.read(), &handle).await? {
        Found::Here(account) => tag_feed(&app, Some(account), &tag, (format, script), &headers).await,
        Found::Moved(account) => {
            let path = format!("{}/{}", path(Some(&account), &tag), format.file());
            Ok(Redirect::permanent(&path_in(&path, of_feed(script.0))).into_response())
        }
    }
}

async fn tag_feed(
    app: &App,
    account: Option<account::Model>,
    tag: &str,
    (format, InScript(shown)): (Format, InScript),
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let feed = feed(app, account.as_ref(), &folded(tag), format, shown).await?;
    if feed.items.is_empty() {
        return Err(Error::NotFound);
    }
    Ok(Validators::of_feed(&feed).answer_if_new(app, format, &feed, headers))
}

/// The feed of a folded tag, of one account or of the site; empty where nobody uses it.
pub(super) async fn feed(
    app: &App,
    account: Option<&account::Model>,
    key: &str,
    format: Format,
    shown: Shown,
) -> Result<Feed, Error> {
    let db = app.db.read();
    let account_id = account.map(|account| account.id);
    let ids = home::queries::tags::ids(db, key, account_id, None, MAX_ARTICLES).await?;
    let site = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let (of, lang) = match account {
        Some(account) => (account.name.clone(), account.lang.clone()),
        None => (app.config.site_name_in(site), site.code().to_owned()),
    };
    let locale = Locale::from_tag(&lang).unwrap_or(site);
    let written = home::queries::tags::names(db, key, account_id).await?;
    let name = home::tags::name(&written, locale).unwrap_or_else(|| key.to_owned());
    let name = home::tags::name_in(&name, shown);
    let path = path(account, key);
    let items = items(app, queries::articles(db, &ids).await?, shown).await?;
    let updated = newest_change(&items);
    let feed = Feed {
        id: name_for_good(app, &path, account.map_or(Timestamp(0), |account| account.created_at)),
        title: format!("#{name} · {of}"),
        description: String::new(),
        lang,
        page_url: app.config.url(&path),
        self_url: app.config.url(&format!("{path}/{}", format.file())),
        hubs: vec![hub::own_address(&app.config)],
        icon_url: None,
        updated,
        items,
        gone: Vec::new(),
    };
    Ok(feed.in_script(shown))
}
