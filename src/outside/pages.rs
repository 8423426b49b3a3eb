//! Pages of outside feeds: their items in one list, one item to read, and the feeds themselves.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use url::Url;

use super::queries::{self, FeedRow, ItemRow, Which, Wish};
use crate::app::App;
use crate::articles::content;
use crate::auth::{CurrentUser, LocalPath};
use crate::clock::Timestamp;
use crate::error::{Error, Problems};
use crate::home::queries::Cursor;
use crate::import::Preview;
use crate::import::discover::FoundFeed;
use crate::lists;
use crate::media;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::reader_apps::shelf::{feeds, states};
use crate::shown::body_in;

#[derive(Template)]
#[template(path = "outside/list.html")]
struct ListPage {
    page: Page,
    items: Vec<ItemRow>,
    /// The one feed that is shown, if not all.
    feed: Option<FeedRow>,
    show: Show,
    has_feeds: bool,
    unread: i64,
    older: Option<Cursor>,
    first: bool,
    now: Timestamp,
}

/// Which items a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Show {
    #[default]
    All,
    Unread,
    Starred,
}

impl Show {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Unread => "unread",
            Self::Starred => "starred",
        }
    }
}

impl ListPage {
    fn base(&self) -> String {
        self.feed.as_ref().map_or_else(|| "/outside".to_owned(), |feed| format!("/outside/feeds/{}", feed.id))
    }

    fn tabs(&self) -> Vec<(&'static str, String, bool)> {
        [(Show::All, "outside-all"), (Show::Unread, "outside-unread"), (Show::Starred, "outside-starred")]
            .into_iter()
            .map(|(show, text)| (text, format!("{}?show={}", self.base(), show.name()), show == self.show))
            .collect()
    }

    fn older_url(&self) -> String {
        let older = self.older.map(|older| older.to_string()).unwrap_or_default();
        format!("{}?show={}&after={older}", self.base(), self.show.name())
    }

    fn feed_id(&self) -> i64 {
        self.feed.as_ref().map_or(0, |feed| feed.id)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    show: Show,
    after: String,
}

/// `GET /outside`
pub async fn list_outside(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Query(query): Query<ListQuery>,
) -> Result<Response, Error> {
    list(&app, page, user.id, None, query).await
}

/// `GET /outside/feeds/{id}`
pub async fn show_outside_feed(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Error> {
    let feed = queries::feed(app.db.read(), user.id, id).await?.ok_or(Error::NotFound)?;
    list(&app, page, user.id, Some(feed), query).await
}

async fn list(
    app: &App,
    mut page: Page,
    user_id: i64,
    feed: Option<FeedRow>,
    query: ListQuery,
) -> Result<Response, Error> {
    let db = app.db.read();
    let after = Cursor::parse(&query.after);
    let wish = Wish {
        which: feed.as_ref().map_or(Which::All, |feed| Which::One(feed.id)),
        only_unread: query.show == Show::Unread,
        only_starred: query.show == Show::Starred,
        after,
    };
    let (items, older) = queries::page(db, user_id, wish).await?;
    let counts = queries::unread_counts(db, user_id).await?;
    let is_shown = |id: i64| feed.as_ref().is_none_or(|feed| feed.id == id);
    let unread = counts.iter().filter(|(id, ..)| is_shown(*id)).map(|(_, count, _)| count).sum();
    let has_feeds = feed.is_some() || !queries::feeds(db, user_id).await?.is_empty();
    page.noindex = true;
    let page = match &feed {
        Some(feed) => page.titled(&feed.title()),
        None => page.titled_key("outside-title"),
    };
    let (first, now) = (after.is_none(), app.clock.now());
    let view = ListPage { page, items, feed, show: query.show, has_feeds, unread, older, first, now };
    Ok(View(view).into_response())
}

#[derive(Template)]
#[template(path = "outside/item.html")]
struct ItemPage {
    page: Page,
    item: ItemRow,
    html: String,
}

/// `GET /outside/items/{id}`: the item, which counts as read from then on.
pub async fn show_outside_item(
    State(app): State<Arc<App>>,
    mut page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let (item, html) = queries::item(app.db.read(), user.id, id).await?.ok_or(Error::NotFound)?;
    if !item.is_read() {
        super::mark_read(&app, user.id, &[id], true).await?;
    }
    page.noindex = true;
    let title = page.shown(&item.title, item.lang()).into_owned();
    let page = page.titled(&title);
    let html = body_in(html, item.lang(), page.script.shown).await?;
    let html = media::body::shown(&html, &page, true);
    let html = content::typeset(&html, item.lang());
    Ok(View(ItemPage { page, item, html }).into_response())
}

/// Where to go back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    next: Option<LocalPath>,
}

impl Back {
    fn or(self, usual: &str) -> String {
        self.next.map_or_else(|| usual.to_owned(), |next| next.to_string())
    }
}

/// `POST /outside/items/{id}/{change}`: read, unread, star, unstar.
pub async fn change_outside_item(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path((id, change)): Path<(i64, String)>,
    Form(back): Form<Back>,
) -> Result<Response, Error> {
    let flash = match change.as_str() {
        "read" | "unread" => {
            super::mark_read(&app, user.id, &[id], change == "read").await?;
            if change == "read" { "flash-outside-read" } else { "flash-outside-unread" }
        }
        "star" | "unstar" => {
            super::star(&app, user.id, &[id], change == "star").await?;
            if change == "star" { "flash-outside-starred" } else { "flash-outside-unstarred" }
        }
        _ => return Err(Error::NotFound),
    };
    Ok(redirect_with_flash(&back.or("/outside"), flash))
}

/// What counts as read: until when, and of which feed (0: of all).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReadForm {
    until: i64,
    feed: i64,
}

