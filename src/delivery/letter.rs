//! Letters that have no row in the ledger, such as links to sign in. Somebody waits for each of them, so they wait for no
//! cap; but they count in all of them, so that pushes leave them their places.

use sea_orm::{DbErr, EntityTrait, QueryFilter};

use super::ledger::LEASE;
use crate::app::App;
use crate::db::entities::delivery::Provider;
use crate::db::entities::mail_domain;
use crate::mail::{Letter, MailError, Route};

/// Sends a letter by the first server of all that takes it; returns its words.
///
/// # Errors
/// [`MailError`] says whether to try again, and whom to blame.
pub async fn send(app: &App, letter: &Letter) -> Result<String, MailError> {
    let mut left = app.mailer.shared();
    let mut last = MailError::Temporary("there is no mail server".into());
    while let Some(server) = app.mailer.next_relay(|place| left.contains(&place)) {
        left.retain(|place| *place != server);
        count(app, &letter.to, server).await.map_err(|error| MailError::Temporary(error.to_string()))?;
        match app.mailer.send_by(letter, &Route::by(server)).await {
            Err(MailError::Server(words)) => last = MailError::Temporary(words),
            sent => return sent,
        }
    }
    Err(last)
}

/// Takes its places, for as long as if it were handed over at the last moment that a message of the ledger may be.
async fn count(app: &App, to: &str, server: usize) -> Result<(), DbErr> {
    if app.caps.0.is_empty() {
        return Ok(());
    }
    let domain = to.rsplit('@').next().unwrap_or_default().to_lowercase();
    let known = mail_domain::Entity::find().filter(mail_domain::COLUMN.domain.eq(domain));
    let provider = known.one(app.db.read()).await?.map_or(Provider::Other, |row| row.provider);
    let tx = app.db.begin_unnoticed().await?;
    app.caps.count(&tx, (provider, server), 1, app.clock.now() + LEASE).await?;
    tx.commit().await
}
