//! Sets of articles of one segment, put together from lists: all of, any of, none of, and runs of
//! letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tantivy::{DocId, DocSet, TERMINATED};

use super::grams::Postings;
use super::grams::lengths::Lengths;

pub type Docs = Box<dyn DocSet>;

/// Until when a search may run. When the time is up every set ends, and the answer is a part.
#[derive(Clone, Debug)]
pub struct Budget {
    until: Option<Instant>,
    expired: Arc<AtomicBool>,
    steps: u32,
}

/// Steps between looks at the clock.
const STEPS: u32 = 2_048;

impl Budget {
    pub fn until(until: Option<Instant>) -> Budget {
        Budget { until, expired: Arc::default(), steps: 0 }
    }

    /// One step more; true when the time is up.
    #[inline]
    pub fn is_spent(&mut self) -> bool {
        self.steps += 1;
        self.steps >= STEPS && self.look()
    }

    #[cold]
    fn look(&mut self) -> bool {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.expired.store(true, Ordering::Relaxed);
        }
        if !self.expired.load(Ordering::Relaxed) {
            self.steps = 0;
        }
        self.expired.load(Ordering::Relaxed)
    }

    /// Was it up for this or a clone?
    pub fn expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }
}

/// Nothing.
pub struct Nothing;

impl DocSet for Nothing {
    fn advance(&mut self) -> DocId {
        TERMINATED
    }

    fn seek(&mut self, _: DocId) -> DocId {
        TERMINATED
    }

    fn doc(&self) -> DocId {
        TERMINATED
    }

    fn size_hint(&self) -> u32 {
        0
    }
}

/// Every article below a number for which something holds.
pub struct Checked<F> {
    doc: DocId,
    end: DocId,
    check: F,
    budget: Budget,
}

impl<F: FnMut(DocId) -> bool + Send> Checked<F> {
    pub fn new(end: DocId, check: F, budget: Budget) -> Checked<F> {
        let mut docs = Checked { doc: 0, end, check, budget };
        docs.seek(0);
        docs
    }
}

impl<F: FnMut(DocId) -> bool + Send> DocSet for Checked<F> {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.seek_from(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target || target == 0 {
            self.seek_from(target);
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.end
    }
}

impl<F: FnMut(DocId) -> bool + Send> Checked<F> {
    fn seek_from(&mut self, mut doc: DocId) {
        while doc < self.end && !(self.check)(doc) {
            if self.budget.is_spent() {
                doc = self.end;
                break;
            }
            doc += 1;
        }
        self.doc = if doc < self.end { doc } else { TERMINATED };
    }
}

/// A set that was worked out beforehand, a bit for each article.
pub struct Bits {
    words: Vec<u64>,
    doc: DocId,
    count: u32,
}

impl Bits {
    pub fn new(end: DocId) -> Bits {
        Bits { words: vec![0; end as usize / 64 + 1], doc: TERMINATED, count: 0 }
    }

    #[inline]
    pub fn insert(&mut self, doc: DocId) {
        let word = &mut self.words[doc as usize / 64];
        let bit = 1 << (doc % 64);
        self.count += u32::from(*word & bit == 0);
        *word |= bit;
    }

    /// At its first article.
    pub fn into_docs(mut self) -> Docs {
        self.doc = self.next_from(0);
        Box::new(self)
    }