/// `POST /outside/read`
pub async fn mark_outside_read(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Form(form): Form<ReadForm>,
) -> Result<Response, Error> {
    let which = if form.feed > 0 { Which::One(form.feed) } else { Which::All };
    super::mark_all_read(&app, user.id, which, Timestamp(form.until)).await?;
    let back = if form.feed > 0 { format!("/outside/feeds/{}", form.feed) } else { "/outside".into() };
    Ok(redirect_with_flash(&back, "flash-timeline-read"))
}

struct Row {
    feed: FeedRow,
    unread: i64,
    list: String,
}

#[derive(Template)]
#[template(path = "outside/feeds.html")]
struct FeedsPage {
    page: Page,
    rows: Vec<Row>,
    lists: Vec<(i64, String)>,
    url: String,
    choices: Vec<FoundFeed>,
    problems: Problems,
}

impl FeedsPage {
    async fn load(app: &App, mut page: Page, user_id: i64) -> Result<Self, Error> {
        let db = app.db.read();
        let lists = feeds::lists(db, user_id).await?;
        let names: HashMap<i64, &String> = lists.iter().map(|(id, name)| (*id, name)).collect();
        let unread: HashMap<i64, i64> = queries::unread_counts(db, user_id)
            .await?
            .into_iter()
            .map(|(id, count, _)| (id, count))
            .collect();
        let rows = queries::feeds(db, user_id).await?.into_iter().map(|feed| Row {
            unread: unread.get(&feed.id).copied().unwrap_or_default(),
            list: feed.list_id.and_then(|id| names.get(&id)).map(|name| (*name).clone()).unwrap_or_default(),
            feed,
        });
        page.noindex = true;
        Ok(Self {
            page: page.titled_key("outside-feeds-title"),
            rows: rows.collect(),
            lists: lists.clone(),
            url: String::new(),
            choices: Vec::new(),
            problems: Problems::default(),
        })
    }
}

/// An address to begin with, such as one that another app has shared.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FeedsQuery {
    url: String,
}

/// `GET /outside/feeds`
pub async fn list_outside_feeds(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Query(query): Query<FeedsQuery>,
) -> Result<Response, Error> {
    let view = FeedsPage { url: query.url, ..FeedsPage::load(&app, page, user.id).await? };
    Ok(View(view).into_response())
}

/// An address to follow, and a name for it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FollowForm {
    url: String,
    title: String,
}

/// `POST /outside/feeds`: follows a feed by its address or that of its site; where the site has several, asks which.
pub async fn follow_outside(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<FollowForm>,
) -> Result<Response, Error> {
    let followed = async {
        let url = crate::import::fetch::read_address(&form.url);
        let url = url.map_err(|why| Error::invalid("url", why.key()))?;
        if feeds::account_at(&app, &url).await?.is_some() {
            states::follow(&app, &user, url.as_str(), "", false).await?;
            return Ok(Ok("/subscriptions".to_owned()));
        }
        let url: Url = match super::look(&app, url.as_str()).await? {
            Preview::Feed { url, .. } => url,
            Preview::Choices(choices) => return Ok(Err(choices)),
        };
        let new = super::NewFollow { title: form.title.clone(), ..super::NewFollow::default() };
        let followed = super::follow(&app, user.id, &url, new).await?;
        Ok(Ok(format!("/outside/feeds/{}", followed.feed_id)))
    };
    match followed.await {
        Ok(Ok(path)) => Ok(redirect_with_flash(&path, "flash-outside-followed")),
        Ok(Err(choices)) => {
            let view = FeedsPage { url: form.url, choices, ..FeedsPage::load(&app, page, user.id).await? };
            Ok(View(view).into_response())
        }
        Err(Error::Invalid(problems)) => {
            let view = FeedsPage { url: form.url, problems, ..FeedsPage::load(&app, page, user.id).await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The reader's own name for a feed, and the name of its list; an empty one takes it out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FeedForm {
    title: String,
    list: String,
}

/// `POST /outside/feeds/{id}`
pub async fn change_outside_feed(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<FeedForm>,
) -> Result<Response, Error> {
    let list_id = match form.list.trim() {
        "" => None,
        name => Some(lists::named(&app, user.id, name).await?.id),
    };
    super::rename(&app, user.id, id, &form.title).await?;
    super::put_in_list(&app, user.id, id, list_id).await?;
    Ok(redirect_with_flash("/outside/feeds", "flash-saved"))
}

/// `POST /outside/feeds/{id}/{change}`: leave, refresh.
pub async fn change_outside_follow(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path((id, change)): Path<(i64, String)>,
) -> Result<Response, Error> {
    match change.as_str() {
        "leave" => {
            super::unfollow(&app, user.id, id).await?;
            Ok(redirect_with_flash("/outside/feeds", "flash-outside-left"))
        }
        "refresh" => {
            super::refresh_now(&app, user.id, id).await?;
            Ok(redirect_with_flash(&format!("/outside/feeds/{id}"), "flash-outside-refreshing"))
        }
        _ => Err(Error::NotFound),
    }
}
