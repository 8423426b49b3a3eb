//! How well an article answers: BM25 over the letter pairs of a query. [`near`] has what answers in part.

pub mod near;

use tantivy::{DocId, DocSet, TERMINATED};

use super::grams::dict::TermEntry;
use super::grams::{Gram, Postings, Space};
use super::query::clues::{Clue, Clues};
use super::view::{Segment, View};

/// All that was tuned, by kinds of queries, on the development relevance sets only.
pub mod weight {
    /// Of BM25: how soon more places of a pair in one text stop to count.
    pub const K1: f32 = 0.9;
    /// Of BM25: how much a long text counts less.
    pub const B: f32 = 0.5;
    /// A pair in the title, against one in the text.
    pub const TITLE: f32 = 2.0;
    pub const NAME: f32 = 1.0;
    pub const AUTHOR: f32 = 1.0;
    pub const TAG: f32 = 1.5;
    /// A pair across the border of two words of the query, against one inside a word.
    pub const ACROSS: f32 = 0.6;
    /// A pair that touches a word which tells little.
    pub const LIGHT: f32 = 0.3;
    /// A pair of what means the same as a term, against one of the term.
    pub const OTHER: f32 = 0.5;
    /// A word of one letter, against a pair.
    pub const SINGLE: f32 = 3.0;

    // What a closer look adds to a score, at most.

    /// Pairs that stand in the article as in the query, one behind the other.
    pub const RUNS: f32 = 0.3;
    /// All pairs of the query are there.
    pub const COVERED: f32 = 2.0;
    /// All are in the title.
    pub const TITLED: f32 = 0.3;
    /// All are in the first lines of the text, where news says what happened; for short queries, which
    /// ask for a subject.
    pub const LEAD: f32 = 2.0;
    /// All are in one stretch of the text.
    pub const NEARBY: f32 = 5.0;
    /// Of [`RUNS`], a run of two pairs, and of three; more count whole.
    pub const TWO: f32 = 0.4;
    pub const THREE: f32 = 0.7;
}

/// Where pairs are looked for, and what one there counts; the text itself is counted by BM25.
const AROUND: [(Space, f32); 4] = [
    (Space::Title, weight::TITLE),
    (Space::Name, weight::NAME),
    (Space::Author, weight::AUTHOR),
    (Space::Tag, weight::TAG),
];

/// A word of one letter is looked for by itself if fewer than one in so many articles have it.
const RARE_SINGLE: u64 = 10;

/// Of so many articles in a row all are scored where one is wanted: lists are gone through faster than they are looked
/// up.
const DENSE: usize = 8;

/// Articles that are gone through at once where all in a list are wanted.
const WINDOW: usize = 1_024;

/// Articles that one search looks at for what is only near, over the lists of all pairs.
const MAX_NEAR: u64 = 2_500_000;

/// The letter pairs of a query, looked up once for all that asks for them.
pub struct Pairs {
    /// Each once.
    pairs: Vec<Pair>,
    lengthy: Lengthy,
}

struct Pair {
    gram: Gram,
    /// By how few articles have it in their text.
    rarity: f32,
    /// The rarity by the greatest of its weights in the query.
    worth: f32,
    /// Of a term that may be missing in part.
    loose: bool,
    /// Only of what means the same.
    other: bool,
    /// Articles that have it in their text.
    df: u64,
    /// For each segment.
    found: Vec<Found>,
}

#[derive(Default)]
struct Found {
    text: Option<TermEntry>,
    around: [Option<TermEntry>; 4],
}

/// Words of one letter that are rare enough to be looked for by themselves.
pub struct Singles(Vec<Single>);

struct Single {
    worth: f32,
    /// For each segment the lists of all pairs that begin with it.
    lists: Vec<Vec<TermEntry>>,
}

impl Singles {
    pub fn look_up(view: &View, letters: &[char]) -> Singles {
        let rare = view.articles / RARE_SINGLE + 20;
        let single = |&letter: &char| {
            // Most letters are in too many articles, which their own lists tell at once.
            let own = |segment: &Segment| segment.grams.entry(Space::Letter, Gram::last(letter));
            let in_own = view.segments.iter().filter_map(own).map(|entry| u64::from(entry.df)).sum::<u64>();
            if in_own > rare {
                return None;
            }
            let lists = |segment: &Segment| segment.grams.entries_from(Space::Text, letter).collect();
            let lists: Vec<Vec<TermEntry>> = view.segments.iter().map(lists).collect();
            // An article counts once for each different letter behind; near enough for rare ones.
            let df: u64 = lists.iter().flatten().map(|entry| u64::from(entry.df)).sum();
            (df <= rare).then(|| Single { worth: weight::SINGLE * idf(view.articles, df), lists })
        };
        Singles(letters.iter().filter_map(single).collect())
    }
}

