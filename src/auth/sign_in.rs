//! Signing in, by password or by link; signing up is opening a link with a new address.

use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter};

use super::limits::Limit;
use super::links::{self, LinkPurpose};
use super::password::{self, Password};
use super::users::{self, NewUser};
use super::{Address, Client, LocalPath, session, setup};
use crate::app::App;
use crate::db::Tx;
use crate::db::entities::sign_in_link::Model as Link;
use crate::db::entities::user::{self, UserState};
use crate::error::{Error, Problems};
use crate::page::Locale;
use crate::subscriptions;

/// Signs in with a password. Unknown addresses, wrong passwords, people who have none and those who
/// are suspended get the same answer after the same time.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::TooMany`].
pub async fn by_password(
    app: &App,
    client: &Client,
    address: &str,
    password: &str,
) -> Result<user::Model, Error> {
    app.limits.client(Limit::SignIn, client)?;
    let address = Address::parse(address).map_err(|message| Error::invalid("email", message))?;
    app.limits.address(Limit::Password, &address)?;
    let found = users::find(app, &address).await?;
    let kept = found.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = password::verify(password, kept).await?;
    match found {
        Some(user) if is_right && user.state == UserState::Active => Ok(user),
        _ => Err(Error::invalid("password", "auth-password-wrong")),
    }
}

/// Mails a link to an address, whoever it belongs to.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::TooMany`].
pub async fn ask_for_link(
    app: &App,
    client: &Client,
    address: &str,
    purpose: LinkPurpose,
    next: &LocalPath,
    locale: Locale,
) -> Result<(), Error> {
    app.limits.client(Limit::Links, client)?;
    let address = Address::parse(address).map_err(|message| Error::invalid("email", message))?;
    app.limits.address(Limit::LinkMail, &address)?;
    links::request(app, &address, purpose, next, locale).await
}

/// What a link's page asks for, depending on the link.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Of the first user, whose link knows none.
    pub email: String,
    /// Of somebody new.
    pub name: String,
    /// Of somebody new, who may leave it empty, or of somebody who wants another one.
    pub password: String,
}

/// Who a link is opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The instance's first operator.
    First,
    /// Somebody whose address has no user yet.
    New,
    /// A user, signing in.
    Known,
    /// A user who wants a new password.
    Forgetful,
}

/// Who opens a link, so that its page asks for the right things.
pub async fn opener(app: &App, link: &Link) -> Result<Opener, Error> {
    if link.purpose == LinkPurpose::Setup {
        return Ok(Opener::First);
    }
    let address = Address::parse(&link.email).map_err(|_| Error::NotFound)?;
    let is_known = users::find(app, &address).await?.is_some();
    Ok(match link.purpose {
        _ if !is_known => Opener::New,
        LinkPurpose::ResetPassword => Opener::Forgetful,
        LinkPurpose::SignIn | LinkPurpose::Setup => Opener::Known,
    })
}

/// Uses a link up and signs its opener in, whose address is proven by that.
///
/// # Errors
/// [`Error::Gone`] when the link is not good any more, [`Error::Invalid`] with problems of the
/// answers (the link stays good), [`Error::Forbidden`] for people who are suspended or leaving.
pub async fn by_link(
    app: &App,
    link: &Link,
    answers: &Answers,
    locale: Locale,
) -> Result<user::Model, Error> {
    let opener = opener(app, link).await?;
    let typed = if opener == Opener::First { &answers.email } else { &link.email };
    let address = Address::parse(typed).map_err(|message| Error::invalid("email", message))?;
    let password = chosen_password(opener, &answers.password, &address)?;
    let password_hash = match password {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    links::use_up(&*tx, link.id, now).await?;
    let user = match users::find_in(&*tx, &address).await? {
        Some(user) => user,
        None => {
            let name = answers.name.clone();
            let new = NewUser { address, name, password_hash: None, operator: false, locale };
            users::insert(&*tx, new, &app.config.timezone, now).await?
        }
    };
    match user.state {
        UserState::Active => {}
        UserState::Suspended => return Err(Error::Forbidden("auth-suspended".into())),
        UserState::Leaving => return Err(Error::Forbidden("auth-leaving".into())),
    }
    if opener == Opener::First {
        make_first_operator(&tx, user.id).await?;
    }
    if let Some(hash) = password_hash {
        users::set_password_in(&*tx, user.id, hash).await?;
        session::end_all_in(&*tx, user.id, None).await?;
    }
    subscriptions::link_to_user(&tx, &user.email, user.id).await?;
    tx.commit().await?;
    Ok(user)
}

/// The password to set, if any.
fn chosen_password(opener: Opener, text: &str, address: &Address) -> Result<Option<Password>, Error> {
    let is_asked = match opener {
        Opener::Known => false,
        Opener::New | Opener::First => !text.is_empty(),
        Opener::Forgetful => true,
    };
    if !is_asked {
        return Ok(None);
    }
    let parsed = Password::parse(text, address.as_str());
    parsed.map(Some).map_err(|message| Error::invalid("password", message))
}

/// Of two who open setup links at the same time, one becomes the operator.
async fn make_first_operator(tx: &Tx, user_id: i64) -> Result<(), Error> {
    if setup::has_operator(&**tx).await? {
        return Err(Error::Gone("auth-link-gone".into()));
    }
    user::Entity::update_many()
        .col_expr(user::Column::Operator, Expr::value(true))
        .filter(user::COLUMN.id.eq(user_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Changes a user's password, who must know the present one, and ends their other sessions.
///
/// # Errors
/// [`Error::Invalid`] with problems of `current` and `password`, [`Error::TooMany`].
pub async fn change_password(
    app: &App,
    user: &user::Model,
    session_id: i64,
    current: &str,
    new: &str,
) -> Result<(), Error> {
    let address = Address::parse(&user.email).map_err(|message| Error::invalid("current", message))?;
    app.limits.address(Limit::Password, &address)?;
    let mut problems = Problems::default();
    if !password::verify(current, user.password_hash.clone()).await? {
        problems.add("current", "settings-password-current-wrong");
    }
    let new = Password::parse(new, &user.email).map_err(|message| problems.add("password", message));
    problems.check()?;
    let Ok(new) = new else { return Ok(()) };
    let hash = password::hash(new).await?;
    let tx = app.db.begin().await?;
    users::set_password_in(&*tx, user.id, hash).await?;
    session::end_all_in(&*tx, user.id, Some(session_id)).await?;
    tx.commit().await?;
    Ok(())
}
