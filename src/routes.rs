//! Every URL of the product, under headings; middleware last.

mod newsroom;
mod public;
mod reader;
mod site;
mod v1;

pub use site::Site;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower::layer::util::{Identity, Stack};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};

use crate::app::App;
use crate::error::Error;
use crate::{api, auth, error, media, packing, page, page_cache, statics};

/// The largest request body that is read, uploads aside.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// The largest form with a picture in it.
const UPLOAD_LIMIT: usize = media::UPLOAD_LIMIT + 64 * 1024;
/// A request that takes longer is answered with 503.
const TIMEOUT: Duration = Duration::from_secs(30);

/// All but what is kept ahead of it: see [`Site`].
fn router(app: Arc<App>) -> Router {
    let pages = Router::new()
        .merge(public::search_pages())
        // Kept behind the guards, which count them.
        .merge(public::search_feeds().route_layer(from_fn_with_state(app.clone(), page_cache::give)))
        .merge(public::identity())
        .merge(newsroom::studio())
        .merge(reader::subscribing())
        .merge(reader::keeping_up())
        .merge(reader::saving())
        .merge(reader::as_app())
        .merge(reader::reading())
        .merge(reader::alerting())
        .merge(reader::outside_feeds())
        .merge(reader::syncing())
        .merge(reader::belonging())
        .merge(public::hooks())
        .merge(v1::api())
        .merge(public::demo())
        .route("/static/{*path}", get(statics::show_file))
        .route("/media/{account}/{file}", get(media::pages::show_media))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .merge(
            newsroom::uploads()
                .layer(RequestBodyLimitLayer::new(UPLOAD_LIMIT))
                .layer(from_fn(media::pages::say_how_large)),
        )
        .fallback(async || Error::NotFound);
    let pages = everybodys(&app).merge(guarded(pages, &app));

    // For machines that watch over this one: no session, no language, no log line.
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(show_readiness))
        .layer(from_fn_with_state(app.clone(), auth::headers::secure))
        .merge(sent(pages))
        .with_state(app)
}

/// What is the same for everybody who is not signed in, and made once for all of them: what is kept is an answer as the
/// guards have left it, so they are not asked again.
fn everybodys(app: &Arc<App>) -> Router<Arc<App>> {
    let pages = public::reader_pages().merge(public::feeds()).layer(RequestBodyLimitLayer::new(BODY_LIMIT));
    guarded(pages, app).layer(from_fn_with_state(app.clone(), page_cache::give))
}

/// Puts around pages what all of them need.
pub fn framed(pages: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    sent(guarded(pages, app))
}

/// Puts around pages what an answer needs on its way, whoever made it; the first layer is the outermost.
fn sent(pages: Router<Arc<App>>) -> Router<Arc<App>> {
    pages.layer(
        noted()
            .map_response(packing::weaken)
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(packable())),
    )
}

/// Gives a request an id and a line in the log; its answer names the id.
fn noted() -> ServiceBuilder<Noted> {
    let request_id = HeaderName::from_static("x-request-id");
    let trace = TraceLayer::new_for_http().make_span_with(request_span as MakeSpan);
    ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(request_id.clone(), RandomId))
        .layer(trace.on_response(DefaultOnResponse::new().level(Level::INFO)))
        .layer(PropagateRequestIdLayer::new(request_id))
}

type MakeSpan = fn(&axum::extract::Request) -> Span;
type Trace = TraceLayer<SharedClassifier<ServerErrorsAsFailures>, MakeSpan>;
type Noted = Stack<PropagateRequestIdLayer, Stack<Trace, Stack<SetRequestIdLayer<RandomId>, Identity>>>;

/// Puts around pages what looks at a request before they do, and at their answer after; the first layer is the
/// outermost.
fn guarded(pages: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    pages.layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state(app.clone(), auth::headers::secure))
            .layer(from_fn(auth::headers::keep_private))
            .layer(from_fn_with_state(app.clone(), error::render))
            .layer(from_fn(auth::headers::limit_size))
            .layer(from_fn_with_state(app.clone(), auth::limits::guard))
            .layer(from_fn_with_state(app.clone(), auth::session::load))
            .layer(from_fn_with_state(app.clone(), auth::origin::check))
            .layer(from_fn_with_state(app.clone(), api::idempotency::honour))
            .layer(from_fn(page::clear_flash))
            .layer(CatchPanicLayer::custom(|_| {
                Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
            }))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
            // Layers around the pages say how much is read.
            .layer(DefaultBodyLimit::disable()),
    )
}

/// What is worth compressing: not what is compressed already.
fn packable() -> impl Predicate {
    DefaultPredicate::new()
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("application/epub+zip"))
}

/// Whether this node can serve: the database answers and the index has caught up.
async fn show_readiness(State(app): State<Arc<App>>) -> Response {
    match app.db.read().ping().await {
        Ok(()) => match app.search.not_ready() {
            None => "ready".into_response(),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        },
        Err(error) => {
            tracing::warn!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response()
        }
    }
}

/// Names requests by 128 random bits, from a generator that does not ask the system each time.
#[derive(Clone, Copy)]
struct RandomId;

impl MakeRequestId for RandomId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let id = format!("{:032x}", rand::random::<u128>());
        HeaderValue::try_from(id).ok().map(RequestId::new)
    }
}

fn request_span(request: &axum::extract::Request) -> Span {
    let id = request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or("");
    // The secret of a link stays out of the log.
    let path = request.uri().path();
    let path = ["/sign-in/link/", "/settings/leave/", "/s/", "/f/"]
        .into_iter()
        .find(|secret| path.starts_with(secret))
        .unwrap_or(path);
    tracing::info_span!("request", id, method = %request.method(), path)
}
