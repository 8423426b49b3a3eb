//! What a query tells about the articles it wants: its letter pairs, and how much each of them says.
//!
//! A pair inside a word tells more than one across the border of two, and some words (什么, 的, 是) tell
//! little. A word of one letter is no pair with its neighbours in the article; it is looked for by
//! itself where it is rare.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Parsed, Term};
use crate::search::score::weight;
use crate::text::{fold, segment, spelled};

/// Pairs that are looked at, of the many a pasted page would have.
const MAX_PAIRS: usize = 160;
/// Words of one letter that are looked for by themselves.
const MAX_SINGLES: usize = 4;
/// Latin words and numbers of so many letters at most are found as they stand or not at all: what
/// shares a pair with AI or 2024 is not near.
const SHORT: usize = 4;

/// Two letters of a query beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clue {
    pub letters: (char, char),
    /// 1 inside a word, less elsewhere.
    pub weight: f32,
    /// Begins with the second letter of the clue before.
    pub follows: bool,
    /// Of a term that may be missing in part.
    pub loose: bool,
    /// Not of what was typed, but of what means the same.
    pub other: bool,
}

#[derive(Debug, Default)]
pub struct Clues {
    /// In the order of the query, some of them twice.
    pub pairs: Vec<Clue>,
    /// Words of one letter in loose terms.
    pub singles: Vec<char>,
}

impl Clues {
    pub fn of(query: &Parsed) -> Clues {
        let mut clues = Clues::default();
        for clause in query.clauses.iter().filter(|clause| !clause.negated) {
            for term in clause.terms() {
                clues.add(term, clause.loose().is_some());
            }
        }
        clues
    }

    /// Those of what was typed.
    pub fn typed(&self) -> impl Iterator<Item = &Clue> {
        self.pairs.iter().filter(|clue| !clue.other)
    }

    fn add(&mut self, term: &Term, loose: bool) {
        let letters: Vec<char> = term.letters.chars().collect();
        // For each letter the number of its word, and whether that is light or a short Latin one.
        let mut word_of = Vec::with_capacity(letters.len());
        for (n, word) in words(&term.text).iter().enumerate() {
            let light = LIGHT.contains(word.as_str());
            let length = word.chars().count();
            let short = length <= SHORT && word.chars().all(spelled::is_spelled);
            let alone = length == 1;
            if loose && alone && !light && letters.len() > 1 && self.singles.len() < MAX_SINGLES {
                self.singles.extend(word.chars());
            }
            word_of.extend(word.chars().map(|_| LetterOf { word: n, light, short }));
        }
        let clue = |n: usize, pair: Clue| match (word_of.get(n), word_of.get(n + 1)) {
            (Some(one), Some(other)) => {
                let across = one.word != other.word && letters.len() > 2;
                let weight = match one.light || other.light {
                    true => weight::LIGHT,
                    false if across => weight::ACROSS,
                    false => 1.0,
                };
                let loose = loose && !(one.short && one.word == other.word);
                Clue { weight, loose, ..pair }
            }
            _ => Clue { loose, ..pair },
        };
        self.add_pairs(&letters, clue);
        for other in &term.others {
            let letters: Vec<char> = other.chars().collect();
            self.add_pairs(&letters, |_, pair| Clue { weight: weight::OTHER, loose, other: true, ..pair });
        }
    }

    fn add_pairs(&mut self, letters: &[char], clue: impl Fn(usize, Clue) -> Clue) {
        let room = MAX_PAIRS.saturating_sub(self.pairs.len());
        let plain = |n: usize, letters: (char, char)| Clue {
            letters,
            weight: 1.0,
            follows: n > 0,
            loose: false,
            other: false,
        };
        let pairs = letters.windows(2).enumerate().take(room);
        self.pairs.extend(pairs.map(|(n, pair)| clue(n, plain(n, (pair[0], pair[1])))));
    }
}

/// What a letter of a term belongs to.
struct LetterOf {
    /// The number of its word.
    word: usize,
    /// The word tells little.
    light: bool,
    /// The word is a Latin one, or a number, of few letters.
    short: bool,
}

/// The words of a text, letters only.
fn words(text: &str) -> Vec<String> {
    segment::words(text).into_iter().map(fold::letters).filter(|word| !word.is_empty()).collect()
}

/// Words that tell little, see the file.
static LIGHT: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("light.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});
