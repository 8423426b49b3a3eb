//! What a reader asks for, as understood.
//!
//! [`parse`] reads the language and keeps how it read it ([`reading`]); [`plan`] makes queries of the index of it. The
//! language is forgiving: every string has an answer.

pub mod clues;
pub mod lex;
pub mod moment;
pub mod operator;
pub mod parse;
pub mod plan;
pub mod reading;
pub mod run;

use std::collections::HashMap;

use strum::{EnumString, IntoStaticStr, VariantArray};

use self::run::Run;
use crate::search::schema::Entry;
use crate::search::synonyms::Synonyms;
use crate::text::fold;

/// A query as understood: every clause must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    pub clauses: Vec<Clause>,
}

/// At least one of these, or none of them if negated. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub negated: bool,
    pub any: Vec<Atom>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    Text(Term),
    /// `from:@handle`; the id is filled in by [`Parsed::resolve`], and nothing is from an account
    /// without one.
    Account {
        handle: String,
        id: Option<i64>,
    },
    /// Unix milliseconds: at or after `from`, before `to`.
    Published {
        from: Option<i64>,
        to: Option<i64>,
    },
    /// `zh-Hans`, `zh-Hant`, ...
    Lang(String),
    Has(Part),
}

/// A run of letters asked for, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As typed, folded, with inner punctuation.
    pub text: String,
    /// Only what is compared; never empty.
    pub letters: String,
    pub quoted: bool,
    /// Quoted by marks that authors use too (“” 「」), as titles are when they are pasted: where
    /// nothing at all is found, it counts as unquoted.
    pub gentle: bool,
    pub within: Within,
    /// What means the same and is as good, folded; see [`Parsed::expand`].
    pub others: Vec<String>,
}

/// Where a term must stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Within {
    /// In title or text; unquoted also in the account's name or handle, the author line, the tags.
    #[default]
    Anywhere,
    Title,
    Author,
    Tag,
}

/// What an article may hold besides text.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "lowercase")]
pub enum Part {
    Image,
    Video,
    Audio,
    Table,
}

/// Narrows an answer without changing its order; besides what the query itself says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one of these accounts; of none if empty.
    pub accounts: Option<Vec<i64>>,
    /// Published at or after, Unix milliseconds.
    pub from: Option<i64>,
    /// Published before.
    pub to: Option<i64>,
    pub lang: Option<String>,
    pub has: Option<Part>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether an article may be in the answer.
    pub fn admits(&self, entry: &Entry) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&entry.account))
            && self.from.is_none_or(|from| entry.published_at >= from)
            && self.to.is_none_or(|to| entry.published_at < to)
            && self.lang.as_ref().is_none_or(|lang| *lang == entry.lang)
            && self.has.is_none_or(|part| entry.has.contains(&part))
    }
}

impl Parsed {
    /// Nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Terms that an article should hold, those in alternatives too.
    pub fn wanted(&self) -> impl Iterator<Item = &Term> {
        let wanted = self.clauses.iter().filter(|clause| !clause.negated);
        wanted.flat_map(Clause::terms)
    }

    /// Terms that may be missing in part where few articles hold everything: the unquoted ones that
    /// stand alone.
    pub fn loose(&self) -> impl Iterator<Item = &Term> {
        self.clauses.iter().filter_map(Clause::loose)
    }

    /// The same without gentle quotation marks, if there are some.
    pub fn relaxed(&self) -> Option<Parsed> {
        let mut relaxed = self.clone();
        let mut any = false;
        for atom in
            relaxed.clauses.iter_mut().filter(|clause| !clause.negated).flat_map(|clause| &mut clause.any)
        {
            if let Atom::Text(term) = atom
                && term.gentle
                && term.quoted
            {
                (term.quoted, any) = (false, true);
            }
        }
        any.then_some(relaxed)
    }

    /// Gives every unquoted term what means the same: 央行 the full name, and 央行降准 the same with it.
    pub fn expand(&mut self, synonyms: &Synonyms) {
        let wanted = self.clauses.iter_mut().filter(|clause| !clause.negated);
        for atom in wanted.flat_map(|clause| &mut clause.any) {
            if let Atom::Text(term) = atom
                && !term.quoted
            {
                term.others = synonyms.rephrase(&term.text);
            }
        }
    }

    /// Handles asked for, to be looked up.
    pub fn handles(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().flat_map(|clause| &clause.any).filter_map(|atom| match atom {
            Atom::Account { handle, .. } => Some(handle.as_str()),
            _ => None,
        })
    }

    /// Fills in the ids of accounts by handle.
    pub fn resolve(&mut self, ids: &HashMap<String, i64>) {
        for atom in self.clauses.iter_mut().flat_map(|clause| &mut clause.any) {
            if let Atom::Account { handle, id } = atom {
                *id = ids.get(handle.as_str()).copied();
            }
        }
    }
}

impl Clause {
    /// Its alternatives that are text.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.any.iter().filter_map(Atom::term)
    }

    /// The term of [`Parsed::loose`].
    pub fn loose(&self) -> Option<&Term> {
        match &self.any[..] {
            [Atom::Text(term)] if !self.negated && !term.quoted && term.within == Within::Anywhere => {
                Some(term)
            }
            _ => None,
        }
    }
}

impl Atom {
    pub fn term(&self) -> Option<&Term> {
        match self {
            Atom::Text(term) => Some(term),
            _ => None,
        }
    }
}

impl Term {
    /// At most `room` characters of `text`; `None` if there is no letter in them.
    pub fn new(text: &str, quoted: bool, room: usize) -> Option<Term> {
        let mut text = fold::fold(text);
        if let Some((end, _)) = text.char_indices().nth(room) {
            text.truncate(end);
        }
        let letters = fold::letters(&text);
        (!letters.is_empty()).then_some(Term {
            text,
            letters,
            quoted,
            gentle: false,
            within: Within::Anywhere,
            others: Vec::new(),
        })
    }

    /// The letters as typed. Unquoted Latin words and numbers are whole ones.
    pub fn run(&self) -> Run {
        Run::of(&self.text, !self.quoted)
    }

    /// The letters as typed, and those that mean the same.
    pub fn runs(&self) -> impl Iterator<Item = Run> {
        let others = self.others.iter().map(|other| Run::of(other, true));
        std::iter::once(self.run()).chain(others)
    }
}
