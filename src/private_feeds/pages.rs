//! The private feeds themselves.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::{ENDINGS, open};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState, BodyFormat, Tags};
use crate::db::entities::user;
use crate::error::Error;
use crate::feeds::pages::tag;
use crate::feeds::{self, Feed, Format, MAX_ARTICLES};
use crate::lists;
use crate::packing;
use crate::page::Locale;
use crate::path::Path;
use crate::reader_apps::shelf::items::{self, Item};
use crate::reader_apps::shelf::stream::{self, Place, Wish};

/// `GET /f/{signed}/timeline.atom`, `.rss`, `.json`, and the same of `list-{id}`
pub async fn show_private_feed(
    State(app): State<Arc<App>>,
    Path((signed, file)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, Error> {
    let (name, ending) = file.rsplit_once('.').ok_or(Error::NotFound)?;
    let format = ENDINGS.into_iter().find(|(known, ..)| *known == ending).ok_or(Error::NotFound)?.2;
    let user = open(&app, &signed).await?;
    let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans);
    let (place, title) = match name.strip_prefix("list-") {
        None if name == "timeline" => (Place::All, locale.text("timeline-title")),
        None => return Err(Error::NotFound),
        Some(id) => {
            let id = id.parse().map_err(|_| Error::NotFound)?;
            let list = lists::queries::get_own(app.db.read(), user.id, id).await?;
            (Place::List(list.id), list.name)
        }
    };
    let positions = stream::page(app.db.read(), user.id, &Wish::newest(place, MAX_ARTICLES)).await?;
    let keys: Vec<_> = positions.into_iter().map(|position| position.key).collect();
    let items = items::load(&app, user.id, &keys).await?;
    let title = format!("{title} · {}", app.config.site_name_in(locale));
    let feed = feed_of(&app, &user, locale, title, &format!("/f/{signed}/{file}"), items);
    Ok(answer(format, feed.write(format, app.config.base_url.trim_end_matches('/')), &asked))
}

fn feed_of(
    app: &App,
    user: &user::Model,
    locale: Locale,
    title: String,
    path: &str,
    items: Vec<Item>,
) -> Feed {
    let updated = items.iter().map(|item| item.updated).max().unwrap_or(user.created_at);
    Feed {
        id: tag(app, &format!("reader/{}", user.id), user.created_at),
        title,
        description: String::new(),
        lang: locale.code().to_owned(),
        page_url: app.config.url("/timeline"),
        self_url: app.config.url(path),
        hubs: Vec::new(),
        icon_url: None,
        updated,
        items: items.into_iter().map(|item| written(app, item)).collect(),
        gone: Vec::new(),
    }
}

/// An item as feeds write articles, whatever it is.
fn written(app: &App, item: Item) -> feeds::Item {
    feeds::Item {
        id: tag(app, &format!("item/{}", item.number), Timestamp(0)),
        url: item.url,
        account_name: item.feed_title,
        account_url: item.feed_page_url,
        article: article::Model {
            id: item.number,
            account_id: item.feed.number(),
            external_id: None,
            slug: String::new(),
            title: item.title,
            digest: String::new(),
            author: item.author,
            body_format: BodyFormat::Html,
            body_source: None,
            body_html: item.html,
            cover_url: None,
            tags: Tags::default(),
            lang: item.lang,
            original_url: None,
            state: ArticleState::Published,
            version: 1,
            word_count: 0,
            created_by: None,
            created_at: item.arrived,
            updated_at: item.updated,
            publish_at: None,
            published_at: Some(item.published),
            withdrawn_at: None,
            withdrawn_reason: None,
            idempotency_key: None,
        },
    }
}

fn answer(format: Format, body: String, asked: &HeaderMap) -> Response {
    let tag = format!("W/\"{}\"", &hex::encode(Sha256::digest(&body))[..32]);
    let mut response = if packing::known(asked, &tag).is_some() {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, format.content_type())], body).into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        ("etag", tag.as_str()),
        ("cache-control", "private, max-age=60"),
        ("x-robots-tag", "noindex, nofollow"),
        ("referrer-policy", "no-referrer"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
