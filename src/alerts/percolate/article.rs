//! An article as queries meet it: its texts folded to letters once, and the pairs of letters in them.

use super::{Pair, Set, alone};
use crate::search::query::run::{Run, Text};
use crate::search::query::{Part, Within};
use crate::search::schema::Entry;

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
    title: Text,
    body: Text,
    author: Text,
    /// The account's name and handle.
    names: [Text; 2],
    tags: Vec<Text>,
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
            title: Text::of(&entry.title),
            body: Text::of(&entry.body),
            author: Text::of(&entry.author),
            names: [Text::of(&entry.account_name), Text::of(&entry.account_handle)],
            tags: entry.tags.iter().map(|tag| Text::of(tag)).collect(),
            pairs: Set::default(),
        };
        article.pairs = article.texts().flat_map(|text| pairs_of(text.letters())).collect();
        article
    }

    /// Is this the account's whole name, in letters?
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.names[0].letters() == name
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        let one = [&self.title, &self.body, &self.author];
        one.into_iter().chain(&self.names).chain(&self.tags)
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
    pub(super) fn holds(&self, run: &Run, within: Within, quoted: bool) -> bool {
        match within {
            Within::Title => run.stands_in(&self.title),
            Within::Author => run.stands_in(&self.author),
            Within::Tag => self.tags.iter().any(|tag| run.stands_in(tag)),
            Within::Anywhere if quoted => run.stands_in(&self.title) || run.stands_in(&self.body),
            Within::Anywhere => self.texts().any(|text| run.stands_in(text)),
        }
    }
}

/// The pairs of a text of letters, and each letter alone.
fn pairs_of(letters: &str) -> impl Iterator<Item = Pair> {
    let next = letters.chars().skip(1);
    let pairs = letters.chars().zip(next);
    pairs.chain(letters.chars().map(alone))
}

/// The pairs of which an article must hold each if it holds the run.
pub(super) fn pairs_of_run(run: &Run) -> Vec<Pair> {
    let mut letters = run.letters.chars();
    match (letters.next(), letters.next()) {
        (Some(first), None) => vec![alone(first)],
        _ => run.letters.chars().zip(run.letters.chars().skip(1)).collect(),
    }
}
