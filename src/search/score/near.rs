//! Articles that share some of a query's letter pairs.
//!
//! The lists of the pairs are added up one after another, rare ones first, into a sum for each article. Common pairs
//! have the longest lists and say least. So once those that are left cannot lift an article among the best any more
//! that is not close behind them, they are looked up for these few alone: the rule of C. Buckley and A. F. Lewit
//! (Optimization of inverted vector searches, 1985). The best are the same as without it.

use rustc_hash::FxHashMap;
use tantivy::{DocId, DocSet};

use super::{AROUND, Lengthy, Loose, Pair, Pairs, Singles};
use crate::search::budget::Budget;
use crate::search::grams::dict::TermEntry;
use crate::search::grams::postings::BLOCK;
use crate::search::view::Segment;

/// By how much what is ahead must have shrunk for another look.
const LOOK_AGAIN: f32 = 0.85;
/// For numbers that are rounded.
const SLACK: f32 = 1e-4;

/// What to look for in a segment.
pub struct Sought<'a> {
    /// Rare ones first.
    pairs: &'a [&'a Pair],
    singles: &'a Singles,
    /// So many different pairs of what was typed must be in the text.
    needed: u8,
    /// So many of the best are sought.
    best: usize,
    /// How much a pair counts in a text, by its length.
    lengthy: Lengthy,
}

/// What the lists from one on can add to an article at most, and how many entries they have.
struct Ahead {
    most: f32,
    entries: usize,
}

impl<'a> Sought<'a> {
    /// At least the `best` of the articles that have at least `share` of the pairs that were typed.
    pub fn new(pairs: &Pairs, loose: &'a Loose, singles: &'a Singles, share: f32, best: usize) -> Self {
        let needed = ((loose.typed() as f32 * share).ceil() as u8).max(1);
        Sought { pairs: &loose.0, singles, needed, best, lengthy: pairs.lengthy }
    }

    /// For each list; added up from the last one, so that rounding does not grow.
    fn ahead(&self, texts: &[(&Pair, TermEntry)]) -> Vec<Ahead> {
        let (mut most, mut entries) = (0.0, 0);
        let ahead = texts.iter().rev().map(|(pair, entry)| {
            most += pair.worth * Lengthy::MOST;
            entries += entry.df as usize;
            Ahead { most, entries }
        });
        let mut ahead: Vec<Ahead> = ahead.collect();
        ahead.reverse();
        ahead
    }
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
        let mut budget = budget.clone();
        let end = if budget.is_spent() { 0 } else { segment.reader.max_doc() as usize };
        let mut near =
            Near { scores: vec![0.0; end], counts: vec![0; end], few: None, needed: sought.needed };
        if end == 0 {
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
        let mut looked_at = f32::INFINITY;
        let ahead = sought.ahead(&texts);
        for at in 0..texts.len() {
            // A look costs about as much as adding so many entries.
            let is_worth_a_look = ahead[at].entries > self.scores.len() / 2
                && ahead[at].most < looked_at * LOOK_AGAIN
                && sought.best <= self.scores.len()
                && at >= usize::from(self.needed);
            if is_worth_a_look {
                looked_at = ahead[at].most;
                self.few = self.contenders(looked_at, sought.best, ahead[at].entries / BLOCK / 2);
            }
            if self.few.is_some() {
                return self.add_to_few(sought, segment, &texts[at..], budget);
            }
            let (pair, entry) = &texts[at];
            if self.add_text(sought, segment, pair, *entry, budget) {
                return;
            }
        }
    }

    /// Looks pairs up for the few alone.
    fn add_to_few(
        &mut self,
        sought: &Sought,
        segment: &Segment,
        texts: &[(&Pair, TermEntry)],
        budget: &mut Budget,
    ) {
        for (pair, entry) in texts {
            let mut list = segment.grams.open_list(*entry);
            for &doc in self.few.iter().flatten() {
                if list.seek(doc) == doc {
                    let part = sought.lengthy.frequency(segment, doc, list.frequency());
                    self.scores[doc as usize] += pair.worth * part;
                    self.counts[doc as usize] += u8::from(!pair.other);
                }
                if budget.is_spent() {
                    return;
                }
            }
        }
    }

