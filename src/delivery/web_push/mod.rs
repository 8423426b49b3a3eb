//! Web push: what is new in a reader's inbox, shown by their browsers.
//!
//! A delivery says that there is something to show; what is shown is made from the inbox when it is due: every unread
//! item that was not shown yet. When several pushes come close together the first is shown at once, and what comes
//! within the next minute is shown together after it; the deliveries that it tells of besides its own find
//! themselves told. Every message has the same topic, so a service keeps only the newest for a browser that is off.
//!
//! These deliveries have a sender of their own: they need none of the mail servers, caps and connections of the other, and
//! a slow push service keeps no mail waiting.

pub mod encrypt;
pub mod notice;
pub mod sender;
pub mod services;
pub mod vapid;

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    DbErr, EntityTrait, QueryFilter,
};
use url::Url;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::delivery::{self, Subject};
use crate::db::entities::{device, inbox_item, notified_reader, user};
use crate::delivery::channel::Attempt;
use crate::delivery::{queries, sender::objection};
use crate::devices;
use crate::import::fetch::PostRequest;
use crate::readers;
use encrypt::Keys;
use notice::Notice;

/// What comes within this time after a notification is shown together.
const GATHER: Duration = Duration::from_secs(50);
/// How long a push service keeps a message for a browser that is off.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Of a delivery whose reader was notified a moment ago, of something else.
const SOON: &str = "shown soon, together with what else comes";
/// The same for all messages of a reader: a newer one takes the place of an older one.
const TOPIC: &str = "inbox";

/// Tells a reader's devices of what a delivery is about.
pub async fn attempt(app: &App, row: &delivery::Model) -> anyhow::Result<Attempt> {
    let suppressed = |reason: &str| Ok(Attempt::Suppressed(reason.to_owned()));
    let (user_id, subject) = match row.subject() {
        Some(Subject::Push { push_id, subscription_id }) => {
            let recipients = queries::recipients(app.db.read(), &[subscription_id]).await?;
            if let Some(reason) = objection(row.channel, recipients.first()) {
                return suppressed(&reason);
            }
            if queries::is_stopped(app.db.read(), push_id).await? {
                return Ok(Attempt::NotMade);
            }
            (
                devices::queries::user_of_subscription(app.db.read(), subscription_id).await?,
                format!("push:{push_id}"),
            )
        }
        Some(Subject::Alert { alert_id, occasion }) => {
            let user_id = devices::queries::user_of_alert(app.db.read(), alert_id).await?;
            (user_id, format!("alert:{alert_id}:{occasion}"))
        }
        // What comes at its reader's hour comes by mail.
        Some(Subject::Digest { .. }) | None => {
            return suppressed("it tells of nothing that is shown at once");
        }
    };
    let Some(user_id) = user_id else { return suppressed("nobody is signed in for it any more") };
    let Some(item) = item(app, user_id, &subject).await? else {
        return suppressed("it is no longer in the inbox");
    };
    if item.read_at.is_some() {
        return suppressed("the reader has read it already");
    }
    let devices = devices::queries::of_user(app.db.read(), user_id).await?;
    if devices.is_empty() {
        return suppressed("no device is registered any more");
    }
    if told_until(app, user_id).await? >= item.id {
        return Ok(Attempt::Delivered("shown together with others".into()));
    }
    let Some(reader) = user::Entity::find_by_id(user_id).one(app.db.read()).await? else {
        return suppressed("the reader is gone");
    };
    let quiet = readers::quiet_until(app, &[&reader.email]).await?;
    if let Some(until) = quiet.get(&reader.email) {
        return Ok(Attempt::Quiet(*until));
    }
    if !begin(app, user_id).await? {
        return Ok(Attempt::Later(SOON.into()));
    }
    show(app, &reader, &devices).await
}

async fn item(app: &App, user_id: i64, subject: &str) -> Result<Option<inbox_item::Model>, DbErr> {
    inbox_item::Entity::find()
        .filter(inbox_item::COLUMN.user_id.eq(user_id))
        .filter(inbox_item::COLUMN.subject.eq(subject))
        .one(app.db.read())
        .await
}

async fn told_until(app: &App, user_id: i64) -> Result<i64, DbErr> {
    let known = notified_reader::Entity::find().filter(notified_reader::COLUMN.user_id.eq(user_id));
    Ok(known.one(app.db.read()).await?.map_or(0, |known| known.told_until))
}

