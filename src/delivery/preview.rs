//! The mail of a push before it is sent, as one who looks at it would get it.

use crate::app::App;
use crate::db::entities::delivery::{self, Channel, DeliveryState};
use crate::db::entities::subscription::{self, Cadence, SubscriptionState};
use crate::db::entities::{account, user};
use crate::delivery::email;
use crate::delivery::queries::{self, Recipient};
use crate::error::Error;
use crate::mail::Letter;
use crate::page::Locale;

/// The letter that a push of these articles would send to `reader`, in `locale`. Its links to manage
/// and leave are of no subscription.
pub async fn letter(
    app: &App,
    account: &account::Model,
    article_ids: &[i64],
    reader: &user::Model,
    locale: Locale,
) -> Result<Letter, Error> {
    let content = queries::content_to_be(app.db.read(), account.clone(), article_ids).await?;
    let now = app.clock.now();
    let subscription = subscription::Model {
        id: 0,
        account_id: account.id,
        user_id: Some(reader.id),
        email: reader.email.clone(),
        state: SubscriptionState::Active,
        cadence: Cadence::Instant,
        locale: locale.code().to_owned(),
        created_at: now,
        confirmed_at: Some(now),
        ended_at: None,
        asked_at: None,
        read_until: None,
    };
    let delivery = delivery::Model {
        id: 0,
        push_id: None,
        subscription_id: None,
        alert_id: None,
        occasion: None,
        channel: Channel::Email,
        state: DeliveryState::Waiting,
        attempts: 0,
        next_attempt_at: now,
        lease_until: None,
        lease_owner: None,
        message_id: String::new(),
        answer: None,
        created_at: now,
        updated_at: now,
    };
    Ok(email::compose(app, &content, &Recipient { subscription, suppressed: None }, &delivery)?)
}
