//! Settings: passwords for reader apps, how to set the apps up, and the private feeds.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::{fever, greader};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::clock::Timestamp;
use crate::db::entities::user;
use crate::error::{Error, Problems};
use crate::page::{Page, View, redirect_with_flash};
use crate::path::Path;
use crate::private_feeds;

struct PasswordRow {
    id: i64,
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    last_used_by: String,
}

/// How one app is set up.
struct Guide {
    app: &'static str,
    /// The key of the steps; `$url` is the address to enter.
    steps: &'static str,
    url: String,
    /// Lines of a settings file, for apps that have one.
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "reader_apps/settings.html")]
struct SettingsPage {
    page: Page,
    email: String,
    passwords: Vec<PasswordRow>,
    guides: Vec<Guide>,
    greader_url: String,
    fever_url: String,
    /// The new password, shown once.
    secret: String,
    name: String,
    /// Addresses of the private feeds with their formats; empty while there are none.
    feeds: Vec<private_feeds::Address>,
    problems: Problems,
}

impl SettingsPage {
    async fn load(app: &App, page: Page, user: &user::Model) -> Result<Self, Error> {
        let passwords = super::list(app, user.id).await?;
        let passwords = passwords.into_iter().map(|row| PasswordRow {
            id: row.id,
            name: row.name,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            last_used_by: row.last_used_by.unwrap_or_default(),
        });
        let feeds = private_feeds::addresses(app, user.id).await?;
        let greader_url = app.config.url(greader::PATH);
        let fever_url = app.config.url(fever::PATH);
        Ok(Self {
            page: page.titled_key("reader-apps-title"),
            email: user.email.clone(),
            passwords: passwords.collect(),
            guides: guides(&greader_url, &fever_url, &user.email),
            greader_url,
            fever_url,
            secret: String::new(),
            name: String::new(),
            feeds,
            problems: Problems::default(),
        })
    }
}

fn guides(greader: &str, fever: &str, email: &str) -> Vec<Guide> {
    let guide = |app, steps, url: &str| Guide { app, steps, url: url.to_owned(), lines: Vec::new() };
    let newsboat = |kind: &str| {
        vec![
            format!("urls-source \"{kind}\""),
            format!("{kind}-url \"{greader}\""),
            format!("{kind}-login \"{email}\""),
            format!("{kind}-passwordfile \"~/.newsboat/password\""),
            format!("{kind}-flag-star \"s\""),
        ]
    };
    vec![
        guide("NetNewsWire", "reader-apps-netnewswire", greader),
        guide("Reeder", "reader-apps-reeder", greader),
        guide("Fluent Reader", "reader-apps-fluent-reader", greader),
        Guide { lines: newsboat("freshrss"), ..guide("newsboat", "reader-apps-newsboat", greader) },
        Guide { lines: newsboat("feedhq"), ..guide("newsboat < 2.24", "reader-apps-newsboat-old", greader) },
        guide("Read You, FeedMe, Capy Reader", "reader-apps-android", greader),
        guide("Unread, ReadKit, Fiery Feeds", "reader-apps-fever", fever),
    ]
}

/// `GET /settings/reader-apps`
pub async fn show_reader_apps(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    Ok(View(SettingsPage::load(&app, page, &user).await?).into_response())
}

/// What a password is for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    name: String,
}

/// `POST /settings/reader-apps`: shows the new password in its answer, the only time it is seen.
pub async fn create_app_password(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Error> {
    match super::create(&app, &user, &form.name).await {
        Ok(secret) => {
            let view = SettingsPage { secret, ..SettingsPage::load(&app, page, &user).await? };
            Ok(View(view).into_response())
        }
        Err(Error::Invalid(problems)) => {
            let view =
                SettingsPage { name: form.name, problems, ..SettingsPage::load(&app, page, &user).await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/reader-apps/{id}/revoke`
pub async fn revoke_app_password(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    super::revoke(&app, user.id, id).await?;
    Ok(redirect_with_flash("/settings/reader-apps", "flash-app-password-revoked"))
}

/// `POST /settings/reader-apps/feeds`: makes the private feeds' addresses, or new ones in the place of old ones.
pub async fn renew_private_feeds(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    private_feeds::renew(&app, user.id).await?;
    Ok(redirect_with_flash("/settings/reader-apps", "flash-private-feeds-renewed"))
}

/// `POST /settings/reader-apps/feeds/revoke`
pub async fn revoke_private_feeds(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    private_feeds::revoke(&app, user.id).await?;
    Ok(redirect_with_flash("/settings/reader-apps", "flash-private-feeds-revoked"))
}
