//! Handing a message over: a last look at whether it is still wanted, then the mailer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::load::{self, FRESH, Message, Order};
use crate::app::App;
use crate::bounces::return_path;
use crate::db::entities::delivery::{Provider, Subject};
use crate::delivery::channel::Attempt;
use crate::delivery::ledger::Tried;
use crate::delivery::{email, provider, queries};
use crate::digests;
use crate::mail::Route;

/// No channel may take longer over one message.
const PATIENCE: Duration = Duration::from_secs(180);
/// Once a provider has asked to be left alone, what is queued for it is given back for so long; by then
/// the ledger knows.
const HELD_BACK: Duration = Duration::from_secs(10);

/// What the helpers of a sender know in common.
#[derive(Default)]
pub struct Post {
    closed: AtomicBool,
    /// Providers that have just asked to be left alone, and mail servers that took nothing.
    refusing: Mutex<Vec<(Whom, Instant)>>,
}

/// Who takes nothing for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Provider(Provider),
    Server(usize),
}

impl Post {
    /// From now on what is queued is given back.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub async fn hand_over(&self, app: &App, order: Order) -> Tried {
        let Order { row, holder, server, message, read_at } = order;
        if self.closed.load(Ordering::Relaxed) || self.is_refusing(row.provider, server) {
            return Tried { row, attempt: Attempt::NotMade, holder, server };
        }
        let route = Route { server, return_path: return_path::of(app, row.id) };
        let telling = async {
            if read_at.elapsed() > FRESH
                && let Some(Subject::Push { push_id, subscription_id }) = row.subject()
            {
                let recipients = queries::recipients(app.db.read(), &[subscription_id]).await?;
                if let Some(objection) = load::objection(row.channel, recipients.first()) {
                    return Ok(Attempt::Suppressed(objection));
                }
                if queries::is_stopped(app.db.read(), push_id).await? {
                    return Ok(Attempt::NotMade);
                }
            }
            let message = match (message, row.subject()) {
                (Message::Digest(digest), _) if read_at.elapsed() > FRESH => {
                    load::digest(app, &row, digest).await?
                }
                (Message::Letter(_), Some(Subject::Alert { alert_id, occasion }))
                    if read_at.elapsed() > FRESH =>
                {
                    load::of_alert(app, &row, alert_id, occasion).await?
                }
                (message, _) => message,
            };
            anyhow::Ok(match message {
                Message::Filled(form, personal) => {
                    let sent = app.mailer.send_filled(&form, &personal, &route).await;
                    email::attempt(&personal.to, sent)
                }
                Message::Digest(digests::mail::Digest { form, personal, .. }) => {
                    let sent = app.mailer.send_filled(&form, &personal, &route).await;
                    email::attempt(&personal.to, sent)
                }
                Message::Letter(letter) => {
                    email::attempt(&letter.to, app.mailer.send_by(&letter, &route).await)
                }
                Message::None(attempt) => attempt,
            })
        };
        let attempt = match tokio::time::timeout(PATIENCE, telling).await {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(error)) => Attempt::Later(format!("{error:#}")),
            Err(_) => Attempt::Later(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        if let Attempt::Later(words) = &attempt
            && provider::is_refusal(row.provider, words)
        {
            self.refusing().push((Whom::Provider(row.provider), Instant::now()));
        }
        if let Attempt::ServerRests(_) = &attempt {
            self.refusing().push((Whom::Server(server), Instant::now()));
        }
        Tried { row, attempt, holder, server }
    }

    fn is_refusing(&self, provider: Provider, server: usize) -> bool {
        let mut refusing = self.refusing();
        refusing.retain(|(_, since)| since.elapsed() < HELD_BACK);
        refusing.iter().any(|(one, _)| [Whom::Provider(provider), Whom::Server(server)].contains(one))
    }

    fn refusing(&self) -> std::sync::MutexGuard<'_, Vec<(Whom, Instant)>> {
        self.refusing.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
