//! What search engines ask for: sitemaps, the news sitemap and robots.txt.
//!
//! A sitemap page holds the articles of one range of ids, so it never has more than the 50,000
//! that the protocol allows, and the index is written from the highest id alone.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::pages::{Validators, base_url};
use super::queries;
use super::xml::Xml;
use crate::app::App;
use crate::error::Error;
use crate::path::Path;
use crate::shown::is_traditional;

const PAGE: i64 = 50_000;
/// Collections that stand among the accounts.
const COLLECTIONS: u64 = 10_000;
const SCHEMA: (&str, &str) = ("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9");
const NEWS_SCHEMA: (&str, &str) = ("xmlns:news", "http://www.google.com/schemas/sitemap-news/0.9");
const XML: &str = "application/xml; charset=utf-8";
/// News sitemaps tell of two days and at most this many articles.
const NEWS_SPAN: Duration = Duration::from_secs(48 * 3600);
const MAX_NEWS: u64 = 1_000;

/// `GET /sitemap.xml`: the list of sitemaps.
pub async fn show_sitemap_index(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Error> {
    let validators = Validators::new(&app, queries::newest_event(app.db.read(), None).await?);
    if validators.are_met(&headers) {
        return Ok(validators.not_modified());
    }
    let last = queries::last_article_id(app.db.read()).await?;
    let mut xml = Xml::new("sitemapindex", &[SCHEMA]);
    let pages = (0..=last / PAGE).map(|page| format!("/sitemap/{page}.xml"));
    for path in ["/sitemap/accounts.xml".to_owned(), "/sitemap/news.xml".to_owned()].into_iter().chain(pages)
    {
        xml.start("sitemap", &[]);
        xml.text("loc", &app.config.url(&path));
        xml.end();
    }
    Ok(validators.answer(XML, xml.finish()))
}

/// `GET /sitemap/{file}`: `accounts.xml` (with their collections), `news.xml` or a page of articles, `0.xml` and on.
pub async fn show_sitemap(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response, Error> {
    let name = file.strip_suffix(".xml").ok_or(Error::NotFound)?;
    if name == "news" {
        // News leaves its sitemap by time alone: only what it holds tells whether it is another.
        let body = news(&app).await?;
        let validators = Validators::of(&body);
        let known = validators.are_met(&headers);
        return Ok(if known { validators.not_modified() } else { validators.answer(XML, body) });
    }
    let validators = Validators::new(&app, queries::newest_event(app.db.read(), None).await?);
    if validators.are_met(&headers) {
        return Ok(validators.not_modified());
    }
    let body = match name {
        "accounts" => accounts(&app).await?,
        number => {
            let number: i64 = number.parse().map_err(|_| Error::NotFound)?;
            articles(&app, number).await?
        }
    };
    Ok(validators.answer(XML, body))
}

async fn accounts(app: &App) -> Result<String, Error> {
    let mut xml = Xml::new("urlset", &[SCHEMA]);
    for account in queries::active_accounts(app.db.read(), PAGE as u64 - COLLECTIONS).await? {
        xml.start("url", &[]);
        xml.text("loc", &app.config.url(&format!("/@{}", account.handle)));
        xml.end();
    }
    for (handle, slug, updated_at) in queries::collections(app.db.read(), COLLECTIONS).await? {
        xml.start("url", &[]);
        xml.text("loc", &format!("{}/@{handle}/collections/{slug}", base_url(app)));
        xml.text("lastmod", &updated_at.rfc3339());
        xml.end();
    }
    Ok(xml.finish())
}

async fn articles(app: &App, page: i64) -> Result<String, Error> {
    let last = queries::last_article_id(app.db.read()).await?;
    if !(0..=last / PAGE).contains(&page) {
        return Err(Error::NotFound);
    }
    let places = queries::places(app.db.read(), page * PAGE..(page + 1) * PAGE).await?;
    let ids: std::collections::HashSet<i64> = places.iter().map(|place| place.account_id).collect();
    let accounts = queries::accounts(app.db.read(), ids).await?;
    let mut xml = Xml::new("urlset", &[SCHEMA]);
    for place in places {
        let Some(account) = accounts.get(&place.account_id) else { continue };
        xml.start("url", &[]);
        xml.text("loc", &format!("{}/@{}/{}", base_url(app), account.handle, place.slug));
        xml.text("lastmod", &place.updated_at.rfc3339());
        xml.end();
    }
    Ok(xml.finish())
}

async fn news(app: &App) -> Result<String, Error> {
    let since = app.clock.now() - NEWS_SPAN;
    let articles = queries::published_since(app.db.read(), since, MAX_NEWS).await?;
    let ids: std::collections::HashSet<i64> = articles.iter().map(|article| article.account_id).collect();
    let accounts = queries::accounts(app.db.read(), ids).await?;
    let mut xml = Xml::new("urlset", &[SCHEMA, NEWS_SCHEMA]);
    for article in articles {
        let Some(account) = accounts.get(&article.account_id) else { continue };
        xml.start("url", &[]);
        xml.text("loc", &format!("{}/@{}/{}", base_url(app), account.handle, article.slug));
        xml.start("news:news", &[]);
        xml.start("news:publication", &[]);
        xml.text("news:name", &account.name);
        xml.text("news:language", news_language(&article.lang));
        xml.end();
        xml.text("news:publication_date", &article.published_at.unwrap_or(article.created_at).rfc3339());
        xml.text("news:title", &article.title);
        xml.end();
        xml.end();
    }
    Ok(xml.finish())
}

/// The protocol knows two written languages of Chinese by the names of places.
fn news_language(lang: &str) -> &str {
    match lang {
        lang if is_traditional(lang) => "zh-tw",
        lang if lang.starts_with("zh") => "zh-cn",
        lang => lang.split('-').next().unwrap_or(lang),
    }
}

/// `GET /robots.txt`
pub async fn show_robots(State(app): State<Arc<App>>) -> Response {
    let text = format!(
        "User-agent: *\nDisallow: /api/\nDisallow: /studio\nDisallow: /settings\nDisallow: /search\nDisallow: /look\nDisallow: /demo/\n\nSitemap: {0}/sitemap.xml\nSitemap: {0}/sitemap/news.xml\n",
        base_url(&app)
    );
    (
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=3600"),
        ],
        text,
    )
        .into_response()
}
