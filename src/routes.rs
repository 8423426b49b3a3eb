//! Every URL of the product, under headings; middleware last.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::error::Error;
use crate::{auth, demo, error, home, page, statics};

/// The largest request body that is read, uploads aside.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// A request that takes longer is answered with 503.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The whole site.
pub fn router(app: Arc<App>) -> Router {
    let pages = Router::new()
        .merge(reader_pages())
        .merge(identity())
        .merge(studio())
        .merge(subscribing())
        .merge(feeds())
        .merge(api())
        .merge(demo())
        .route("/static/{*path}", get(statics::show_file))
        .fallback(async || Error::NotFound);

    let request_id = HeaderName::from_static("x-request-id");
    let pages = pages.layer(
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
            .layer(TraceLayer::new_for_http().make_span_with(request_span))
            .layer(PropagateRequestIdLayer::new(request_id))
            .layer(from_fn_with_state(app.clone(), auth::session::load))
            .layer(from_fn_with_state(app.clone(), error::render))
            .layer(from_fn(page::clear_flash))
            .layer(CatchPanicLayer::custom(|_| {
                Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
            }))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
            .layer(RequestBodyLimitLayer::new(BODY_LIMIT)),
    );
    // For machines that watch over this one: no session, no language, no log line.
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(show_readiness))
        .merge(pages)
        .with_state(app)
}

/// Front page, accounts, articles, search.
fn reader_pages() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home::pages::show_front))
        .route("/locale", post(home::pages::choose_locale))
        .route("/@{handle}", get(home::accounts::show_account))
}

/// Sign-in, sign-up, settings.
fn identity() -> Router<Arc<App>> {
    Router::new()
}

/// The demo's captured mail; not found elsewhere.
fn demo() -> Router<Arc<App>> {
    Router::new()
        .route("/demo/mail", get(demo::pages::list_letters))
        .route("/demo/mail/{name}", get(demo::pages::show_letter))
        .route("/demo/mail/{name}/html", get(demo::pages::show_letter_html))
}

/// Where members of accounts work.
fn studio() -> Router<Arc<App>> {
    Router::new()
}

/// Subscribing, managing and leaving; the timeline.
fn subscribing() -> Router<Arc<App>> {
    Router::new()
}

/// Feeds, sitemaps, robots.txt.
fn feeds() -> Router<Arc<App>> {
    Router::new()
}

/// `/api/v1`: JSON.
fn api() -> Router<Arc<App>> {
    Router::new()
}

/// Whether this node can serve: the database answers and the index has caught up.
async fn show_readiness(State(app): State<Arc<App>>) -> Response {
    match app.db.read().ping().await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::warn!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response()
        }
    }
}

fn request_span(request: &axum::http::Request<axum::body::Body>) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or("");
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}
