//! A query as queries of tantivy.
//!
//! What decides whether an article holds a term are the bigrams with their positions. Words only
//! help to rank.

use std::collections::BTreeSet;
use std::ops::Bound;

use tantivy::Term as IndexTerm;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery,
    TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::{Atom, Clause, Filter, Parsed, Part, Term, Within};
use crate::search::schema::Fields;
use crate::search::tokenizer::is_term;
use crate::text::segment;

/// Bigrams and words that the last tier looks for, of the many a pasted page would have.
const MAX_TOKENS: usize = 160;

/// The share of its bigrams that an article must hold to be near enough, tier by tier. Questions in
/// whole sentences need the last one; without a limit every answer would be half of the archive.
const ENOUGH_GRAMS: [f32; 2] = [0.3, 0.1];

/// How much a match in the title counts against one in the body, and so on. In one place, tuned on
/// the development relevance sets only.
mod weight {
    pub const TITLE: f32 = 3.0;
    pub const BODY: f32 = 1.0;
    pub const ACCOUNT_NAME: f32 = 1.0;
    pub const AUTHOR: f32 = 1.0;
    pub const TAGS: f32 = 1.5;
    /// Of a word, against a bigram of the same field.
    pub const WORD: f32 = 0.5;
}

impl Parsed {
    /// The queries to run one after another, as long as the answer is short; each includes the
    /// matches of the one before. First articles that hold every term as it stands, then those that
    /// share more or less of them. Quoted terms must stand in every tier, and `-not` terms in none.
    pub fn tiers(&self, fields: &Fields, filter: &Filter) -> Vec<Box<dyn Query>> {
        if self.is_empty() && filter.is_empty() {
            return vec![Box::new(EmptyQuery)];
        }
        let loose: Vec<&Term> = self.loose().collect();
        let tokens = Tokens::of(&loose);
        let mut tiers = vec![self.whole(fields, filter, &tokens)];
        if loose.is_empty() {
            return tiers;
        }
        for share in ENOUGH_GRAMS {
            if let Some(some) = tokens.some(fields, share) {
                let mut clauses = self.fixed(fields, filter);
                clauses.push((Occur::Must, some));
                tiers.push(Box::new(BooleanQuery::new(clauses)));
            }
        }
        tiers
    }

    /// Every wanted term; how often an article has the tokens besides only ranks it.
    fn whole(&self, fields: &Fields, filter: &Filter, tokens: &Tokens) -> Box<dyn Query> {
        let mut clauses = self.fixed(fields, filter);
        clauses.extend(self.loose().map(|term| (Occur::Must, holds(term, fields))));
        if self.wanted().next().is_none() {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
        }
        clauses.extend(tokens.scored(fields).map(|query| (Occur::Should, query)));
        Box::new(BooleanQuery::new(clauses))
    }

    /// What holds in every tier: quoted terms, `-not` terms, the filter.
    fn fixed(&self, fields: &Fields, filter: &Filter) -> Vec<(Occur, Box<dyn Query>)> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for clause in self.clauses.iter().filter(|clause| clause.loose().is_none()) {
            let occur = if clause.negated { Occur::MustNot } else { Occur::Must };
            clauses.push((occur, any_of(clause, fields)));
        }
        for query in filter_queries(fields, filter) {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0))));
        }
        clauses
    }
}

/// The parts of unquoted terms, for ranking and for the last tier.
struct Tokens {
    grams: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Tokens {
    fn of(terms: &[&Term]) -> Tokens {
        let mut tokens = Tokens { grams: BTreeSet::new(), words: BTreeSet::new() };
        for term in terms {
            let letters: Vec<char> = term.letters.chars().collect();
            for gram in letters.windows(2).take(MAX_TOKENS) {
                if tokens.grams.len() < MAX_TOKENS {
                    tokens.grams.insert(gram.iter().collect());
                }
            }
            for word in segment::search_words(&term.text).iter().map(|token| token.word) {
                if tokens.words.len() < MAX_TOKENS && is_term(word) {
                    tokens.words.insert(word.to_owned());
                }
            }
        }
        tokens
    }

    /// One query for each token, scored by BM25 over the fields.
    fn scored(&self, fields: &Fields) -> impl Iterator<Item = Box<dyn Query>> {
        self.gram_queries(fields).into_iter().chain(self.word_queries(fields))
    }

    fn gram_queries(&self, fields: &Fields) -> Vec<Box<dyn Query>> {
        let fields = [
            (fields.title, weight::TITLE),
            (fields.body, weight::BODY),
            (fields.account_name, weight::ACCOUNT_NAME),
            (fields.author, weight::AUTHOR),
            (fields.tags, weight::TAGS),
        ];
        self.grams.iter().map(|gram| any_field(gram, &fields)).collect()
    }

    fn word_queries(&self, fields: &Fields) -> Vec<Box<dyn Query>> {
        let fields = [
            (fields.title_words, weight::TITLE * weight::WORD),
            (fields.body_words, weight::BODY * weight::WORD),
        ];
        self.words.iter().map(|word| any_field(word, &fields)).collect()
    }

    /// Articles with at least this share of the bigrams; words only rank them.
    fn some(&self, fields: &Fields, share: f32) -> Option<Box<dyn Query>> {
        if self.grams.is_empty() {
            return None;
        }
        let needed = (self.grams.len() as f32 * share).ceil() as usize;
        let grams =
            BooleanQuery::union_with_minimum_required_clauses(self.gram_queries(fields), needed.max(1));
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(grams))];
        clauses.extend(self.word_queries(fields).into_iter().map(|word| (Occur::Should, word)));
        Some(Box::new(BooleanQuery::new(clauses)))
    }
}