/// Takes the reader's next notification, unless there was one a moment ago.
async fn begin(app: &App, user_id: i64) -> Result<bool, DbErr> {
    let now = app.clock.now();
    let row = notified_reader::ActiveModel {
        id: NotSet,
        user_id: Set(user_id),
        told_until: Set(0),
        told_at: Set(Timestamp(0)),
    };
    notified_reader::Entity::insert(row)
        .on_conflict(OnConflict::column(notified_reader::Column::UserId).do_nothing().to_owned())
        .exec_without_returning(app.db.write())
        .await?;
    let begun = notified_reader::Entity::update_many()
        .col_expr(notified_reader::Column::ToldAt, Expr::value(now))
        .filter(notified_reader::COLUMN.user_id.eq(user_id))
        .filter(notified_reader::COLUMN.told_at.lt(now - GATHER))
        .exec(app.db.write())
        .await?;
    Ok(begun.rows_affected == 1)
}

/// Shows everything that is new on all devices. It is told when one of them has it.
async fn show(app: &App, reader: &user::Model, devices: &[device::Model]) -> anyhow::Result<Attempt> {
    let Some(notice) = Notice::compose(app, reader, told_until(app, reader.id).await?).await? else {
        return Ok(Attempt::Suppressed("the reader has read it already".into()));
    };
    let (mut taken, mut put_off, mut gone) = (None, None, None);
    for device in devices {
        match post(app, device, &notice).await? {
            Sent::Taken(words) => taken = Some(words),
            Sent::Later(words) => put_off = Some(words),
            Sent::Gone(words) => gone = Some(words),
        }
    }
    if taken.is_some() {
        notified_reader::Entity::update_many()
            .col_expr(notified_reader::Column::ToldUntil, Expr::value(notice.newest))
            .filter(notified_reader::COLUMN.user_id.eq(reader.id))
            .exec(app.db.write())
            .await?;
    }
    Ok(match (taken, put_off, gone) {
        (Some(words), ..) => Attempt::Delivered(words),
        (_, Some(words), _) => Attempt::Later(words),
        (_, _, Some(words)) => Attempt::Failed(words),
        _ => Attempt::Suppressed("no device is registered any more".into()),
    })
}

/// What a push service said of one device.
enum Sent {
    Taken(String),
    Later(String),
    /// This device will never be told again; it is forgotten.
    Gone(String),
}

async fn post(app: &App, device: &device::Model, notice: &Notice) -> anyhow::Result<Sent> {
    let now = app.clock.now();
    let keys = Keys::parse(&device.public_key, &device.auth);
    let message = keys.and_then(|keys| encrypt::encrypt(notice.json.as_bytes(), &keys));
    let (Ok(url), Some(body)) = (Url::parse(&device.endpoint), message) else {
        devices::forget(app, device.id).await?;
        return Ok(Sent::Gone("the device's keys make no sense".into()));
    };
    if let Some(answer) = services::resting(app.db.read(), &device.host, now).await? {
        return Ok(Sent::Later(format!("{} asked to be left alone: {answer}", device.host)));
    }
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::AUTHORIZATION, &app.vapid.authorization(app, &url).await?);
    put(header::CONTENT_TYPE, "application/octet-stream");
    put(header::CONTENT_ENCODING, "aes128gcm");
    put(HeaderName::from_static("ttl"), &KEPT.as_secs().to_string());
    put(HeaderName::from_static("topic"), TOPIC);
    put(HeaderName::from_static("urgency"), "normal");
    let posted = match app.fetcher.post(PostRequest { url: &url, headers, body }).await {
        Ok(posted) => posted,
        Err(error) => return Ok(Sent::Later(error.to_string())),
    };
    let line = posted.line();
    Ok(match posted.status {
        200..=299 => {
            services::forgive(app.db.write(), &device.host).await?;
            devices::notified(app, device.id).await?;
            Sent::Taken(line)
        }
        404 | 410 => {
            devices::forget(app, device.id).await?;
            Sent::Gone(line)
        }
        // Of all 4xx only these two may change by waiting.
        408 | 429 | 500.. => {
            if matches!(posted.status, 429 | 503) {
                services::rest(app.db.write(), &device.host, &line, posted.retry_after, now).await?;
            }
            Sent::Later(line)
        }
        _ => {
            tracing::warn!(host = device.host, "a push service refused a message: {line}");
            Sent::Gone(line)
        }
    })
}
