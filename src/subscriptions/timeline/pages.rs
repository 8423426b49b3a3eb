//! The timeline's page, and what is done from it.

use std::borrow::Borrow;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::mute::Mute;
use super::queries::{self, COUNTED, Followed, Scope, Timeline, TimelineItem, Wanted};
use super::settings::{self, LONGEST_WORD, MOST_WORDS};
use super::{mark_all_read, mark_many, mark_read_above, visit_soon};
use crate::app::App;
use crate::auth::{CurrentUser, LocalPath};
use crate::clock::Timestamp;
use crate::db::entities::list;
use crate::error::{Error, Problems};
use crate::home::queries::Cursor;
use crate::lists;
use crate::outbox;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::readers;

/// Accounts named beside the timeline; the others are on the page of subscriptions.
const BESIDE: usize = 60;
/// Tags offered, of the articles on the page.
const TAGS: usize = 12;

#[derive(Template)]
#[template(path = "subscriptions/timeline.html")]
struct TimelinePage {
    page: Page,
    timeline: Timeline,
    place: Place,
    /// `12`, or `99+`.
    unread: String,
    /// Whether this is the first page.
    first: bool,
    /// The newest article that the reader has seen on this walk down the timeline.
    newest: Option<Cursor>,
    lists: Vec<list::Model>,
    followed: Vec<Followed>,
    /// Each with the language of an article that has it.
    tags: Vec<(String, String)>,
    /// Before which article the last visit ended, and how many above are new since then.
    since: Option<(usize, usize)>,
    has_words: bool,
}

impl TimelinePage {
    fn older_url(&self) -> String {
        let Some(older) = self.timeline.older else { return String::new() };
        let mut more = vec![("after", older.to_string())];
        more.extend(self.newest.map(|newest| ("newest", newest.to_string())));
        self.place.path_with(&more)
    }

    fn has_unread(&self) -> bool {
        self.unread != "0"
    }

    fn oldest(&self) -> Option<Cursor> {
        self.timeline.items.last().map(TimelineItem::cursor)
    }

    /// New articles above this one, where the last visit ended here.
    fn new_above(&self, index: impl Borrow<usize>) -> Option<usize> {
        self.since.filter(|(at, _)| at == index.borrow()).map(|(_, count)| count)
    }

    fn list_url(&self, list: &list::Model) -> String {
        self.place.of_list(Some(list.id)).path()
    }

    fn whole_url(&self) -> String {
        self.place.of_list(None).path()
    }

    /// The account that the page is narrowed to.
    fn chosen(&self) -> Option<&Followed> {
        self.followed.iter().find(|row| row.handle == self.place.account)
    }

    fn is_chosen(&self, list: &list::Model) -> bool {
        self.place.list == Some(list.id)
    }

    /// How many accounts of a list have something unread.
    fn unread_in(&self, list: &list::Model) -> usize {
        self.followed.iter().filter(|row| row.list_id == Some(list.id) && row.has_unread()).count()
    }

    /// The accounts beside the page: of the list that is chosen, or all.
    fn beside(&self) -> impl Iterator<Item = &Followed> {
        let of_list = |row: &&Followed| self.place.list.is_none() || row.list_id == self.place.list;
        self.followed.iter().filter(of_list).take(BESIDE)
    }
}

/// What part of the timeline is looked at, as its address says.
#[derive(Clone, Debug, Default)]
struct Place {
    only_unread: bool,
    /// A handle; empty: all accounts.
    account: String,
    list: Option<i64>,
    tag: String,
    /// Articles with the reader's mute words are shown too.
    with_muted: bool,
}

impl Place {
    /// The first page.
    fn path(&self) -> String {
        self.path_with(&[])
    }

