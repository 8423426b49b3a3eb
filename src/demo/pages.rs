//! `/demo/mail`: the letters of the demo, which reach nobody's mailbox. Elsewhere: not found.

use std::path::PathBuf;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use super::mail::{self, Kept};
use crate::app::App;
use crate::error::Error;
use crate::page::{Page, View};
use crate::path::Path;

/// A letter's own page may load pictures and use its own styles, and nothing else; it is shown in
/// a sandboxed frame of ours.
const LETTER_POLICY: &str = "default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; \
    base-uri 'self'; frame-ancestors 'self'; \
    sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

#[derive(Template)]
#[template(path = "demo/mail.html")]
struct MailPage {
    page: Page,
    letters: Vec<Kept>,
}

/// `GET /demo/mail`
pub async fn list_letters(State(app): State<Arc<App>>, page: Page) -> Result<Response, Error> {
    let letters = mail::list(&folder(&app)?).map_err(anyhow::Error::from)?;
    let mut page = page.titled_key("demo-mail-title");
    page.noindex = true;
    Ok(View(MailPage { page, letters }).into_response())
}

#[derive(Template)]
#[template(path = "demo/letter.html")]
struct LetterPage {
    page: Page,
    letter: Kept,
}

/// `GET /demo/mail/{name}`
pub async fn show_letter(
    State(app): State<Arc<App>>,
    page: Page,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let letter = mail::find(&folder(&app)?, &name).ok_or(Error::NotFound)?;
    let mut page = page.titled(&letter.subject);
    page.noindex = true;
    Ok(View(LetterPage { page, letter }).into_response())
}

/// `GET /demo/mail/{name}/html`
pub async fn show_letter_html(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let letter = mail::find(&folder(&app)?, &name).ok_or(Error::NotFound)?;
    // A link in the letter opens in the window, as it would in a mail program, not in the frame.
    let html = format!("<!doctype html><base target=\"_top\">{}", letter.html);
    let headers = [(header::CONTENT_SECURITY_POLICY, LETTER_POLICY), (header::X_FRAME_OPTIONS, "SAMEORIGIN")];
    Ok((headers, Html(html)).into_response())
}

fn folder(app: &App) -> Result<PathBuf, Error> {
    if app.config.demo { Ok(app.config.data.join("mail")) } else { Err(Error::NotFound) }
}
