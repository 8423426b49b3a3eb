//! A closer look at the best articles of a search: what stands together in the query should stand
//! together in the article.
//!
//! Counting letter pairs finds the articles; which of a few it is depends on longer runs, on words
//! rather than on pairs across their borders, and on how much of the query the title says. All of
//! that is in the places of the pairs, but costs more, so only the best are looked at.

use tantivy::{DocId, DocSet};

use super::grams::Postings;
use super::query::clues::{Clue, Clues};
use super::score::{Pairs, weight};
use super::view::Segment;

/// A letter pair of the query, at its place in it.
struct Slot {
    /// Its number in [`Pairs`].
    pair: usize,
    /// How much it tells, by how rare it is; less where the border of two words runs through it.
    weight: f32,
    /// Goes on the run of the slot before.
    follows: bool,
}

/// What to look for, made once for a query.
pub struct Closer {
    slots: Vec<Slot>,
    /// Of all slots.
    weight: f32,
}

/// Who types a word or two follows a subject; who types more wants one article. In letter pairs.
pub const SUBJECT: usize = 6;
/// Letters of the first lines of a text.
const LEAD: u32 = 120;
/// Slots that are looked at, of the many a pasted page would have.
const MAX_SLOTS: usize = 48;

impl Closer {
    pub fn new(pairs: &Pairs, clues: &Clues) -> Closer {
        let slot = |clue: &Clue| {
            let (pair, rarity) = pairs.find(clue.gram)?;
            Some(Slot { pair, weight: clue.weight * rarity, follows: clue.follows })
        };
        let slots: Vec<Slot> = clues.typed().take(MAX_SLOTS).filter_map(slot).collect();
        let weight = slots.iter().map(|slot| slot.weight).sum();
        Closer { slots, weight }
    }

    /// A factor of 1 and more for each of some articles, which are in order, of the segment of number
    /// `n`.
    pub fn factors(&self, pairs: &Pairs, n: usize, segment: &Segment, docs: &[DocId]) -> Vec<f32> {
        let open = |slot: &Slot| pairs.open(slot.pair, n, segment);
        let mut lists: Vec<Option<Postings>> = self.slots.iter().map(open).collect();
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); lists.len()];
        let mut look = |&doc: &DocId| {
            for (list, places) in lists.iter_mut().zip(&mut places) {
                places.clear();
                if let Some(list) = list
                    && list.seek(doc) == doc
                {
                    list.places(places);
                }
            }
            self.factor(&places, segment.grams.lengths().title(doc))
        };
        docs.iter().map(&mut look).collect()
    }

    fn factor(&self, places: &[Vec<u32>], title: u32) -> f32 {
        let runs = self.longest_runs(places);
        let (mut run, mut covered, mut titled, mut lead) = (0.0, 0.0, 0.0, 0.0);
        for (n, slot) in self.slots.iter().enumerate() {
            if runs[n] > 0 {
                covered += slot.weight;
                run += slot.weight * together(runs[n]);
            }
            if places[n].first().is_some_and(|place| *place < title) {
                titled += slot.weight;
            }
            if places[n].iter().any(|place| (title + 1..title + 1 + LEAD).contains(place)) {
                lead += slot.weight;
            }
        }
        let near = self.nearness(places);
        let share = |part: f32| part / self.weight.max(f32::MIN_POSITIVE);
        1.0 + weight::RUNS * share(run)
            + weight::COVERED * share(covered)
            + weight::TITLED * share(titled)
            + if self.slots.len() <= SUBJECT { weight::LEAD * share(lead) } else { 0.0 }
            + weight::NEARBY * near
    }

    /// For each slot, how many slots of the query the longest run around it has in the article.
    fn longest_runs(&self, places: &[Vec<u32>]) -> Vec<u32> {
        // For each place of each slot the length of the run that ends there.
        let mut ending: Vec<Vec<u32>> = Vec::with_capacity(places.len());
        for (n, slot) in self.slots.iter().enumerate() {
            let mut lengths = vec![1; places[n].len()];
            if slot.follows {
                let mut before = places[n - 1].iter().zip(&ending[n - 1]).peekable();
                for (place, length) in places[n].iter().zip(&mut lengths) {
                    while before.next_if(|(at, _)| **at + 1 < *place).is_some() {}
                    if let Some((_, run)) = before.peek().filter(|(at, _)| **at + 1 == *place) {
                        *length = **run + 1;
                    }
                }
            }
            ending.push(lengths);
        }
        let mut longest: Vec<u32> = vec![0; places.len()];
        for n in 0..longest.len() {
            let best = ending[n].iter().copied().max().unwrap_or(0);
            for slot in &mut longest[n + 1 - best.max(1) as usize..=n] {
                *slot = best.max(*slot);
            }
        }
        longest
    }

    /// How much of the query one short stretch of the article holds.
    fn nearness(&self, places: &[Vec<u32>]) -> f32 {
        let window = (self.slots.len() as u32 * 2).max(16);
        let mut all: Vec<(u32, usize)> = places
            .iter()
            .enumerate()
            .flat_map(|(n, places)| places.iter().map(move |place| (*place, n)))
            .collect();
        all.sort_unstable();
        let mut counts = vec![0u32; places.len()];
        let (mut best, mut sum, mut first) = (0f32, 0f32, 0);
        for &(place, n) in &all {
            counts[n] += 1;
            if counts[n] == 1 {
                sum += self.slots[n].weight;
            }
            while all[first].0 + window < place {
                let gone = all[first].1;
                counts[gone] -= 1;
                if counts[gone] == 0 {
                    sum -= self.slots[gone].weight;
                }
                first += 1;
            }
            best = best.max(sum);
        }
        best / self.weight.max(f32::MIN_POSITIVE)
    }
}

/// What a run of so many letter pairs tells, against a single one.
fn together(run: u32) -> f32 {
    match run {
        0 | 1 => 0.0,
        2 => weight::TWO,
        3 => weight::THREE,
        _ => 1.0,
    }
}
