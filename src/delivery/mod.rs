//! Delivery: every subscriber of a push is told once.
//!
//! [`fan_out`] writes a row for each subscriber into the ledger; [`sender`] claims rows that are
//! due and hands them to their [`channel`]; [`ledger`] keeps what became of each. The three know
//! nothing of each other but the rows.

pub mod channel;
pub mod email;
pub mod fan_out;
pub mod ledger;
pub mod preview;
pub mod queries;
pub mod sender;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, QueryFilter,
};

use crate::clock::Timestamp;
use crate::db::entities::suppression;

/// Lets an address be written to again, because its owner has shown that mail arrives.
pub async fn trust_again<C: ConnectionTrait>(db: &C, email: &str) -> Result<(), DbErr> {
    suppression::Entity::delete_many().filter(suppression::COLUMN.email.eq(email)).exec(db).await?;
    Ok(())
}

/// Stops writing to an address, for a reason in the remote's words.
pub async fn suppress<C: ConnectionTrait>(
    db: &C,
    now: Timestamp,
    email: &str,
    reason: &str,
) -> Result<(), DbErr> {
    let row = suppression::ActiveModel {
        id: NotSet,
        email: Set(email.to_owned()),
        reason: Set(reason.to_owned()),
        created_at: Set(now),
    };
    suppression::Entity::insert(row).on_conflict_do_nothing_on([suppression::Column::Email]).exec(db).await?;
    Ok(())
}
