//! What a claim needs to be handed over: read for all of its rows at once, written once for each push,
//! language and script.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DbErr;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::entities::alert::AlertCadence;
use crate::db::entities::delivery::{self, Channel, Subject};
use crate::delivery::channel::{self, Attempt};
use crate::delivery::email;
use crate::delivery::ledger::Claim;
use crate::delivery::queries::{self, Content, Recipient};
use crate::mail::{Form, Letter, Personal};
use crate::page::Locale;
use crate::shown::Shown;
use crate::{alerts, digests, readers};

/// How old what is known of an article or a reader may be when a message is handed over.
pub const FRESH: Duration = Duration::from_millis(500);

/// A delivery that is to be handed over.
pub struct Order {
    pub row: delivery::Model,
    pub holder: Arc<str>,
    /// The place of the mail server that is to carry it.
    pub server: usize,
    pub message: Message,
    /// When its reader was last asked for.
    pub read_at: Instant,
}

pub enum Message {
    Filled(Arc<Form>, Personal),
    Digest(digests::mail::Digest),
    Letter(Letter),
    /// There is none: what becomes of the delivery is known already.
    None(Attempt),
}

/// What pushes tell of, and their mail in each language and script; read anew when it is no longer fresh. The same
/// for what digests tell of.
#[derive(Default)]
pub struct Contents {
    pushes: HashMap<i64, Known>,
    digests: digests::mail::Cards,
}

struct Known {
    content: Option<Content>,
    forms: HashMap<(Locale, Shown), Arc<Form>>,
    read_at: Instant,
}

impl Contents {
    async fn refresh(&mut self, app: &App, push_id: i64) -> anyhow::Result<()> {
        if self.pushes.get(&push_id).is_some_and(|known| known.read_at.elapsed() < FRESH) {
            return Ok(());
        }
        self.pushes.retain(|_, known| known.read_at.elapsed() < FRESH);
        let content = queries::content(app.db.read(), push_id).await?;
        self.pushes.insert(push_id, Known { content, forms: HashMap::new(), read_at: Instant::now() });
        Ok(())
    }

    fn content(&self, push_id: i64) -> Option<&Content> {
        self.pushes.get(&push_id).and_then(|known| known.content.as_ref())
    }

    fn form(
        &mut self,
        app: &App,
        push_id: i64,
        locale: Locale,
        shown: Shown,
    ) -> anyhow::Result<Option<Arc<Form>>> {
        let Some(known) = self.pushes.get_mut(&push_id) else { return Ok(None) };
        let Some(content) = &known.content else { return Ok(None) };
        if let Some(form) = known.forms.get(&(locale, shown)) {
            return Ok(Some(form.clone()));
        }
        let form = Arc::new(email::form(app, content, locale, shown)?);
        known.forms.insert((locale, shown), form.clone());
        Ok(Some(form))
    }
}

/// The rows of a claim with their messages.
pub async fn orders(app: &App, claim: Claim, contents: &mut Contents) -> anyhow::Result<Vec<Order>> {
    let holder: Arc<str> = claim.holder.into();
    let read_at = Instant::now();
    let ids: Vec<i64> = claim.rows.iter().filter_map(|row| row.subscription_id).collect();
    let mut recipients: HashMap<i64, Recipient> = HashMap::new();
    if !ids.is_empty() {
        let rows = queries::recipients(app.db.read(), &ids).await?;
        recipients.extend(rows.into_iter().map(|recipient| (recipient.subscription_id, recipient)));
    }
    let emails: Vec<&str> = recipients.values().map(|recipient| recipient.email.as_str()).collect();
    let quiet = readers::quiet_until(app, &emails).await?;
    let mut digests = digests::mail::messages(app, &claim.rows, &mut contents.digests).await?;
    let mut orders = Vec::with_capacity(claim.rows.len());
    for (row, server) in claim.rows.into_iter().zip(claim.servers) {
        let message = match row.subject() {
            Some(Subject::Push { push_id, subscription_id }) => {
                contents.refresh(app, push_id).await?;
                // Of several pushes that come together, each is for the same reader.
                let recipient = recipients.get(&subscription_id);
                let until = recipient.and_then(|recipient| quiet.get(&recipient.email));
                match (of_push(app, &row, push_id, recipient, contents), until) {
                    (Ok(Message::Filled(..)), Some(until)) => Ok(Message::None(Attempt::Quiet(*until))),
                    (message, _) => message,
                }
            }
            Some(Subject::Alert { alert_id, occasion }) => of_alert(app, &row, alert_id, occasion).await,
            Some(Subject::Digest { .. }) => Ok(of_digest(digests.remove(&row.id))),
            None => Ok(Message::None(Attempt::Suppressed("it tells of nothing that is known here".into()))),
        };
        let message = message.unwrap_or_else(|error| Message::None(Attempt::Later(format!("{error:#}"))));
        orders.push(Order { row, holder: holder.clone(), server, message, read_at });
    }
    Ok(orders)
}

