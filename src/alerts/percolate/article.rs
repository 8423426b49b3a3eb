//! An article as queries meet it: its texts folded to letters once, and the pairs of letters in them.

use super::{Pair, Set, alone};
use crate::search::query::{Part, Term, Within};
use crate::search::schema::Entry;
use crate::text::fold;

/// An article that asks which queries it matches.
#[derive(Debug)]
pub struct Article {
    pub account: i64,
    /// The account's, in lower case.
    pub handle: String,
    /// Unix milliseconds.
    pub published_at: i64,
    pub lang: String,
    pub has: Vec<Part>,
    title: String,
    body: String,
    author: String,
    /// The account's name and handle.
    names: [String; 2],
    tags: Vec<String>,
    pairs: Set<Pair>,
}

impl Article {
    pub fn new(entry: &Entry) -> Self {
        let mut article = Self {
            account: entry.account,
            handle: entry.account_handle.to_ascii_lowercase(),
            published_at: entry.published_at,
            lang: entry.lang.clone(),
            has: entry.has.clone(),
            title: fold::letters(&entry.title),
            body: fold::letters(&entry.body),
            author: fold::letters(&entry.author),
            names: [fold::letters(&entry.account_name), fold::letters(&entry.account_handle)],
            tags: entry.tags.iter().map(|tag| fold::letters(tag)).collect(),
            pairs: Set::default(),
        };
        article.pairs = article.texts().flat_map(pairs_of).collect();
        article
    }

    /// Is this the account's whole name, in letters?
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.names[0] == name
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let one = [&self.title, &self.body, &self.author];
        one.into_iter().chain(&self.names).chain(&self.tags).map(String::as_str)
    }

    /// Every pair and every letter of its texts, once.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter()
    }

    /// May a run of letters with this pair in it stand here?
    pub(super) fn may_hold(&self, pair: Pair) -> bool {
        self.pairs.contains(&pair)
    }

    /// Does the run of letters stand where the term wants it?
    pub(super) fn holds(&self, letters: &str, within: Within, quoted: bool) -> bool {
        match within {
            Within::Title => self.title.contains(letters),
            Within::Author => self.author.contains(letters),
            Within::Tag => self.tags.iter().any(|tag| tag.contains(letters)),
            Within::Anywhere if quoted => self.title.contains(letters) || self.body.contains(letters),
            Within::Anywhere => self.texts().any(|text| text.contains(letters)),
        }
    }
}

/// The pairs of a text of letters, and each letter alone.
fn pairs_of(letters: &str) -> impl Iterator<Item = Pair> {
    let next = letters.chars().skip(1);
    let pairs = letters.chars().zip(next);
    pairs.chain(letters.chars().map(alone))
}

/// The pairs of which an article must hold each if it holds the term.
pub(super) fn pairs_of_term(term: &Term) -> Vec<Pair> {
    let mut letters = term.letters.chars();
    match (letters.next(), letters.next()) {
        (Some(first), None) => vec![alone(first)],
        _ => term.letters.chars().zip(term.letters.chars().skip(1)).collect(),
    }
}
