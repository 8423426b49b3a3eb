//! Members: the people who work on an account, each with a role. Every change holds the account's
//! row, so that two owners cannot remove each other at the same moment.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter,
    QuerySelect, SqlErr,
};

use super::{By, lock, roles};
use crate::app::App;
use crate::auth::Address;
use crate::auth::limits::Limit;
use crate::auth::users::{self, NewUser};
use crate::clock::Timestamp;
use crate::db::entities::member::{self, Role};
use crate::db::entities::user::{self, UserState};
use crate::error::{Error, Message};
use crate::jobs::{self, Job};
use crate::page::Locale;
use roles::Operation;

/// Members of one account.
const MOST_MEMBERS: u64 = 200;

/// Makes the person with this address a member and tells them by mail. Who is no user yet becomes
/// one, and the mail's link signs them in.
///
/// # Errors
/// Forbidden for roles without `ManageMembers`; invalid `email`, also of somebody who is suspended or leaving.
pub async fn add(
    app: &App,
    by: By<'_>,
    account_id: i64,
    email: &str,
    role: Role,
) -> Result<member::Model, Error> {
    require(app.db.read(), by, account_id).await?;
    let address = Address::parse(email).map_err(|message| Error::invalid("email", message))?;
    app.limits.address(Limit::LinkMail, &address)?;
    let (user, new_user) = find_or_make_user(app, by, address).await?;
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    lock(&tx, account_id).await?;
    require(&*tx, by, account_id).await?;
    let count = of_account(account_id).count(&*tx).await?;
    if count >= MOST_MEMBERS {
        return Err(Error::invalid("email", Message::from("member-too-many").with("most", MOST_MEMBERS)));
    }
    let member = insert(&tx, now, account_id, user.id, role).await?;
    jobs::queue::enqueue(&*tx, now, Job::SendInvitation { member_id: member.id, new_user }, now).await?;
    tx.commit().await?;
    Ok(member)
}

async fn find_or_make_user(app: &App, by: By<'_>, address: Address) -> Result<(user::Model, bool), Error> {
    if let Some(user) = users::find(app, &address).await? {
        return Ok((user, false));
    }
    let locale = match by {
        By::User(user) => Locale::from_tag(&user.locale),
        By::Console => Locale::from_tag(&app.config.locale),
    };
    let new = NewUser {
        address: address.clone(),
        name: String::new(),
        password_hash: None,
        operator: false,
        locale: locale.unwrap_or(Locale::ZhHans),
    };
    match users::create(app, new).await {
        Ok(user) => Ok((user, true)),
        // Somebody signed up with it at this moment.
        Err(Error::Conflict(_)) => {
            let user = users::find(app, &address).await?.ok_or(Error::NotFound)?;
            Ok((user, false))
        }
        Err(error) => Err(error),
    }
}

/// Writes a member's row within the caller's transaction.
///
/// # Errors
/// Invalid `email` when the user is a member already, or is suspended or leaving.
pub(super) async fn insert(
    tx: &DatabaseTransaction,
    now: Timestamp,
    account_id: i64,
    user_id: i64,
    role: Role,
) -> Result<member::Model, Error> {
    // Held: somebody who leaves at this moment is no member afterwards.
    let user = user::Entity::find_by_id(user_id).lock_exclusive().one(tx).await?;
    if user.is_none_or(|user| user.state != UserState::Active) {
        return Err(Error::invalid("email", "member-cannot"));
    }
    let row = member::ActiveModel {
        id: NotSet,
        account_id: Set(account_id),
        user_id: Set(user_id),
        role: Set(role),
        created_at: Set(now),
    };
    row.insert(tx).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::invalid("email", "member-already"),
        _ => error.into(),
    })
}

/// Gives a member another role.
///
/// # Errors
/// Forbidden for roles without `ManageMembers`; conflict when the account would have no owner left.
pub async fn change_role(
    app: &App,
    by: By<'_>,
    account_id: i64,
    member_id: i64,
    role: Role,
) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, account_id).await?;
    require(&*tx, by, account_id).await?;
    let member = find(&tx, account_id, member_id).await?;
    if role != Role::Owner {
        require_another_owner(&tx, &member).await?;
    }
    member::ActiveModel { id: Set(member.id), role: Set(role), ..Default::default() }.update(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a member out.
///
/// # Errors
/// Forbidden for roles without `ManageMembers`; conflict when the account would have no owner left.
pub async fn remove(app: &App, by: By<'_>, account_id: i64, member_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, account_id).await?;
    require(&*tx, by, account_id).await?;
    let member = find(&tx, account_id, member_id).await?;
    require_another_owner(&tx, &member).await?;
    member.delete(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends a user's own membership.
///
/// # Errors
/// Forbidden for those who are no members; conflict for the last owner.
pub async fn leave(app: &App, user_id: i64, account_id: i64) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    lock(&tx, account_id).await?;
    let member = of_account(account_id)
        .filter(member::COLUMN.user_id.eq(user_id))
        .one(&*tx)
        .await?
        .ok_or_else(Error::forbidden)?;
    require_another_owner(&tx, &member).await?;
    member.delete(&*tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn find(tx: &DatabaseTransaction, account_id: i64, member_id: i64) -> Result<member::Model, Error> {
    of_account(account_id).filter(member::COLUMN.id.eq(member_id)).one(tx).await?.ok_or(Error::NotFound)
}

/// # Errors
/// Conflict when `member` is the only owner.
async fn require_another_owner(tx: &DatabaseTransaction, member: &member::Model) -> Result<(), Error> {
    if member.role != Role::Owner {
        return Ok(());
    }
    let owners = of_account(member.account_id).filter(member::COLUMN.role.eq(Role::Owner)).count(tx).await?;
    if owners > 1 { Ok(()) } else { Err(Error::Conflict("member-last-owner".into())) }
}

fn of_account(account_id: i64) -> sea_orm::Select<member::Entity> {
    member::Entity::find().filter(member::COLUMN.account_id.eq(account_id))
}

async fn require<C: ConnectionTrait>(db: &C, by: By<'_>, account_id: i64) -> Result<(), Error> {
    match by {
        By::Console => Ok(()),
        By::User(user) => roles::require(db, account_id, user.id, Operation::ManageMembers).await.map(|_| ()),
    }
}