/// A digest that was not sent at once, written anew if its reader no longer follows all that it tells of.
pub async fn digest(
    app: &App,
    row: &delivery::Model,
    digest: digests::mail::Digest,
) -> anyhow::Result<Message> {
    if digest.is_wanted(app).await? {
        return Ok(Message::Digest(digest));
    }
    let mut written =
        digests::mail::messages(app, std::slice::from_ref(row), &mut Default::default()).await?;
    Ok(of_digest(written.remove(&row.id)))
}

fn of_digest(written: Option<digests::mail::Written>) -> Message {
    match written {
        Some(Ok(digest)) => Message::Digest(digest),
        Some(Err(objection)) => Message::None(Attempt::Suppressed(objection)),
        None => Message::None(Attempt::Later("the digest was not written".into())),
    }
}

fn of_push(
    app: &App,
    row: &delivery::Model,
    push_id: i64,
    recipient: Option<&Recipient>,
    contents: &mut Contents,
) -> anyhow::Result<Message> {
    let suppressed = |reason: String| Ok(Message::None(Attempt::Suppressed(reason)));
    if let Some(objection) = objection(row.channel, recipient) {
        return suppressed(objection);
    }
    let Some(recipient) = recipient else { return suppressed("the subscription is gone".into()) };
    if contents.content(push_id).is_some_and(|content| content.was_told(recipient)) {
        return suppressed("a digest has told of it".into());
    }
    let Some(form) = contents.form(app, push_id, recipient.locale(), recipient.shown())? else {
        return suppressed("the articles were withdrawn".into());
    };
    let personal = email::personal(app, recipient.subscription_id, &recipient.email, &row.message_id);
    Ok(Message::Filled(form, personal))
}

/// What an alert has found, as it is now.
pub async fn of_alert(
    app: &App,
    row: &delivery::Model,
    alert_id: i64,
    occasion: &str,
) -> anyhow::Result<Message> {
    Ok(match alerts::queries::found(app.db.read(), alert_id, occasion).await? {
        Ok(found) => match alert_quiet_until(app, &found).await? {
            Some(until) => Message::None(Attempt::Quiet(until)),
            None => Message::Letter(alerts::mail::compose(app, &found, &row.message_id)?),
        },
        Err(objection) => Message::None(Attempt::Suppressed(objection)),
    })
}

/// The mails of alerts that come daily or weekly have their hour.
async fn alert_quiet_until(app: &App, found: &alerts::queries::Found) -> Result<Option<Timestamp>, DbErr> {
    if found.alert.cadence != AlertCadence::Instant {
        return Ok(None);
    }
    let email = found.reader.email.as_str();
    Ok(readers::quiet_until(app, &[email]).await?.remove(email))
}

/// Why a reader is not told of a push any more.
pub fn objection(channel: Channel, recipient: Option<&Recipient>) -> Option<String> {
    let Some(recipient) = recipient else { return Some("the subscription is gone".into()) };
    let objection = channel::objection(channel, recipient.state, recipient.cadence).map(str::to_owned);
    // Whether the address takes mail matters to mail alone.
    let suppressed = recipient.suppressed.as_ref().filter(|_| channel == Channel::Email);
    objection.or_else(|| suppressed.cloned())
}
