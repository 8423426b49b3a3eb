//! [`Relay`]: one of the mail servers that carry our mail, with the lines that are open to it. Without a
//! server it is a folder or, in tests, memory.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context;

use super::line::{Line, Server};
use super::servers::MailServer;
use super::{Letter, MailError};

/// Carries messages to one place.
#[derive(Debug)]
pub struct Relay {
    /// Empty for the only one.
    pub name: String,
    /// Those of the lowest rank carry the mail; the others stand by.
    pub rank: u32,
    /// Its share among those of its rank.
    pub weight: u32,
    /// Handles of the accounts whose pushes it carries; empty for one of everybody else's.
    pub accounts: Vec<String>,
    /// Whether the database may hold a rest of it.
    rested: AtomicBool,
    way: Way,
}

/// Where messages go.
#[derive(Debug)]
enum Way {
    Smtp {
        server: Server,
        /// Open ones that carry nothing now.
        idle: Mutex<Vec<Line>>,
    },
    /// Writes each message as an .eml file into a folder; names sort by time.
    File(PathBuf),
    /// Keeps letters, for tests.
    Memory(Arc<Mutex<Vec<Letter>>>),
}

impl Relay {
    /// # Errors
    /// When the server's address cannot be read.
    pub fn of(server: &MailServer) -> anyhow::Result<Self> {
        let way = Way::Smtp { server: Server::parse(&server.url)?, idle: Mutex::default() };
        Ok(Self {
            name: server.name.clone(),
            rank: server.rank,
            weight: server.weight,
            accounts: server.accounts.clone(),
            ..Self::only(way)
        })
    }

    /// # Errors
    /// When the folder cannot be made.
    pub fn file(folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder).context("making the mail folder")?;
        Ok(Self::only(Way::File(folder)))
    }

    pub fn memory(letters: Arc<Mutex<Vec<Letter>>>) -> Self {
        Self::only(Way::Memory(letters))
    }

    fn only(way: Way) -> Self {
        // A rest may be left from before the start.
        Self {
            name: String::new(),
            rank: 1,
            weight: 1,
            accounts: Vec::new(),
            rested: AtomicBool::new(true),
            way,
        }
    }

    /// The letters that it keeps, if it is one for tests.
    pub(super) fn kept(&self) -> Option<&Mutex<Vec<Letter>>> {
        match &self.way {
            Way::Memory(letters) => Some(letters),
            Way::Smtp { .. } | Way::File(_) => None,
        }
    }

    /// Hands a signed message over; returns the server's words.
    pub(super) async fn carry(&self, from: &str, to: &str, message: &str) -> Result<String, MailError> {
        match &self.way {
            Way::Smtp { server, idle } => hand_over(server, idle, from, to, message).await,
            Way::File(folder) => {
                let name = write_file(folder, message)
                    .await
                    .map_err(|error| MailError::Temporary(format!("writing a file: {error}")))?;
                Ok(format!("written to {name}"))
            }
            Way::Memory(_) => Ok("kept".into()),
        }
    }

    /// Asks the server whether it is there and lets us in; folders and memory always do.
    pub(super) async fn check(&self) -> Result<(), MailError> {
        match &self.way {
            Way::Smtp { server, .. } => Line::open(server).await?.check().await,
            Way::File(_) | Way::Memory(_) => Ok(()),
        }
    }

    /// The host that it leads to, if it is a server.
    pub fn host(&self) -> Option<&str> {
        match &self.way {
            Way::Smtp { server, .. } => Some(server.host()),
            Way::File(_) | Way::Memory(_) => None,
        }
    }

    /// Whether it may carry what the other was to.
    pub fn stands_in_for(&self, other: &Self) -> bool {
        let is_shared = self.accounts.is_empty() && other.accounts.is_empty();
        is_shared || self.accounts.iter().any(|handle| other.accounts.contains(handle))
    }

    /// Whether the database may hold a rest of it that is to be ended by its next success.
    pub fn may_have_rested(&self) -> bool {
        self.rested.load(Ordering::Relaxed)
    }

    /// Says what the database holds.
    pub fn has_rested(&self, rested: bool) {
        self.rested.store(rested, Ordering::Relaxed);
    }
}

/// Gives a message to a line that is open, or to a new one. Lines are as many as messages under way.
async fn hand_over(
    server: &Server,
    idle: &Mutex<Vec<Line>>,
    from: &str,
    to: &str,
    message: &str,
) -> Result<String, MailError> {
    loop {
        let open = {
            let mut idle = idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            idle.retain(Line::is_usable);
            idle.pop()
        };
        let mut line = match open {
            Some(line) => line,
            None => Line::open(server).await?,
        };
        let sent = line.send(from, to, message).await;
        if line.is_usable() {
            idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(line);
        }
        match sent {
            Ok(words) => return Ok(words),
            // Idle lines that are all closed run out; a new one is never stale.
            Err(refusal) if refusal.was_stale => {}
            Err(refusal) => return Err(refusal.error),
        }
    }
}

/// Writes a whole file or none, so that who looks into the folder never sees a half letter.
async fn write_file(folder: &Path, message: &str) -> std::io::Result<String> {
    let moment = chrono::Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
    let name = format!("{moment}-{:08x}.eml", rand::random::<u32>());
    let (half, whole) = (folder.join(format!(".{name}.part")), folder.join(&name));
    tokio::fs::write(&half, message).await?;
    tokio::fs::rename(&half, &whole).await?;
    Ok(name)
}
