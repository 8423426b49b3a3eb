//! What makes an entry the same entry in the next fetch: its id, else its link, else its words.

use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

use super::{ParsedEntry, Repair};
use crate::import::markup::plain_text;

/// Only what can be believed is set: an id or link that several entries of the document share says
/// nothing. The strongest part that is set decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub guid: Option<String>,
    pub link: Option<String>,
    /// Hex SHA-256 of the title and the words.
    pub content: String,
}

/// Leaves out entries that stand twice and gives each of the others its identity.
pub(super) fn tell_apart(entries: &mut Vec<ParsedEntry>, repairs: &mut Vec<Repair>) {
    for entry in entries.iter_mut() {
        entry.identity.content = content_hash(entry);
    }
    let mut seen = HashSet::new();
    entries.retain(|e| seen.insert((e.guid.clone(), e.link.clone(), e.title.clone(), body_of(e))));
    let guids = counts(entries.iter().filter_map(|e| e.guid.clone()));
    let links = counts(entries.iter().filter_map(|e| e.link.as_ref().map(ToString::to_string)));
    let unique = |value: &String, counts: &HashMap<String, usize>| counts.get(value) == Some(&1);
    for entry in entries.iter_mut() {
        let link = entry.link.as_ref().map(ToString::to_string);
        entry.identity.guid = entry.guid.clone().filter(|guid| unique(guid, &guids));
        entry.identity.link = link.filter(|link| unique(link, &links));
    }
    if guids.values().any(|count| *count > 1) {
        repairs.push(Repair::RepeatedIds);
    }
}

/// Entries with an id or a link are the same whatever their text; others only with the same words.
fn body_of(entry: &ParsedEntry) -> Option<String> {
    (entry.guid.is_none() && entry.link.is_none()).then(|| entry.identity.content.clone())
}

fn counts(values: impl Iterator<Item = String>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Of the words only: a feed that changes a tracking parameter or a class name has changed nothing.
fn content_hash(entry: &ParsedEntry) -> String {
    let mut hasher = Sha256::new();
    hasher.update(entry.title.as_deref().unwrap_or_default());
    hasher.update([0]);
    hasher.update(plain_text(&entry.html));
    hex::encode(hasher.finalize())
}
