//! What a query tells about the articles it wants: its letter pairs, and how much each of them says.
//!
//! A pair inside a word tells more than one across the border of two, and some words (什么, 的, 是) tell
//! little. A word of one letter is no pair with its neighbours in the article; it is looked for by
//! itself where it is rare.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Parsed, Term};
use crate::search::grams::Gram;
use crate::search::score::weight;
use crate::text::{fold, segment, spelled};

/// Pairs that are looked at, of the many a pasted page would have.
const MAX_PAIRS: usize = 160;
/// Words of one letter that are looked for by themselves.
const MAX_SINGLES: usize = 4;
/// Latin words and numbers of so many letters at most are looked for whole: what only shares a pair
/// with AI or 2024 is not near.
const SHORT: usize = 4;

/// Two letters of a query beside each other, or a short Latin word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clue {
    pub gram: Gram,
    /// 1 inside a word, less elsewhere.
    pub weight: f32,
    /// Is a pair that begins with the second letter of the clue before.
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
        let words = words(&term.text);
        if loose && letters.len() > 1 {
            let singles = words.iter().filter(|word| word.chars().count() == 1 && !LIGHT.contains(&***word));
            self.singles.extend(singles.flat_map(|word| word.chars()).filter(|c| !spelled::is_spelled(*c)));
            self.singles.truncate(MAX_SINGLES);
        }
        // For each letter the number of its word, and whether that is light.
        let mut word_of = Vec::with_capacity(letters.len());
        for (n, word) in words.iter().enumerate() {
            let light = LIGHT.contains(word.as_str());
            word_of.extend(word.chars().map(|_| (n, light)));
        }
        let weight = |n: usize| match (word_of.get(n), word_of.get(n + 1)) {
            (Some((_, true)), _) | (_, Some((_, true))) => weight::LIGHT,
            (Some(one), Some(other)) if one.0 != other.0 && letters.len() > 2 => weight::ACROSS,
            _ => 1.0,
        };
        let short = if term.quoted { Vec::new() } else { short_words(&term.text) };
        let plain = |gram| Clue { gram, weight: 1.0, follows: false, loose, other: false };
        let mut follows = false;
        for n in 0..letters.len() {
            if let Some((_, word)) = short.iter().find(|(place, _)| *place == n) {
                self.push(plain(Gram::word(word)));
            }
            let inside = short.iter().any(|(place, word)| (*place..*place + word.len() - 1).contains(&n));
            if let Some(&next) = letters.get(n + 1).filter(|_| !inside) {
                let gram = Gram::pair(letters[n], next);
                self.push(Clue { weight: weight(n), follows, ..plain(gram) });
            }
            follows = !inside;
        }
        for other in &term.others {
            let letters: Vec<char> = other.chars().collect();
            for pair in letters.windows(2) {
                let gram = Gram::pair(pair[0], pair[1]);
                self.push(Clue { weight: weight::OTHER, other: true, ..plain(gram) });
            }
        }
    }

    fn push(&mut self, clue: Clue) {
        if self.pairs.len() < MAX_PAIRS {
            self.pairs.push(clue);
        }
    }
}

/// Short Latin words and numbers, with the places of their first letters.
fn short_words(text: &str) -> Vec<(usize, String)> {
    let words = spelled::words(&spelled::letters(text)).into_iter();
    let short = words.filter(|(_, word)| word.is_ascii() && word.len() <= SHORT);
    short.map(|(place, word)| (place as usize, word)).collect()
}

/// The words of a text, letters only.
fn words(text: &str) -> Vec<String> {
    segment::words(text).into_iter().map(fold::letters).filter(|word| !word.is_empty()).collect()
}

/// Whether a folded word tells little of what a text is about.
pub fn is_light(word: &str) -> bool {
    LIGHT.contains(word)
}

/// Words that tell little, see the file.
static LIGHT: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("light.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});
