//! `/studio/accounts`: all accounts of the instance, for its operators.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::accounts::queries::{self, Listing, Summary};
use crate::accounts::{self, By};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::error::Error;
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;

const PAGE: usize = 50;

/// What is looked for, and where in the list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ListQuery {
    #[serde(default)]
    q: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "accounts/all.html")]
struct AllPage {
    page: Page,
    accounts: Vec<Summary>,
    q: String,
    older_url: String,
}

/// `GET /studio/accounts`
pub async fn list_accounts(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    page: Page,
    Query(query): Query<ListQuery>,
) -> Result<Response, Error> {
    By::User(&user).require_operator()?;
    let listing =
        Listing { words: &query.q, with_hidden: true, before: query.before, limit: PAGE as u64 + 1 };
    let mut accounts = queries::list(app.db.read(), listing).await?;
    let more = accounts.len() > PAGE;
    accounts.truncate(PAGE);
    let older_url = match accounts.last().filter(|_| more) {
        Some(last) => {
            let q: String = url::form_urlencoded::byte_serialize(query.q.as_bytes()).collect();
            format!("/studio/accounts?q={q}&before={}", last.account.id)
        }
        None => String::new(),
    };
    let page = page.titled_key("accounts-all");
    Ok(View(AllPage { page, accounts, q: query.q, older_url }).into_response())
}

/// What an operator decides about an account, as in the address.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Verify,
    Unverify,
    Suspend,
    Reinstate,
}

/// `POST /studio/accounts/{account}/{decision}`
pub async fn decide_account(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path((account_id, decision)): Path<(i64, Decision)>,
) -> Result<Response, Error> {
    let by = By::User(&user);
    match decision {
        Decision::Verify => accounts::verify(&app, by, account_id).await?,
        Decision::Unverify => accounts::unverify(&app, by, account_id).await?,
        Decision::Suspend => accounts::suspend(&app, by, account_id).await?,
        Decision::Reinstate => accounts::reinstate(&app, by, account_id).await?,
    };
    Ok(redirect_with_flash("/studio/accounts", "flash-account-decided"))
}
