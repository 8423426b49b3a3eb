//! Reads of accounts and members.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::db::entities::account::{self, AccountState};
use crate::db::entities::account_handle;
use crate::error::Error;

/// What a handle leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The account that bears it.
    Here(account::Model),
    /// The account that bore it, or bears it in lower case: readers are to be redirected.
    Moved(account::Model),
}

/// The account of a present or former handle, suspended ones included.
pub async fn by_handle<C: ConnectionTrait>(db: &C, handle: &str) -> Result<Option<Found>, DbErr> {
    let folded = handle.to_ascii_lowercase();
    if let Some(account) = account::Entity::find().filter(account::COLUMN.handle.eq(&folded)).one(db).await? {
        return Ok(Some(if folded == handle { Found::Here(account) } else { Found::Moved(account) }));
    }
    let Some(former) = account_handle::Entity::find_by_id(folded).one(db).await? else {
        return Ok(None);
    };
    Ok(account::Entity::find_by_id(former.account_id).one(db).await?.map(Found::Moved))
}

/// The same for readers, who do not see suspended accounts.
///
/// # Errors
/// Not found; gone when the account is suspended.
pub async fn open_by_handle<C: ConnectionTrait>(db: &C, handle: &str) -> Result<Found, Error> {
    let found = by_handle(db, handle).await?.ok_or(Error::NotFound)?;
    let (Found::Here(account) | Found::Moved(account)) = &found;
    match account.state {
        AccountState::Active => Ok(found),
        AccountState::Suspended => Err(Error::Gone("account-suspended".into())),
    }
}
