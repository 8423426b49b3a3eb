//! Search turned round: many queries wait in memory, and one article asks which of them it matches.
//!
//! Each query is filed under letters that every article it matches must hold: the rarest pair of
//! them, or one for each of its alternatives. An article then only meets the queries filed under the
//! pairs that it holds, a small part of all, and those are checked exactly, clause by clause, as
//! search does for articles that hold everything as it stands. Queries that ask for no text (all of
//! an account, all with a video) are filed by account, or met by every article.

mod article;
mod query;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub use article::Article;
use query::{Filing, Waiting};

use crate::search::query::Parsed;

/// Two letters that follow each other, or one and nothing.
pub type Pair = (char, char);

/// A letter by itself, as queries of one letter are filed.
fn alone(letter: char) -> Pair {
    (letter, '\0')
}

/// In how many of some articles each pair of letters stands: the rarer the pair, the fewer articles
/// meet the queries filed under it. A guess is good enough; every answer is checked.
#[derive(Debug, Default)]
pub struct Frequencies {
    counts: Table<Pair, u32>,
}

impl Frequencies {
    pub fn count(&mut self, article: &Article) {
        for pair in article.pairs() {
            *self.counts.entry(*pair).or_default() += 1;
        }
    }

    fn of(&self, pair: Pair) -> u32 {
        self.counts.get(&pair).copied().unwrap_or(0)
    }
}

/// The saved searches of all readers.
#[derive(Debug, Default)]
pub struct Percolator {
    /// Queries by slot; the slots of those that were removed are used again.
    waiting: Vec<Option<Waiting>>,
    free: Vec<u32>,
    slots: HashMap<i64, u32>,
    by_pair: Table<Pair, Vec<u32>>,
    by_account: HashMap<i64, Vec<u32>>,
    /// Met by every article.
    rest: Vec<u32>,
    frequencies: Frequencies,
}

impl Percolator {
    pub fn new(frequencies: Frequencies) -> Self {
        Self { frequencies, ..Self::default() }
    }

    /// How many queries there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Files a query under an id, in place of the one that has it.
    pub fn insert(&mut self, id: i64, query: &Parsed) {
        self.remove(id);
        let waiting = Waiting::new(id, query, |pair| self.frequencies.of(pair));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.waiting.push(None);
            (self.waiting.len() - 1) as u32
        });
        match &waiting.filing {
            Filing::Pairs(pairs) => pairs.iter().for_each(|pair| file(&mut self.by_pair, *pair, slot)),
            Filing::Accounts(accounts) => {
                accounts.iter().for_each(|account| file(&mut self.by_account, *account, slot));
            }
            Filing::Rest => self.rest.push(slot),
        }
        self.slots.insert(id, slot);
        self.waiting[slot as usize] = Some(waiting);
    }

    pub fn remove(&mut self, id: i64) {
        let Some(slot) = self.slots.remove(&id) else { return };
        let Some(waiting) = self.waiting[slot as usize].take() else { return };
        match &waiting.filing {
            Filing::Pairs(pairs) => pairs.iter().for_each(|pair| unfile(&mut self.by_pair, *pair, slot)),
            Filing::Accounts(accounts) => {
                accounts.iter().for_each(|account| unfile(&mut self.by_account, *account, slot));
            }
            Filing::Rest => self.rest.retain(|other| *other != slot),
        }
        self.free.push(slot);
    }

    /// The ids of the queries that an article matches, in order.
    pub fn matches(&self, article: &Article) -> Vec<i64> {
        let mut ids: Vec<i64> = self
            .candidates(article)
            .into_iter()
            .filter_map(|slot| self.waiting[slot as usize].as_ref())
            .filter(|waiting| waiting.matches(article))
            .map(|waiting| waiting.id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// How many queries are checked for an article.
    pub fn count_candidates(&self, article: &Article) -> usize {
        self.candidates(article).len()
    }

    /// The slots of the queries that an article may match, each once.
    fn candidates(&self, article: &Article) -> Vec<u32> {
        let mut slots = self.rest.clone();
        slots.extend(self.by_account.get(&article.account).into_iter().flatten());
        for pair in article.pairs() {
            slots.extend(self.by_pair.get(pair).into_iter().flatten());
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }
}

fn file<K: std::hash::Hash + Eq, H: std::hash::BuildHasher>(
    table: &mut HashMap<K, Vec<u32>, H>,
    key: K,
    slot: u32,
) {
    table.entry(key).or_default().push(slot);
}

fn unfile<K: std::hash::Hash + Eq, H: std::hash::BuildHasher>(
    table: &mut HashMap<K, Vec<u32>, H>,
    key: K,
    slot: u32,
) {
    if let Some(slots) = table.get_mut(&key) {
        slots.retain(|other| *other != slot);
        if slots.is_empty() {
            table.remove(&key);
        }
    }
}

type Table<K, V> = HashMap<K, V, BuildHasherDefault<LetterHasher>>;
type Set<K> = std::collections::HashSet<K, BuildHasherDefault<LetterHasher>>;

/// Mixes two letters quickly. They come from articles, which cannot choose them to any effect worth
/// a slower one: the table's keys are what readers ask for.
#[derive(Default)]
struct LetterHasher(u64);

impl Hasher for LetterHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, letter: u32) {
        self.0 = (self.0.rotate_left(21) ^ u64::from(letter)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 32;
    }
}

#[cfg(test)]
mod tests;