    fn path_with(&self, more: &[(&str, String)]) -> String {
        let list = self.list.map(|id| id.to_string()).unwrap_or_default();
        let own = [
            ("show", if self.only_unread { "unread" } else { "" }),
            ("account", self.account.as_str()),
            ("list", list.as_str()),
            ("tag", self.tag.as_str()),
            ("muted", if self.with_muted { "show" } else { "" }),
        ];
        let mut query = Serializer::new(String::new());
        query.extend_pairs(own.into_iter().filter(|(_, value)| !value.is_empty())).extend_pairs(more);
        let query = query.finish();
        if query.is_empty() { "/timeline".to_owned() } else { format!("/timeline?{query}") }
    }

    fn showing(&self, only_unread: bool) -> String {
        Self { only_unread, ..self.clone() }.path()
    }

    fn of_account(&self, handle: &str) -> String {
        Self { account: handle.to_owned(), list: None, tag: String::new(), ..self.clone() }.path()
    }

    fn of_list(&self, list: Option<i64>) -> Self {
        Self { account: String::new(), list, tag: String::new(), ..self.clone() }
    }

    fn of_tag(&self, tag: &str) -> String {
        Self { tag: tag.to_owned(), ..self.clone() }.path()
    }

    fn muted(&self, with_muted: bool) -> String {
        Self { with_muted, ..self.clone() }.path()
    }