fn any_field(token: &str, fields: &[(Field, f32)]) -> Box<dyn Query> {
    let queries = fields.iter().map(|(field, w)| boosted(term_query(*field, token), *w));
    Box::new(BooleanQuery::union(queries.collect()))
}

fn any_of(clause: &Clause, fields: &Fields) -> Box<dyn Query> {
    let mut queries = clause.any.iter().map(|atom| atom_query(atom, fields));
    match (queries.next(), clause.any.len()) {
        (Some(query), 1) => query,
        (first, _) => Box::new(BooleanQuery::union(first.into_iter().chain(queries).collect())),
    }
}

fn atom_query(atom: &Atom, fields: &Fields) -> Box<dyn Query> {
    let plain: Box<dyn Query> = match atom {
        Atom::Text(term) => return holds(term, fields),
        Atom::Account { id: None, .. } => return Box::new(EmptyQuery),
        Atom::Account { id: Some(id), .. } => account_query(fields, *id),
        Atom::Published { from, to } => published_query(fields, *from, *to),
        Atom::Lang(lang) => raw_query(fields.lang, lang),
        Atom::Has(part) => raw_query(fields.has, (*part).into()),
    };
    Box::new(ConstScoreQuery::new(plain, 0.0))
}

/// The term stands somewhere in the article as it was typed: title or body, and for unquoted terms
/// also account, author or tags. (A quoted run is found where the article itself says it.)
fn holds(term: &Term, fields: &Fields) -> Box<dyn Query> {
    let own = [(fields.title, weight::TITLE), (fields.body, weight::BODY)];
    let around = [
        (fields.account_name, weight::ACCOUNT_NAME),
        (fields.author, weight::AUTHOR),
        (fields.tags, weight::TAGS),
    ];
    let searched = match term.within {
        Within::Anywhere if term.quoted => own.to_vec(),
        Within::Anywhere => own.into_iter().chain(around).collect(),
        Within::Title => own[..1].to_vec(),
        Within::Author => around[1..2].to_vec(),
        Within::Tag => around[2..].to_vec(),
    };
    let runs = searched.into_iter().map(|(field, w)| boosted(run(field, &term.letters), w));
    Box::new(BooleanQuery::union(runs.collect()))
}

/// The letters stand one after another in a field of bigrams. Every second bigram is enough: each
/// letter is in one of them, at its exact place.
fn run(field: Field, letters: &str) -> Box<dyn Query> {
    let letters: Vec<char> = letters.chars().collect();
    let gram = |at: usize| -> String { letters[at..at + 2].iter().collect() };
    match letters.len() {
        0 => Box::new(EmptyQuery),
        1 => starts_with(field, letters[0]),
        2 => term_query(field, &gram(0)),
        n => {
            let last = n - 2;
            let places = (0..last).step_by(2).chain([last]);
            let terms = places.map(|at| (at, IndexTerm::from_field_text(field, &gram(at)))).collect();
            Box::new(PhraseQuery::new_with_offset(terms))
        }
    }
}

/// Each letter of a text begins a term, see [`super::tokenizer::GRAMS`].
fn starts_with(field: Field, letter: char) -> Box<dyn Query> {
    let lower = Bound::Included(IndexTerm::from_field_text(field, letter.encode_utf8(&mut [0; 4])));
    let next = (letter as u32 + 1..=char::MAX as u32).find_map(char::from_u32);
    let upper = match next {
        Some(next) => Bound::Excluded(IndexTerm::from_field_text(field, next.encode_utf8(&mut [0; 4]))),
        None => Bound::Unbounded,
    };
    Box::new(RangeQuery::new(lower, upper))
}

fn filter_queries(fields: &Fields, filter: &Filter) -> Vec<Box<dyn Query>> {
    let mut queries: Vec<Box<dyn Query>> = Vec::new();
    if let Some(accounts) = &filter.accounts {
        let accounts = accounts.iter().map(|id| account_query(fields, *id));
        queries.push(Box::new(BooleanQuery::union(accounts.collect())));
    }
    queries.extend(filter.lang.as_ref().map(|lang| raw_query(fields.lang, lang)));
    queries.extend(filter.has.map(|part: Part| raw_query(fields.has, part.into())));
    if filter.from.is_some() || filter.to.is_some() {
        queries.push(published_query(fields, filter.from, filter.to));
    }
    queries
}

fn account_query(fields: &Fields, id: i64) -> Box<dyn Query> {
    Box::new(TermQuery::new(IndexTerm::from_field_i64(fields.account, id), IndexRecordOption::Basic))
}

fn raw_query(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(IndexTerm::from_field_text(field, text), IndexRecordOption::Basic))
}

fn published_query(fields: &Fields, from: Option<i64>, to: Option<i64>) -> Box<dyn Query> {
    let term = |at| IndexTerm::from_field_i64(fields.published_at, at);
    let from = from.map_or(Bound::Unbounded, |at| Bound::Included(term(at)));
    let to = to.map_or(Bound::Unbounded, |at| Bound::Excluded(term(at)));
    Box::new(RangeQuery::new(from, to))
}

fn term_query(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(IndexTerm::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn boosted(query: Box<dyn Query>, weight: f32) -> Box<dyn Query> {
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}
