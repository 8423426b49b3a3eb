//! Distribution: what has changed in a feed is sent to each of its callbacks, signed.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, LockType, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use sha2::Sha256;
use strum::IntoEnumIterator;
use url::Url;

use super::{links, queries, topic};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::{account, hub_lease};
use crate::error::Error;
use crate::feeds::address::Address;
use crate::feeds::{Format, ping};
use crate::import::fetch::PostRequest;
use crate::jobs::{self, Job, Outcome};

/// Leases that are queued in one transaction.
const BATCH: u64 = 1_000;
/// How soon it is tried again when there is no room, or somebody else tells the same callback.
const CROWDED: Duration = Duration::from_secs(1);
/// How long a callback is being told at most; after that its teller has died.
const POSTING: Duration = Duration::from_secs(60);
/// Pauses after the first, second, ... failure in a row; the last one from then on.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(6 * 60 * 60),
];
/// A callback that took nothing for so long is gone.
const GONE_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Does the job of a changed feed: a job for each lease of the account, and of feeds with articles of several, that has
/// none yet, and one for each outside hub; or only for leases of the account.
pub async fn run(app: &App, account_id: i64, own_only: bool) -> anyhow::Result<Outcome> {
    loop {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
        let one = Query::select()
            .column(hub_lease::Column::Id)
            .from(hub_lease::Entity)
            .and_where(Expr::col(hub_lease::Column::Queued).eq(false))
            .and_where(Expr::col(hub_lease::Column::ExpiresAt).gt(now))
            .cond_where(
                Condition::any()
                    .add(Expr::col(hub_lease::Column::AccountId).eq(account_id))
                    .add_option((!own_only).then(|| Expr::col(hub_lease::Column::AccountId).is_null())),
            )
            // In one order, so that two of them never wait for each other.
            .order_by(hub_lease::Column::Id, Order::Asc)
            .limit(BATCH)
            .lock(LockType::Update)
            .take();
        let leases = hub_lease::Entity::update_many()
            .col_expr(hub_lease::Column::Queued, Expr::value(true))
            .filter(Expr::col(hub_lease::Column::Id).in_subquery(one))
            .exec_with_returning(&*tx)
            .await?;
        let count = leases.len() as u64;
        let jobs = leases.into_iter().map(|lease| (Job::TellCallback { lease_id: lease.id }, now)).collect();
        jobs::queue::enqueue_many(&*tx, now, jobs).await?;
        if count < BATCH && !own_only {
            let hubs = queries::outside_hubs(&*tx).await?;
            let tell = |hub| (Job::TellHub { account_id, hub }, now);
            jobs::queue::enqueue_many(&*tx, now, hubs.into_iter().map(tell).collect()).await?;
        }
        tx.commit().await?;
        if count < BATCH {
            return Ok(Outcome::Done);
        }
    }
}

