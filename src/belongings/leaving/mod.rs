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

mod release;
mod wish;
mod work;

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

pub(super) use self::wish::link_path;
pub use self::wish::{
    Hindrances, LINK_LIFETIME, ask_for_link, by_link, by_password, check_link, hindrances, send_link,
};
use super::places::PLACES;
use super::{export as exports, letters};
use crate::accounts;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::user::{self, UserState};
use crate::db::entities::{
    alert, api_token, app_password, device, member, private_feed, session, sign_in_link,
};
use crate::error::Error;
use crate::jobs::{self, Job, Outcome};
use crate::page::Locale;

/// How long after the wish nothing that was under way can write any more: a request has half a minute.
const SETTLED: Duration = Duration::from_secs(40);
/// How soon it is looked again whether somebody still needs a subscription as it is.
const IN_USE: Duration = Duration::from_secs(5);

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
    release::end(&tx, user, now).await?;
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

/// The job: deletes what there is, and the person's row when nothing can come any more.
pub async fn run(app: &App, user_id: i64, asked_at: Timestamp) -> anyhow::Result<Outcome> {
    let Some(user) = user::Entity::find_by_id(user_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    anyhow::ensure!(user.state == UserState::Leaving, "user {user_id} has not asked to leave");
    let again_at = |run_at| Ok(Outcome::Again { job: Job::RemoveUser { user_id, asked_at }, run_at });
    exports::drop_of(app, user_id).await?;
    drop_alerts(app, user_id).await?;
    if !release::release(app, &user, asked_at).await? {
        return again_at(app.clock.now() + IN_USE);
    }
    let mut rows = 0;
    for place in PLACES {
        rows += place.clear(&app.db, &user).await?;
    }
    work::clean(app, &user).await?;
    tracing::info!(user = user_id, rows, "rows of somebody who leaves were deleted or name nobody any more");
    let settled = asked_at + SETTLED;
    if app.clock.now() < settled {
        return again_at(settled);
    }
    finish(app, &user).await?;
    Ok(Outcome::Done)
}

async fn finish(app: &App, user: &user::Model) -> anyhow::Result<()> {
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
