//! The index on disk.
//!
//! Under one root each index is a directory `v<schema version>-<n>`, and the file `current` names
//! the live one. A new index is built beside it and goes live by renaming a new `current` into
//! place; readers of the old one finish undisturbed. Only one process at a time can write a
//! directory (tantivy's lock).
//!
//! Each commit carries the follower's cursor in its payload, so index and cursor move together and
//! a crash between commits loses both halves alike: what was not committed is read again.

mod files;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::Term;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError};

use self::files::Sizes;
use super::faults;
use super::rank::{self, Answer, Request};
use super::schema::{Entry, Fields, VERSION};
use super::view::View;

/// The name of the file that names the live index.
const CURRENT: &str = "current";
/// MB of memory for a writer that adds many articles at once, unless set otherwise.
const MEMORY: u32 = 200;
/// And at most for one that adds a few at a time.
const SMALL_MEMORY: u32 = 30;
/// An index that is not live and that nobody writes is left over after so long.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("no search index yet")]
    Missing,
    #[error("the search index is of another version")]
    OldSchema,
    #[error("another process is writing this search index")]
    Locked,
    #[error("the search index is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Tantivy(TantivyError),
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> IndexError {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => IndexError::Locked,
            TantivyError::DataCorruption(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::OpenReadError(_)
            | TantivyError::OpenDirectoryError(_) => IndexError::Damaged(error.to_string()),
            other => IndexError::Tantivy(other),
        }
    }
}

impl IndexError {
    /// Files are not what was written, or not there.
    pub fn is_damage(&self) -> bool {
        matches!(self, IndexError::Damaged(_))
    }
}

/// What a commit remembers besides documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Id of the last event that is in.
    pub cursor: i64,
    /// When that event was written, Unix milliseconds; tells whether it is still the same event.
    pub at: i64,
}

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

/// One index.
pub struct Volume {
    dir: PathBuf,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    /// What the last reload saw, opened for searches.
    view: RwLock<Arc<View>>,
    /// Its files, at that time.
    sizes: Mutex<Sizes>,
    /// What [`faults::count`] said when it was opened.
    faults: u64,
    /// For its writer, in MB.
    memory: u32,
}

impl Volume {
    fn create(dir: &Path, memory: u32) -> Result<Volume, IndexError> {
        let (schema, fields) = Fields::schema();
        let index = Index::builder().schema(schema).register_plugin(fields.plugin()).create_in_dir(dir)?;
        Volume::with(dir, index, memory)
    }

    /// Reads every file against its checksum.
    fn open(dir: &Path, memory: u32) -> Result<Volume, IndexError> {
        let index = Volume::index(dir)?;
        // Before the reader keeps the files mapped: else all that is read now would stay resident.
        files::read_through(dir, &index)?;
        Volume::with(dir, index, memory)
    }

    /// The files as they are on disk now, mapped anew.
    fn index(dir: &Path) -> Result<Index, IndexError> {
        faults::survive();
        let directory = MmapDirectory::open(dir).map_err(TantivyError::from)?;
        let mut index = Index::open(directory)?;
        let (schema, fields) = Fields::schema();
        if index.schema() != schema {
            return Err(IndexError::OldSchema);
        }
        index.register_plugin(fields.plugin());
        Ok(index)
    }

    fn with(dir: &Path, index: Index, memory: u32) -> Result<Volume, IndexError> {
        faults::survive();
        let faults = faults::count();
        let reader: IndexReader = index
            .reader_builder()
            // The follower reloads after its commits; a watcher would only cost a thread.
            .reload_policy(ReloadPolicy::Manual)
            // Nothing is stored, so there is nothing to cache.
            .doc_store_cache_num_blocks(1)
            .try_into()?;
        let (_, fields) = Fields::schema();
        let view = RwLock::new(Arc::new(View::of(&reader.searcher(), fields)?));
        let sizes = Mutex::new(files::sizes(&Sizes::new(), dir, &index)?);
        Ok(Volume { dir: dir.to_owned(), index, reader, fields, view, sizes, faults, memory })
    }

