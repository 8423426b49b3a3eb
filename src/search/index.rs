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
mod shelf;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, MergeCandidate};
use tantivy::schema::Term;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError};

pub use self::shelf::Shelf;

use self::files::Sizes;
use super::faults;
use super::rank::{self, Answer, Request};
use super::schema::{Entry, Fields};
use super::view::View;

/// MB of memory at most for a writer that adds a few articles at a time.
const SMALL_MEMORY: u32 = 30;
/// Articles of an index that one thread looks through anyway.
const SMALL: u32 = 100_000;

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

    /// Merges what is to be merged, until nothing is; else that would happen with later commits. A small index is one
    /// segment then: each has a dictionary of its own, which is a good part of a small one.
    pub fn settle(&mut self) -> Result<(), IndexError> {
        loop {
            let segments = self.volume.index.searchable_segment_metas()?;
            let mut candidates = self.inner.get_merge_policy().compute_merge_candidates(&segments);
            let articles: u32 = segments.iter().map(|segment| segment.num_docs()).sum();
            if candidates.is_empty() && segments.len() > 1 && articles <= SMALL {
                candidates.push(MergeCandidate(segments.iter().map(|segment| segment.id()).collect()));
            }
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
