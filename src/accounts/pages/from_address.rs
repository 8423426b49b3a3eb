//! `/studio/@handle/from`: the account's own sender.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::invalid;
use crate::accounts::from_address;
use crate::accounts::roles::{self, Operation};
use crate::app::App;
use crate::db::entities::from_address::Model;
use crate::error::{Error, Problems};
use crate::mail::check::Proof;
use crate::page::{Page, View, redirect_with_flash};
use crate::studio::{Studio, Tab};

#[derive(Template)]
#[template(path = "accounts/from.html")]
struct FromPage {
    page: Page,
    studio: Studio,
    /// As it was typed.
    address: String,
    problems: Problems,
    chosen: Option<Chosen>,
    /// The site's own.
    usual: String,
}

/// An address with the record that proves it.
struct Chosen {
    row: Model,
    name: String,
    record: String,
}

impl FromPage {
    async fn new(app: &App, page: Page, studio: Studio) -> Result<Self, Error> {
        let row = from_address::of_account(app.db.read(), studio.account.id).await?;
        let chosen = match row {
            Some(row) => {
                let (name, record) = from_address::record(app, &row)?;
                Some(Chosen { row, name, record })
            }
            None => None,
        };
        Ok(Self {
            page: page.titled_key("account-from"),
            studio: studio.at(Tab::Settings),
            address: chosen.as_ref().map(|chosen| chosen.row.address.clone()).unwrap_or_default(),
            problems: Problems::default(),
            chosen,
            usual: app.mailer.from.email.to_string(),
        })
    }
}

/// `GET /studio/@{handle}/from`
pub async fn show_from_address(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    roles::require(app.db.read(), studio.account.id, studio.user.id, Operation::ManageAccount).await?;
    Ok(View(FromPage::new(&app, page, studio).await?).into_response())
}

/// An address as it was typed.
#[derive(Clone, Debug, Deserialize)]
pub struct FromForm {
    #[serde(default)]
    address: String,
}

/// `POST /studio/@{handle}/from`
pub async fn choose_from_address(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<FromForm>,
) -> Result<Response, Error> {
    match from_address::choose(&app, studio.user.id, studio.account.id, &form.address).await {
        Ok(_) => Ok(redirect_with_flash(&studio.path("/from"), "flash-from-chosen")),
        Err(Error::Invalid(problems)) => {
            let page = FromPage::new(&app, page, studio).await?;
            Ok(invalid(FromPage { address: form.address, problems, ..page }))
        }
        Err(error) => Err(error),
    }
}

/// `POST /studio/@{handle}/from/check`
pub async fn check_from_address(State(app): State<Arc<App>>, studio: Studio) -> Result<Response, Error> {
    let flash = match from_address::prove(&app, studio.user.id, studio.account.id).await? {
        Proof::Right => "flash-from-proven",
        Proof::Missing => "flash-from-missing",
        Proof::Another => "flash-from-another",
        Proof::Unknown(why) => {
            tracing::info!(account = studio.account.id, "a domain could not be looked up: {why}");
            "flash-from-unknown"
        }
    };
    Ok(redirect_with_flash(&studio.path("/from"), flash))
}

/// `POST /studio/@{handle}/from/leave`
pub async fn leave_from_address(State(app): State<Arc<App>>, studio: Studio) -> Result<Response, Error> {
    from_address::leave(&app, studio.user.id, studio.account.id).await?;
    Ok(redirect_with_flash(&studio.path("/from"), "flash-from-left"))
}
