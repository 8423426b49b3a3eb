//! The files of an index: are they all there, and as they were written?
//!
//! Merges in the background take segments out of `meta.json` and then remove their files. So folders are
//! listed first and metas read after that: what is missing then and still named is really missing.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use tantivy::Index;
use tantivy::index::SegmentMeta;

use super::IndexError;

/// Tantivy's list of the files that it made.
const LIST: &str = ".managed.json";

/// Sizes of the files of committed segments, by name. They are written once and never change.
pub type Sizes = HashMap<String, u64>;

/// As they are now. What was there `before` and is still needed must be there and as long.
pub fn sizes(before: &Sizes, dir: &Path, index: &Index) -> Result<Sizes, IndexError> {
    let mut sizes = Sizes::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // Those that are removed just now are not needed.
        if let Ok(data) = entry.metadata() {
            sizes.insert(entry.file_name().to_string_lossy().into_owned(), data.len());
        }
    }
    let segments = index.searchable_segment_metas()?;
    let names: Vec<String> = segments.iter().map(|segment| segment.id().uuid_string()).collect();
    let is_needed = |name: &str| names.iter().any(|segment| name.starts_with(segment.as_str()));
    if !segments.is_empty() && !sizes.contains_key(LIST) {
        return Err(IndexError::Damaged(LIST.to_owned()));
    }
    sizes.retain(|name, _| is_needed(name));
    // Lists of deleted articles come and go.
    let mut kept = before.iter().filter(|(name, _)| is_needed(name) && !name.ends_with(".del"));
    if let Some((name, _)) = kept.find(|(name, size)| sizes.get(*name) != Some(size)) {
        return Err(IndexError::Damaged(name.clone()));
    }
    for deleted in segments.iter().filter_map(deleted) {
        let is_named = || {
            Ok::<_, IndexError>(
                index
                    .searchable_segment_metas()?
                    .iter()
                    .filter_map(self::deleted)
                    .any(|name| name == deleted),
            )
        };
        if !dir.join(&deleted).exists() && is_named()? {
            return Err(IndexError::Damaged(deleted));
        }
    }
    Ok(sizes)
}

/// The file that tells which of a segment's articles are deleted.
fn deleted(segment: &SegmentMeta) -> Option<String> {
    Some(format!("{}.{}.del", segment.id().uuid_string(), segment.delete_opstamp()?))
}

/// Reads every file against its checksum.
pub fn read_through(dir: &Path, index: &Index) -> Result<(), IndexError> {
    for name in sizes(&Sizes::new(), dir, index)?.into_keys() {
        if !index.directory().validate_checksum(Path::new(&name)).map_err(tantivy::TantivyError::from)? {
            return Err(IndexError::Damaged(name));
        }
    }
    Ok(())
}
