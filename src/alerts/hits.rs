//! Hits: a new article is matched against all alerts, and each that it matches is told of it, at once
//! or with others when the alert's mail is due. Both jobs may be run twice or broken off anywhere: an
//! alert has one hit for an article, and one delivery for an occasion.
//!
//! An occasion names what a delivery tells of: one article, or all that had been gathered at a moment.
//! A hit without one waits to be told.

use sea_orm::sea_query::{
    CaseStatement, Expr, ExprTrait, Func, JoinType, OnConflict, Query, SelectStatement,
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};

use super::due;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Tx;
use crate::db::entities::alert::{self, AlertCadence, AlertState};
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::{alert_hit, suppression, user};
use crate::delivery::{channel, provider};
use crate::inbox;
use crate::jobs::{self, Job, Outcome};
use crate::readers::{self, hours::Hours};
use crate::search;

/// Alerts of one transaction: short enough that other writers hardly wait.
const BATCH: usize = 5_000;

/// Does the job of a new article. One that is withdrawn by now is not told of.
pub async fn find(app: &App, article_id: i64) -> anyhow::Result<Outcome> {
    let Some(article) = search::queries::published(app.db.read(), &[article_id]).await?.pop() else {
        return Ok(Outcome::Done);
    };
    let alerts = app.alerts.matches(app, article.into_entry()).await?;
    // In order of id, so that two articles never wait for each other.
    for alerts in alerts.chunks(BATCH) {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
        record(app, &tx, article_id, alerts, now).await?;
        tx.commit().await?;
    }
    Ok(Outcome::Done)
}

