//! Delivery: every subscriber of a push is told once, and every reader of an alert.
//!
//! [`fan_out`] writes a row for each subscriber into the ledger, `alerts::hits` one for each alert
//! that found something, `digests` one for each reader whose hour has come; [`sender`] claims rows that are due and hands them to their [`channel`];
//! [`ledger`] keeps what became of each. They know nothing of each other but the rows.
//!
//! A row has one subject, in columns of its own that are empty otherwise (`delivery::Subject`): a
//! push and a subscription, an alert and an occasion, or a reader and the time of a digest. Attempts,
//! leases, states and answers are the same for all, so whatever is to be told next is one more subject and
//! nothing else here changes. Webhooks are told by a room of their own, which says why.
//!
//! What is told at once waits for the end of its reader's quiet hours: the sender finds that when it has
//! claimed it, and gives it back with that time.

pub mod caps;
pub mod carriers;
pub mod channel;
pub mod domains;
pub mod email;
pub mod fan_out;
pub mod hold;
pub mod ledger;
pub mod letter;
pub mod log;
pub mod owners;
pub mod preview;
pub mod provider;
pub mod queries;
pub mod ramp;
pub mod rests;
pub mod sender;
pub mod tally;
pub mod untold;
pub mod web_push;

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
