//! Accounts: opening, profile, handles, the verified mark, suspension, closing; members and what each role
//! may do.

pub mod api;
pub mod from_address;
pub mod handle;
pub mod invitation;
pub mod members;
pub mod pages;
pub mod profile;
pub mod queries;
pub mod roles;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, SqlErr,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState, Links};
use crate::db::entities::account_handle;
use crate::db::entities::member::{self, Role};
use crate::db::entities::user;
use crate::error::{Error, Message};
use crate::outbox::{self, Event};
use handle::Handle;
use profile::ProfileForm;
use roles::Operation;

/// Accounts that one user may own, operators aside.
const MOST_OWNED: u64 = 20;
/// Former handles that an account keeps; names are not to be collected.
const MOST_FORMER: u64 = 10;

/// Who asks for something to be done to an account.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    User(&'a user::Model),
    /// The person at the server's own console, who may do everything.
    Console,
}

impl By<'_> {
    pub(crate) fn require_operator(self) -> Result<(), Error> {
        match self {
            Self::User(user) if !user.operator => Err(Error::Forbidden("account-operators-only".into())),
            Self::User(_) | Self::Console => Ok(()),
        }
    }
}

/// An account to be opened, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    pub handle: String,
    pub name: String,
    pub bio: String,
    /// BCP 47.
    pub lang: String,
}

/// Opens an account for `owner_id`; without one, a user's account is their own, and the console's
/// has no members yet.
///
/// # Errors
/// Forbidden where only operators open accounts; invalid `handle`, `name`, `bio`, `lang`.
pub async fn open(
    app: &App,
    by: By<'_>,
    owner_id: Option<i64>,
    new: &NewAccount,
) -> Result<account::Model, Error> {
    let owner_id = may_open(app, by, owner_id).await?;
    let form = ProfileForm {
        name: new.name.clone(),
        bio: new.bio.clone(),
        lang: new.lang.clone(),
        ..ProfileForm::default()
    };
    let (handle, profile) = match (Handle::parse(&new.handle), form.parse()) {
        (Ok(handle), Ok(profile)) => (handle, profile),
        (handle, profile) => {
            let mut problems = profile.err().unwrap_or_default();
            if let Err(message) = handle {
                problems.add("handle", message);
            }
            return Err(Error::Invalid(problems));
        }
    };
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    require_free(&tx, &handle, None).await?;
    let row = account::ActiveModel {
        id: NotSet,
        handle: Set(handle.to_string()),
        name: Set(profile.name),
        bio: Set(profile.bio),
        avatar_url: Set(None),
        lang: Set(profile.lang),
        links: Set(Links::default()),
        region: Set(profile.region),
        topic: Set(profile.topic),
        verified_at: Set(None),
        state: Set(AccountState::Active),
        created_at: Set(now),
    };
    let account = row.insert(&*tx).await.map_err(taken_meanwhile)?;
    if let Some(user_id) = owner_id {
        members::insert(&tx, now, account.id, user_id, Role::Owner).await?;
    }
    outbox::record(&tx, now, Event::AccountChanged { account_id: account.id }).await?;
    tx.commit().await?;
    Ok(account)
}

/// Whose account it will be.
async fn may_open(app: &App, by: By<'_>, owner_id: Option<i64>) -> Result<Option<i64>, Error> {
    let By::User(user) = by else {
        return Ok(owner_id);
    };
    if user.operator {
        return Ok(Some(owner_id.unwrap_or(user.id)));
    }
    if !app.config.open_accounts || owner_id.is_some_and(|owner| owner != user.id) {
        return Err(Error::Forbidden("account-operators-open".into()));
    }
    let owned = member::Entity::find()
        .filter(member::COLUMN.user_id.eq(user.id))
        .filter(member::COLUMN.role.eq(Role::Owner))
        .count(app.db.read())
        .await?;
    if owned >= MOST_OWNED {
        return Err(Error::Forbidden(Message::from("account-owned-many").with("most", MOST_OWNED)));
    }
    Ok(Some(user.id))
}