/// Does the job of a lease: sends what has changed since it was told last.
pub async fn tell(app: &App, lease_id: i64) -> anyhow::Result<Outcome> {
    let job = Job::TellCallback { lease_id };
    let Some(lease) = hub_lease::Entity::find_by_id(lease_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    if lease.expires_at <= app.clock.now() {
        // Only a job may take it away: one that left it queued would make it deaf when it is renewed.
        let ended = end(app, &lease).await?;
        return Ok(if ended { Outcome::Done } else { Outcome::Again { job, run_at: app.clock.now() } });
    }
    let callback = Url::parse(&lease.callback)?;
    let Some(_room) = app.fetcher.room_to_post(&callback) else {
        return Ok(Outcome::Again { job, run_at: app.clock.now() + CROWDED });
    };
    if !begin(app, lease_id).await? {
        return Ok(Outcome::Again { job, run_at: app.clock.now() + CROWDED });
    }
    match send(app, &lease, &callback).await {
        Ok(Sent::Until(event_id)) => {
            told(app, lease_id, event_id).await?;
            Ok(Outcome::Done)
        }
        Ok(Sent::Gone) => {
            tracing::info!(callback = lease.callback, "a callback is gone");
            if end(app, &lease).await? {
                return Ok(Outcome::Done);
            }
            // Renewed meanwhile: it may answer differently now.
            let is_ours = requeue(app.db.write(), lease_id).await?;
            Ok(if is_ours {
                Outcome::Again { job, run_at: app.clock.now() + CROWDED }
            } else {
                Outcome::Done
            })
        }
        Ok(Sent::Failed { words, retry_after }) => failed(app, &lease, &words, retry_after).await,
        Err(error) => {
            if requeue(app.db.write(), lease_id).await? {
                return Err(error);
            }
            tracing::warn!(callback = lease.callback, "a callback was not told: {error:#}");
            Ok(Outcome::Done)
        }
    }
}

/// Forgets a lease, unless it is gone or was renewed since it was read: then false.
async fn end(app: &App, lease: &hub_lease::Model) -> Result<bool, DbErr> {
    let ended = hub_lease::Entity::delete_many()
        .filter(hub_lease::COLUMN.id.eq(lease.id))
        .filter(hub_lease::COLUMN.expires_at.eq(lease.expires_at))
        .exec(app.db.write())
        .await?;
    Ok(ended.rows_affected == 1)
}

/// From now on a change asks for a new job: this one may have read before it. False if another tells it now.
async fn begin(app: &App, lease_id: i64) -> Result<bool, DbErr> {
    let now = app.clock.now();
    let is_free = Condition::any()
        .add(Expr::col(hub_lease::Column::PostingUntil).is_null())
        .add(Expr::col(hub_lease::Column::PostingUntil).lt(now));
    let begun = hub_lease::Entity::update_many()
        .col_expr(hub_lease::Column::Queued, Expr::value(false))
        .col_expr(hub_lease::Column::PostingUntil, Expr::value(Some(now + POSTING)))
        .filter(hub_lease::COLUMN.id.eq(lease_id))
        .filter(is_free)
        .exec(app.db.write())
        .await?;
    Ok(begun.rows_affected == 1)
}

enum Sent {
    /// It knows of everything up to this event.
    Until(i64),
    Gone,
    Failed {
        words: String,
        retry_after: Option<Duration>,
    },
}

async fn send(app: &App, lease: &hub_lease::Model, callback: &Url) -> anyhow::Result<Sent> {
    // Read anew: another job may have told it meanwhile.
    let Some(lease) = hub_lease::Entity::find_by_id(lease.id).one(app.db.read()).await? else {
        return Ok(Sent::Gone);
    };
    let address = match Address::find(app, topic::path(&app.config, &lease.topic).unwrap_or_default()).await {
        Ok(address) => address,
        // Not to be seen now. When it is again, an event says so.
        Err(Error::NotFound | Error::Gone(_)) => return Ok(Sent::Until(lease.told_until)),
        Err(error) => return Err(error.into()),
    };
    let ping = ping::since(app, &address, lease.told_until).await?;
    let Some(document) = ping.document else { return Ok(Sent::Until(ping.until)) };
    let body = document.body.into_bytes();
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static(address.format.content_type());
    headers.insert(header::CONTENT_TYPE, kind);
    for link in links(&document.hubs, &lease.topic) {
        headers.append(header::LINK, link);
    }
    if let Some(secret) = &lease.secret {
        let signature = HeaderValue::from_str(&signature(secret, &body))?;
        headers.insert(HeaderName::from_static("x-hub-signature"), signature);
    }
    let posted = match app.fetcher.post(PostRequest { url: callback, headers, body }).await {
        Ok(posted) => posted,
        Err(error) => return Ok(Sent::Failed { words: error.to_string(), retry_after: None }),
    };
    Ok(match posted.status {
        200..=299 => Sent::Until(ping.until),
        410 => Sent::Gone,
        _ => Sent::Failed { words: posted.line(), retry_after: posted.retry_after },
    })
}

/// `sha256=` and the HMAC of a message in hex.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn told(app: &App, lease_id: i64, event_id: i64) -> Result<(), DbErr> {
    hub_lease::Entity::update_many()
        .col_expr(hub_lease::Column::ToldUntil, Expr::value(event_id))
        .col_expr(hub_lease::Column::PostingUntil, Expr::value(None::<i64>))
        .col_expr(hub_lease::Column::Failures, Expr::value(0))
        .col_expr(hub_lease::Column::FailingSince, Expr::value(None::<i64>))
        .filter(hub_lease::COLUMN.id.eq(lease_id))
        .exec(app.db.write())
        .await?;
    Ok(())
}

