//! What a member may do in an account. Every operation asks here, and nowhere else is it decided.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::db::entities::member::{self, Role};
use crate::error::Error;

/// What a member can want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Operation {
    /// See the studio: articles in every state, subscribers' numbers, pushes.
    ReadStudio,
    /// Begin a draft; change and delete drafts of one's own.
    WriteOwnDraft,
    /// Change any article, published ones included, and delete anyone's drafts.
    EditArticle,
    /// Publish at once or at a set time.
    Publish,
    /// Take a published article back, or bring it back again.
    Withdraw,
    /// Tell the subscribers.
    Push,
    /// Make collections of articles, and put articles into them.
    ManageCollections,
    /// Invite and remove members and change their roles.
    ManageMembers,
    /// Connect and remove feeds that are imported.
    ManageSources,
    /// Name addresses elsewhere that are told what happens.
    ManageWebhooks,
    /// Change the account's handle, name and profile.
    ManageAccount,
}

/// The whole of what roles mean.
pub fn allows(role: Role, operation: Operation) -> bool {
    use Operation::{
        EditArticle, ManageAccount, ManageCollections, ManageMembers, ManageSources, ManageWebhooks, Publish,
        Push, ReadStudio, Withdraw, WriteOwnDraft,
    };
    match role {
        Role::Owner => true,
        Role::Editor => !matches!(operation, ManageMembers | ManageSources | ManageWebhooks | ManageAccount),
        Role::Author => match operation {
            ReadStudio | WriteOwnDraft => true,
            EditArticle | Publish | Withdraw | Push | ManageCollections | ManageMembers | ManageSources
            | ManageWebhooks | ManageAccount => false,
        },
        Role::Analyst => operation == ReadStudio,
    }
}

/// The role of a user in an account, if any.
pub async fn role_of<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    user_id: i64,
) -> Result<Option<Role>, DbErr> {
    let row = member::Entity::find()
        .filter(member::COLUMN.account_id.eq(account_id))
        .filter(member::COLUMN.user_id.eq(user_id))
        .one(db)
        .await?;
    Ok(row.map(|row| row.role))
}

/// The user's role, if it allows the operation.
///
/// # Errors
/// Forbidden, also for those who are no members.
pub async fn require<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    user_id: i64,
    operation: Operation,
) -> Result<Role, Error> {
    match role_of(db, account_id, user_id).await? {
        Some(role) if allows(role, operation) => Ok(role),
        _ => Err(Error::forbidden()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use strum::IntoEnumIterator;

    use super::*;

    #[rstest]
    //                             owner editor author analyst
    #[case(Operation::ReadStudio,    [true, true,  true,  true])]
    #[case(Operation::WriteOwnDraft, [true, true,  true,  false])]
    #[case(Operation::EditArticle,   [true, true,  false, false])]
    #[case(Operation::Publish,       [true, true,  false, false])]
    #[case(Operation::Withdraw,      [true, true,  false, false])]
    #[case(Operation::Push,          [true, true,  false, false])]
    #[case(Operation::ManageCollections, [true, true, false, false])]
    #[case(Operation::ManageMembers, [true, false, false, false])]
    #[case(Operation::ManageSources, [true, false, false, false])]
    #[case(Operation::ManageWebhooks, [true, false, false, false])]
    #[case(Operation::ManageAccount, [true, false, false, false])]
    fn a_role_allows_what_it_says(#[case] operation: Operation, #[case] allowed: [bool; 4]) {
        let roles = [Role::Owner, Role::Editor, Role::Author, Role::Analyst];
        assert_eq!(roles.map(|role| allows(role, operation)), allowed);
    }

    #[test]
    fn the_table_above_is_complete() {
        assert_eq!(Operation::iter().count(), 11, "a new operation needs a line in the table");
    }
}
