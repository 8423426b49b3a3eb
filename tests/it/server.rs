//! Connections: those that ask for nothing are closed, and a stop lets requests finish.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xiangxun::server::{self, Bounds};

/// Generous: what is waited for takes some hundred milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: xiangxun.test\r\n\r\n";

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

async fn serve(bounds: Bounds) -> Served {
    let routes = Router::new()
        .route(
            "/",
            get(async |ConnectInfo(client): ConnectInfo<SocketAddr>| format!("hello {}", client.ip())),
        )
        .route(
            "/slow",
            get(async || {
                tokio::time::sleep(Duration::from_millis(800)).await;
                "at last"
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let done = tokio::spawn(server::answer(listener, routes, stop.clone(), bounds));
    Served { address, stop, done }
}

/// What the server sends until it closes.
async fn read_to_end(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset closes as well.
    let reading = connection.read_to_end(&mut answer);
    let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn read_some(connection: &mut TcpStream) -> String {
    let mut answer = [0; 4096];
    let length =
        tokio::time::timeout(PATIENCE, connection.read(&mut answer)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test]
async fn whoever_sends_half_a_head_is_cut_off_while_others_are_answered() {
    let served = serve(Bounds { head: Duration::from_millis(400), ..Bounds::default() }).await;
    let mut half = TcpStream::connect(served.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: xiangxun.test\r\nx-slow: ").await.unwrap();
    let silent = TcpStream::connect(served.address).await.unwrap();
    let (mut reading, mut trickling) = TcpStream::connect(served.address).await.unwrap().into_split();
    let drip = tokio::spawn(async move {
        // A byte now and then does not buy more time.
        while trickling.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut honest = TcpStream::connect(served.address).await.unwrap();
    honest.write_all(REQUEST).await.unwrap();
    assert!(read_some(&mut honest).await.contains("hello 127.0.0.1"));

    let started = Instant::now();
    for connection in [half, silent] {
        assert!(!read_to_end(connection).await.contains("200 OK"));
    }
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, reading.read_to_end(&mut rest)).await.expect("it is closed too");
    assert!(started.elapsed() >= Duration::from_millis(100), "but not at once");
    drip.await.unwrap();
}

#[tokio::test]
async fn more_connections_than_there_are_places_for_wait_their_turn() {
    let served = serve(Bounds { connections: 1, ..Bounds::default() }).await;
    let mut first = TcpStream::connect(served.address).await.unwrap();
    first.write_all(REQUEST).await.unwrap();
    assert!(read_some(&mut first).await.contains("hello"));
    let mut second = TcpStream::connect(served.address).await.unwrap();
    second.write_all(REQUEST).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), second.readable()).await;
    assert!(early.is_err(), "the first is still open");
    drop(first);
    assert!(read_some(&mut second).await.contains("hello"));
}

#[tokio::test]
async fn a_stop_answers_what_was_asked_and_takes_nothing_new() {
    let served = serve(Bounds::default()).await;
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: xiangxun.test\r\n\r\n").await.unwrap();
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    idle.write_all(REQUEST).await.unwrap();
    assert!(read_some(&mut idle).await.contains("hello"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.stop.cancel();
    assert!(read_to_end(slow).await.contains("at last"));
    assert_eq!(read_to_end(idle).await, "", "a connection without a request is closed");
    tokio::time::timeout(PATIENCE, served.done).await.expect("it ends").unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}
