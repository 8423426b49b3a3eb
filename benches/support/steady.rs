//! A client that keeps to a rate: each request falls due by the clock, whether or not those before it are answered,
//! and its time counts from then. So a server that stalls is not asked less meanwhile, and every request that it
//! held up shows (no "coordinated omission").
//!
//! On one thread with connections that stay open, and as little work for each answer as there can be. Its timer has
//! steps of a millisecond, which every figure contains: beside nginx at the same rate one sees what is the client's.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const CONNECTIONS: u32 = 64;
/// At the beginning, not counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// What was measured, in milliseconds. Shown as a row of a table.
pub struct Steady {
    /// Answers a second.
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub longest: f64,
}

impl Steady {
    /// Asks for one address at a rate for so many seconds.
    pub fn run(url: &str, rate: f64, seconds: u32) -> anyhow::Result<Self> {
        let url = url.to_owned();
        let client = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(ask(&url, rate, Duration::from_secs(seconds.into())))
        });
        client.join().map_err(|_| anyhow::anyhow!("the client ended badly"))?
    }
}

async fn ask(url: &str, rate: f64, length: Duration) -> anyhow::Result<Steady> {
    let url = url::Url::parse(url)?;
    let authority = format!("{}:{}", url.host_str().context("a host")?, url.port().context("a port")?);
    let request = format!("GET {} HTTP/1.1\r\nhost: {authority}\r\n\r\n", url.path());
    let step = Duration::from_secs_f64(f64::from(CONNECTIONS) / rate);
    // By then all are connected.
    let began = Instant::now() + Duration::from_millis(200);
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let stream = TcpStream::connect(&authority).await?;
        stream.set_nodelay(true)?;
        let first = began + step.mul_f64(f64::from(number) / f64::from(CONNECTIONS));
        connections.spawn(keep_asking(stream, request.clone(), first, step, began + WARM_UP + length));
    }
    let mut times = Vec::new();
    while let Some(asked) = connections.join_next().await {
        times.extend(asked??.into_iter().filter(|(due, _)| *due >= began + WARM_UP).map(|(_, time)| time));
    }
    let took = (Instant::now() - began - WARM_UP).as_secs_f64();
    if times.is_empty() {
        bail!("nothing was answered");
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let rate = times.len() as f64 / took.max(length.as_secs_f64());
    Ok(Steady { rate, p50: at(0.5), p99: at(0.99), p999: at(0.999), longest: at(1.0) })
}

/// Asks over one connection at its times; one that is late goes out as soon as the one before it is answered.
async fn keep_asking(
    mut stream: TcpStream,
    request: String,
    first: Instant,
    step: Duration,
    end: Instant,
) -> anyhow::Result<Vec<(Instant, Duration)>> {
    let (mut times, mut due) = (Vec::new(), first);
    let mut answer = vec![0; 1 << 16];
    while due < end {
        if due > Instant::now() {
            sleep_until(due).await;
        }
        stream.write_all(request.as_bytes()).await?;
        read(&mut stream, &mut answer).await?;
        times.push((due, due.elapsed()));
        due += step;
    }
    Ok(times)
}

/// Reads one answer of known length to its end.
async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let (mut held, mut left) = (0, None);
    while left != Some(0) {
        let from = if left.is_some() { 0 } else { held };
        let count = stream.read(&mut buffer[from..]).await?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        left = match left {
            Some(left) => Some(usize::saturating_sub(left, count)),
            None => {
                held += count;
                let head = buffer[..held].windows(4).position(|four| four == b"\r\n\r\n");
                match head {
                    Some(head) => Some(length(&buffer[..head])?.saturating_sub(held - head - 4)),
                    None => None,
                }
            }
        };
    }
    Ok(())
}

/// Of the body, by the head of a good answer.
fn length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        bail!("the server answered {head}");
    }
    let lengths = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Ok(lengths.next().context("an answer without a length")?.1.trim().parse()?)
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, p50, p99, p999, longest } = self;
        write!(f, "{rate:>12.0} {p50:>7.1} ms {p99:>7.1} ms {p999:>7.1} ms {longest:>7.1} ms")
    }
}
