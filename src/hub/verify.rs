//! Verification: a callback is asked whether it meant what somebody asked for in its name. Only one that repeats a
//! word nobody else knows gets a lease, or loses it.

use std::time::Duration;

use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QuerySelect,
};
use url::Url;

use super::{Refusal, check_room, queries};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::hub_request::{self, HubMode};
use crate::db::entities::{account, hub_lease};
use crate::import::fetch::{FetchError, FetchRequest};
use crate::jobs::{self, Job, Outcome};
use crate::outbox;

/// How often a callback that does not answer is asked.
const ATTEMPTS: i32 = 4;
/// The pause after the first of them; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(30);
/// How soon it is tried again when there is no room.
const CROWDED: Duration = Duration::from_secs(1);

/// Does the job: asks the callback, and gives or takes the lease.
pub async fn run(app: &App, request_id: i64) -> anyhow::Result<Outcome> {
    let Some(request) = hub_request::Entity::find_by_id(request_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let job = Job::VerifyCallback { request_id };
    let callback = Url::parse(&request.callback)?;
    let Some(_room) = app.fetcher.room_to_post(&callback) else {
        return Ok(Outcome::Again { job, run_at: app.clock.now() + CROWDED });
    };
    let challenge = hex::encode(rand::random::<[u8; 24]>());
    match ask(app, &request, callback, &challenge).await {
        Ok(answer) if answer.trim_ascii() == challenge.as_bytes() => settle(app, request).await?,
        Ok(_) => {
            tracing::info!(callback = request.callback, "a callback did not repeat its challenge");
            forget(app, request_id).await?;
        }
        Err(FetchError::Status { status: 400..=499, .. }) => {
            tracing::info!(
                callback = request.callback,
                "a callback did not want what was asked for in its name"
            );
            forget(app, request_id).await?;
        }
        Err(error) => {
            let attempts = request.attempts + 1;
            tracing::info!(callback = request.callback, attempts, "a callback could not be asked: {error}");
            if attempts >= ATTEMPTS {
                forget(app, request_id).await?;
                return Ok(Outcome::Done);
            }
            let mut row = request.into_active_model();
            row.attempts = Set(attempts);
            row.update(app.db.write()).await?;
            return Ok(Outcome::Again { job, run_at: app.clock.now() + PAUSE * (1 << (attempts - 1)) });
        }
    }
    Ok(Outcome::Done)
}

async fn ask(
    app: &App,
    request: &hub_request::Model,
    mut callback: Url,
    challenge: &str,
) -> Result<Vec<u8>, FetchError> {
    let mode: &'static str = request.mode.into();
    {
        // What the callback has in its query stays there.
        let mut query = callback.query_pairs_mut();
        query
            .append_pair("hub.mode", mode)
            .append_pair("hub.topic", &request.topic)
            .append_pair("hub.challenge", challenge);
        if request.mode == HubMode::Subscribe {
            query.append_pair("hub.lease_seconds", &request.lease_seconds.to_string());
        }
    }
    get(app, &callback).await
}

/// Gives or takes the lease, unless a newer wish has come meanwhile.
async fn settle(app: &App, request: hub_request::Model) -> anyhow::Result<()> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    // A lease holds its account's row, as does who changes the account; both take it before they wait for other writers.
    if let Some(account_id) = request.account_id {
        account::Entity::find_by_id(account_id).lock(LockType::KeyShare).one(&*tx).await?;
    }
    if hub_request::Entity::delete_by_id(request.id).exec(&*tx).await?.rows_affected == 0 {
        return Ok(());
    }
    // Whoever publishes now sees the lease, or what they publish is in the feed before it. And two that would fill the
    // last place wait for each other.
    outbox::serialise_writers(&tx).await?;
    let mut known = queries::lease(&*tx, &request.callback, &request.topic).await?;
    // Who lets it end begins anew.
    if let Some(ended) = known.take_if(|lease| lease.expires_at <= now) {
        hub_lease::Entity::delete_by_id(ended.id).exec(&*tx).await?;
    }
    if request.mode == HubMode::Subscribe && known.is_none() {
        match check_room(&*tx, app, &request.topic, &request.host).await {
            Err(Refusal::Broken(error)) => return Err(error.into()),
            Err(full) => {
                tx.commit().await?;
                return deny(app, &request, &full.to_string()).await;
            }
            Ok(()) => {}
        }
    }
    match (request.mode, known) {
        (HubMode::Unsubscribe, Some(lease)) => {
            hub_lease::Entity::delete_by_id(lease.id).exec(&*tx).await?;
        }
        (HubMode::Unsubscribe, None) => {}
        (HubMode::Subscribe, known) => {
            let expires_at = now + Duration::from_secs(request.lease_seconds.unsigned_abs());
            let mut row = match known {
                Some(lease) => {
                    if lease.queued {
                        tell_now(&*tx, now, &lease).await?;
                    }
                    lease.into_active_model()
                }
                // It has the feed as it is now; what comes after is told.
                None => hub_lease::ActiveModel {
                    id: NotSet,
                    account_id: Set(request.account_id),
                    topic: Set(request.topic),
                    callback: Set(request.callback),
                    host: Set(request.host),
                    told_until: Set(outbox::latest(&*tx).await?),
                    queued: Set(false),
                    posting_until: Set(None),
                    created_at: Set(now),
                    ..Default::default()
                },
            };
            row.secret = Set(request.secret);
            row.expires_at = Set(expires_at);
            row.failures = Set(0);
            row.failing_since = Set(None);
            row.save(&*tx).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The job of a lease may wait for hours by now. A second one would be tried again as long as the first, so there is none
/// unless that has failed just now and does not wait yet.
async fn tell_now<C: ConnectionTrait>(db: &C, now: Timestamp, lease: &hub_lease::Model) -> Result<(), DbErr> {
    let job = Job::TellCallback { lease_id: lease.id };
    let waiting = jobs::queue::bring_forward(db, now, &job).await?;
    if waiting == 0 && lease.posting_until.is_none() {
        jobs::queue::enqueue(db, now, job, now).await?;
    }
    Ok(())
}

/// Tells a callback once that it gets no lease, though it was asked.
async fn deny(app: &App, request: &hub_request::Model, why: &str) -> anyhow::Result<()> {
    tracing::info!(callback = request.callback, "no lease: {why}");
    let mut callback = Url::parse(&request.callback)?;
    callback
        .query_pairs_mut()
        .append_pair("hub.mode", "denied")
        .append_pair("hub.topic", &request.topic)
        .append_pair("hub.reason", why);
    if let Err(error) = get(app, &callback).await {
        tracing::info!(callback = request.callback, "nor could it be told so: {error}");
    }
    Ok(())
}

async fn get(app: &App, url: &Url) -> Result<Vec<u8>, FetchError> {
    let asked = FetchRequest { url, accept: "*/*", etag: None, last_modified: None, max_bytes: 1_000 };
    let fetched = app.fetcher.fetch(asked).await?;
    Ok(fetched.body.unwrap_or_default())
}

async fn forget(app: &App, request_id: i64) -> Result<(), DbErr> {
    hub_request::Entity::delete_by_id(request_id).exec(app.db.write()).await?;
    Ok(())
}
