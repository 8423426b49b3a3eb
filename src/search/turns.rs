//! Who may search now: so many at once, so many waiting for their turn.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Nobody waits longer for a turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// When those who got none may come back.
const LATER: Duration = Duration::from_secs(5);

/// Searches run on threads of their own, so many at a time; a bounded number of others waits.
#[derive(Debug)]
pub struct Turns {
    running: Arc<Semaphore>,
    /// Of those that run and those that wait.
    places: Arc<Semaphore>,
}

/// The right to search; to be kept until the search is done.
#[derive(Debug)]
pub struct Turn {
    _running: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Turns {
    /// With 0 at once, two for each core.
    pub fn new(at_once: u32, waiting: u32) -> Turns {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let at_once = if at_once == 0 { cores * 2 } else { at_once as usize };
        Turns {
            running: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + waiting as usize)),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Error::Busy`] where too many wait already, or none came in time.
    pub async fn take(&self) -> Result<Turn, Error> {
        let busy = || Error::Busy { retry_after: LATER };
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let running = tokio::time::timeout(PATIENCE, self.running.clone().acquire_owned());
        let running = running.await.map_err(|_| busy())?.map_err(anyhow::Error::from)?;
        Ok(Turn { _running: running, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_run_so_many_wait_and_the_next_is_told_to_come_back() {
        let turns = Turns::new(1, 1);
        let first = turns.take().await.unwrap();
        let second = turns.take();
        tokio::pin!(second);
        // It waits.
        assert!(futures::poll!(&mut second).is_pending());
        assert!(matches!(turns.take().await, Err(Error::Busy { .. })));
        drop(first);
        let second = second.await.unwrap();
        drop(second);
        turns.take().await.unwrap();
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_a_place_for_another() {
        let turns = Turns::new(1, 1);
        let first = turns.take().await.unwrap();
        {
            let second = turns.take();
            tokio::pin!(second);
            assert!(futures::poll!(&mut second).is_pending());
        }
        let third = turns.take();
        tokio::pin!(third);
        assert!(futures::poll!(&mut third).is_pending());
        drop(first);
        third.await.unwrap();
    }
}