    /// True when the time is up.
    fn add_text(
        &mut self,
        sought: &Sought,
        segment: &Segment,
        pair: &Pair,
        entry: TermEntry,
        budget: &mut Budget,
    ) -> bool {
        let mut list = segment.grams.open_list(entry);
        let (end, typed) = (self.scores.len() as DocId, u8::from(!pair.other));
        let mut add = |doc, count| {
            self.scores[doc as usize] += pair.worth * sought.lengthy.frequency(segment, doc, count);
            self.counts[doc as usize] += typed;
        };
        while list.walk_block(end, &mut add) {
            if budget.is_spent_by(BLOCK) {
                return true;
            }
        }
        false
    }

    /// The articles that can still come among the `best` when each can gain no more than `ahead`; nothing where that
    /// cannot be told yet, or they are more than `most`.
    fn contenders(&self, ahead: f32, best: usize, most: usize) -> Option<Vec<DocId>> {
        // Most looks end here, and counting alone is many at once.
        if self.scores.iter().filter(|score| **score > ahead).count() < best {
            return None;
        }
        let enough = self.scores.iter().zip(&self.counts).filter(|(_, count)| **count >= self.needed);
        let mut scores: Vec<f32> = enough.map(|(score, _)| *score).filter(|score| *score > ahead).collect();
        if scores.len() < best {
            return None;
        }
        let (_, least, _) = scores.select_nth_unstable_by(best - 1, |one, other| other.total_cmp(one));
        // Sums of many small numbers are right to about a millionth.
        let least = *least * (1.0 - SLACK) - ahead * (1.0 + SLACK);
        let is_near = |(doc, score): (usize, &f32)| (*score >= least).then_some(doc as DocId);
        let few: Vec<DocId> = self.scores.iter().enumerate().filter_map(is_near).take(most + 1).collect();
        (few.len() <= most).then_some(few)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::query::clues::Clues;
    use crate::search::query::parse::parse;
    use crate::search::view::View;

    /// The best articles with their scores, and whether only a few were looked at to the end.
    fn best_of(view: &View, query: &str, best: usize, sought: usize) -> (Vec<(DocId, f32)>, bool) {
        let clues = Clues::of(&parse(query, chrono_tz::Tz::UTC));
        let (pairs, singles) = (Pairs::look_up(view, &clues), Singles::look_up(view, &clues.singles));
        let loose = pairs.loose();
        let sought = Sought::new(&pairs, &loose, &singles, 0.1, sought);
        let near = Near::of(&sought, &view.segments[0], 0, &Budget::until(None));
        let mut found = Vec::new();
        near.each(|doc, score| found.push((doc, score)));
        found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        found.truncate(best);
        (found, near.few.is_some())
    }

    const COMMON: [&str; 4] = ["我们的", "在这里", "有很多", "也不是"];
    const RARE: [&str; 5] = ["台风", "登陆", "停课", "撤离", "渔船"];

    /// Common words in all and, in one of a hundred, rare ones.
    fn texts() -> impl Strategy<Value = Vec<String>> {
        let common = proptest::collection::vec(proptest::sample::select(&COMMON[..]), 4..12);
        let rare = proptest::sample::subsequence(&RARE[..], 1..=RARE.len());
        let rare = prop_oneof![99 => Just(Vec::new()), 1 => rare];
        let text = (common, rare).prop_map(|(common, rare)| common.concat() + &rare.concat());
        proptest::collection::vec(text, 2_000)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, ..ProptestConfig::default() })]
        #[test]
        fn the_best_are_the_same_however_many_are_sought(texts in texts()) {
            let view = View::of_texts(&texts);
            let query = "台风 登陆 停课 撤离 渔船 我们的 在这里 有很多";
            let (all, is_few) = best_of(&view, query, 5, usize::MAX);
            prop_assert!(!is_few);
            let (best, is_few) = best_of(&view, query, 5, 5);
            prop_assert!(is_few, "else nothing is tested");
            prop_assert_eq!(all, best);
        }
    }
}
