//! Subscriptions of somebody who leaves: ended at the wish, and made nobody's by the job.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::subscription::{self, NOBODYS, SubscriptionState};
use crate::db::entities::webhook_message::{Kind, MessageState};
use crate::db::entities::{reader, user};
use crate::webhooks::{self, announce::News};

/// Subscriptions that are made nobody's in one transaction.
const BATCH: u64 = 50;
/// Answers of servers that are emptied by one statement.
const ANSWERS: u64 = 1_000;
/// How long webhooks are waited for that have not been told yet.
const HEARD: Duration = Duration::from_secs(10 * 60);

/// Ends all subscriptions, of which their accounts' webhooks are told; alerts are those of active people only. With
/// the reader's row its digests go.
pub async fn end(tx: &DatabaseTransaction, user: &user::Model, now: Timestamp) -> Result<(), DbErr> {
    reader::Entity::delete_many().filter(reader::COLUMN.email.eq(user.email.as_str())).exec(tx).await?;
    let ended: Vec<(i64, i64)> = theirs(user)
        .filter(subscription::Column::State.is_in([SubscriptionState::Active, SubscriptionState::Paused]))
        .select_only()
        .columns([subscription::Column::Id, subscription::Column::AccountId])
        .into_tuple()
        .all(tx)
        .await?;
    let news: Vec<News> = ended
        .into_iter()
        .map(|(subject_id, account_id)| News { kind: Kind::SubscriptionCancelled, account_id, subject_id })
        .collect();
    webhooks::announce::announce(tx, now, &news).await?;
    subscription::Entity::update_many()
        .col_expr(subscription::Column::State, Expr::value(SubscriptionState::Ended))
        .col_expr(subscription::Column::EndedAt, Expr::value(Some(now)))
        .filter(is_theirs(user))
        .filter(subscription::COLUMN.state.ne(SubscriptionState::Ended))
        .exec(tx)
        .await?;
    Ok(())
}

fn theirs(user: &user::Model) -> sea_orm::Select<subscription::Entity> {
    subscription::Entity::find().filter(is_theirs(user))
}

fn is_theirs(user: &user::Model) -> Expr {
    Expr::col(subscription::Column::UserId)
        .eq(user.id)
        .or(Expr::col(subscription::Column::Email).eq(user.email.as_str()))
}

/// Makes subscriptions nobody's, or deletes them where no push was sent to them. False while somebody still needs one
/// of them as it is: a sender that has a message to it in its hands and would write a server's answer afterwards, or a
/// webhook that is to be told of its end.
pub async fn release(app: &App, user: &user::Model, asked_at: Timestamp) -> anyhow::Result<bool> {
    loop {
        let ids: Vec<i64> = theirs(user)
            .select_only()
            .column(subscription::Column::Id)
            .order_by_asc(subscription::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(app.db.write())
            .await?;
        if ids.is_empty() {
            return Ok(true);
        }
        let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        if is_in_hand(app, &list).await? || is_untold(app, &list, asked_at).await? {
            return Ok(false);
        }
        forget_answers(app, &list).await?;
        let tx = app.db.begin().await?;
        tx.execute_unprepared(&format!(
            "DELETE FROM subscriptions WHERE id IN ({list}) AND NOT EXISTS \
             (SELECT 1 FROM deliveries WHERE deliveries.subscription_id = subscriptions.id)"
        ))
        .await?;
        // Of the rest pushes count deliveries.
        tx.execute_unprepared(&format!(
            "UPDATE subscriptions SET user_id = NULL, email = '{NOBODYS}' || id, state = 'ended', asked_at = NULL, \
             read_until = NULL, told = NULL, list_id = NULL WHERE id IN ({list})"
        ))
        .await?;
        // A bounce that held the subscription was heeded while the line above waited for it.
        tx.execute_unprepared(&format!(
            "UPDATE deliveries SET answer = NULL WHERE subscription_id IN ({list}) AND answer IS NOT NULL"
        ))
        .await?;
        tx.commit().await?;
    }
}

async fn is_in_hand(app: &App, subscriptions: &str) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 AS one FROM deliveries WHERE subscription_id IN ({subscriptions}) AND lease_until > $1 LIMIT 1"
    );
    is_any(app, sql, [app.clock.now().0.into()]).await
}

/// What a webhook is told is written from the subscription, before the first attempt. One that never gets that far
/// does not hold anybody for ever.
async fn is_untold(app: &App, subscriptions: &str, asked_at: Timestamp) -> Result<bool, DbErr> {
    if app.clock.now() > asked_at + HEARD {
        return Ok(false);
    }
    let sql = format!(
        "SELECT 1 AS one FROM webhook_messages WHERE subject_id IN ({subscriptions}) AND kind = $1 AND state = $2 \
         AND body IS NULL LIMIT 1"
    );
    let (kind, state): (&'static str, &'static str) =
        (Kind::SubscriptionCancelled.into(), MessageState::Waiting.into());
    is_any(app, sql, [kind.into(), state.into()]).await
}

async fn is_any(app: &App, sql: String, values: impl IntoIterator<Item = Value>) -> Result<bool, DbErr> {
    let statement = Statement::from_sql_and_values(app.db.backend(), sql, values);
    Ok(app.db.read().query_one_raw(statement).await?.is_some())
}

/// What servers answered may repeat the address.
async fn forget_answers(app: &App, subscriptions: &str) -> Result<(), DbErr> {
    let sql = format!(
        "UPDATE deliveries SET answer = NULL WHERE id IN (SELECT id FROM deliveries \
         WHERE subscription_id IN ({subscriptions}) AND answer IS NOT NULL LIMIT {ANSWERS})"
    );
    loop {
        let statement = Statement::from_string(app.db.backend(), &sql);
        if app.db.write().execute_raw(statement).await?.rows_affected() < ANSWERS {
            return Ok(());
        }
    }
}
