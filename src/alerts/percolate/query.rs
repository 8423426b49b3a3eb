//! A query as it waits for articles: what it is filed under, and its clauses in little memory.

use super::Pair;
use super::article::{Article, pairs_of_run};
use crate::search::query::run::Run;
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
    Holds(Box<Runs>),
}

/// At least one of these, each with its rarest pair: most articles lack that, and need not be read.
#[derive(Debug)]
struct Runs {
    any: Box<[(Pair, Run)]>,
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
        let pairs: Option<Vec<Vec<Pair>>> =
            clause.any.iter().map(|atom| Some(rarest_of(atom.term()?, &frequency))).collect();
        let mut pairs = pairs?.concat();
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

/// One pair for each of its runs.
fn rarest_of(term: &Term, frequency: impl Fn(Pair) -> u32) -> Vec<Pair> {
    term.runs().map(|run| rarest(&run, &frequency)).collect()
}

fn rarest(run: &Run, frequency: impl Fn(Pair) -> u32) -> Pair {
    pairs_of_run(run).into_iter().min_by_key(|pair| frequency(*pair)).unwrap_or_default()
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
            Atom::Text(term) => {
                let any = term.runs().map(|run| (rarest(&run, &frequency), run)).collect();
                Self::Holds(Box::new(Runs { any, quoted: term.quoted, within: term.within }))
            }
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
            Self::Holds(runs) => runs.any.iter().any(|(rarest, run)| {
                article.may_hold(*rarest) && article.holds(run, runs.within, runs.quoted)
            }),
        }
    }
}