/// Whether a user may open an account, so that pages need not offer what would be refused.
pub fn offers_opening(app: &App, user: &user::Model) -> bool {
    user.operator || app.config.open_accounts
}

/// Changes name, bio, language, picture, links, region and topic.
///
/// # Errors
/// Forbidden for roles without `ManageAccount`; invalid fields as in [`ProfileForm::parse`].
pub async fn edit_profile(
    app: &App,
    user_id: i64,
    account_id: i64,
    form: &ProfileForm,
) -> Result<account::Model, Error> {
    let profile = form.parse().map_err(Error::Invalid);
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::ManageAccount).await?;
    let profile = profile?;
    let row = account::ActiveModel {
        id: Set(account_id),
        name: Set(profile.name),
        bio: Set(profile.bio),
        lang: Set(profile.lang),
        avatar_url: Set(profile.avatar_url),
        links: Set(profile.links),
        region: Set(profile.region),
        topic: Set(profile.topic),
        ..Default::default()
    };
    let account = row.update(&*tx).await?;
    outbox::record(&tx, now, Event::AccountChanged { account_id }).await?;
    tx.commit().await?;
    Ok(account)
}

/// Sets the picture alone, as uploads do; none takes it away.
pub async fn change_avatar(
    app: &App,
    user_id: i64,
    account_id: i64,
    url: Option<String>,
) -> Result<account::Model, Error> {
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::ManageAccount).await?;
    let row = account::ActiveModel { id: Set(account_id), avatar_url: Set(url), ..Default::default() };
    let account = row.update(&*tx).await?;
    outbox::record(&tx, app.clock.now(), Event::AccountChanged { account_id }).await?;
    tx.commit().await?;
    Ok(account)
}

/// Gives an account another handle; the old one keeps leading to it and nobody else may take it.
///
/// # Errors
/// Forbidden for roles without `ManageAccount`; invalid `handle`.
pub async fn rename(app: &App, user_id: i64, account_id: i64, handle: &str) -> Result<account::Model, Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::ManageAccount).await?;
    let handle = Handle::parse(handle).map_err(|message| Error::invalid("handle", message))?;
    let account = lock(&tx, account_id).await?;
    if account.handle == handle.as_str() {
        return Ok(account);
    }
    require_free(&tx, &handle, Some(account_id)).await?;
    keep_former_handle(&tx, now, &account, &handle).await?;
    let row =
        account::ActiveModel { id: Set(account_id), handle: Set(handle.to_string()), ..Default::default() };
    let account = row.update(&*tx).await.map_err(taken_meanwhile)?;
    outbox::record(&tx, now, Event::AccountChanged { account_id }).await?;
    tx.commit().await?;
    Ok(account)
}

async fn keep_former_handle(
    tx: &DatabaseTransaction,
    now: Timestamp,
    account: &account::Model,
    new: &Handle,
) -> Result<(), Error> {
    // An account may go back to a handle of its own.
    account_handle::Entity::delete_by_id(new.as_str()).exec(tx).await?;
    let former = account_handle::Entity::find()
        .filter(account_handle::COLUMN.account_id.eq(account.id))
        .count(tx)
        .await?;
    if former >= MOST_FORMER {
        let message = Message::from("account-handle-renamed-often").with("most", MOST_FORMER);
        return Err(Error::invalid("handle", message));
    }
    let row = account_handle::ActiveModel {
        handle: Set(account.handle.clone()),
        account_id: Set(account.id),
        created_at: Set(now),
    };
    account_handle::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Asks whether no other account bears or bore this handle. Present handles are read before former
/// ones: a rename that commits in between moves its handle from the first to the second.
async fn require_free(
    tx: &DatabaseTransaction,
    handle: &Handle,
    account_id: Option<i64>,
) -> Result<(), Error> {
    let bearer = account::Entity::find().filter(account::COLUMN.handle.eq(handle.as_str())).one(tx).await?;
    if bearer.is_some() {
        return Err(taken());
    }
    let former = account_handle::Entity::find_by_id(handle.as_str()).one(tx).await?;
    match former {
        Some(former) if Some(former.account_id) != account_id => Err(taken()),
        _ => Ok(()),
    }
}

fn taken() -> Error {
    Error::invalid("handle", "account-handle-taken")
}

fn taken_meanwhile(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => taken(),
        _ => error.into(),
    }
}

