//! The inbox's pages: the list, opening an item, and marking all as read.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::queries::{self, Row};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::db::entities::inbox_item::ItemKind;
use crate::error::Error;
use crate::inbox;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;

/// Items on one page.
const SHOWN: u64 = 30;

#[derive(Template)]
#[template(path = "inbox/list.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    only_unread: bool,
    /// Whether these are the newest.
    first: bool,
    /// The newest item of all, up to which everything can be marked as read.
    newest: i64,
    /// The path of older items; empty where there are none.
    older: String,
}

impl ListPage {
    fn is_unread(&self, row: &Row) -> bool {
        row.item.read_at.is_none()
    }

    fn kind_key(&self, row: &Row) -> &'static str {
        match row.item.kind {
            ItemKind::Push => "inbox-kind-push",
            ItemKind::Alert => "inbox-kind-alert",
            ItemKind::Correction => "inbox-kind-correction",
            ItemKind::Withdrawal => "inbox-kind-withdrawal",
        }
    }

    fn kind_class(&self, row: &Row) -> &'static str {
        match row.item.kind {
            ItemKind::Push => "",
            ItemKind::Alert => "accent",
            ItemKind::Correction | ItemKind::Withdrawal => "warn",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wish {
    show: String,
    before: Option<i64>,
}

/// `GET /inbox`
pub async fn list_items(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Query(wish): Query<Wish>,
) -> Result<Response, Error> {
    let only_unread = wish.show == "unread";
    let mut rows = queries::items(app.db.read(), user.id, only_unread, wish.before, SHOWN + 1).await?;
    let more = rows.len() as u64 > SHOWN;
    rows.truncate(SHOWN as usize);
    let show = if only_unread { "show=unread&" } else { "" };
    let oldest = rows.last().filter(|_| more).map(|row| row.item.id);
    let older = oldest.map(|id| format!("/inbox?{show}before={id}")).unwrap_or_default();
    let newest = rows.first().map_or(0, |row| row.item.id);
    let page = page.titled_key("inbox-title");
    let first = wish.before.is_none();
    Ok(View(ListPage { page, rows, only_unread, first, newest, older }).into_response())
}

/// Which article of an item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    article: Option<i64>,
}

/// `GET /inbox/{id}`: marks an item as read and goes to what it tells of. A browser that only looks ahead reads nothing.
pub async fn open_item(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if headers.contains_key("sec-purpose") || headers.contains_key("purpose") {
        return Ok(axum::http::StatusCode::NO_CONTENT.into_response());
    }
    let item = inbox::open(&app, user.id, id).await?;
    let row = queries::with_details(app.db.read(), vec![item]).await?.pop().ok_or(Error::NotFound)?;
    let wanted = row.articles.iter().find(|article| Some(article.id) == which.article);
    let only = row.articles.first().filter(|_| row.articles.len() == 1);
    let path = wanted.or(only).map_or("/inbox", |article| article.path.as_str());
    Ok(Redirect::to(path).into_response())
}

#[derive(Debug, Deserialize)]
pub struct Read {
    newest: i64,
}

/// `POST /inbox/read`: marks all items as read that were there when the page was made.
pub async fn mark_inbox_read(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Form(read): Form<Read>,
) -> Result<Response, Error> {
    inbox::mark_read(&app, user.id, read.newest).await?;
    Ok(redirect_with_flash("/inbox", "flash-inbox-read"))
}
