//! Choosing the script, in the head of any page.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::{Shown, cookie, path_in};
use crate::app::App;
use crate::auth::LocalPath;
use crate::auth::session::SignedIn;
use crate::auth::users;
use crate::error::Error;

/// A script chosen in the page's head.
#[derive(Debug, Deserialize)]
pub struct ScriptForm {
    script: String,
    #[serde(default)]
    back: LocalPath,
}

/// `POST /script`: keeps the choice in a cookie and, for a user, in the settings; goes back to the page.
pub async fn choose_script(
    State(app): State<Arc<App>>,
    signed_in: Option<SignedIn>,
    Form(form): Form<ScriptForm>,
) -> Result<Response, Error> {
    let shown = Shown::from_code(&form.script).ok_or_else(|| Error::invalid("script", "script-wrong"))?;
    if let Some(SignedIn { user, .. }) = signed_in
        && Shown::from_code(&user.script) != Some(shown)
    {
        users::choose_script(&app, user.id, shown).await?;
    }
    // The address would go before the choice.
    let back = path_in(form.back.as_str(), None);
    Ok((CookieJar::new().add(cookie(&app, shown)), Redirect::to(&back)).into_response())
}
