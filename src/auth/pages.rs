//! The pages for signing up, in and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::{CookieJar, Form};
use serde::Deserialize;

use super::headers::FORGET_PAGES;
use super::links::{self, LinkPurpose};
use super::session::{self, SignedIn};
use super::sign_in::{self, Answers, Opener};
use super::{Client, LocalPath};
use crate::app::App;
use crate::error::{Error, Problems};
use crate::page::{Page, View};
use crate::path::Path;

/// `?next=`: where to go afterwards.
#[derive(Debug, Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: LocalPath,
}

/// What the forms send; each page leaves out what it does not ask for.
#[derive(Debug, Default, Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    next: LocalPath,
}

/// Which of the pages with an address field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SignIn,
    SignUp,
    Forgotten,
}

#[derive(Template)]
#[template(path = "auth/sign_in.html")]
struct SignInPage {
    page: Page,
    kind: Kind,
    email: String,
    next: LocalPath,
    problems: Problems,
}

impl SignInPage {
    fn new(page: Page, kind: Kind, next: LocalPath) -> Self {
        let (title, intro) = match kind {
            Kind::SignIn => ("auth-sign-in", "auth-sign-in-intro"),
            Kind::SignUp => ("auth-sign-up", "auth-sign-up-intro"),
            Kind::Forgotten => ("auth-forgotten", "auth-forgotten-intro"),
        };
        let intro = page.t(intro);
        let page = page.titled_key(title).described(&intro);
        Self { page, kind, email: String::new(), next, problems: Problems::default() }
    }

    /// The next page as a query value.
    fn next_query(&self) -> String {
        url::form_urlencoded::byte_serialize(self.next.as_str().as_bytes()).collect()
    }
}

/// Shows a form again with what is wrong; other errors go on.
fn form_again<T: Template>(error: Error, page: impl FnOnce(Problems) -> T) -> Result<Response, Error> {
    match error {
        Error::Invalid(problems) => {
            Ok((StatusCode::UNPROCESSABLE_ENTITY, View(page(problems))).into_response())
        }
        error => Err(error),
    }
}

/// `GET /sign-in`
pub async fn show_sign_in(page: Page, Query(query): Query<NextQuery>) -> Response {
    if page.user.is_some() {
        return Redirect::to(query.next.as_str()).into_response();
    }
    View(SignInPage::new(page, Kind::SignIn, query.next)).into_response()
}

/// `GET /sign-up`
pub async fn show_sign_up(page: Page, Query(query): Query<NextQuery>) -> Response {
    if page.user.is_some() {
        return Redirect::to(query.next.as_str()).into_response();
    }
    View(SignInPage::new(page, Kind::SignUp, query.next)).into_response()
}

/// `GET /sign-in/forgotten`
pub async fn show_forgotten(page: Page, Query(query): Query<NextQuery>) -> Response {
    View(SignInPage::new(page, Kind::Forgotten, query.next)).into_response()
}

/// `POST /sign-in`: with a password, or by a link to the address when none is given.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    page: Page,
    client: Client,
    before: Option<SignedIn>,
    Form(form): Form<SignInForm>,
) -> Result<Response, Error> {
    if form.password.is_empty() {
        return ask_for_link(&app, page, &client, Kind::SignIn, form).await;
    }
    match sign_in::by_password(&app, &client, &form.email, &form.password).await {
        Ok(user) => enter(&app, user.id, &client, before, &form.next).await,
        Err(error) => form_again(error, |problems| SignInPage {
            email: form.email,
            problems,
            ..SignInPage::new(page, Kind::SignIn, form.next)
        }),
    }
}

/// `POST /sign-up`
pub async fn sign_up(
    State(app): State<Arc<App>>,
    page: Page,
    client: Client,
    Form(form): Form<SignInForm>,
) -> Result<Response, Error> {
    ask_for_link(&app, page, &client, Kind::SignUp, form).await
}

/// `POST /sign-in/forgotten`
pub async fn ask_for_password(
    State(app): State<Arc<App>>,
    page: Page,
    client: Client,
    Form(form): Form<SignInForm>,
) -> Result<Response, Error> {
    ask_for_link(&app, page, &client, Kind::Forgotten, form).await
}

