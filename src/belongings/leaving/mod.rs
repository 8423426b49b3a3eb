//! Leaving: a person asks for everything of theirs to be deleted, and one job does it.
//!
//! In the transaction of the wish sessions, tokens, app passwords, private feeds, devices and memberships are gone and all
//! subscriptions ended, so nobody gets in and no mail goes out from that moment on (the sender looks at the
//! subscription last). The job then goes through [`PLACES`] in batches. It looks for what is there instead of remembering how
//! far it was, so one that was killed simply begins again. It comes a second time when every request that was under
//! way has ended, and then the person's own row goes.
//!
//! There is no time of grace. Whoever asks for deletion should not have to trust that it will come; a password or a
//! mailed link, and a page that says what goes, stand before it; the export is one click away on the same page.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};

use super::places::PLACES;
use super::{export as exports, letters};
use crate::accounts;
use crate::app::App;
use crate::auth::limits::Limit;
use crate::auth::{Address, password};
use crate::clock::Timestamp;
use crate::db::entities::account::{self, AccountState};
use crate::db::entities::job::{self, JobState};
use crate::db::entities::member::{self, Role};
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::db::entities::user::{self, UserState};
use crate::db::entities::webhook_message::Kind;
use crate::db::entities::{
    alert, api_token, app_password, device, private_feed, reader, session, sign_in_link,
};
use crate::error::Error;
use crate::jobs::{self, Job, Outcome};
use crate::page::Locale;
use crate::webhooks::{self, announce::News};

/// How long a mailed link is good.
pub const LINK_LIFETIME: Duration = Duration::from_secs(60 * 60);
const PURPOSE: &str = "leave";
/// How long after the wish nothing that was under way can write any more: a request has half a minute.
const SETTLED: Duration = Duration::from_secs(40);
/// How soon it is looked again whether a sender still has a message in its hands.
const IN_HAND: Duration = Duration::from_secs(5);
/// Subscriptions that are made nobody's in one transaction.
const BATCH: u64 = 50;
/// Answers of servers that are emptied by one statement.
const ANSWERS: u64 = 1_000;

/// Why somebody cannot leave yet.
#[derive(Clone, Debug, Default)]
pub struct Hindrances {
    /// Accounts that would have no owner.
    pub accounts: Vec<account::Model>,
    /// The site would have no operator.
    pub last_operator: bool,
}

impl Hindrances {
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && !self.last_operator
    }
}

/// What stands in a person's way.
pub async fn hindrances<C: ConnectionTrait>(db: &C, user: &user::Model) -> Result<Hindrances, DbErr> {
    let owned = member::Entity::find()
        .filter(member::COLUMN.user_id.eq(user.id))
        .filter(member::COLUMN.role.eq(Role::Owner))
        .order_by_asc(member::COLUMN.account_id)
        .all(db)
        .await?;
    let mut accounts = Vec::new();
    for owner in owned {
        let others = member::Entity::find()
            .filter(member::COLUMN.account_id.eq(owner.account_id))
            .filter(member::COLUMN.role.eq(Role::Owner))
            .filter(member::COLUMN.user_id.ne(user.id))
            .count(db)
            .await?;
        let account = account::Entity::find_by_id(owner.account_id).one(db).await?;
        // One that is closed can stay without an owner.
        accounts.extend(account.filter(|account| others == 0 && account.state == AccountState::Active));
    }
    let other_operators = user::Entity::find()
        .filter(user::COLUMN.operator.eq(true))
        .filter(user::COLUMN.state.eq(UserState::Active))
        .filter(user::COLUMN.id.ne(user.id))
        .count(db)
        .await?;
    Ok(Hindrances { accounts, last_operator: user.operator && other_operators == 0 })
}