impl Pairs {
    pub fn look_up(view: &View, clues: &Clues) -> Pairs {
        let mut sorted: Vec<&Clue> = clues.pairs.iter().collect();
        sorted.sort_by_key(|clue| clue.gram);
        let pair = |same: &[&Clue]| {
            let gram = same[0].gram;
            let found: Vec<Found> = view.segments.iter().map(|segment| Found::of(segment, gram)).collect();
            let df: u64 = found.iter().map(Found::df).sum();
            let rarity = idf(view.articles, df);
            let weight = same.iter().map(|clue| clue.weight).fold(0.0, f32::max);
            Pair {
                gram,
                rarity,
                worth: weight * rarity,
                loose: same.iter().any(|clue| clue.loose),
                other: same.iter().all(|clue| clue.other),
                df,
                found,
            }
        };
        let pairs = sorted.chunk_by(|one, other| one.gram == other.gram).map(pair).collect();
        Pairs { pairs, lengthy: Lengthy::of(view.mean_length) }
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// In order.
    pub fn grams(&self) -> impl Iterator<Item = Gram> {
        self.pairs.iter().map(|pair| pair.gram)
    }

    /// Which of them it is, and how rare.
    pub fn find(&self, gram: Gram) -> Option<(usize, f32)> {
        let n = self.pairs.binary_search_by_key(&gram, |pair| pair.gram).ok()?;
        Some((n, self.pairs[n].rarity))
    }

    /// Its list of texts in the segment of number `n`.
    pub fn open(&self, pair: usize, n: usize, segment: &Segment) -> Option<Postings> {
        self.pairs[pair].found[n].text.map(|entry| segment.grams.open_list(entry))
    }

    /// To score single articles of a segment, in order.
    pub fn scorer<'a>(&'a self, segment: &'a Segment, n: usize) -> Scorer<'a> {
        let open = |entry: Option<TermEntry>| entry.map(|entry| segment.grams.open_list(entry));
        let lists = self.pairs.iter().map(|pair| Lists {
            worth: pair.worth,
            text: open(pair.found[n].text),
            around: pair.found[n].around.map(open),
        });
        Scorer { lists: lists.collect(), segment, lengthy: self.lengthy, window: Vec::new() }
    }

    /// The loose ones that near articles are looked for by: of very common pairs as many as
    /// [`MAX_NEAR`] allows, rare ones first.
    pub fn loose(&self) -> Loose<'_> {
        let mut pairs: Vec<&Pair> = self.pairs.iter().filter(|pair| pair.loose).collect();
        pairs.sort_by_key(|pair| pair.df);
        let (mut sum, mut first) = (0, true);
        let mut is_allowed = |pair: &&Pair| {
            sum += pair.df;
            std::mem::take(&mut first) || sum <= MAX_NEAR
        };
        Loose(pairs.into_iter().take_while(|pair| is_allowed(pair)).collect())
    }
}

impl Found {
    fn of(segment: &Segment, gram: Gram) -> Found {
        let entry = |space| segment.grams.entry(space, gram);
        Found { text: entry(Space::Text), around: AROUND.map(|(space, _)| entry(space)) }
    }

    fn df(&self) -> u64 {
        self.text.map_or(0, |entry| u64::from(entry.df))
    }
}

/// Some of the pairs, rare ones first.
pub struct Loose<'a>(Vec<&'a Pair>);

impl Loose<'_> {
    /// How many were typed; the others are of what means the same.
    pub fn typed(&self) -> usize {
        self.0.iter().filter(|pair| !pair.other).count()
    }
}

/// Scores articles of a segment, some at a time.
pub struct Scorer<'a> {
    lists: Vec<Lists>,
    segment: &'a Segment,
    lengthy: Lengthy,
    /// The scores of articles in a row; [`NONE`] for what is in no list.
    window: Vec<f32>,
}

struct Lists {
    worth: f32,
    text: Option<Postings>,
    around: [Option<Postings>; 4],
}

impl Lists {
    fn all(&self) -> impl Iterator<Item = &Postings> {
        self.text.iter().chain(self.around.iter().flatten())
    }
}

/// The score of what is in no list: this zero and any part of a score are no longer it.
const NONE: f32 = -0.0;

