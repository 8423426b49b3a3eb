//! All indexes of a node, and which of them is live.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tantivy::directory::MmapDirectory;

use super::{IndexError, Volume};
use crate::search::schema::VERSION;

/// The name of the file that names the live index.
const CURRENT: &str = "current";
/// MB of memory for a writer that adds many articles at once, unless set otherwise.
const MEMORY: u32 = 200;
/// An index that is not live and that nobody writes is left over after so long.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// The directory of all indexes of a node, and the live one. Cheap to search from many threads.
pub struct Shelf {
    root: PathBuf,
    /// For writers, in MB.
    memory: u32,
    live: RwLock<Option<Arc<Volume>>>,
}

impl Shelf {
    /// Nothing is opened or created yet.
    pub fn at(root: impl Into<PathBuf>) -> Shelf {
        Shelf::with_memory(root, MEMORY)
    }

    /// The same with so many MB of memory for the writer of an index.
    pub fn with_memory(root: impl Into<PathBuf>, memory: u32) -> Shelf {
        Shelf { root: root.into(), memory, live: RwLock::new(None) }
    }

    /// The index that answers searches now, if one is open.
    pub fn live(&self) -> Option<Arc<Volume>> {
        self.live.read().expect("no panic under this lock").clone()
    }

    /// Opens what `current` names, once every file of it has been read against its checksum.
    ///
    /// # Errors
    /// When there is none, it is damaged or of another version: [`Shelf::start`] a new one then.
    pub fn open(&self) -> Result<Arc<Volume>, IndexError> {
        let name = self.current()?.ok_or(IndexError::Missing)?;
        if !name.starts_with(&format!("v{VERSION}-")) {
            return Err(IndexError::OldSchema);
        }
        let volume = Arc::new(Volume::open(&self.root.join(name), self.memory)?);
        self.show(volume.clone());
        Ok(volume)
    }

    /// Creates an empty index beside the others, not live yet.
    pub fn start(&self) -> Result<Volume, IndexError> {
        fs::create_dir_all(&self.root)?;
        let last = self.names()?.iter().filter_map(|name| number(name)).max().unwrap_or(0);
        // Two that start at once take different directories.
        for n in last + 1.. {
            let dir = self.root.join(format!("v{VERSION}-{n}"));
            match fs::create_dir(&dir) {
                Ok(()) => {
                    let volume = Volume::create(&dir, self.memory);
                    return volume.inspect_err(|_| drop(fs::remove_dir_all(&dir)));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("there are enough numbers")
    }

    /// Makes a committed index the live one, for this process at once and for others when they
    /// look at [`Shelf::current`] next.
    pub fn publish(&self, volume: Arc<Volume>) -> Result<(), IndexError> {
        let written = self.root.join("current.new");
        fs::write(&written, volume.name())?;
        fs::File::open(&written)?.sync_all()?;
        fs::rename(&written, self.root.join(CURRENT))?;
        self.show(volume);
        Ok(())
    }

    /// The name of the index that should be live.
    pub fn current(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(self.root.join(CURRENT)) {
            Ok(name) => Ok(Some(name.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes an index that was started and will not be finished.
    pub fn discard(&self, name: &str) -> io::Result<()> {
        fs::remove_dir_all(self.root.join(name))
    }

    /// Removes indexes made before the live one, unless a process is writing them. Later ones may
    /// just be beginning; if nothing was done to them for an hour, they were left by a process that died.
    pub fn tidy(&self) -> Result<(), IndexError> {
        let Some(live) = self.current()?.as_deref().and_then(number) else { return Ok(()) };
        for name in self.names()? {
            let dir = self.root.join(&name);
            let is_old = number(&name).is_some_and(|n| n < live || (n > live && is_abandoned(&dir)));
            if is_old && !is_being_written(&dir) {
                fs::remove_dir_all(dir)?;
            }
        }
        Ok(())
    }

    fn show(&self, volume: Arc<Volume>) {
        *self.live.write().expect("no panic under this lock") = Some(volume);
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.root)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter(|name| name.starts_with('v') && name.contains('-')).collect())
    }
}

/// Indexes are counted through, over all schema versions.
fn number(name: &str) -> Option<u64> {
    name.rsplit_once('-')?.1.parse().ok()
}

fn is_abandoned(dir: &Path) -> bool {
    let changed = dir.metadata().and_then(|data| data.modified()).ok();
    changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > ABANDONED)
}

/// Does a process hold the writer's lock? A lock left by one that died is free.
fn is_being_written(dir: &Path) -> bool {
    use tantivy::directory::{Directory, INDEX_WRITER_LOCK};
    match MmapDirectory::open(dir) {
        Ok(directory) => directory.acquire_lock(&INDEX_WRITER_LOCK).is_err(),
        Err(_) => false,
    }
}
