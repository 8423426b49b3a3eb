//! Buttons on a push's page: stop, go on, send again.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::Error;
use crate::page::redirect_with_flash;
use crate::path::Path;
use crate::pushes::steer::{self, Helm};
use crate::studio::Studio;

/// `POST /studio/@{handle}/pushes/{push}/stop`
pub async fn stop_push(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path((_, push_id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    steer::stop(&app, helm(&studio, push_id)).await?;
    Ok(back(&studio, push_id, "flash-push-stopped"))
}

/// `POST /studio/@{handle}/pushes/{push}/resume`
pub async fn resume_push(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path((_, push_id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    steer::resume(&app, helm(&studio, push_id)).await?;
    Ok(back(&studio, push_id, "flash-push-resumed"))
}

/// `POST /studio/@{handle}/pushes/{push}/again`
pub async fn send_push_again(
    State(app): State<Arc<App>>,
    studio: Studio,
    Path((_, push_id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    steer::send_again(&app, helm(&studio, push_id)).await?;
    Ok(back(&studio, push_id, "flash-push-again"))
}

fn helm(studio: &Studio, push_id: i64) -> Helm {
    Helm { user_id: studio.user.id, account_id: studio.account.id, push_id }
}

fn back(studio: &Studio, push_id: i64, flash: &'static str) -> Response {
    redirect_with_flash(&studio.path(&format!("/pushes/{push_id}")), flash)
}
