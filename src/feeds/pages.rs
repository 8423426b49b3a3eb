//! Handlers of feeds, and the conditional answers that feeds and sitemaps share.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

use super::script::{InScript, of_feed};
use super::{Feed, Format, Item, queries};
use crate::accounts::queries::{Found, open_by_handle};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::account;
use crate::db::entities::article;
use crate::error::Error;
use crate::hub;
use crate::packing;
use crate::page::Locale;
use crate::path::Path;
use crate::shown::{Shown, path_in};

/// How long an answer may be shown again without asking, in seconds.
const MAX_AGE: u32 = 60;
/// Goes up when the formats are written differently, so that readers fetch them anew.
const WRITING: u32 = 5;

/// `GET /feed.atom`, `/feed.rss`, `/feed.json`
pub async fn show_site_feed(
    State(app): State<Arc<App>>,
    format: Format,
    InScript(shown): InScript,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let db = app.db.read();
    let newest = queries::newest_event(db, None).await?;
    let validators = Validators::new(&app, newest).in_script(shown);
    if validators.are_met(&headers) {
        return Ok(validators.not_modified());
    }
    let feed = site_feed(&app, format, newest.1, shown).await?;
    Ok(validators.answer_feed(&app, format, &feed))
}

/// The site's feed, whose newest event is of the moment `changed`.
pub(super) async fn site_feed(
    app: &App,
    format: Format,
    changed: Timestamp,
    shown: Shown,
) -> Result<Feed, Error> {
    let articles = queries::newest_articles(app.db.read(), None).await?;
    let items = items(app, articles, shown).await?;
    let locale = Locale::from_tag(&app.config.locale).unwrap_or(Locale::ZhHans);
    let feed = Feed {
        id: tag(app, "site", Timestamp(0)),
        title: app.config.site_name_in(locale),
        description: locale.text("site-tagline"),
        lang: locale.code().to_owned(),
        page_url: app.config.url("/"),
        self_url: app.config.url(&format!("/{}", format.file())),
        hubs: hub::addresses(&app.config),
        icon_url: None,
        updated: changed,
        items,
        gone: Vec::new(),
    };
    Ok(feed.in_script(shown))
}

/// `GET /@{handle}/feed.atom`, `/@{handle}/feed.rss`, `/@{handle}/feed.json`
pub async fn show_account_feed(
    State(app): State<Arc<App>>,
    Path(handle): Path<String>,
    format: Format,
    InScript(shown): InScript,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let db = app.db.read();
    let account = match open_by_handle(db, &handle).await? {
        Found::Here(account) => account,
        Found::Moved(account) => {
            let path = path_in(&format!("/@{}/{}", account.handle, format.file()), of_feed(shown));
            return Ok(Redirect::permanent(&path).into_response());
        }
    };
    let newest = queries::newest_event(db, Some(account.id)).await?;
    let validators = Validators::new(&app, newest).in_script(shown);
    if validators.are_met(&headers) {
        return Ok(validators.not_modified());
    }
    let feed = account_feed(&app, &account, format, newest.1, shown).await?;
    Ok(validators.answer_feed(&app, format, &feed))
}

/// An account's feed; as of [`site_feed`].
pub(super) async fn account_feed(
    app: &App,
    account: &account::Model,
    format: Format,
    changed: Timestamp,
    shown: Shown,
) -> Result<Feed, Error> {
    let articles = queries::newest_articles(app.db.read(), Some(account.id)).await?;
    let items = items(app, articles, shown).await?;
    let path = format!("/@{}", account.handle);
    let feed = Feed {
        id: tag(app, &format!("account/{}", account.id), account.created_at),
        title: account.name.clone(),
        description: account.bio.clone(),
        lang: account.lang.clone(),
        page_url: app.config.url(&path),
        self_url: app.config.url(&format!("{path}/{}", format.file())),
        hubs: hub::addresses(&app.config),
        icon_url: account.avatar_url.as_ref().map(|url| absolute(base_url(app), url)),
        updated: changed.max(account.created_at),
        items,
        gone: Vec::new(),
    };
    Ok(feed.in_script(shown))
}

/// Articles as a feed in a script shows them.
pub(super) async fn items(
    app: &App,
    articles: Vec<article::Model>,
    shown: Shown,
) -> Result<Vec<Item>, Error> {
    let ids: HashSet<i64> = articles.iter().map(|article| article.account_id).collect();
    let accounts = queries::accounts(app.db.read(), ids).await?;
    let mut items = Vec::with_capacity(articles.len());
    for article in articles {
        let Some(account) = accounts.get(&article.account_id) else { continue };
        let account_url = app.config.url(&format!("/@{}", account.handle));
        let path = path_in(&article.slug, of_feed(shown).filter(|shown| shown.changes(&article.lang)));
        items.push(Item {
            id: article_tag(app, article.id, article.created_at),
            url: format!("{account_url}/{path}"),
            account_name: account.name.clone(),
            account_url,
            article: app.bodies.article(article, shown).await?,
        });
    }
    Ok(items)
}

