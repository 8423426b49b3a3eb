//! How long a search may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Until when a search may run. When the time is up every set ends, and the answer is a part.
#[derive(Clone, Debug)]
pub struct Budget {
    until: Option<Instant>,
    expired: Arc<AtomicBool>,
    steps: u32,
}

/// Steps between looks at the clock.
const STEPS: u32 = 2_048;

impl Budget {
    pub fn until(until: Option<Instant>) -> Budget {
        // The first step looks, so that a search whose time is up before it began ends at once.
        Budget { until, expired: Arc::default(), steps: STEPS - 1 }
    }

    /// One step more; true when the time is up.
    #[inline]
    pub fn is_spent(&mut self) -> bool {
        self.is_spent_by(1)
    }

    /// So many steps more.
    #[inline]
    pub fn is_spent_by(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_add(steps as u32);
        self.steps >= STEPS && self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.expired.store(true, Ordering::Relaxed);
        }
        if !self.expired.load(Ordering::Relaxed) {
            self.steps = 0;
        }
        self.expired.load(Ordering::Relaxed)
    }

    /// Was it up for this or a clone?
    pub fn expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }
}
