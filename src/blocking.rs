//! Slow work of the processor, on threads of its own, so that none that serves requests waits for it.

use std::time::Instant;

use tokio::task::JoinHandle;
use tracing::Span;

/// Runs slow work as a part of what asked for it: its log lines carry the same request's id.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let span = Span::current();
    let work = move || {
        let _inside = span.enter();
        let started = Instant::now();
        let done = work();
        tracing::debug!(took_us = started.elapsed().as_micros() as u64, "slow work is done");
        done
    };
    tokio::task::spawn_blocking(work)
}