/// Names an article in feeds, for good.
pub(super) fn article_tag(app: &App, id: i64, created_at: Timestamp) -> String {
    tag(app, &format!("article/{id}"), created_at)
}

pub(super) fn base_url(app: &App) -> &str {
    app.config.base_url.trim_end_matches('/')
}

/// A path of ours as an address; other addresses stay as they are.
pub(super) fn absolute(base_url: &str, address: &str) -> String {
    if address.starts_with('/') { format!("{base_url}{address}") } else { address.to_owned() }
}

/// A tag URI (RFC 4151): it names a thing for good, wherever it moves.
pub fn tag(app: &App, thing: &str, since: Timestamp) -> String {
    let host = Url::parse(&app.config.base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let day = since.utc().format("%Y-%m-%d");
    format!("tag:{},{day}:{thing}", host.unwrap_or_default())
}

/// What tells a reader that it has the newest already.
pub(super) struct Validators {
    etag: String,
    /// Nothing where a document can become older than it was.
    last_modified: Option<Timestamp>,
}

impl Validators {
    /// From the newest event that can have changed the document. The event's time is that of its
    /// transaction's beginning, so another may come later with the same second: the tag, not the
    /// time, decides wherever a client sends it.
    pub fn new(app: &App, (event_id, changed): (i64, Timestamp)) -> Self {
        let config = &app.config;
        let names =
            hash_of((&config.site_name, &config.base_url, &config.locale, &config.websub_hubs)) as u32;
        Self { etag: format!("W/\"{event_id:x}-{names:x}-{WRITING}\""), last_modified: Some(changed) }
    }

    /// The same for the document in a script.
    pub fn in_script(mut self, shown: Shown) -> Self {
        if let Some(shown) = of_feed(shown) {
            self.etag = format!("{}-{}\"", self.etag.trim_end_matches('"'), shown.code());
        }
        self
    }

    /// From everything that the document shows.
    pub fn of(content: impl Hash) -> Self {
        Self { etag: format!("W/\"{:x}-{WRITING}\"", hash_of(content)), last_modified: None }
    }

    /// From all that a feed shows.
    pub fn of_feed(feed: &Feed) -> Self {
        let items: Vec<_> =
            feed.items.iter().map(|item| (&item.url, item.article.version, &item.account_name)).collect();
        Self::of((&feed.id, &feed.title, &feed.description, &feed.self_url, feed.updated.0, items))
    }

    /// The feed, unless the client has it already.
    pub fn answer_if_new(&self, app: &App, format: Format, feed: &Feed, headers: &HeaderMap) -> Response {
        if self.are_met(headers) { self.not_modified() } else { self.answer_feed(app, format, feed) }
    }

    /// Whether the client's conditional request may be answered with 304.
    pub fn are_met(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(header::IF_NONE_MATCH) {
            return packing::known(headers, &self.etag).is_some();
        }
        let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        let since = since.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
        // Whole seconds: what changed within the same second must be sent.
        let seconds = self.last_modified.map(|moment| moment.0.div_euclid(1000));
        since.zip(seconds).is_some_and(|(since, seconds)| since.timestamp() > seconds)
    }

    pub fn not_modified(&self) -> Response {
        self.headed(StatusCode::NOT_MODIFIED.into_response())
    }

    /// The feed, with its hubs and its own address also in a header, for those who read no further.
    pub fn answer_feed(&self, app: &App, format: Format, feed: &Feed) -> Response {
        let mut response = self.answer(format.content_type(), feed.write(format, base_url(app)));
        for link in hub::links(&feed.hubs, &feed.self_url) {
            response.headers_mut().append(header::LINK, link);
        }
        response
    }

    pub fn answer(&self, content_type: &'static str, body: String) -> Response {
        self.headed(([(header::CONTENT_TYPE, content_type)], body).into_response())
    }

    fn headed(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        let mut put = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        put(header::ETAG, &self.etag);
        // One second late, so that "not modified since" is true when a client sends it back.
        if let Some(moment) = self.last_modified {
            put(header::LAST_MODIFIED, &Timestamp(moment.0.div_euclid(1000) * 1000 + 1000).http_date());
        }
        put(header::CACHE_CONTROL, &format!("public, max-age={MAX_AGE}"));
        response
    }
}

fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
