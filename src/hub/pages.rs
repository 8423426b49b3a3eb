//! The hub's door.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Refusal, Wish, take_wish};
use crate::app::App;
use crate::error::{Error, Plain};

/// `POST /hub`: a server wants to be told of a feed's changes, or no longer. Its callback is asked before anything is
/// done, so the answer only says that the wish was understood.
pub async fn ask_hub(State(app): State<Arc<App>>, Form(wish): Form<Wish>) -> Result<Response, Error> {
    let (status, words) = match take_wish(&app, &wish).await {
        Ok(()) => (StatusCode::ACCEPTED, "the callback will be asked".to_owned()),
        Err(Refusal::Wrong(words)) => (StatusCode::BAD_REQUEST, words),
        Err(Refusal::Full(words)) => (StatusCode::SERVICE_UNAVAILABLE, words.to_owned()),
        Err(Refusal::Broken(error)) => return Err(error.into()),
    };
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let mut response = (status, kind, format!("{words}\n")).into_response();
    response.extensions_mut().insert(Plain);
    Ok(response)
}
