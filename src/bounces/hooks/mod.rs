//! Hooks: where mailing services tell of bounces and complaints. Each proves by its own signature that it is
//! the service; what it tells twice is taken once. A service that is not set up is not found.

pub mod mailgun;
pub mod postmark;
pub mod ses;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::return_path::{self, Addressee};
use super::{About, Word, queries, take};
use crate::app::App;

/// The largest body. Amazon's are 256 KB at most.
const LARGEST: usize = 512 * 1024;

/// Why a hook takes nothing, in words for whoever set it up.
#[derive(Debug)]
pub enum Refusal {
    /// The service is not set up here.
    Unknown,
    /// It is not proven to come from the service.
    Unproven(&'static str),
    Unreadable(&'static str),
    Internal(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "this service is not set up here"),
            Self::Unproven(why) => {
                tracing::warn!("a hook was refused: {why}");
                (StatusCode::FORBIDDEN, why)
            }
            Self::Unreadable(why) => (StatusCode::BAD_REQUEST, why),
            Self::Internal(error) => {
                tracing::error!("a hook failed: {error:#}");
                (StatusCode::INTERNAL_SERVER_ERROR, "not now")
            }
        };
        // A problem document (RFC 9457): plain text would be given a page.
        let problem = json!({ "status": status.as_u16(), "title": status.to_string(), "detail": words });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, problem.to_string()).into_response()
    }
}

/// Refuses what is too large to be from a service.
fn check_size(body: &[u8]) -> Result<(), Refusal> {
    if body.len() > LARGEST { Err(Refusal::Unreadable("too large")) } else { Ok(()) }
}

/// What a service says of the message that it tells of.
#[derive(Clone, Debug, Default)]
struct Told {
    email: String,
    /// The sender of its envelope, where the service says it.
    sender: String,
    /// With or without angle brackets.
    message_id: String,
    /// The service's own number of the event.
    number: String,
}

/// Keeps what a service has told. It is known for who it is, so a Message-ID of ours is enough to find
/// the delivery, as long as it went to that address.
async fn take_told(app: &App, told: &Told, word: &Word) -> Result<(), Refusal> {
    let email = told.email.trim().to_lowercase();
    if crate::auth::Address::parse(&email).is_err() {
        return Err(Refusal::Unreadable("it names no address"));
    }
    let named = match return_path::read(app, &told.sender) {
        Some(Addressee::Delivery(id)) => Some(id),
        _ => {
            let id = format!("<{}>", told.message_id.trim().trim_matches(['<', '>']));
            queries::of_message(app.db.read(), &id).await?
        }
    };
    let now = app.clock.now();
    let recipient = match named {
        Some(id) => Some((id, queries::recipient(app.db.read(), id, now - super::KEPT).await?)),
        None => None,
    };
    let about = match recipient {
        Some((id, Some(recipient))) if recipient == email => About::Delivery(id),
        // It was long ago, or whom it was for is gone.
        Some((_, None)) => return Ok(()),
        _ => About::Address { email, number: told.number.clone() },
    };
    take(app, &about, word).await?;
    Ok(())
}
