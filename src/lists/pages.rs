//! The page where a reader makes lists and sorts their subscriptions into them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::queries;
use super::{LONGEST_NAME, Way};
use crate::app::App;
use crate::auth::{CurrentUser, LocalPath};
use crate::db::entities::{list, user};
use crate::error::{Error, Problems};
use crate::lists;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::subscriptions::queries::{self as subscriptions, Followed};

const HOME: &str = "/lists";

#[derive(Template)]
#[template(path = "lists/list.html")]
struct ListsPage {
    page: Page,
    lists: Vec<list::Model>,
    followed: Vec<Followed>,
    /// Lists by the subscriptions in them.
    of_subscription: HashMap<i64, i64>,
    /// The list whose form was sent (0 for a new one), what was typed, and what is wrong with it.
    wrong: Option<i64>,
    typed: String,
    problems: Problems,
}

impl ListsPage {
    fn count(&self, list: &list::Model) -> usize {
        self.of_subscription.values().filter(|id| **id == list.id).count()
    }

    fn list_of(&self, followed: &Followed) -> Option<i64> {
        self.of_subscription.get(&followed.id).copied()
    }

    fn name<'a>(&'a self, list: &'a list::Model) -> &'a str {
        if self.wrong == Some(list.id) { &self.typed } else { &list.name }
    }

    fn problem(&self, list: &list::Model) -> String {
        if self.wrong == Some(list.id) { self.page.problem(&self.problems, "name") } else { String::new() }
    }

    fn new_name(&self) -> &str {
        if self.wrong == Some(0) { &self.typed } else { "" }
    }

    fn new_problem(&self) -> String {
        if self.wrong == Some(0) { self.page.problem(&self.problems, "name") } else { String::new() }
    }

    fn longest(&self) -> usize {
        LONGEST_NAME
    }
}

/// Is this the list that something is in?
pub fn is_in(chosen: impl Borrow<Option<i64>>, list_id: impl Borrow<i64>) -> bool {
    *chosen.borrow() == Some(*list_id.borrow())
}

async fn lists_page(app: &App, page: Page, user: &user::Model) -> Result<ListsPage, Error> {
    let db = app.db.read();
    Ok(ListsPage {
        page: page.titled_key("list-title"),
        lists: queries::of_user(db, user.id).await?,
        followed: subscriptions::list_of_user(db, user.id).await?,
        of_subscription: queries::of_subscriptions(db, user.id).await?,
        wrong: None,
        typed: String::new(),
        problems: Problems::default(),
    })
}

/// `GET /lists`
pub async fn show_lists(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    Ok(View(lists_page(&app, page, &user).await?).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NameForm {
    name: String,
}

/// `POST /lists`
pub async fn create_list(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<NameForm>,
) -> Result<Response, Error> {
    let done = lists::create(&app, user.id, &form.name).await.map(|_| ());
    answer(&app, page, &user, 0, form, done, "flash-list-created").await
}

/// `POST /lists/{id}`
pub async fn rename_list(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<NameForm>,
) -> Result<Response, Error> {
    let done = lists::rename(&app, user.id, id, &form.name).await;
    answer(&app, page, &user, id, form, done, "flash-list-renamed").await
}

async fn answer(
    app: &App,
    page: Page,
    user: &user::Model,
    list_id: i64,
    form: NameForm,
    done: Result<(), Error>,
    flash: &'static str,
) -> Result<Response, Error> {
    match done {
        Ok(()) => Ok(redirect_with_flash(HOME, flash)),
        Err(Error::Invalid(problems)) => {
            let view = lists_page(app, page, user).await?;
            let view = ListsPage { wrong: Some(list_id), typed: form.name, problems, ..view };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /lists/{id}/{way}`: `up` or `down`.
pub async fn shift_list(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path((id, way)): Path<(i64, String)>,
) -> Result<Response, Error> {
    let way: Way = way.parse().map_err(|_| Error::NotFound)?;
    lists::shift(&app, user.id, id, way).await?;
    Ok(redirect_with_flash(HOME, "flash-list-moved"))
}

/// `POST /lists/{id}/delete`
pub async fn delete_list(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    lists::delete(&app, user.id, id).await?;
    Ok(redirect_with_flash(HOME, "flash-list-deleted"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PutForm {
    /// An id, or nothing for none.
    list: String,
    next: LocalPath,
}

/// `POST /subscriptions/{id}/list`
pub async fn put_subscription(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<PutForm>,
) -> Result<Response, Error> {
    let list_id = match form.list.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| Error::NotFound)?),
    };
    lists::put(&app, user.id, id, list_id).await?;
    let back = if form.next.is_root() { HOME } else { form.next.as_str() };
    Ok(redirect_with_flash(back, "flash-list-put"))
}