impl Scorer<'_> {
    /// Adds its score to each of some articles. They must come in order, over all calls.
    pub fn add(&mut self, docs: &[DocId], scores: &mut [f32]) {
        let (Some(&first), Some(&last)) = (docs.first(), docs.last()) else { return };
        // Damaged lists need not be in order.
        let span = last.saturating_sub(first) as usize + 1;
        if span <= docs.len() * DENSE {
            self.fill_window(first, span);
            let of = |doc: DocId| self.window.get(doc.wrapping_sub(first) as usize).copied().unwrap_or(NONE);
            docs.iter().zip(scores).for_each(|(doc, score)| *score += of(*doc));
        } else {
            self.add_each(docs, scores);
        }
    }

    /// Whether so many articles are in the lists that all can be gone through.
    pub fn is_dense(&self) -> bool {
        let entries: usize = self.lists.iter().flat_map(Lists::all).map(|list| list.df() as usize).sum();
        entries * DENSE > self.segment.reader.max_doc() as usize
    }

    /// The next article that is in any list.
    pub fn next(&self) -> Option<DocId> {
        let next = self.lists.iter().flat_map(Lists::all).map(|list| list.doc()).min();
        next.filter(|doc| *doc != TERMINATED)
    }

    /// Goes on to the next articles that are in any list, in order, with their scores. Returns how many articles it went
    /// through.
    pub fn next_any(&mut self, mut take: impl FnMut(DocId, f32)) -> usize {
        let Some(first) = self.next() else { return 0 };
        self.fill_window(first, WINDOW);
        for (doc, score) in (first..).zip(&self.window) {
            if score.to_bits() != NONE.to_bits() {
                take(doc, *score);
            }
        }
        WINDOW
    }

    /// Scores all articles in a row.
    fn fill_window(&mut self, first: DocId, count: usize) {
        self.window.clear();
        self.window.resize(count, NONE);
        let scores = &mut self.window[..];
        let end = first + count as DocId;
        // What a damaged list has before the first one counts for none.
        let mut add = |doc: DocId, part: f32| {
            if let Some(score) = scores.get_mut(doc.wrapping_sub(first) as usize) {
                *score += part;
            }
        };
        for Lists { worth, text, around } in &mut self.lists {
            if let Some(text) = text {
                let part = |doc, count| self.lengthy.frequency(self.segment, doc, count);
                walk(text, first, end, |doc, count| add(doc, *worth * part(doc, count)));
            }
            for (list, (_, weight)) in around.iter_mut().zip(AROUND) {
                list.iter_mut().for_each(|list| walk(list, first, end, |doc, _| add(doc, *worth * weight)));
            }
        }
    }

    fn add_each(&mut self, docs: &[DocId], scores: &mut [f32]) {
        for lists in &mut self.lists {
            if let Some(text) = &mut lists.text {
                for (doc, score) in docs.iter().zip(&mut *scores) {
                    if text.seek(*doc) == *doc {
                        *score += lists.worth * self.lengthy.frequency(self.segment, *doc, text.frequency());
                    }
                }
            }
            for (list, (_, weight)) in lists.around.iter_mut().zip(AROUND) {
                let Some(list) = list else { continue };
                for (doc, score) in docs.iter().zip(&mut *scores) {
                    if list.seek(*doc) == *doc {
                        *score += lists.worth * weight;
                    }
                }
            }
        }
    }
}

/// Goes through a list from `first` on and before `end`.
fn walk(list: &mut Postings, first: DocId, end: DocId, mut add: impl FnMut(DocId, u32)) {
    list.seek(first);
    while list.walk_block(end, &mut add) {}
}

/// What the length of a text makes of how often a pair is in it.
#[derive(Debug, Clone, Copy)]
pub struct Lengthy {
    /// What weakens a count, in a text without letters and for each letter.
    least: f32,
    letter: f32,
}

impl Lengthy {
    /// More than any [`Self::frequency`].
    pub const MOST: f32 = weight::K1 + 1.0;

    /// Of texts with so many letters on average.
    fn of(mean_length: f32) -> Lengthy {
        Lengthy { least: weight::K1 * (1.0 - weight::B), letter: weight::K1 * weight::B / mean_length }
    }

    /// The part of BM25 that grows with how often a pair is in a text.
    #[inline]
    pub fn frequency(self, segment: &Segment, doc: DocId, count: u32) -> f32 {
        let count = count as f32;
        let length = segment.grams.lengths().text(doc) as f32;
        count * (weight::K1 + 1.0) / (count + self.least + self.letter * length)
    }
}

/// As in Lucene: never negative.
pub fn idf(articles: u64, df: u64) -> f32 {
    let (articles, df) = (articles as f32, df as f32);
    (1.0 + (articles - df + 0.5).max(0.0) / (df + 0.5)).ln()
}
