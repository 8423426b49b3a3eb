//! A user's settings: profile, password, sessions, API tokens.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::{CookieJar, Form};
use serde::Deserialize;
use strum::IntoEnumIterator;

use super::headers::FORGET_PAGES;
use super::links::LinkPurpose;
use super::session::{self, SignedIn};
use super::users::{self, Profile};
use super::{Client, CurrentUser, LocalPath, Scope, api_tokens, device, sign_in};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Problems};
use crate::page::{self, Locale, Page, View, redirect_with_flash};
use crate::path::Path;
use crate::shown::{self, Shown};

#[derive(Template)]
#[template(path = "settings/profile.html")]
struct ProfilePage {
    page: Page,
    email: String,
    profile: Profile,
    locales: Vec<Locale>,
    zones: Vec<&'static str>,
    problems: Problems,
}

impl ProfilePage {
    fn new(page: Page, email: String, profile: Profile, problems: Problems) -> Self {
        let page = page.titled_key("settings-profile");
        let zones = zones(&profile.timezone);
        Self { page, email, profile, locales: Locale::iter().collect(), zones, problems }
    }
}

/// Zones named for places, and the present one whatever its name.
pub fn zones(present: &str) -> Vec<&'static str> {
    const REGIONS: [&str; 9] =
        ["Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];
    chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .filter(|name| {
            let region = name.split('/').next().unwrap_or("");
            *name == "UTC" || *name == present || name.contains('/') && REGIONS.contains(&region)
        })
        .collect()
}

/// `GET /settings`
pub async fn show_profile(page: Page, CurrentUser(user): CurrentUser) -> Response {
    let profile =
        Profile { name: user.name, locale: user.locale, script: user.script, timezone: user.timezone };
    View(ProfilePage::new(page, user.email, profile, Problems::default())).into_response()
}

/// `POST /settings`
pub async fn change_profile(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(profile): Form<Profile>,
) -> Result<Response, Error> {
    match users::change_profile(&app, user.id, &profile).await {
        Ok(()) => {
            let locale = Locale::from_tag(&profile.locale).unwrap_or(page.locale);
            // A language or script chosen earlier in this browser would hide the new one.
            let mut jar = CookieJar::new().add(page::locale_cookie(&app, locale));
            jar = match Shown::from_code(&profile.script) {
                Some(shown) => jar.add(shown::cookie(&app, shown)),
                None => jar.add(shown::forgetting_cookie()),
            };
            Ok((jar, redirect_with_flash("/settings", "flash-saved")).into_response())
        }
        Err(Error::Invalid(problems)) => {
            let view = View(ProfilePage::new(page, user.email, profile, problems));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "settings/password.html")]
struct PasswordPage {
    page: Page,
    email: String,
    has_password: bool,
    problems: Problems,
}

/// `GET /settings/password`
pub async fn show_password(page: Page, CurrentUser(user): CurrentUser) -> Response {
    let page = page.titled_key("settings-password");
    let has_password = user.password_hash.is_some();
    View(PasswordPage { page, email: user.email, has_password, problems: Problems::default() })
        .into_response()
}

/// The present password and the one to come.
#[derive(Debug, Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
}