    fn next_from(&self, target: DocId) -> DocId {
        let mut n = target as usize / 64;
        let Some(first) = self.words.get(n) else { return TERMINATED };
        let mut word = first & (u64::MAX << (target % 64));
        while word == 0 {
            n += 1;
            match self.words.get(n) {
                Some(next) => word = *next,
                None => return TERMINATED,
            }
        }
        n as DocId * 64 + word.trailing_zeros()
    }
}

impl DocSet for Bits {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.doc = self.next_from(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.doc = self.next_from(target);
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.count
    }
}

/// Some sets may only be told to seek what is ahead of them.
#[inline]
pub fn go_to(docs: &mut Docs, target: DocId) -> DocId {
    if docs.doc() < target { docs.seek(target) } else { docs.doc() }
}

/// What is in every set and in none of the others.
pub fn all_of(mut all: Vec<Docs>, none: Vec<Docs>, budget: Budget) -> Docs {
    all.sort_by_key(|docs| docs.size_hint());
    match (all.len(), none.is_empty()) {
        (0, _) => Box::new(Nothing),
        (1, true) => all.remove(0),
        _ => {
            let mut docs = All { all, none, budget, doc: 0 };
            docs.settle(0);
            Box::new(docs)
        }
    }
}

struct All {
    /// Small ones first.
    all: Vec<Docs>,
    none: Vec<Docs>,
    budget: Budget,
    doc: DocId,
}

impl All {
    /// Goes to the first article from `target` on.
    fn settle(&mut self, target: DocId) {
        let mut target = go_to(&mut self.all[0], target);
        'candidates: while target != TERMINATED {
            if self.budget.is_spent() {
                target = TERMINATED;
                break;
            }
            for n in 1..self.all.len() {
                let doc = go_to(&mut self.all[n], target);
                if doc > target {
                    target = go_to(&mut self.all[0], doc);
                    continue 'candidates;
                }
            }
            if !self.none.iter_mut().any(|docs| go_to(docs, target) == target) {
                break;
            }
            target = go_to(&mut self.all[0], target + 1);
        }
        self.doc = target;
    }
}

impl DocSet for All {
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
        self.all[0].size_hint()
    }
}

/// What is in at least one set; there are few sets.
pub fn any_of(mut any: Vec<Docs>) -> Docs {
    any.retain(|docs| docs.doc() != TERMINATED);
    match any.len() {
        0 => Box::new(Nothing),
        1 => any.remove(0),
        _ => {
            let doc = any.iter().map(|docs| docs.doc()).min().unwrap_or(TERMINATED);
            Box::new(Any { any, doc })
        }
    }
}

struct Any {
    any: Vec<Docs>,
    doc: DocId,
}

impl DocSet for Any {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.seek(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            let mut least = TERMINATED;
            for docs in &mut self.any {
                least = least.min(go_to(docs, target));
            }
            self.doc = least;
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.any.iter().map(|docs| docs.size_hint()).fold(0, u32::saturating_add)
    }
}

/// Letters that stand one after another: bigrams in one article, each so many places behind the
/// first letter.
pub struct Run {
    grams: Vec<RunGram>,
    /// In `grams`: rare ones first.
    length: u32,
    /// Only in titles, by their lengths.
    titles: Option<Lengths>,
    budget: Budget,
    doc: DocId,
    found: Vec<u32>,
}

struct RunGram {
    offset: u32,
    postings: Postings,
    places: Vec<u32>,
}

impl Run {
    /// `grams` with their offsets; `length` in letters. A set that begins at its first article.
    pub fn new(grams: Vec<(u32, Postings)>, length: u32, titles: Option<Lengths>, budget: Budget) -> Run {
        let gram = |(offset, postings)| RunGram { offset, postings, places: Vec::new() };
        let mut grams: Vec<RunGram> = grams.into_iter().map(gram).collect();
        grams.sort_by_key(|gram| gram.postings.df());
        let mut run = Run { grams, length, titles, budget, doc: 0, found: Vec::new() };
        run.settle(0);
        run
    }

    fn settle(&mut self, target: DocId) {
        let mut target = self.grams[0].postings.seek(target);
        'candidates: while target != TERMINATED {
            if self.budget.is_spent() {
                target = TERMINATED;
                break;
            }
            for n in 1..self.grams.len() {
                let doc = self.grams[n].postings.seek(target);
                if doc > target {
                    target = self.grams[0].postings.seek(doc);
                    continue 'candidates;
                }
            }
            if self.stands_in(target) {
                break;
            }
            target = self.grams[0].postings.advance();
        }
        self.doc = target;
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
