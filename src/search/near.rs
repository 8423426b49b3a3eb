//! Articles that share some of a query's letter pairs.
//!
//! The lists of the pairs are added up one after another, rare ones first, into a sum for each article. Common pairs
//! have the longest lists and say least. So once those that are left cannot lift an article among the best any more
//! that is not close behind them, they are looked up for these few alone: the rule of C. Buckley and A. F. Lewit
//! (Optimization of inverted vector searches, 1985). The best are the same as without it.

use rustc_hash::FxHashMap;
use tantivy::{DocId, DocSet};

use super::budget::Budget;
use super::grams::dict::TermEntry;
use super::grams::postings::BLOCK;
use super::score::{AROUND, Lengthy, Pair, Singles};
use super::view::Segment;

/// What to look for in a segment.
pub struct Sought<'a> {
    /// Rare ones first.
    pub pairs: &'a [&'a Pair],
    pub singles: &'a Singles,
    /// So many different pairs of what was typed must be in the text.
    pub needed: u8,
    /// So many of the best are sought.
    pub best: usize,
    /// How much a pair counts in a text, by its length.
    pub lengthy: Lengthy,
}

/// What every article of a segment has of the pairs.
pub struct Near {
    scores: Vec<f32>,
    /// How many different pairs of what was typed are in the text.
    counts: Vec<u8>,
    /// Those that may be among the best, in order; all, where that is not known.
    few: Option<Vec<DocId>>,
    needed: u8,
}

impl Near {
    /// Looks through the segment of number `n`.
    pub fn of(sought: &Sought, segment: &Segment, n: usize, budget: &Budget) -> Near {
        let end = segment.reader.max_doc() as usize;
        let needed = sought.needed;
        let mut near = Near { scores: vec![0.0; end], counts: vec![0; end], few: None, needed };
        let mut budget = budget.clone();
        if budget.is_spent() {
            return near;
        }
        for pair in sought.pairs {
            for (found, (_, weight)) in pair.found[n].around.iter().zip(AROUND) {
                if let Some(entry) = found {
                    near.add_around(segment, *entry, pair.worth * weight, &mut budget);
                }
            }
        }
        for single in &sought.singles.0 {
            let mut counts: FxHashMap<DocId, u32> = FxHashMap::default();
            for entry in &single.lists[n] {
                let mut list = segment.grams.open_list(*entry);
                while (list.doc() as usize) < end && !budget.is_spent() {
                    *counts.entry(list.doc()).or_default() += list.frequency();
                    list.advance();
                }
            }
            for (doc, count) in counts {
                near.scores[doc as usize] += single.worth * sought.lengthy.frequency(segment, doc, count);
            }
        }
        near.add_texts(sought, segment, n, &mut budget);
        near
    }

    /// Each article that has enough of the pairs, in order, with its score; at least all of the best.
    pub fn each(&self, mut take: impl FnMut(DocId, f32)) {
        let mut offer = |doc: DocId| {
            if self.counts[doc as usize] >= self.needed {
                take(doc, self.scores[doc as usize]);
            }
        };
        match &self.few {
            Some(few) => few.iter().copied().for_each(&mut offer),
            None => (0..self.counts.len() as DocId).for_each(&mut offer),
        }
    }

    fn add_around(&mut self, segment: &Segment, entry: TermEntry, worth: f32, budget: &mut Budget) {
        let mut list = segment.grams.open_list(entry);
        let end = self.scores.len() as DocId;
        while list.walk_block(end, |doc, _| self.scores[doc as usize] += worth) {
            if budget.is_spent_by(BLOCK) {
                break;
            }
        }
    }

    fn add_texts(&mut self, sought: &Sought, segment: &Segment, n: usize, budget: &mut Budget) {
        let texts = sought.pairs.iter().filter_map(|pair| Some((*pair, pair.found[n].text?)));
        let texts: Vec<(&Pair, TermEntry)> = texts.collect();
        // What the lists that are left can add to an article, and how many entries they have.
        let mut ahead: f32 = texts.iter().map(|(pair, _)| pair.worth * Lengthy::MOST).sum();
        let mut entries: usize = texts.iter().map(|(_, entry)| entry.df as usize).sum();
        let mut looked_at = f32::INFINITY;
        for (at, (pair, entry)) in texts.iter().enumerate() {
            // A look costs about as much as adding so many entries.
            let is_worth_a_look = entries > self.scores.len() / 2 && ahead < looked_at * LOOK_AGAIN;
            if is_worth_a_look && self.few.is_none() {
                looked_at = ahead;
                self.few = self.contenders(ahead, sought.best, entries / BLOCK / 2);
            }
            if let Some(few) = &self.few {
                for (pair, entry) in &texts[at..] {
                    let mut list = segment.grams.open_list(*entry);
                    for &doc in few {
                        if list.seek(doc) == doc {
                            let part = sought.lengthy.frequency(segment, doc, list.frequency());
                            self.scores[doc as usize] += pair.worth * part;
                            self.counts[doc as usize] += u8::from(!pair.other);
                        }
                        if budget.is_spent() {
                            break;
                        }
                    }
                }
                return;
            }
            self.add_text(sought, segment, pair, *entry, budget);
            ahead -= pair.worth * Lengthy::MOST;
            entries -= entry.df as usize;
        }
    }

    fn add_text(
        &mut self,
        sought: &Sought,
        segment: &Segment,
        pair: &Pair,
        entry: TermEntry,
        budget: &mut Budget,
    ) {
        let mut list = segment.grams.open_list(entry);
        let (end, typed) = (self.scores.len() as DocId, u8::from(!pair.other));
        let mut add = |doc, count| {
            self.scores[doc as usize] += pair.worth * sought.lengthy.frequency(segment, doc, count);
            self.counts[doc as usize] += typed;
        };
        while list.walk_block(end, &mut add) {
            if budget.is_spent_by(BLOCK) {
                break;
            }
        }
    }

    /// The articles that can still come among the `best` when each can gain no more than `ahead`; nothing where that
    /// cannot be told yet, or they are more than `most`.
    fn contenders(&self, ahead: f32, best: usize, most: usize) -> Option<Vec<DocId>> {
        let enough = self.scores.iter().zip(&self.counts).filter(|(_, count)| **count >= self.needed);
        let mut scores: Vec<f32> = enough.map(|(score, _)| *score).filter(|score| *score > ahead).collect();
        if scores.len() < best {
            return None;
        }
        let (_, least, _) = scores.select_nth_unstable_by(best - 1, |one, other| other.total_cmp(one));
        let least = *least - ahead;
        let is_near = |(doc, score): (usize, &f32)| (*score >= least).then_some(doc as DocId);
        let few: Vec<DocId> = self.scores.iter().enumerate().filter_map(is_near).take(most + 1).collect();
        (few.len() <= most).then_some(few)
    }
}

/// By how much what is ahead must have shrunk for another look.
const LOOK_AGAIN: f32 = 0.85;
