//! The listener: a small mail server (SMTP and LMTP) that takes what comes back, and nothing else. It is off
//! unless `bounce_listen` is set.
//!
//! It has bounds for everything that a stranger can make large or slow, and it takes mail for addresses
//! that we have signed; for all others it answers 550.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::return_path::{self, Addressee};
use super::{About, report, session, take};
use crate::app::App;
use crate::blocking;
use crate::db::entities::delivery::{self, Subject};
use crate::subscriptions::links;

/// Conversations at a time, in all and with one client.
const MOST_CONVERSATIONS: usize = 50;
const MOST_OF_CLIENT: usize = 10;
/// A conversation is over after it, however it goes.
const LONGEST_CONVERSATION: Duration = Duration::from_secs(5 * 60);

/// Opens the address of the settings; none if there is none.
///
/// # Errors
/// When it is taken, or not ours to open.
pub async fn bind(app: &App) -> anyhow::Result<Option<TcpListener>> {
    let address = &app.config.bounce_listen;
    if address.is_empty() {
        return Ok(None);
    }
    let listener = TcpListener::bind(address);
    Ok(Some(listener.await.with_context(|| format!("listening for bounces on {address}"))?))
}

/// Takes mail until `stop`.
pub async fn run(app: Arc<App>, listener: TcpListener, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONVERSATIONS));
    let clients = Arc::new(Clients::default());
    let mut conversations = JoinSet::new();
    loop {
        let taken = tokio::select! {
            () = stop.cancelled() => break,
            taken = listener.accept() => taken,
            _ = conversations.join_next(), if !conversations.is_empty() => continue,
        };
        let (stream, client) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!("no connection for bounces could be taken: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let ip = client.ip().to_canonical();
        let (Ok(place), Some(turn)) = (places.clone().try_acquire_owned(), clients.enter(ip)) else {
            session::turn_away(stream).await;
            continue;
        };
        let app = app.clone();
        conversations.spawn(async move {
            let talk = session::converse(&app, stream);
            if tokio::time::timeout(LONGEST_CONVERSATION, talk).await.is_err() {
                tracing::debug!(%ip, "a conversation about bounces took too long");
            }
            drop((place, turn));
        });
    }
    conversations.shutdown().await;
}

/// How many conversations each client has.
#[derive(Default)]
struct Clients(Mutex<HashMap<IpAddr, usize>>);

/// A client's conversation; dropped, it is over.
struct Turn {
    clients: Arc<Clients>,
    ip: IpAddr,
}

impl Clients {
    fn enter(self: &Arc<Self>, ip: IpAddr) -> Option<Turn> {
        let mut counts = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let count = counts.entry(ip).or_default();
        if *count >= MOST_OF_CLIENT {
            return None;
        }
        *count += 1;
        Some(Turn { clients: self.clone(), ip })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.clients.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(count) = counts.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ip);
            }
        }
    }
}

/// Takes a message that came for an address of ours; `from` is its envelope's sender. What says nothing
/// that is to be heeded is dropped.
pub async fn receive(
    app: &App,
    addressee: Addressee,
    from: String,
    message: Arc<Vec<u8>>,
) -> anyhow::Result<()> {
    let report = blocking::run(move || report::read(&message, &from)).await?;
    let Some(word) = report.word else {
        tracing::info!(?addressee, "mail came back that says nothing of a bounce or a complaint");
        return Ok(());
    };
    let delivery = match addressee {
        Addressee::Delivery(id) => Some(id),
        Addressee::Complaints => find(app, &report.signs).await?,
    };
    match delivery {
        Some(id) => drop(take(app, &About::Delivery(id), &word).await?),
        None => tracing::info!("a complaint about a message that is not known here: {}", word.words),
    }
    Ok(())
}

/// The delivery of a message by what is told of its headers. Only what we have signed counts: its return
/// path, or its link to leave together with its Message-ID.
async fn find(app: &App, signs: &[String]) -> anyhow::Result<Option<i64>> {
    let tokens: Vec<&str> = signs
        .iter()
        .flat_map(|sign| sign.split(['<', '>', ',', ' ', ';']))
        .filter(|token| !token.is_empty())
        .collect();
    for token in &tokens {
        if let Some(Addressee::Delivery(id)) = return_path::read(app, token) {
            return Ok(Some(id));
        }
    }
    let subscriptions: Vec<i64> = tokens
        .iter()
        .filter_map(|token| token.strip_prefix(&app.config.url(links::PREFIX))?.strip_suffix("/leave"))
        .filter_map(|signed| links::managed(app, signed).ok())
        .collect();
    for token in tokens {
        let Some(id) = super::queries::of_message(app.db.read(), &format!("<{token}>")).await? else {
            continue;
        };
        use sea_orm::EntityTrait;
        let row = delivery::Entity::find_by_id(id).one(app.db.read()).await?;
        if let Some(Subject::Push { subscription_id, .. }) = row.as_ref().and_then(delivery::Model::subject)
            && subscriptions.contains(&subscription_id)
        {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