async fn ask_for_link(
    app: &App,
    page: Page,
    client: &Client,
    kind: Kind,
    form: SignInForm,
) -> Result<Response, Error> {
    let purpose = match kind {
        Kind::SignIn | Kind::SignUp => LinkPurpose::SignIn,
        Kind::Forgotten => LinkPurpose::ResetPassword,
    };
    match sign_in::ask_for_link(app, client, &form.email, purpose, &form.next, page.locale).await {
        Ok(()) => Ok(Redirect::to("/sign-in/sent").into_response()),
        Err(error) => form_again(error, |problems| SignInPage {
            email: form.email,
            problems,
            ..SignInPage::new(page, kind, form.next)
        }),
    }
}

#[derive(Template)]
#[template(path = "auth/link_sent.html")]
struct LinkSentPage {
    page: Page,
}

/// `GET /sign-in/sent`: the same for everybody, whoever has the address.
pub async fn show_link_sent(page: Page) -> Response {
    View(LinkSentPage { page: page.titled_key("auth-sent") }).into_response()
}

#[derive(Template)]
#[template(path = "auth/link.html")]
struct LinkPage {
    page: Page,
    opener: Opener,
    /// Empty for the first operator, who types it.
    address: String,
    email: String,
    name: String,
    problems: Problems,
}

impl LinkPage {
    fn new(page: Page, opener: Opener, address: &str) -> Self {
        let mut page = page.titled_key(match opener {
            Opener::First => "auth-first",
            Opener::New => "auth-new",
            Opener::Known => "auth-known",
            Opener::Forgetful => "auth-forgetful",
        });
        page.noindex = true;
        let (email, name) = (String::new(), String::new());
        Self { page, opener, address: address.to_owned(), email, name, problems: Problems::default() }
    }
}

/// The link must not leave this site by way of a Referer.
const NO_REFERRER: [(header::HeaderName, &str); 1] = [(header::REFERRER_POLICY, "no-referrer")];

/// `GET /sign-in/link/{token}`: asks; mail scanners that open every link change nothing.
pub async fn show_link(
    State(app): State<Arc<App>>,
    page: Page,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    let link = links::find(&app, &token).await?;
    let opener = sign_in::opener(&app, &link).await?;
    Ok((NO_REFERRER, View(LinkPage::new(page, opener, &link.email))).into_response())
}

/// `POST /sign-in/link/{token}`: uses the link up.
pub async fn open_link(
    State(app): State<Arc<App>>,
    page: Page,
    client: Client,
    before: Option<SignedIn>,
    Path(token): Path<String>,
    Form(form): Form<SignInForm>,
) -> Result<Response, Error> {
    let link = links::find(&app, &token).await?;
    let opener = sign_in::opener(&app, &link).await?;
    let answers = Answers { email: form.email, name: form.name, password: form.password };
    match sign_in::by_link(&app, &link, &answers, page.locale).await {
        Ok(user) => enter(&app, user.id, &client, before, &LocalPath::new(&link.next)).await,
        Err(error) => {
            let again = form_again(error, |problems| LinkPage {
                email: answers.email,
                name: answers.name,
                problems,
                ..LinkPage::new(page, opener, &link.email)
            })?;
            Ok((NO_REFERRER, again).into_response())
        }
    }
}

/// Opens a new session, whatever cookie the browser came with, and ends the one it had.
async fn enter(
    app: &App,
    user_id: i64,
    client: &Client,
    before: Option<SignedIn>,
    next: &LocalPath,
) -> Result<Response, Error> {
    if let Some(before) = before {
        session::close(app, before.session_id).await?;
    }
    let cookie = session::open(app, user_id, &client.user_agent, &client.ip.to_string()).await?;
    Ok((CookieJar::new().add(cookie), Redirect::to(next.as_str())).into_response())
}

/// `POST /sign-out`
pub async fn sign_out(State(app): State<Arc<App>>, before: Option<SignedIn>) -> Result<Response, Error> {
    if let Some(before) = before {
        session::close(&app, before.session_id).await?;
    }
    let jar = CookieJar::new().add(session::forgetting_cookie(&app));
    Ok((FORGET_PAGES, jar, Redirect::to("/")).into_response())
}
