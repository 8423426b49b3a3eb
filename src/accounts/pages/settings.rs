//! `/studio/@handle/settings`: profile, picture and handle.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use sea_orm::Iterable;
use serde::Deserialize;

use super::{invalid, languages_with};
use crate::accounts::profile::{MOST_LINKS, ProfileForm};
use crate::accounts::roles::{self, Operation};
use crate::accounts::{self};
use crate::app::App;
use crate::db::entities::account::{Link, Region, Topic};
use crate::error::{Error, Problems};
use crate::media::picture::Use;
use crate::media::{self, pages::Upload};
use crate::page::{Page, View, redirect_with_flash};
use crate::studio::{Studio, Tab};

#[derive(Template)]
#[template(path = "accounts/settings.html")]
struct SettingsPage {
    page: Page,
    studio: Studio,
    form: ProfileForm,
    handle: String,
    problems: Problems,
    languages: Vec<String>,
}

impl SettingsPage {
    fn new(page: Page, studio: Studio, form: ProfileForm, problems: Problems) -> Self {
        let languages = languages_with(&form.lang);
        let handle = studio.account.handle.clone();
        let page = page.titled_key("studio-settings");
        Self { page, studio: studio.at(Tab::Settings), form, handle, problems, languages }
    }

    /// Values to choose from, and whether each is chosen; the first is none.
    fn regions(&self) -> Vec<(&'static str, bool)> {
        let all = Region::iter().map(Into::into);
        std::iter::once("").chain(all).map(|value| (value, value == self.form.region)).collect()
    }

    fn topics(&self) -> Vec<(&'static str, bool)> {
        let all = Topic::iter().map(Into::into);
        std::iter::once("").chain(all).map(|value| (value, value == self.form.topic)).collect()
    }

    /// The form's rows of links, and two empty ones at the end where there is room.
    fn link_rows(&self) -> Vec<Link> {
        let mut rows = self.form.links.clone();
        rows.resize(
            (rows.len() + 2).min(MOST_LINKS.max(rows.len())),
            Link { label: String::new(), url: String::new() },
        );
        rows
    }
}

/// `GET /studio/@{handle}/settings`
pub async fn show_settings(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
) -> Result<Response, Error> {
    roles::require(app.db.read(), studio.account.id, studio.user.id, Operation::ManageAccount).await?;
    let form = ProfileForm::of(&studio.account);
    Ok(View(SettingsPage::new(page, studio, form, Problems::default())).into_response())
}

/// The profile's form: labels and addresses of links in rows of the same number.
#[derive(Clone, Debug, Deserialize)]
pub struct ProfileFields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    bio: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    avatar_url: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    link_label: Vec<String>,
    #[serde(default)]
    link_url: Vec<String>,
}

impl From<ProfileFields> for ProfileForm {
    fn from(fields: ProfileFields) -> Self {
        let labels = fields.link_label.into_iter().chain(std::iter::repeat(String::new()));
        let links = fields.link_url.into_iter().zip(labels).map(|(url, label)| Link { label, url }).collect();
        Self {
            name: fields.name,
            bio: fields.bio,
            lang: fields.lang,
            avatar_url: fields.avatar_url,
            links,
            region: fields.region,
            topic: fields.topic,
        }
    }
}

/// `POST /studio/@{handle}/settings`
pub async fn edit_profile(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(fields): Form<ProfileFields>,
) -> Result<Response, Error> {
    let form = ProfileForm::from(fields);
    match accounts::edit_profile(&app, studio.user.id, studio.account.id, &form).await {
        Ok(_) => Ok(redirect_with_flash(&studio.path("/settings"), "flash-account-saved")),
        Err(Error::Invalid(problems)) => Ok(invalid(SettingsPage::new(page, studio, form, problems))),
        Err(error) => Err(error),
    }
}

/// A new handle.
#[derive(Clone, Debug, Deserialize)]
pub struct HandleForm {
    #[serde(default)]
    handle: String,
}

/// `POST /studio/@{handle}/handle`
pub async fn rename_account(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    Form(form): Form<HandleForm>,
) -> Result<Response, Error> {
    match accounts::rename(&app, studio.user.id, studio.account.id, &form.handle).await {
        Ok(account) => {
            let path = format!("/studio/@{}/settings", account.handle);
            Ok(redirect_with_flash(&path, "flash-account-renamed"))
        }
        Err(Error::Invalid(problems)) => {
            let profile = ProfileForm::of(&studio.account);
            let handle = form.handle;
            Ok(invalid(SettingsPage { handle, ..SettingsPage::new(page, studio, profile, problems) }))
        }
        Err(error) => Err(error),
    }
}

/// `POST /studio/@{handle}/avatar`: a picture, or none to take the present one away.
pub async fn change_avatar(
    State(app): State<Arc<App>>,
    page: Page,
    studio: Studio,
    form: Multipart,
) -> Result<Response, Error> {
    let (user_id, account_id) = (studio.user.id, studio.account.id);
    let result = async {
        let upload = Upload::read(form).await?;
        let url = if upload.field("remove").is_some() {
            None
        } else {
            let row = media::keep(&app, user_id, account_id, upload.file, Use::Avatar).await?;
            Some(media::url(&row))
        };
        accounts::change_avatar(&app, user_id, account_id, url).await
    };
    match result.await {
        Ok(_) => Ok(redirect_with_flash(&studio.path("/settings"), "flash-account-saved")),
        Err(Error::Invalid(problems)) => {
            let profile = ProfileForm::of(&studio.account);
            Ok(invalid(SettingsPage::new(page, studio, profile, problems)))
        }
        Err(error) => Err(error),
    }
}
