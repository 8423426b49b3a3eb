//! From time to time somebody looks whether the index's files are still what was written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::super::index::{IndexError, Volume};
use crate::app::App;

/// Whether they are there, and as long as they were.
const LOOK: Duration = Duration::from_secs(10);
/// Every byte of them.
const READ: Duration = Duration::from_secs(60 * 60);

pub struct Rounds {
    looked: Instant,
    read: Instant,
    /// At it now, beside the work.
    reading: Option<(Arc<Volume>, Reading)>,
}

type Reading = JoinHandle<Result<(), IndexError>>;

impl Rounds {
    /// They were just opened, and read for that.
    pub fn begin() -> Rounds {
        Rounds { looked: Instant::now(), read: Instant::now(), reading: None }
    }

    /// Does what it is time for. What it finds is doubted; only reading everything again, with nobody
    /// writing, tells damage from a file that was just merged away.
    pub async fn go(&mut self, app: &App, volume: &Arc<Volume>) {
        if self.looked.elapsed() > LOOK {
            self.looked = Instant::now();
            let looked_at = volume.clone();
            tell(app, volume, crate::blocking::run(move || looked_at.look()).await.ok());
        }
        if self.read.elapsed() > READ && self.reading.is_none() {
            self.read = Instant::now();
            let read = volume.clone();
            self.reading = Some((volume.clone(), crate::blocking::run(move || read.read_through())));
        }
        if let Some((volume, reading)) = self.reading.take_if(|(_, reading)| reading.is_finished()) {
            tell(app, &volume, reading.await.ok());
        }
    }
}

/// Reads every byte of the live index now; what is damaged will be built anew by the follower.
pub async fn check(app: &App) {
    let Some(volume) = app.search.shelf().live() else { return };
    let read = volume.clone();
    tell(app, &volume, crate::blocking::run(move || read.read_through()).await.ok());
}

fn tell(app: &App, volume: &Volume, found: Option<Result<(), IndexError>>) {
    let Some(Err(error)) = found else { return };
    tracing::warn!("the search index may be damaged, reading it through: {error}");
    app.search.doubt(volume);
}
