//! One request at a time to each host, and a pause between them.
//!
//! Counted for this process: with several nodes a source is still fetched by one job at a time, but
//! two sources of one host may be fetched by two nodes at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// Hosts remembered; beyond it those not in use are forgotten.
const MAX_HOSTS: usize = 1_000;

type Turn = Arc<tokio::sync::Mutex<Option<Instant>>>;

#[derive(Debug)]
pub struct Politeness {
    gap: Duration,
    hosts: Mutex<HashMap<String, Turn>>,
}

/// The right to talk to a host, until dropped.
pub struct Permit(OwnedMutexGuard<Option<Instant>>);

impl Politeness {
    pub fn new(gap: Duration) -> Self {
        Self { gap, hosts: Mutex::new(HashMap::new()) }
    }

    /// Waits for this host's turn.
    pub async fn wait(&self, host: &str) -> Permit {
        let turn = self.turn(host);
        let guard = turn.lock_owned().await;
        if let Some(last) = *guard {
            tokio::time::sleep_until(last + self.gap).await;
        }
        Permit(guard)
    }

    /// This host's turn, if nobody has it; without a pause.
    pub fn take(&self, host: &str) -> Option<Permit> {
        self.turn(host).try_lock_owned().ok().map(Permit)
    }

    /// Whether somebody talks to this host now.
    pub fn is_busy(&self, host: &str) -> bool {
        self.turn(host).try_lock().is_err()
    }

    fn turn(&self, host: &str) -> Turn {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS {
            hosts.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        hosts.entry(host.to_owned()).or_default().clone()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_to_one_host_take_turns_and_pause() {
        let politeness = Politeness::new(Duration::from_millis(30));
        let started = Instant::now();
        let visit = async || drop(politeness.wait("a.example").await);
        tokio::join!(visit(), visit(), visit());
        assert!(started.elapsed() >= Duration::from_millis(60));
        let started = Instant::now();
        drop(politeness.wait("b.example").await);
        assert!(started.elapsed() < Duration::from_millis(30));
    }
}
