//! Announcing: what happens in an account becomes a message for each webhook that wants to know, in the transaction in
//! which it happens.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr,
};

use super::{kinds_of, queries};
use crate::clock::Timestamp;
use crate::db::entities::webhook_message::{self, Kind, MessageState};
use crate::jobs::{self, Job};

/// Something that happened: of what kind, in which account, and to which article, push or subscription.
#[derive(Clone, Copy, Debug)]
pub struct News {
    pub kind: Kind,
    pub account_id: i64,
    pub subject_id: i64,
}

/// Writes messages and their jobs. Costs one look where nobody wants to know.
pub async fn announce<C: ConnectionTrait>(tx: &C, now: Timestamp, news: &[News]) -> Result<(), DbErr> {
    let accounts: BTreeSet<i64> = news.iter().map(|one| one.account_id).collect();
    if accounts.is_empty() {
        return Ok(());
    }
    let webhooks = queries::active(tx, accounts).await?;
    for one in news {
        let heard = |webhook: &&_| {
            let webhook: &crate::db::entities::webhook::Model = webhook;
            webhook.account_id == one.account_id && kinds_of(webhook).contains(&one.kind)
        };
        for webhook in webhooks.iter().filter(heard) {
            let message = message(now, webhook.id, one.kind, Some(one.subject_id)).insert(tx).await?;
            jobs::queue::enqueue(tx, now, Job::SendWebhook { message_id: message.id }, now).await?;
        }
    }
    Ok(())
}

pub(super) fn message(
    now: Timestamp,
    webhook_id: i64,
    kind: Kind,
    subject_id: Option<i64>,
) -> webhook_message::ActiveModel {
    webhook_message::ActiveModel {
        id: NotSet,
        webhook_id: Set(webhook_id),
        kind: Set(kind),
        subject_id: Set(subject_id),
        name: Set(format!("msg_{}", hex::encode(rand::random::<[u8; 16]>()))),
        body: Set(None),
        state: Set(MessageState::Waiting),
        attempts: Set(0),
        next_attempt_at: Set(now),
        created_at: Set(now),
    }
}