/// Frees the callback after a failure. True where this job is to try again, false where a change has asked for another
/// meanwhile.
async fn requeue<C: ConnectionTrait>(db: &C, lease_id: i64) -> Result<bool, DbErr> {
    let of_it = || hub_lease::Entity::update_many().filter(hub_lease::COLUMN.id.eq(lease_id));
    of_it().col_expr(hub_lease::Column::PostingUntil, Expr::value(None::<i64>)).exec(db).await?;
    let queued = of_it()
        .col_expr(hub_lease::Column::Queued, Expr::value(true))
        .filter(hub_lease::COLUMN.queued.eq(false))
        .exec(db)
        .await?;
    Ok(queued.rows_affected == 1)
}

/// Notes a failure, unless the lease was renewed meanwhile: that is a new beginning. The job goes on later, if no
/// change has asked for another one: that one does its work.
async fn failed(
    app: &App,
    lease: &hub_lease::Model,
    words: &str,
    retry_after: Option<Duration>,
) -> anyhow::Result<Outcome> {
    let now = app.clock.now();
    let since = lease.failing_since.unwrap_or(now);
    let gone = since + GONE_AFTER < now;
    tracing::info!(
        callback = lease.callback,
        failures = lease.failures + 1,
        gone,
        "a callback was not told: {words}"
    );
    if gone && end(app, lease).await? {
        return Ok(Outcome::Done);
    }
    let tx = app.db.begin().await?;
    let noted = hub_lease::Entity::update_many()
        .col_expr(hub_lease::Column::Failures, Expr::value(lease.failures + 1))
        .col_expr(hub_lease::Column::FailingSince, Expr::value(Some(since)))
        .filter(hub_lease::COLUMN.id.eq(lease.id))
        .filter(hub_lease::COLUMN.expires_at.eq(lease.expires_at))
        .exec(&*tx)
        .await?;
    let is_ours = requeue(&*tx, lease.id).await?;
    tx.commit().await?;
    if !is_ours {
        return Ok(Outcome::Done);
    }
    let failures = if noted.rows_affected == 1 { lease.failures } else { 0 };
    let pause = PAUSES[usize::try_from(failures).unwrap_or(0).min(PAUSES.len() - 1)];
    let pause = retry_after.map_or(pause, |asked| asked.clamp(pause, PAUSES[PAUSES.len() - 1]));
    Ok(Outcome::Again { job: Job::TellCallback { lease_id: lease.id }, run_at: now + pause })
}

/// Does the job of an outside hub: says which feeds have changed, and it fetches them.
pub async fn tell_hub(app: &App, account_id: i64, hub: String) -> anyhow::Result<Outcome> {
    let Some(account) = account::Entity::find_by_id(account_id).one(app.db.read()).await? else {
        return Ok(Outcome::Done);
    };
    let url = Url::parse(&hub)?;
    let Some(_room) = app.fetcher.room_to_post(&url) else {
        let run_at: Timestamp = app.clock.now() + CROWDED;
        return Ok(Outcome::Again { job: Job::TellHub { account_id, hub }, run_at });
    };
    let body = announcement(app, &account.handle).into_bytes();
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(header::CONTENT_TYPE, kind);
    let posted = app.fetcher.post(PostRequest { url: &url, headers, body }).await?;
    anyhow::ensure!(posted.is_taken(), "{hub} answered {}", posted.line());
    Ok(Outcome::Done)
}

/// The form that names an account's feeds and the site's.
fn announcement(app: &App, handle: &str) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("hub.mode", "publish");
    for format in Format::iter() {
        for path in [format!("/@{handle}/{}", format.file()), format!("/{}", format.file())] {
            form.append_pair("hub.url", &app.config.url(&path));
        }
    }
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_rfc_4231_has_it() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
