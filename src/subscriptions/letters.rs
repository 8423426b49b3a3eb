//! The one letter that follows when somebody types an address.

use std::time::Duration;

use sea_orm::EntityTrait;

use crate::app::App;
use crate::db::entities::account;
use crate::db::entities::subscription::{self, SubscriptionState};
use crate::delivery;
use crate::jobs::Outcome;
use crate::mail::{Button, Notice};
use crate::page::Locale;
use crate::subscriptions::links;

/// An address that failed is written to again this long after, if its owner asks.
const FORGIVEN_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Does the job: writes to whoever owns the address, if there still is a reason to.
pub async fn send(app: &App, subscription_id: i64) -> anyhow::Result<Outcome> {
    let db = app.db.read();
    let Some(row) = subscription::Entity::find_by_id(subscription_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    let (kind, path) = match row.state {
        SubscriptionState::Pending => ("confirm", links::confirm_path(app, row.id)),
        SubscriptionState::Active | SubscriptionState::Paused => ("already", links::manage_path(app, row.id)),
        SubscriptionState::Ended => return Ok(Outcome::Done),
    };
    let Some(account) = account::Entity::find_by_id(row.account_id).one(db).await? else {
        return Ok(Outcome::Done);
    };
    if let Some(suppression) = delivery::queries::suppression(db, &row.email).await?
        && suppression.created_at > app.clock.now() - FORGIVEN_AFTER
    {
        tracing::info!(subscription = row.id, "no letter: the address has just failed");
        return Ok(Outcome::Done);
    }
    let locale = Locale::from_tag(&row.locale).unwrap_or(Locale::ZhHans);
    let args = [("name", account.name), ("site", app.config.site_name_in(locale))];
    let text = |part: &str| locale.text_with(&format!("subscription-letter-{kind}-{part}"), &args);
    let notice = Notice {
        subject: text("subject"),
        paragraphs: vec![text("intro")],
        button: Some(Button { label: text("button"), url: app.config.url(&path) }),
        notes: vec![text("note")],
    };
    notice.deliver(app, &row.email, locale).await
}
