//! Waiting for what comes later.

use std::time::{Duration, Instant};

/// As long as a busy machine may need.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < PATIENCE, "not so in the end: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks until there is an answer.
pub async fn wait_for<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    answer(ask).await.unwrap_or_else(|| panic!("waited in vain for {what}"))
}

/// The same, for those who have more to say where none comes.
pub async fn answer<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let answer = ask().await;
        if answer.is_some() || start.elapsed() >= PATIENCE {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