/// Does the job of an alert whose mail is due: all that waits is told in one message.
pub async fn gather(app: &App, alert_id: i64) -> anyhow::Result<Outcome> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    // While the row is locked no hit can be written for it, so that none comes between our look and
    // our end; one that comes after finds no job of this key and makes a new one.
    let alert = alert::Entity::find_by_id(alert_id).lock_exclusive().one(&*tx).await?;
    cancel(&tx, alert_id).await?;
    if alert.is_some_and(|alert| alert.state == AlertState::Active) && has_waiting(&*tx, alert_id).await? {
        let occasion = format!("gathered:{}", now.0);
        alert_hit::Entity::update_many()
            .col_expr(alert_hit::Column::Occasion, Expr::value(Some(occasion.clone())))
            .filter(alert_hit::COLUMN.alert_id.eq(alert_id))
            .filter(Expr::col(alert_hit::Column::Occasion).is_null())
            .exec(&*tx)
            .await?;
        let of_alert = Expr::col((alert::Entity, alert::Column::Id)).eq(alert_id);
        make_deliveries(&tx, Query::select().and_where(of_alert), &occasion, now).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// Queues the mail of an alert anew, if anything waits for it: its cadence has changed, or it goes on.
pub(super) async fn reschedule(
    tx: &DatabaseTransaction,
    alert: &alert::Model,
    hours: &Hours,
    now: Timestamp,
) -> Result<(), DbErr> {
    cancel(tx, alert.id).await?;
    if alert.state == AlertState::Active && has_waiting(tx, alert.id).await? {
        let run_at = match alert.cadence {
            AlertCadence::Instant => now,
            cadence => due::next(cadence, now, hours),
        };
        jobs::queue::enqueue(tx, now, Job::GatherAlert { alert_id: alert.id }, run_at).await?;
    }
    Ok(())
}

/// Forgets the mail that is queued for an alert.
pub(super) async fn cancel(tx: &DatabaseTransaction, alert_id: i64) -> Result<(), DbErr> {
    let key = Job::GatherAlert { alert_id }.unique_key().unwrap_or_default();
    jobs::queue::cancel(tx, &key).await
}

async fn has_waiting<C: ConnectionTrait>(db: &C, alert_id: i64) -> Result<bool, DbErr> {
    let waiting = alert_hit::Entity::find()
        .filter(alert_hit::COLUMN.alert_id.eq(alert_id))
        .filter(Expr::col(alert_hit::Column::Occasion).is_null())
        .limit(1);
    Ok(waiting.one(db).await?.is_some())
}

/// The hits of an article, and what follows from those that are new.
async fn record(app: &App, tx: &Tx, article_id: i64, alerts: &[i64], now: Timestamp) -> Result<(), DbErr> {
    let occasion = format!("article:{article_id}");
    let is_one = Expr::col((alert::Entity, alert::Column::Id)).is_in(alerts.iter().copied());
    let hits = Query::select()
        .column((alert::Entity, alert::Column::Id))
        .expr(Expr::val(article_id))
        .expr(occasion_of_hit(&occasion, now))
        .expr(Expr::val(now))
        .from(alert::Entity)
        .and_where(is_one.clone())
        .and_where(Expr::col((alert::Entity, alert::Column::State)).eq(AlertState::Active))
        .order_by((alert::Entity, alert::Column::Id), sea_orm::Order::Asc)
        .take();
    let key = [alert_hit::Column::AlertId, alert_hit::Column::ArticleId];
    let insert = Query::insert()
        .into_table(alert_hit::Entity)
        .columns([
            alert_hit::Column::AlertId,
            alert_hit::Column::ArticleId,
            alert_hit::Column::Occasion,
            alert_hit::Column::CreatedAt,
        ])
        .select_from(hits)
        .expect("as many values as columns")
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .take();
    tx.execute(&insert).await?;
    let told_at_once = join_hits(Query::select().and_where(is_one.clone()))
        .and_where(hit_column(alert_hit::Column::ArticleId).eq(article_id))
        .and_where(hit_column(alert_hit::Column::Occasion).eq(occasion.as_str()))
        .take();
    make_deliveries(tx, &told_at_once, &occasion, now).await?;
    queue_gathering(app, tx, article_id, is_one, now).await
}

/// At once, unless the alert takes its time, or has told of so many within the hour that the rest
/// comes in one.
fn occasion_of_hit(occasion: &str, now: Timestamp) -> CaseStatement {
    let lately = Query::select()
        .expr(Func::count(hit_column(alert_hit::Column::Id)))
        .from(alert_hit::Entity)
        .and_where(hit_column(alert_hit::Column::AlertId).equals((alert::Entity, alert::Column::Id)))
        .and_where(hit_column(alert_hit::Column::CreatedAt).gt(now - due::BREATHER))
        .take();
    let has_room = Expr::SubQuery(None, Box::new(lately.into())).lt(due::MOST_AN_HOUR as i64);
    let is_instant = Expr::col((alert::Entity, alert::Column::Cadence)).eq(AlertCadence::Instant);
    Expr::case(is_instant.and(has_room), Expr::val(Some(occasion.to_owned())))
        .finally(Expr::val(None::<String>))
}

fn hit_column(column: alert_hit::Column) -> Expr {
    Expr::col((alert_hit::Entity, column))
}

fn join_hits(select: &mut SelectStatement) -> &mut SelectStatement {
    let same = hit_column(alert_hit::Column::AlertId).equals((alert::Entity, alert::Column::Id));
    select.join(JoinType::InnerJoin, alert_hit::Entity, same)
}

/// Writes a delivery of an occasion for each alert of `which`, on every channel. An address that takes
/// no mail gets one that says why.
async fn make_deliveries(
    tx: &Tx,
    which: &SelectStatement,
    occasion: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    for channel in channel::used(&**tx).await? {
        let mut rows = rows_of_deliveries(which.clone(), channel, occasion, now);
        let email = Expr::col((user::Entity, user::Column::Email));
        provider::join_domains(&mut rows, tx.get_database_backend(), email);
        let insert = Query::insert()
            .into_table(delivery::Entity)
            .columns([
                delivery::Column::AlertId,
                delivery::Column::Occasion,
                delivery::Column::Channel,
                delivery::Column::Provider,
                delivery::Column::State,
                delivery::Column::Attempts,
                delivery::Column::NextAttemptAt,
                delivery::Column::MessageId,
                delivery::Column::Answer,
                delivery::Column::CreatedAt,
                delivery::Column::UpdatedAt,
            ])
            .select_from(rows)
            .expect("as many values as columns")
            .on_conflict(
                // Its index holds no rows of pushes.
                OnConflict::columns([
                    delivery::Column::AlertId,
                    delivery::Column::Occasion,
                    delivery::Column::Channel,
                ])
                .target_and_where(Expr::cust("alert_id IS NOT NULL"))
                .do_nothing()
                .to_owned(),
            )
            .take();
        tx.execute(&insert).await?;
    }
    inbox::deliver::alerts(tx, which, occasion, now).await
}

fn rows_of_deliveries(
    mut which: SelectStatement,
    channel: Channel,
    occasion: &str,
    now: Timestamp,
) -> SelectStatement {
    let reader = Expr::col((user::Entity, user::Column::Id)).equals((alert::Entity, alert::Column::UserId));
    let address = Expr::col((suppression::Entity, suppression::Column::Email))
        .equals((user::Entity, user::Column::Email));
    let [provider, state, reason] = channel::first_state(channel, DeliveryState::Waiting);
    if channel == Channel::WebPush {
        let reader = Expr::col((alert::Entity, alert::Column::UserId));
        which.and_where(reader.in_subquery(channel::readers_with_devices()));
    }
    which
        .column((alert::Entity, alert::Column::Id))
        .expr(Expr::val(occasion))
        .expr(Expr::val(channel))
        .expr(provider)
        .expr(state)
        .expr(Expr::val(0))
        .expr(Expr::val(now))
        .expr(Expr::val(""))
        .expr(reason)
        .expr(Expr::val(now))
        .expr(Expr::val(now))
        .from(alert::Entity)
        .join(JoinType::InnerJoin, user::Entity, reader)
        .join(JoinType::LeftJoin, suppression::Entity, address)
        .order_by((alert::Entity, alert::Column::Id), sea_orm::Order::Asc)
        .take()
}

/// Lets the alerts that were hit and are told later be told when they are due.
async fn queue_gathering(
    app: &App,
    tx: &Tx,
    article_id: i64,
    is_one: Expr,
    now: Timestamp,
) -> Result<(), DbErr> {
    #[derive(FromQueryResult)]
    struct Due {
        id: i64,
        cadence: AlertCadence,
        email: String,
        timezone: String,
    }
    let reader = Expr::col((user::Entity, user::Column::Id)).equals((alert::Entity, alert::Column::UserId));
    let waiting = join_hits(Query::select().from(alert::Entity))
        .join(JoinType::InnerJoin, user::Entity, reader)
        .columns([alert::Column::Id, alert::Column::Cadence].map(|column| (alert::Entity, column)))
        .columns([user::Column::Email, user::Column::Timezone].map(|column| (user::Entity, column)))
        .and_where(is_one)
        .and_where(hit_column(alert_hit::Column::ArticleId).eq(article_id))
        .and_where(hit_column(alert_hit::Column::Occasion).is_null())
        .order_by((alert::Entity, alert::Column::Id), sea_orm::Order::Asc)
        .take();
    let rows = Due::find_by_statement(tx.get_database_backend().build(&waiting)).all(&**tx).await?;
    let users: Vec<_> = rows.iter().map(|row| (row.email.as_str(), row.timezone.as_str())).collect();
    let hours = readers::queries::of_users(&**tx, &app.config, &users).await?;
    let jobs = rows.iter().filter_map(|row| {
        let hours = hours.get(&row.email)?;
        Some((Job::GatherAlert { alert_id: row.id }, due::next(row.cadence, now, hours)))
    });
    jobs::queue::enqueue_many(&**tx, now, jobs.collect()).await
}
