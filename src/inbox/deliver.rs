//! Putting things into inboxes, many at once.

use std::time::{Duration, Instant};

use sea_orm::sea_query::{
    BinOper, Condition, Expr, ExprTrait, InsertStatement, JoinType, OnConflict, Query, SelectStatement,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::article::{self, ArticleState};
use crate::db::entities::delivery::Channel;
use crate::db::entities::inbox_item::{self, Column, ItemKind};
use crate::db::entities::{alert, push, push_article, subscription, user};
use crate::delivery::channel;
use crate::jobs::{Job, Outcome};

/// Subscriptions walked in one transaction.
const BATCH: u64 = 5_000;
/// How long the job works before it saves its cursor and lets others have their turn.
const SLICE: Duration = Duration::from_secs(1);

fn of_subscription(column: subscription::Column) -> Expr {
    Expr::col((subscription::Entity, column))
}

/// Puts a push into the inboxes of those among the subscriptions of a batch who are signed-in readers and are told at
/// once. Whether their address takes mail does not matter here.
pub async fn push(
    tx: &DatabaseTransaction,
    push: &push::Model,
    after: i64,
    last: i64,
    now: Timestamp,
) -> Result<(), DbErr> {
    let rows = Query::select()
        .column((subscription::Entity, subscription::Column::UserId))
        .expr(Expr::val(format!("push:{}", push.id)))
        .expr(Expr::val(ItemKind::Push))
        .expr(Expr::val(push.id))
        .expr(Expr::val(now))
        .from(subscription::Entity)
        .and_where(of_subscription(subscription::Column::AccountId).eq(push.account_id))
        .and_where(of_subscription(subscription::Column::Id).gt(after))
        .and_where(of_subscription(subscription::Column::Id).lte(last))
        .and_where(of_subscription(subscription::Column::UserId).is_not_null())
        .cond_where(channel::audience(Channel::Email))
        .take();
    let columns = [Column::UserId, Column::Subject, Column::Kind, Column::PushId, Column::CreatedAt];
    tx.execute(&insert(&columns, rows)).await?;
    Ok(())
}

/// Puts what alerts found into the inboxes of their readers; `which` selects the alerts.
pub async fn alerts(
    tx: &DatabaseTransaction,
    which: &SelectStatement,
    occasion: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    let id = || Expr::col((alert::Entity, alert::Column::Id));
    let subject = Expr::val("alert:")
        .binary(BinOper::Custom("||"), id().cast_as("text"))
        .binary(BinOper::Custom("||"), Expr::val(format!(":{occasion}")));
    let reader = Expr::col((user::Entity, user::Column::Id)).equals((alert::Entity, alert::Column::UserId));
    let rows = which
        .clone()
        .column((alert::Entity, alert::Column::UserId))
        .expr(subject)
        .expr(Expr::val(ItemKind::Alert))
        .expr(id())
        .expr(Expr::val(occasion))
        .expr(Expr::val(now))
        .from(alert::Entity)
        .join(JoinType::InnerJoin, user::Entity, reader)
        .take();
    let columns =
        [Column::UserId, Column::Subject, Column::Kind, Column::AlertId, Column::Occasion, Column::CreatedAt];
    tx.execute(&insert(&columns, rows)).await?;
    Ok(())
}

/// Does the job of an article that was put right or taken back: those whose inbox has a push with it are told.
pub async fn correct(
    app: &App,
    article_id: i64,
    version: i32,
    words: String,
    mut cursor: i64,
) -> anyhow::Result<Outcome> {
    let Some(article) = article::Entity::find_by_id(article_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let pushed = push_article::Entity::find().filter(push_article::COLUMN.article_id.eq(article_id));
    let Some(pushed) = pushed.one(app.db.read()).await? else { return Ok(Outcome::Done) };
    let began = Instant::now();
    while let Some(last) = end_of_batch(app, article.account_id, cursor).await? {
        let tx = app.db.begin().await?;
        let rows =
            rows_of_correction(&article, version, &words, pushed.push_id, cursor, last, app.clock.now());
        let columns = [
            Column::UserId,
            Column::Subject,
            Column::Kind,
            Column::ArticleId,
            Column::Words,
            Column::CreatedAt,
        ];
        tx.execute(&insert(&columns, rows)).await?;
        tx.commit().await?;
        cursor = last;
        if began.elapsed() > SLICE {
            let job = Job::TellCorrection { article_id, version, words, after_subscription: cursor };
            return Ok(Outcome::Again { job, run_at: app.clock.now() });
        }
    }
    Ok(Outcome::Done)
}

fn rows_of_correction(
    article: &article::Model,
    version: i32,
    words: &str,
    push_id: i64,
    after: i64,
    last: i64,
    now: Timestamp,
) -> SelectStatement {
    let kind = match article.state {
        ArticleState::Withdrawn => ItemKind::Withdrawal,
        _ => ItemKind::Correction,
    };
    let was_told = Condition::all()
        .add(
            Expr::col((inbox_item::Entity, Column::UserId))
                .equals((subscription::Entity, subscription::Column::UserId)),
        )
        .add(Expr::col((inbox_item::Entity, Column::Subject)).eq(format!("push:{push_id}")));
    Query::select()
        .column((subscription::Entity, subscription::Column::UserId))
        .expr(Expr::val(format!("{kind}:{}:{version}", article.id)))
        .expr(Expr::val(kind))
        .expr(Expr::val(article.id))
        .expr(Expr::val(Some(words.to_owned()).filter(|words| !words.is_empty())))
        .expr(Expr::val(now))
        .from(subscription::Entity)
        .join(JoinType::InnerJoin, inbox_item::Entity, was_told)
        .and_where(of_subscription(subscription::Column::AccountId).eq(article.account_id))
        .and_where(of_subscription(subscription::Column::Id).gt(after))
        .and_where(of_subscription(subscription::Column::Id).lte(last))
        .take()
}

/// The id of the last subscription of the batch after `cursor`, whatever its state: who has left meanwhile was told too.
async fn end_of_batch(app: &App, account_id: i64, cursor: i64) -> Result<Option<i64>, DbErr> {
    use sea_orm::{QueryOrder, QuerySelect};
    let ids: Vec<i64> = subscription::Entity::find()
        .select_only()
        .column(subscription::Column::Id)
        .filter(subscription::COLUMN.account_id.eq(account_id))
        .filter(subscription::COLUMN.id.gt(cursor))
        .order_by_asc(subscription::COLUMN.id)
        .limit(BATCH)
        .into_tuple()
        .all(app.db.read())
        .await?;
    Ok(ids.last().copied())
}

/// What is there already is left as it is.
fn insert(columns: &[Column], rows: SelectStatement) -> InsertStatement {
    Query::insert()
        .into_table(inbox_item::Entity)
        .columns(columns.iter().copied())
        .select_from(rows)
        .expect("as many values as columns")
        .on_conflict(OnConflict::columns([Column::UserId, Column::Subject]).do_nothing().to_owned())
        .take()
}