/// Begins it for somebody who knows their password.
///
/// # Errors
/// Invalid `password`; too many tries; conflict where something stands in the way.
pub async fn by_password(app: &App, user: &user::Model, typed: &str) -> Result<(), Error> {
    let address = Address::parse(&user.email).map_err(|message| Error::invalid("password", message))?;
    app.limits.address(Limit::Password, &address)?;
    if !password::verify(typed, user.password_hash.clone()).await? {
        return Err(Error::invalid("password", "settings-password-current-wrong"));
    }
    begin(app, user).await
}

/// Asks for a link by mail, for those who have no password.
///
/// # Errors
/// Too many tries.
pub async fn ask_for_link(app: &App, user: &user::Model) -> Result<(), Error> {
    let address = Address::parse(&user.email).map_err(|message| Error::invalid("password", message))?;
    app.limits.address(Limit::LinkMail, &address)?;
    let now = app.clock.now();
    let job = Job::SendLeavingLink { user_id: user.id };
    jobs::queue::enqueue(app.db.write(), now, job, now).await?;
    Ok(())
}

/// The job of it.
pub async fn send_link(app: &App, user_id: i64) -> anyhow::Result<Outcome> {
    letters::send_leaving_link(app, user_id).await
}

/// The path of a mailed link.
pub(super) fn link_path(app: &App, user_id: i64) -> String {
    let expires_at = app.clock.now() + LINK_LIFETIME;
    format!("/settings/leave/{}", app.signer.sign(PURPOSE, &format!("{user_id}-{}", expires_at.0)))
}

/// Checks a mailed link, which is good for the person it was mailed to, signed in.
///
/// # Errors
/// Gone when it has expired, or is another's or none.
pub fn check_link(app: &App, user: &user::Model, signed: &str) -> Result<(), Error> {
    let parts = app.signer.verify(PURPOSE, signed).and_then(|value| value.split_once('-'));
    let numbers = parts.and_then(|(id, until)| Some((id.parse::<i64>().ok()?, until.parse::<i64>().ok()?)));
    match numbers {
        Some((id, until)) if id == user.id && Timestamp(until) > app.clock.now() => Ok(()),
        _ => Err(Error::Gone("leave-link-gone".into())),
    }
}

/// Begins it for somebody who came by a mailed link.
pub async fn by_link(app: &App, user: &user::Model, signed: &str) -> Result<(), Error> {
    check_link(app, user, signed)?;
    begin(app, user).await
}

/// From here on the person cannot get in and is told nothing more.
async fn begin(app: &App, user: &user::Model) -> Result<(), Error> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    // Owners who leave at the same time wait for each other at their accounts.
    let memberships = member::Entity::find()
        .filter(member::COLUMN.user_id.eq(user.id))
        .order_by_asc(member::COLUMN.account_id);
    for membership in memberships.all(&*tx).await? {
        accounts::lock(&tx, membership.account_id).await?;
    }
    let operators = user::Entity::find().filter(user::COLUMN.operator.eq(true)).order_by_asc(user::COLUMN.id);
    if user.operator {
        operators.lock_exclusive().all(&*tx).await?;
    }
    if !hindrances(&*tx, user).await?.is_empty() {
        return Err(Error::Conflict("leave-hindered".into()));
    }
    shut_out(&tx, user).await?;
    tell_nothing_more(&tx, user, now).await?;
    jobs::queue::enqueue(&*tx, now, Job::RemoveUser { user_id: user.id, asked_at: now }, now).await?;
    tx.commit().await?;
    tracing::info!(user = user.id, "somebody leaves");
    Ok(())
}

