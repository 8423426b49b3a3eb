//! Subscribing on an account's page, and a signed-in reader's subscriptions.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::accounts::queries::{self as accounts, Found};
use crate::app::App;
use crate::auth::{Address, CurrentUser, LocalPath, MaybeUser};
use crate::db::entities::account;
use crate::db::entities::subscription::Cadence;
use crate::error::{Error, Message};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::subscriptions::queries::{self, Followed};
use crate::subscriptions::{self, Change};

#[derive(Template)]
#[template(path = "subscriptions/subscribe.html")]
struct SubscribePage {
    page: Page,
    account: account::Model,
    email: String,
    cadence: Cadence,
    error: String,
    asked: bool,
}

#[derive(Template)]
#[template(path = "subscriptions/list.html")]
struct ListPage {
    page: Page,
    list: Vec<Followed>,
}

/// What a subscribe form sends; signed in, nothing is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SubscribeForm {
    email: String,
    cadence: Option<Cadence>,
    /// Where to go back to.
    next: Option<LocalPath>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    asked: Option<String>,
}

/// The form by itself, and the notice after it was sent.
pub async fn show_subscribe_form(
    State(app): State<Arc<App>>,
    page: Page,
    Path(handle): Path<String>,
    Query(Asked { asked }): Query<Asked>,
) -> Result<Response, Error> {
    let account = match accounts::open_by_handle(app.db.read(), &handle).await? {
        Found::Here(account) => account,
        Found::Moved(account) => {
            return Ok(Redirect::permanent(&format!("/@{}/subscribe", account.handle)).into_response());
        }
    };
    let page = subscribe_page(page, &account);
    let cadence = match &page.user {
        Some(user) => queries::standing(app.db.read(), user, account.id).await?.cadence(),
        None => Cadence::Instant,
    };
    let form = SubscribePage {
        page,
        account,
        email: String::new(),
        cadence,
        error: String::new(),
        asked: asked.is_some(),
    };
    Ok(View(form).into_response())
}

/// Subscribes the signed-in user at once, or sends a letter to the address given. Whether that is
/// subscribed already shows neither in the answer nor in where it leads.
pub async fn subscribe(
    State(app): State<Arc<App>>,
    page: Page,
    MaybeUser(user): MaybeUser,
    Path(handle): Path<String>,
    Form(form): Form<SubscribeForm>,
) -> Result<Response, Error> {
    let (Found::Here(account) | Found::Moved(account)) =
        accounts::open_by_handle(app.db.read(), &handle).await?;
    let home = format!("/@{}", account.handle);
    if let Some(user) = user.filter(|_| form.email.is_empty()) {
        subscriptions::subscribe(&app, &user, account.id, form.cadence, page.locale).await?;
        let back = form.next.map_or(home, |next| next.to_string());
        return Ok(redirect_with_flash(&back, "flash-subscription-begun"));
    }
    match Address::parse(&form.email) {
        Ok(address) => {
            subscriptions::ask(&app, &address, account.id, form.cadence, page.locale).await?;
            Ok(Redirect::to(&format!("{home}/subscribe?asked")).into_response())
        }
        Err(message) => Ok(refused(page, account, form, &message)),
    }
}

/// Leaves the account, for the button on its page.
pub async fn unsubscribe(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(handle): Path<String>,
    Form(form): Form<SubscribeForm>,
) -> Result<Response, Error> {
    let found = accounts::by_handle(app.db.read(), &handle).await?.ok_or(Error::NotFound)?;
    let (Found::Here(account) | Found::Moved(account)) = found;
    if let Some(own) = queries::of_user(app.db.read(), user.id, account.id).await? {
        subscriptions::change_own(&app, user.id, own.id, Change::Leave).await?;
    }
    let back = form.next.map_or_else(|| format!("/@{}", account.handle), |next| next.to_string());
    Ok(redirect_with_flash(&back, Change::Leave.flash()))
}

/// The signed-in reader's subscriptions.
pub async fn list_subscriptions(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let list = queries::list_of_user(app.db.read(), user.id).await?;
    let page = page.titled_key("subscription-list-title");
    Ok(View(ListPage { page, list }).into_response())
}

pub async fn change_subscription(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path((id, change)): Path<(i64, String)>,
) -> Result<Response, Error> {
    let change: Change = change.parse().map_err(|_| Error::NotFound)?;
    subscriptions::change_own(&app, user.id, id, change).await?;
    Ok(redirect_with_flash("/subscriptions", change.flash()))
}

/// A cadence that is chosen, and where to go back to.
#[derive(Debug, Deserialize)]
pub struct CadenceForm {
    cadence: Cadence,
    #[serde(default)]
    next: Option<LocalPath>,
}

/// Changes the cadence, from the list or from the account's page.
pub async fn change_cadence(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
    Form(form): Form<CadenceForm>,
) -> Result<Response, Error> {
    let change = Change::from(form.cadence);
    subscriptions::change_own(&app, user.id, id, change).await?;
    let back = form.next.map_or_else(|| "/subscriptions".to_owned(), |next| next.to_string());
    Ok(redirect_with_flash(&back, change.flash()))
}

/// The form again, with what was typed and what is wrong with it.
fn refused(page: Page, account: account::Model, form: SubscribeForm, message: &Message) -> Response {
    let error = page.message(message);
    let page = subscribe_page(page, &account);
    let cadence = form.cadence.unwrap_or(Cadence::Instant);
    let view = View(SubscribePage { page, account, email: form.email, cadence, error, asked: false });
    (axum::http::StatusCode::UNPROCESSABLE_ENTITY, view).into_response()
}

fn subscribe_page(mut page: Page, account: &account::Model) -> Page {
    page.noindex = true;
    let title = page.t1("subscription-subscribe-title", "name", &account.name);
    page.titled(&title)
}
