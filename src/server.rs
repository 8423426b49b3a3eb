//! Takes connections and answers their requests (HTTP/1.1), until told to stop.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

/// What clients may take of us before they have asked for anything.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a connection may be without the whole head of a request: from its beginning, and
    /// from each answer on.
    pub head: Duration,
    /// Connections at once; others wait to be taken.
    pub connections: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { head: Duration::from_secs(30), connections: 8192 }
    }
}

/// Answers until the stop; then takes no more connections, and returns when the requests under way
/// are answered.
pub async fn answer<S>(listener: TcpListener, site: S, stop: CancellationToken, bounds: Bounds)
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let room = Arc::new(Semaphore::new(bounds.connections as usize));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head);
    while let Some((place, stream, client)) = next(&listener, &room, &stop).await {
        tokio::spawn(converse(http.clone(), stream, client, site.clone(), stop.clone(), place));
    }
    drop(listener);
    // Every place is free again when every connection has ended.
    let _ = room.acquire_many(bounds.connections).await;
}

/// The next connection, as soon as there is a place for it; none after the stop.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let taken = async {
        let place = room.clone().acquire_owned().await.ok()?;
        let (stream, client) = accept(listener).await;
        Some((place, stream, client))
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        taken = taken => taken,
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(taken) => return taken,
            // The client went away before it was taken.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
                ) => {}
            // Out of files, most likely: some are closed in a while.
            Err(error) => {
                tracing::error!("no connection could be taken: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Answers the requests of one connection to its end; its place is free then.
async fn converse<S>(
    http: http1::Builder,
    stream: TcpStream,
    client: SocketAddr,
    site: S,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
) where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    // Answers are written whole: nothing is gained by holding back their last piece.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(client));
        site.clone().oneshot(request)
    });
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%client, "a connection ended early: {error}");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
