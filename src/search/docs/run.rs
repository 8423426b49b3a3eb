//! Articles that hold letters one after another.

use tantivy::{DocId, DocSet, TERMINATED};

use super::{Set, meet};
use crate::search::budget::Budget;
use crate::search::grams::Postings;
use crate::search::grams::lengths::Lengths;

/// Letters that stand one after another: bigrams in one article, each so many places behind the
/// first letter.
pub struct Run {
    grams: Vec<Gram>,
    /// In `grams`: rare ones first.
    length: u32,
    /// Only in titles, by their lengths.
    titles: Option<Lengths>,
    budget: Budget,
    doc: DocId,
    found: Vec<u32>,
}

struct Gram {
    offset: u32,
    postings: Postings,
    places: Vec<u32>,
}

impl Run {
    /// `grams` with their offsets; `length` in letters. A set that begins at its first article.
    pub fn new(grams: Vec<(u32, Postings)>, length: u32, titles: Option<Lengths>, budget: Budget) -> Run {
        let gram = |(offset, postings)| Gram { offset, postings, places: Vec::new() };
        let mut grams: Vec<Gram> = grams.into_iter().map(gram).collect();
        grams.sort_by_key(|gram| gram.postings.df());
        let mut run = Run { grams, length, titles, budget, doc: 0, found: Vec::new() };
        run.settle(0);
        run
    }

    fn settle(&mut self, target: DocId) {
        let seek = |gram: &mut Gram, doc| gram.postings.seek(doc);
        self.doc = meet(&mut self.grams, seek, target, &mut self.budget);
        while self.doc != TERMINATED && !self.stands_in(self.doc) {
            self.doc = meet(&mut self.grams, seek, self.doc + 1, &mut self.budget);
        }
    }

    /// All bigrams are in the article; are they in a row?
    fn stands_in(&mut self, doc: DocId) -> bool {
        let end = self.titles.as_ref().map_or(u32::MAX, |lengths| lengths.title(doc));
        for n in 0..self.grams.len() {
            let gram = &mut self.grams[n];
            gram.postings.places(&mut gram.places);
            let starts = gram.places.iter().filter_map(|place| place.checked_sub(gram.offset));
            if n == 0 {
                self.found.clear();
                self.found.extend(starts.take_while(|start| start + self.length <= end));
            } else {
                let mut starts = starts.peekable();
                self.found.retain(|wanted| {
                    while starts.next_if(|start| start < wanted).is_some() {}
                    starts.peek() == Some(wanted)
                });
            }
            if self.found.is_empty() {
                return false;
            }
        }
        true
    }
}

impl DocSet for Run {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.settle(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.settle(target);
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        // A guess: most that hold all bigrams hold the run, and few hold all.
        self.grams[0].postings.df() / 2
    }
}

impl Set for Run {
    /// It reads places.
    fn is_light(&self) -> bool {
        false
    }
}