    pub fn name(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What searches see now. Holds on to it for as long as it likes.
    pub fn view(&self) -> Arc<View> {
        self.view.read().expect("no panic under this lock").clone()
    }

    /// Sees what was committed meanwhile, here or by another process.
    pub fn reload(&self) -> Result<(), IndexError> {
        self.reader.reload()?;
        let view = Arc::new(View::of(&self.reader.searcher(), self.fields)?);
        *self.view.write().expect("no panic under this lock") = view;
        self.look()
    }

    /// Are its files there, and as long as they were? Blocking, and quick.
    pub fn look(&self) -> Result<(), IndexError> {
        let mut sizes = self.sizes.lock().expect("no panic under this lock");
        *sizes = files::sizes(&sizes, &self.dir, &self.index)?;
        Ok(())
    }

    /// Reads every file against its checksum. Blocking; takes a second for a gigabyte.
    pub fn read_through(&self) -> Result<(), IndexError> {
        files::read_through(&self.dir, &Volume::index(&self.dir)?)
    }

    /// Was something of it gone when it was read?
    pub fn is_hurt(&self) -> bool {
        faults::count() != self.faults
    }

    /// Articles in the index.
    pub fn count(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Bytes on disk.
    pub fn size(&self) -> io::Result<u64> {
        fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
    }

    /// Answers a search. Blocking; takes milliseconds.
    pub fn search(&self, request: &Request) -> Result<Answer, IndexError> {
        Ok(rank::search(&self.view(), request)?)
    }

    /// What the last commit remembered.
    pub fn progress(&self) -> Result<Progress, IndexError> {
        let payload = self.index.load_metas()?.payload.unwrap_or_default();
        Ok(serde_json::from_str(&payload).unwrap_or_default())
    }

    /// The one writer of this index, in this process or any other.
    pub fn writer(self: &Arc<Self>, size: WriterSize) -> Result<Writer, IndexError> {
        let (threads, megabytes) = match size {
            WriterSize::Small => (1, self.memory.min(SMALL_MEMORY)),
            WriterSize::Bulk => (2, self.memory / 2),
        };
        let bytes = megabytes as usize * 1_000_000;
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(bytes)
            .num_merge_threads(1)
            .build();
        let inner = self.index.writer_with_options(options)?;
        let mut merges = LogMergePolicy::default();
        merges.set_del_docs_ratio_before_merge(0.3);
        inner.set_merge_policy(Box::new(merges));
        // What a writer left that did not come to its commit, for a full disk or a crash.
        inner.garbage_collect_files().wait()?;
        Ok(Writer { inner, volume: self.clone() })
    }
}

/// How much memory a writer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterSize {
    /// Following what is published now: 30 MB at most, given back at each commit.
    Small,
    /// Many articles at once: two threads, all that the settings allow.
    Bulk,
}

/// Writes to one index; what was not committed is forgotten when it is dropped. Nothing is seen by readers before [`Writer::commit`].
pub struct Writer {
    inner: IndexWriter,
    volume: Arc<Volume>,
}

impl Writer {
    /// Adds an article, in place of what the index has of it.
    pub fn upsert(&self, entry: &Entry) -> Result<(), IndexError> {
        self.delete(entry.id);
        self.insert(entry)
    }

    /// Adds an article that the index does not have.
    pub fn insert(&self, entry: &Entry) -> Result<(), IndexError> {
        self.inner.add_document(entry.document(&self.volume.fields))?;
        Ok(())
    }

    pub fn delete(&self, article: i64) {
        self.inner.delete_term(Term::from_field_i64(self.volume.fields.id, article));
    }

    /// Makes everything since the last commit durable and visible, together with `progress`.
    pub fn commit(&mut self, progress: Progress) -> Result<(), IndexError> {
        let payload = serde_json::to_string(&progress).expect("progress is plain JSON");
        let mut commit = self.inner.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        self.volume.reload()
    }

    /// Merges what is to be merged, until nothing is; else that would happen with later commits.
    pub fn settle(&mut self) -> Result<(), IndexError> {
        loop {
            let segments = self.volume.index.searchable_segment_metas()?;
            let candidates = self.inner.get_merge_policy().compute_merge_candidates(&segments);
            if candidates.is_empty() {
                return Ok(());
            }
            for candidate in candidates {
                self.inner.merge(&candidate.0).wait()?;
            }
        }
    }

    /// Ends when merges in the background are done.
    pub fn finish(self) -> Result<(), IndexError> {
        self.inner.wait_merging_threads()?;
        self.volume.reload()
    }
}