/// `POST /settings/password`
pub async fn change_password(
    State(app): State<Arc<App>>,
    page: Page,
    signed_in: SignedIn,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Error> {
    let SignedIn { user, session_id } = signed_in;
    match sign_in::change_password(&app, &user, session_id, &form.current, &form.password).await {
        Ok(()) => Ok(redirect_with_flash("/settings/password", "flash-password-changed")),
        Err(Error::Invalid(problems)) => {
            let page = page.titled_key("settings-password");
            let has_password = user.password_hash.is_some();
            let view = View(PasswordPage { page, email: user.email, has_password, problems });
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/password/link`: mails a link for a new password, to those who have none or forgot it.
pub async fn ask_for_password(
    State(app): State<Arc<App>>,
    page: Page,
    client: Client,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    let next = LocalPath::new("/settings/password");
    sign_in::ask_for_link(&app, &client, &user.email, LinkPurpose::ResetPassword, &next, page.locale).await?;
    Ok(redirect_with_flash("/settings/password", "flash-link-sent"))
}

struct SessionRow {
    id: i64,
    device: String,
    ip: String,
    last_seen_at: Timestamp,
    created_at: Timestamp,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "settings/sessions.html")]
struct SessionsPage {
    page: Page,
    sessions: Vec<SessionRow>,
}

/// `GET /settings/sessions`
pub async fn show_sessions(
    State(app): State<Arc<App>>,
    page: Page,
    signed_in: SignedIn,
) -> Result<Response, Error> {
    let unknown = page.t("settings-device-unknown");
    let sessions = session::list(&app, signed_in.user.id).await?;
    let sessions = sessions
        .into_iter()
        .map(|row| SessionRow {
            id: row.id,
            device: Some(device::describe(&row.user_agent))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| unknown.clone()),
            ip: row.ip,
            last_seen_at: row.last_seen_at,
            created_at: row.created_at,
            is_current: row.id == signed_in.session_id,
        })
        .collect();
    Ok(View(SessionsPage { page: page.titled_key("settings-sessions"), sessions }).into_response())
}

/// `POST /settings/sessions/{id}/end`
pub async fn end_session(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    session::end(&app, user.id, id).await?;
    Ok(redirect_with_flash("/settings/sessions", "flash-session-ended"))
}

/// `POST /settings/sessions/end`: signs out everywhere, here too.
pub async fn end_sessions(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    session::end_all(&app, user.id, None).await?;
    let jar = CookieJar::new().add(session::forgetting_cookie(&app));
    Ok((FORGET_PAGES, jar, redirect_with_flash("/sign-in", "flash-signed-out-everywhere")).into_response())
}

struct TokenRow {
    id: i64,
    name: String,
    scopes: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

struct ScopeRow {
    name: &'static str,
    text: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "settings/tokens.html")]
struct TokensPage {
    page: Page,
    tokens: Vec<TokenRow>,
    scopes: Vec<ScopeRow>,
    name: String,
    /// The new token, shown once.
    secret: String,
    problems: Problems,
}

impl TokensPage {
    async fn load(app: &App, page: Page, user_id: i64) -> Result<Self, Error> {
        let tokens = api_tokens::list(app, user_id).await?;
        let tokens = tokens.into_iter().map(|row| TokenRow {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        });
        let scopes = Scope::iter().map(|scope| ScopeRow {
            name: scope.name(),
            text: page.t(scope.text_key()),
            is_chosen: false,
        });
        Ok(Self {
            tokens: tokens.collect(),
            scopes: scopes.collect(),
            page: page.titled_key("settings-tokens"),
            name: String::new(),
            secret: String::new(),
            problems: Problems::default(),
        })
    }
}

/// `GET /settings/tokens`
pub async fn show_tokens(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Error> {
    Ok(View(TokensPage::load(&app, page, user.id).await?).into_response())
}

/// A token's name and the scopes ticked.
#[derive(Debug, Deserialize)]
pub struct TokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// `POST /settings/tokens`: shows the new token in its answer, the only time it is seen.
pub async fn create_token(
    State(app): State<Arc<App>>,
    page: Page,
    CurrentUser(user): CurrentUser,
    Form(form): Form<TokenForm>,
) -> Result<Response, Error> {
    let scopes: Vec<Scope> = form.scopes.iter().filter_map(|name| name.parse().ok()).collect();
    match api_tokens::create(&app, user.id, &form.name, &scopes).await {
        Ok(secret) => {
            let view = TokensPage { secret, ..TokensPage::load(&app, page, user.id).await? };
            Ok(View(view).into_response())
        }
        Err(Error::Invalid(problems)) => {
            let loaded = TokensPage::load(&app, page, user.id).await?;
            let mut view = TokensPage { name: form.name, problems, ..loaded };
            for row in &mut view.scopes {
                row.is_chosen = form.scopes.iter().any(|name| name == row.name);
            }
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/tokens/{id}/revoke`
pub async fn revoke_token(
    State(app): State<Arc<App>>,
    CurrentUser(user): CurrentUser,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    api_tokens::revoke(&app, user.id, id).await?;
    Ok(redirect_with_flash("/settings/tokens", "flash-token-revoked"))
}
