//! Reads of webhooks, their messages and attempts.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::db::entities::webhook::{self, WebhookState};
use crate::db::entities::{webhook_attempt, webhook_message};

/// A message with its attempts, the newest first.
#[derive(Clone, Debug)]
pub struct MessageRow {
    pub message: webhook_message::Model,
    pub attempts: Vec<webhook_attempt::Model>,
}

/// Webhooks of accounts that are to be told.
pub(super) async fn active<C: ConnectionTrait>(
    db: &C,
    accounts: BTreeSet<i64>,
) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .filter(webhook::Column::AccountId.is_in(accounts))
        .filter(webhook::COLUMN.state.eq(WebhookState::Active))
        .order_by_asc(webhook::COLUMN.id)
        .all(db)
        .await
}

pub(super) async fn count<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<u64, DbErr> {
    webhook::Entity::find().filter(webhook::COLUMN.account_id.eq(account_id)).count(db).await
}

/// All of an account, the oldest first.
pub async fn of_account<C: ConnectionTrait>(db: &C, account_id: i64) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .filter(webhook::COLUMN.account_id.eq(account_id))
        .order_by_asc(webhook::COLUMN.id)
        .all(db)
        .await
}

/// One of an account.
pub async fn one<C: ConnectionTrait>(
    db: &C,
    account_id: i64,
    id: i64,
) -> Result<Option<webhook::Model>, DbErr> {
    let row = webhook::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|row| row.account_id == account_id))
}

/// The newest messages of a webhook before one of them, the newest first.
pub async fn messages<C: ConnectionTrait>(
    db: &C,
    webhook_id: i64,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<MessageRow>, DbErr> {
    let mut query = webhook_message::Entity::find().filter(webhook_message::COLUMN.webhook_id.eq(webhook_id));
    if let Some(before) = before {
        query = query.filter(webhook_message::COLUMN.id.lt(before));
    }
    let messages = query.order_by_desc(webhook_message::COLUMN.id).limit(limit).all(db).await?;
    let ids: Vec<i64> = messages.iter().map(|message| message.id).collect();
    let attempts = webhook_attempt::Entity::find()
        .filter(webhook_attempt::COLUMN.message_id.is_in(ids))
        .order_by_desc(webhook_attempt::COLUMN.id)
        .all(db)
        .await?;
    let mut of: HashMap<i64, Vec<webhook_attempt::Model>> = HashMap::new();
    for attempt in attempts {
        of.entry(attempt.message_id).or_default().push(attempt);
    }
    let row = |message: webhook_message::Model| MessageRow {
        attempts: of.remove(&message.id).unwrap_or_default(),
        message,
    };
    Ok(messages.into_iter().map(row).collect())
}
