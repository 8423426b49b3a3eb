//! A query as it waits for articles: what it is filed under, and its clauses in little memory.

use super::Pair;
use super::article::{Article, pairs_of_term};
use crate::search::query::{Atom, Clause, Parsed, Part, Term, Within};
use crate::text::fold;

/// A query that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub id: i64,
    pub filing: Filing,
    clauses: Box<[Wish]>,
}

/// Where a query is found again: an article that matches it has one of these.
#[derive(Debug)]
pub(super) enum Filing {
    Pairs(Box<[Pair]>),
    Accounts(Box<[i64]>),
    Rest,
}

/// A clause: at least one of these holds, or none if negated.
#[derive(Debug)]
struct Wish {
    negated: bool,
    any: Box<[Test]>,
}

/// What is tested.
#[derive(Debug)]
enum Test {
    Account(i64),
    /// An account that there was none of when the query was read: by its handle, or its whole name.
    Unknown {
        handle: Box<str>,
        name: Box<str>,
    },
    Published(Option<i64>, Option<i64>),
    Lang(Box<str>),
    Has(Part),
    Holds(Run),
}

/// A run of letters.
#[derive(Debug)]
struct Run {
    letters: Box<str>,
    /// Its rarest pair: most articles lack it, and need not be read.
    rarest: Pair,
    quoted: bool,
    within: Within,
}

impl Waiting {
    /// `frequency` tells in how many articles, about, a pair stands.
    pub fn new(id: i64, query: &Parsed, frequency: impl Fn(Pair) -> u32) -> Self {
        let filing =
            file_by_text(query, &frequency).or_else(|| file_by_account(query)).unwrap_or(Filing::Rest);
        let mut clauses: Vec<Wish> =
            query.clauses.iter().map(|clause| Wish::new(clause, &frequency)).collect();
        clauses.sort_by_key(Wish::cost);
        Self { id, filing, clauses: clauses.into() }
    }

    pub fn matches(&self, article: &Article) -> bool {
        self.clauses.iter().all(|wish| wish.any.iter().any(|test| test.holds(article)) != wish.negated)
    }
}

/// The clause whose texts are rarest decides; one with an alternative that is no text does not bind.
fn file_by_text(query: &Parsed, frequency: impl Fn(Pair) -> u32) -> Option<Filing> {
    let of_clause = |clause: &Clause| {
        let pairs: Option<Vec<Pair>> =
            clause.any.iter().map(|atom| atom.term().and_then(|term| rarest(term, &frequency))).collect();
        let mut pairs = pairs?;
        pairs.sort_unstable();
        pairs.dedup();
        let cost: u64 = pairs.iter().map(|pair| u64::from(frequency(*pair))).sum();
        Some((cost, pairs))
    };
    let wanted = query.clauses.iter().filter(|clause| !clause.negated);
    let (_, pairs) = wanted.filter_map(of_clause).min_by_key(|(cost, pairs)| (*cost, pairs.len()))?;
    Some(Filing::Pairs(pairs.into()))
}

fn file_by_account(query: &Parsed) -> Option<Filing> {
    let of_clause = |clause: &Clause| -> Option<Box<[i64]>> {
        let id = |atom: &Atom| match atom {
            Atom::Account { id, .. } => *id,
            _ => None,
        };
        clause.any.iter().map(id).collect()
    };
    let wanted = query.clauses.iter().filter(|clause| !clause.negated);
    wanted.filter_map(of_clause).min_by_key(|accounts| accounts.len()).map(Filing::Accounts)
}

fn rarest(term: &Term, frequency: impl Fn(Pair) -> u32) -> Option<Pair> {
    pairs_of_term(term).into_iter().min_by_key(|pair| frequency(*pair))
}

impl Wish {
    fn new(clause: &Clause, frequency: impl Fn(Pair) -> u32) -> Self {
        let mut any: Vec<Test> = clause.any.iter().map(|atom| Test::new(atom, &frequency)).collect();
        any.sort_by_key(Test::cost);
        Self { negated: clause.negated, any: any.into() }
    }

    fn cost(&self) -> u32 {
        self.any.iter().map(Test::cost).sum()
    }
}

impl Test {
    fn new(atom: &Atom, frequency: impl Fn(Pair) -> u32) -> Self {
        match atom {
            Atom::Account { id: Some(id), .. } => Self::Account(*id),
            Atom::Account { handle, id: None } => Self::Unknown {
                handle: handle.to_ascii_lowercase().into(),
                name: if handle.is_ascii() { "".into() } else { fold::letters(handle).into() },
            },
            Atom::Published { from, to } => Self::Published(*from, *to),
            Atom::Lang(lang) => Self::Lang(lang.as_str().into()),
            Atom::Has(part) => Self::Has(*part),
            Atom::Text(term) => Self::Holds(Run {
                letters: term.letters.as_str().into(),
                rarest: rarest(term, frequency).unwrap_or_default(),
                quoted: term.quoted,
                within: term.within,
            }),
        }
    }

    /// What takes longest is looked at last.
    fn cost(&self) -> u32 {
        match self {
            Self::Account(_) | Self::Unknown { .. } | Self::Published(..) | Self::Lang(_) | Self::Has(_) => 0,
            Self::Holds(_) => 1,
        }
    }

    fn holds(&self, article: &Article) -> bool {
        match self {
            Self::Account(id) => article.account == *id,
            Self::Unknown { handle, name } => {
                article.handle == **handle || !name.is_empty() && article.is_of(name)
            }
            Self::Published(from, to) => {
                from.is_none_or(|from| article.published_at >= from)
                    && to.is_none_or(|to| article.published_at < to)
            }
            Self::Lang(lang) => article.lang == **lang,
            Self::Has(part) => article.has.contains(part),
            Self::Holds(run) => {
                article.may_hold(run.rarest) && article.holds(&run.letters, run.within, run.quoted)
            }
        }
    }
}