/// Gives the verified mark: the operator knows who is behind the account.
pub async fn verify(app: &App, by: By<'_>, account_id: i64) -> Result<account::Model, Error> {
    let now = app.clock.now();
    decide(app, by, account_id, account::ActiveModel { verified_at: Set(Some(now)), ..Default::default() })
        .await
}

/// Takes the verified mark away.
pub async fn unverify(app: &App, by: By<'_>, account_id: i64) -> Result<account::Model, Error> {
    decide(app, by, account_id, account::ActiveModel { verified_at: Set(None), ..Default::default() }).await
}

/// Hides an account and its articles from readers.
pub async fn suspend(app: &App, by: By<'_>, account_id: i64) -> Result<account::Model, Error> {
    let state = Set(AccountState::Suspended);
    decide(app, by, account_id, account::ActiveModel { state, ..Default::default() }).await
}

/// Closes an account for its owner: it and its articles are hidden from readers, as those of suspended ones. Operators
/// can open it again. One that is suspended stays so.
///
/// # Errors
/// Forbidden for roles without `ManageMembers`.
pub async fn close(app: &App, user_id: i64, account_id: i64) -> Result<account::Model, Error> {
    let tx = app.db.begin().await?;
    roles::require(&*tx, account_id, user_id, Operation::ManageMembers).await?;
    let account = lock(&tx, account_id).await?;
    if account.state != AccountState::Active {
        return Ok(account);
    }
    let state = Set(AccountState::Closed);
    let account = set(app, &tx, account_id, account::ActiveModel { state, ..Default::default() }).await?;
    tx.commit().await?;
    Ok(account)
}

/// Opens an account again that was suspended or closed.
pub async fn reinstate(app: &App, by: By<'_>, account_id: i64) -> Result<account::Model, Error> {
    let state = Set(AccountState::Active);
    decide(app, by, account_id, account::ActiveModel { state, ..Default::default() }).await
}

/// What operators alone decide.
async fn decide(
    app: &App,
    by: By<'_>,
    account_id: i64,
    change: account::ActiveModel,
) -> Result<account::Model, Error> {
    by.require_operator()?;
    let tx = app.db.begin().await?;
    lock(&tx, account_id).await?;
    let account = set(app, &tx, account_id, change).await?;
    tx.commit().await?;
    Ok(account)
}

/// Changes an account that is locked.
async fn set(
    app: &App,
    tx: &DatabaseTransaction,
    account_id: i64,
    change: account::ActiveModel,
) -> Result<account::Model, DbErr> {
    let account = account::ActiveModel { id: Set(account_id), ..change }.update(tx).await?;
    outbox::record(tx, app.clock.now(), Event::AccountChanged { account_id }).await?;
    Ok(account)
}

/// The account's row, held against others until the transaction ends (on SQLite the whole database
/// already is).
///
/// # Errors
/// Not found when there is no such account.
pub(crate) async fn lock(tx: &DatabaseTransaction, account_id: i64) -> Result<account::Model, Error> {
    account::Entity::find_by_id(account_id).lock_exclusive().one(tx).await?.ok_or(Error::NotFound)
}

/// # Errors
/// Forbidden when the account is suspended or closed: it can be looked at, but nothing goes out.
pub fn require_active(account: &account::Model) -> Result<(), Error> {
    account.state.hidden_key().map_or(Ok(()), |key| Err(Error::Forbidden(key.into())))
}