/// Ends every way to get in.
async fn shut_out(tx: &DatabaseTransaction, user: &user::Model) -> Result<(), DbErr> {
    user::Entity::update_many()
        .col_expr(user::Column::State, Expr::value(UserState::Leaving))
        .col_expr(user::Column::PasswordHash, Expr::value(None::<String>))
        .col_expr(user::Column::Operator, Expr::value(false))
        .filter(user::COLUMN.id.eq(user.id))
        .exec(tx)
        .await?;
    device::Entity::delete_many().filter(device::COLUMN.user_id.eq(user.id)).exec(tx).await?;
    session::Entity::delete_many().filter(session::COLUMN.user_id.eq(user.id)).exec(tx).await?;
    api_token::Entity::delete_many().filter(api_token::COLUMN.user_id.eq(user.id)).exec(tx).await?;
    app_password::Entity::delete_many().filter(app_password::COLUMN.user_id.eq(user.id)).exec(tx).await?;
    private_feed::Entity::delete_many().filter(private_feed::COLUMN.user_id.eq(user.id)).exec(tx).await?;
    member::Entity::delete_many().filter(member::COLUMN.user_id.eq(user.id)).exec(tx).await?;
    sign_in_link::Entity::delete_many()
        .filter(sign_in_link::COLUMN.email.eq(user.email.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends all subscriptions, of which their accounts' webhooks are told; alerts are those of active people only. With
/// the reader's row its digests go.
async fn tell_nothing_more(
    tx: &DatabaseTransaction,
    user: &user::Model,
    now: Timestamp,
) -> Result<(), DbErr> {
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

/// The job: deletes what there is, and the person's row when nothing can come any more.
pub async fn run(app: &App, user_id: i64, asked_at: Timestamp) -> anyhow::Result<Outcome> {
    let Some(user) = user::Entity::find_by_id(user_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    anyhow::ensure!(user.state == UserState::Leaving, "user {user_id} has not asked to leave");
    let again = |wait| {
        let run_at = app.clock.now() + wait;
        Ok(Outcome::Again { job: Job::RemoveUser { user_id, asked_at }, run_at })
    };
    if let Some(export) = exports::of_user(app, user_id).await? {
        exports::remove_files(app, export.id).await?;
    }
    drop_alerts(app, user_id).await?;
    if !release_subscriptions(app, &user).await? {
        return again(IN_HAND);
    }
    let mut rows = 0;
    for place in PLACES {
        rows += place.clear(&app.db, &user).await?;
    }
    clean_jobs(app, &user).await?;
    tracing::info!(user = user_id, rows, "rows of somebody who leaves were deleted or name nobody any more");
    let settled = asked_at + SETTLED;
    if app.clock.now() < settled {
        return Ok(Outcome::Again { job: Job::RemoveUser { user_id, asked_at }, run_at: settled });
    }
    finish(app, &user).await?;
    Ok(Outcome::Done)
}

async fn finish(app: &App, user: &user::Model) -> anyhow::Result<()> {
    if let Some(export) = exports::of_user(app, user.id).await? {
        exports::remove_files(app, export.id).await?;
    }
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    user::Entity::delete_by_id(user.id).exec(&*tx).await?;
    let locale = Locale::from_tag(&user.locale).unwrap_or(Locale::ZhHans).code().to_owned();
    let farewell = Job::SendFarewell { email: user.email.clone(), locale, tries: 0 };
    jobs::queue::enqueue(&*tx, now, farewell, now).await?;
    tx.commit().await?;
    Ok(())
}

async fn drop_alerts(app: &App, user_id: i64) -> anyhow::Result<()> {
    let alerts = alert::Entity::find().filter(alert::COLUMN.user_id.eq(user_id)).all(app.db.read()).await?;
    for alert in alerts {
        match crate::alerts::delete(app, user_id, alert.id).await {
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => anyhow::bail!("deleting an alert: {error:?}"),
        }
    }
    Ok(())
}

/// Makes subscriptions nobody's, or deletes them where no push was sent to them. False while a sender has a message
/// to one of them in its hands: it would write a server's answer afterwards.
async fn release_subscriptions(app: &App, user: &user::Model) -> anyhow::Result<bool> {
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
        if is_in_hand(app, &list).await? {
            return Ok(false);
        }
        loop {
            let emptied = write(
                app,
                format!(
                    "UPDATE deliveries SET answer = NULL WHERE id IN (SELECT id FROM deliveries \
                     WHERE subscription_id IN ({list}) AND answer IS NOT NULL LIMIT {ANSWERS})"
                ),
            );
            if emptied.await? < ANSWERS {
                break;
            }
        }
        let tx = app.db.begin().await?;
        tx.execute_unprepared(&format!(
            "DELETE FROM subscriptions WHERE id IN ({list}) AND NOT EXISTS \
             (SELECT 1 FROM deliveries WHERE deliveries.subscription_id = subscriptions.id)"
        ))
        .await?;
        // Of the rest pushes count deliveries. A word without an at sign is nobody's address.
        tx.execute_unprepared(&format!(
            "UPDATE subscriptions SET user_id = NULL, email = 'left-' || id, state = 'ended', asked_at = NULL, \
             read_until = NULL, told = NULL, list_id = NULL WHERE id IN ({list})"
        ))
        .await?;
        tx.commit().await?;
    }
}

async fn is_in_hand(app: &App, subscriptions: &str) -> Result<bool, DbErr> {
    let sql = format!(
        "SELECT 1 AS one FROM deliveries WHERE subscription_id IN ({subscriptions}) AND lease_until > $1 LIMIT 1"
    );
    let statement = Statement::from_sql_and_values(app.db.backend(), sql, [app.clock.now().0.into()]);
    Ok(app.db.read().query_one_raw(statement).await?.is_some())
}

async fn write(app: &App, sql: String) -> Result<u64, DbErr> {
    let statement = Statement::from_string(app.db.backend(), sql);
    Ok(app.db.write().execute_raw(statement).await?.rows_affected())
}

/// Articles that they scheduled are published in nobody's name; errors that name their address are forgotten.
async fn clean_jobs(app: &App, user: &user::Model) -> Result<(), DbErr> {
    let kind: &'static str = Job::PublishArticle { article_id: 0, user_id: 0 }.into();
    let waiting = job::Entity::find().filter(job::COLUMN.kind.eq(kind)).all(app.db.read()).await?;
    for row in waiting {
        match serde_json::from_value(row.payload) {
            Ok(Job::PublishArticle { article_id, user_id }) if user_id == user.id => {
                let job = Job::PublishArticle { article_id, user_id: 0 };
                job::Entity::update_many()
                    .col_expr(
                        job::Column::Payload,
                        Expr::value(serde_json::to_value(job).unwrap_or_default()),
                    )
                    .filter(job::COLUMN.id.eq(row.id))
                    .exec(app.db.write())
                    .await?;
            }
            _ => {}
        }
    }
    let address = format!("%{}%", user.email.replace(['%', '_'], "_"));
    job::Entity::update_many()
        .col_expr(job::Column::LastError, Expr::value(None::<String>))
        .filter(Expr::col(job::Column::LastError).like(address.as_str()))
        .exec(app.db.write())
        .await?;
    // A letter to them that could not be written is of no use to anybody.
    job::Entity::delete_many()
        .filter(job::COLUMN.state.eq(JobState::Dead))
        .filter(Expr::col(job::Column::Payload).cast_as("text").like(address.as_str()))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// The job after it: says that it is done. It gives up by itself, so that no address is kept with a dead job.
pub async fn say_farewell(app: &App, email: String, locale: String, tries: u32) -> anyhow::Result<Outcome> {
    const MOST_TRIES: u32 = 8;
    match letters::farewell(app, &email, Locale::from_tag(&locale).unwrap_or(Locale::ZhHans)).await {
        Ok(outcome) => Ok(outcome),
        Err(error) if tries < MOST_TRIES => {
            tracing::info!(tries, "the last letter to somebody who left is tried again: {error:#}");
            let run_at = app.clock.now() + Duration::from_secs(60 << tries);
            Ok(Outcome::Again { job: Job::SendFarewell { email, locale, tries: tries + 1 }, run_at })
        }
        Err(error) => {
            tracing::warn!("the last letter to somebody who left was given up: {error:#}");
            Ok(Outcome::Done)
        }
    }
}