    /// Whether nothing narrows the timeline.
    fn is_whole(&self) -> bool {
        self.account.is_empty() && self.list.is_none() && self.tag.is_empty()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimelineQuery {
    show: String,
    account: String,
    list: String,
    tag: String,
    muted: String,
    after: String,
    newest: String,
}

/// `GET /timeline`
pub async fn show_timeline(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Query(query): Query<TimelineQuery>,
) -> Result<Response, Error> {
    let db = app.db.read();
    let followed = queries::followed(db, user.id).await?;
    let lists = lists::queries::of_user(db, user.id).await?;
    let after = Cursor::parse(&query.after);
    let place = Place {
        only_unread: query.show == "unread",
        account: query.account,
        list: query.list.parse().ok().filter(|id| lists.iter().any(|list| list.id == *id)),
        tag: query.tag.trim().to_owned(),
        with_muted: query.muted == "show",
    };
    let wanted = Wanted {
        only_unread: place.only_unread,
        scope: scope_of(&followed, &place.account, place.list),
        tag: place.tag.clone(),
    };
    let known = settings::of_user(db, user.id).await?;
    let words = known.as_ref().map(|row| row.mute_words.0.as_slice()).unwrap_or_default();
    let mute = Mute::of(words);
    let shown = if place.with_muted { Mute::default() } else { Mute::of(words) };
    let mut left_at = None;
    if after.is_none() && place.is_whole() {
        // Before the page is read, so that it shows all that counts as seen.
        let seen = outbox::latest(db).await?;
        readers::mark_visit_soon(&app, &user.email, seen);
        left_at = visit_soon(&app, user.id, known.as_ref());
    } else if let Some(row) = &known {
        left_at = row.left_at;
    }
    let timeline = queries::page(db, user.id, &wanted, &shown, after).await?;
    let unread = queries::count_unread(db, user.id, &wanted.scope, &mute).await?;
    let unread = if unread < COUNTED { unread.to_string() } else { format!("{}+", COUNTED - 1) };
    let newest = Cursor::parse(&query.newest).or_else(|| timeline.items.first().map(TimelineItem::cursor));
    let page = page.with_covers(&app, timeline.items.iter().map(|item| &item.cover_url)).await?;
    let view = TimelinePage {
        page: page.titled_key("timeline-title"),
        since: left_at.and_then(|moment| since(&timeline, moment)),
        tags: tags_of(&timeline),
        has_words: !words.is_empty(),
        timeline,
        place,
        unread,
        first: after.is_none(),
        newest,
        lists,
        followed,
    };
    Ok(View(view).into_response())
}

/// An account that is not followed has nothing on the timeline.
fn scope_of(followed: &[Followed], handle: &str, list: Option<i64>) -> Scope {
    let account = followed.iter().find(|row| row.handle == handle).map(|row| row.account_id);
    Scope { account: if handle.is_empty() { None } else { Some(account.unwrap_or_default()) }, list }
}

/// Where on the page the last visit ended: the first article that was there then, and how many stand above it.
fn since(timeline: &Timeline, left_at: Timestamp) -> Option<(usize, usize)> {
    let at =
        timeline.items.iter().position(|item| item.published_at.is_some_and(|moment| moment <= left_at))?;
    (at > 0).then_some((at, at))
}

/// The tags of a page's articles, those of most of them first, with the language of one of these.
fn tags_of(timeline: &Timeline) -> Vec<(String, String)> {
    let mut counted: Vec<(&String, &String, usize)> = Vec::new();
    for item in &timeline.items {
        for tag in &item.tags.0 {
            match counted.iter_mut().find(|(known, ..)| *known == tag) {
                Some((.., count)) => *count += 1,
                None => counted.push((tag, &item.lang, 1)),
            }
        }
    }
    counted.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    counted.into_iter().take(TAGS).map(|(tag, lang, _)| (tag.clone(), lang.clone())).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReadForm {
    /// The places between which articles were read; no `oldest` means everything up to `newest`.
    newest: String,
    oldest: String,
    /// What the page was narrowed to.
    account: String,
    list: String,
    next: LocalPath,
}

/// `POST /timeline/read`: marks as read what the reader has seen so far, or everything.
pub async fn mark_timeline_read(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Form(form): Form<ReadForm>,
) -> Result<Response, Error> {
    let newest = Cursor::parse(&form.newest).ok_or_else(|| Error::invalid("newest", "error-invalid"))?;
    let followed = match form.account.is_empty() {
        true => Vec::new(),
        false => queries::followed(app.db.read(), user.id).await?,
    };
    let scope = scope_of(&followed, &form.account, form.list.parse().ok());
    match Cursor::parse(&form.oldest) {
        Some(oldest) => mark_read_above(&app, user.id, &scope, newest, oldest).await?,
        None => mark_all_read(&app, user.id, &scope, Timestamp(newest.published_at)).await?,
    }
    let back = if form.next.is_root() { "/timeline" } else { form.next.as_str() };
    Ok(redirect_with_flash(back, "flash-timeline-read"))
}

/// Where to go back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BackForm {
    next: LocalPath,
    /// A script asks, which shows by itself what was done.
    quiet: Option<String>,
}

/// `POST /timeline/articles/{id}/{mark}`: `read` or `unread`.
pub async fn mark_article(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path((id, mark)): Path<(i64, String)>,
    Form(form): Form<BackForm>,
) -> Result<Response, Error> {
    let is_read = match mark.as_str() {
        "read" => true,
        "unread" => false,
        _ => return Err(Error::NotFound),
    };
    mark_many(&app, user.id, &[id], is_read).await?;
    if form.quiet.is_some() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let back = if form.next.is_root() { "/timeline" } else { form.next.as_str() };
    Ok(Redirect::to(&format!("{back}#a{id}")).into_response())
}

#[derive(Template)]
#[template(path = "subscriptions/mute.html")]
struct MutePage {
    page: Page,
    words: String,
    problems: Problems,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MuteForm {
    words: String,
}

/// `GET /timeline/mute`
pub async fn show_mute_words(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let known = settings::of_user(app.db.read(), user.id).await?;
    let words = known.map(|row| row.mute_words.0.join("\n")).unwrap_or_default();
    let page = page.titled_key("timeline-mute-title");
    Ok(View(MutePage { page, words, problems: Problems::default() }).into_response())
}

/// `POST /timeline/mute`
pub async fn change_mute_words(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<MuteForm>,
) -> Result<Response, Error> {
    match settings::change_mute_words(&app, user.id, &form.words).await {
        Ok(()) => Ok(redirect_with_flash("/timeline", "flash-timeline-muted")),
        Err(Error::Invalid(problems)) => {
            let page = page.titled_key("timeline-mute-title");
            let view = View(MutePage { page, words: form.words, problems });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

impl MutePage {
    fn hint(&self) -> String {
        self.page.t2("timeline-mute-hint", "most", MOST_WORDS, "letters", LONGEST_WORD)
    }
}
