//! What the reader typed, as tantivy queries.
//!
//! The language is forgiving: terms apart by spaces or punctuation, `"quoted phrases"` in any of
//! the usual marks (“” 「」 『』), `-not` for what must be absent. Every string has an answer.
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

use super::schema::Fields;
use super::tokenizer::is_term;
use crate::text::{fold, segment};

/// More than anybody means to ask for; what is beyond is left out.
const MAX_LETTERS: usize = 1_000;
const MAX_TERMS: usize = 32;
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

/// A query as understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    pub terms: Vec<Term>,
}

/// A run of letters asked for, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// As typed, folded, with inner punctuation.
    pub text: String,
    /// Only what is compared; never empty.
    pub letters: String,
    pub quoted: bool,
    pub negated: bool,
}

/// Narrows an answer without changing its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub account: Option<i64>,
    /// Published at or after, Unix milliseconds.
    pub from: Option<i64>,
    /// Published before.
    pub to: Option<i64>,
    pub lang: Option<String>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }
}

impl Parsed {
    pub fn parse(text: &str) -> Parsed {
        let mut parser = Parser { rest: text, last: None, room: MAX_LETTERS, terms: Vec::new() };
        while parser.terms.len() < MAX_TERMS && parser.room > 0 && parser.step() {}
        Parsed { terms: parser.terms }
    }

    /// Nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn wanted(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|term| !term.negated)
    }

    /// The queries to run one after another, as long as the answer is short; each includes the
    /// matches of the one before. First articles that hold every term as it stands, then those that
    /// share more or less of them. Quoted terms must stand in every tier, and `-not` terms in none.
    pub fn tiers(&self, fields: &Fields, filter: &Filter) -> Vec<Box<dyn Query>> {
        if self.is_empty() && filter.is_empty() {
            return vec![Box::new(EmptyQuery)];
        }
        let loose: Vec<&Term> = self.wanted().filter(|term| !term.quoted).collect();
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
        for term in self.wanted().filter(|term| !term.quoted) {
            clauses.push((Occur::Must, holds(term, fields)));
        }
        if self.wanted().next().is_none() {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
        }
        clauses.extend(tokens.scored(fields).map(|query| (Occur::Should, query)));
        Box::new(BooleanQuery::new(clauses))
    }

    /// What holds in every tier: quoted terms, `-not` terms, the filter.
    fn fixed(&self, fields: &Fields, filter: &Filter) -> Vec<(Occur, Box<dyn Query>)> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for term in &self.terms {
            match (term.negated, term.quoted) {
                (true, _) => clauses.push((Occur::MustNot, holds(term, fields))),
                (false, true) => clauses.push((Occur::Must, holds(term, fields))),
                (false, false) => {}
            }
        }
        for query in filter_queries(fields, filter) {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0))));
        }
        clauses
    }
}

impl Term {
    fn new(text: &str, quoted: bool, negated: bool, room: usize) -> Option<Term> {
        let mut text = fold::fold(text);
        if let Some((end, _)) = text.char_indices().nth(room) {
            text.truncate(end);
        }
        let letters = fold::letters(&text);
        (!letters.is_empty()).then_some(Term { text, letters, quoted, negated })
    }

    /// Words that make up the term, without those of one letter (of which there is one in nearly
    /// every article); the whole term if there is none.
    pub fn words(&self) -> Vec<&str> {
        let words: Vec<&str> = segment::words(&self.text)
            .into_iter()
            .filter(|word| fold::letters(word).chars().nth(1).is_some())
            .collect();
        if words.is_empty() { vec![&self.letters] } else { words }
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

/// The term stands somewhere in the article as it was typed: title or body, and for unquoted terms
/// also account, author or tags. (A quoted run is found where the article itself says it.)
fn holds(term: &Term, fields: &Fields) -> Box<dyn Query> {
    let own = [(fields.title, weight::TITLE), (fields.body, weight::BODY)];
    let around = [
        (fields.account_name, weight::ACCOUNT_NAME),
        (fields.author, weight::AUTHOR),
        (fields.tags, weight::TAGS),
    ];
    let around = if term.quoted { &[][..] } else { &around[..] };
    let runs = own.iter().chain(around).map(|(field, w)| boosted(run(*field, &term.letters), *w));
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
    if let Some(account) = filter.account {
        let term = IndexTerm::from_field_i64(fields.account, account);
        queries.push(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
    }
    if let Some(lang) = &filter.lang {
        let term = IndexTerm::from_field_text(fields.lang, lang);
        queries.push(Box::new(TermQuery::new(term, IndexRecordOption::Basic)));
    }
    if filter.from.is_some() || filter.to.is_some() {
        let term = |at| IndexTerm::from_field_i64(fields.published_at, at);
        let from = filter.from.map_or(Bound::Unbounded, |at| Bound::Included(term(at)));
        let to = filter.to.map_or(Bound::Unbounded, |at| Bound::Excluded(term(at)));
        queries.push(Box::new(RangeQuery::new(from, to)));
    }
    queries
}

fn term_query(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(IndexTerm::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn boosted(query: Box<dyn Query>, weight: f32) -> Box<dyn Query> {
    if weight == 1.0 { query } else { Box::new(BoostQuery::new(query, weight)) }
}

struct Parser<'a> {
    rest: &'a str,
    /// What stands before it, a minus left out.
    last: Option<char>,
    /// Letters that may still be asked for.
    room: usize,
    terms: Vec<Term>,
}

impl Parser<'_> {
    /// Reads one term or separator; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        let negated = is_minus(first) && {
            let next = self.rest[first.len_utf8()..].chars().next();
            // -30℃ is a temperature and -- a dash, not something to leave out.
            next.is_some_and(|c| !c.is_whitespace() && !c.is_numeric() && !is_minus(c))
        };
        if negated {
            self.rest = &self.rest[first.len_utf8()..];
        }
        if !self.quoted(negated) {
            self.plain(negated);
        }
        true
    }

    /// Quotation marks bind when they stand apart: in 谈“十五五”规划 they are only the author's, and
    /// what is inside is a term like the others.
    fn quoted(&mut self, negated: bool) -> bool {
        let mut chars = self.rest.chars();
        let Some(close) = chars.next().and_then(closing_marks) else { return false };
        let inside = chars.as_str();
        let Some(end) = inside.find(close) else { return false };
        let after = end + inside[end..].chars().next().map_or(0, char::len_utf8);
        let text = &inside[..end];
        self.rest = &inside[after..];
        let apart = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let binds = apart(self.last) && apart(self.rest.chars().next());
        self.last = inside[end..].chars().next();
        self.push(text, binds, negated);
        true
    }

    /// Up to the next separator, and past it.
    fn plain(&mut self, negated: bool) {
        let end = self.rest.find(is_separator).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        let separator = rest.chars().next();
        // A quotation mark is left for the next step, unless it stands here unpaired.
        let skip = separator.filter(|c| end == 0 || closing_marks(*c).is_none());
        self.rest = &rest[skip.map_or(0, char::len_utf8)..];
        self.last = skip.or(text.chars().next_back());
        self.push(text, false, negated);
    }

    fn push(&mut self, text: &str, quoted: bool, negated: bool) {
        if let Some(term) = Term::new(text, quoted, negated, self.room) {
            self.room = self.room.saturating_sub(term.text.chars().count());
            if !self.terms.contains(&term) {
                self.terms.push(term);
            }
        }
    }
}

/// The marks that close what this one opens.
fn closing_marks(open: char) -> Option<&'static [char]> {
    match open {
        '"' | '＂' | '“' | '”' | '„' | '«' => Some(&['"', '＂', '”', '“', '»']),
        '「' | '｢' => Some(&['」', '｣']),
        '『' => Some(&['』']),
        _ => None,
    }
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '－' | '−')
}

/// What parts terms. Points, hyphens, slashes and the like inside a term are passed over as in the
/// articles themselves.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || closing_marks(c).is_some()
        || matches!(
            c,
            ',' | ';'
                | '!'
                | '?'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '|'
                | '<'
                | '>'
                | '，'
                | '。'
                | '、'
                | '；'
                | '：'
                | '！'
                | '？'
                | '（'
                | '）'
                | '【'
                | '】'
                | '〔'
                | '〕'
                | '《'
                | '》'
                | '〈'
                | '〉'
                | '」'
                | '』'
                | '｣'
                | '｜'
                | '…'
                | '»'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mark = |term: &Term| {
            let minus = if term.negated { "-" } else { "" };
            let quote = if term.quoted { "\"" } else { "" };
            format!("{minus}{quote}{}{quote}", term.letters)
        };
        Parsed::parse(text).terms.iter().map(mark).collect()
    }

    #[test]
    fn terms_phrases_and_exclusions_are_told_apart() {
        for (text, terms) in [
            ("颱風 登陸", vec!["台风", "登陆"]),
            ("“十五五” 规划", vec!["\"十五五\"", "规划"]),
            ("谈“十五五”规划", vec!["谈", "十五五", "规划"]),
            ("「國務院 常務會議」 -香港", vec!["\"国务院常务会议\"", "-香港"]),
            ("a\"b c\"d \"e f\"", vec!["a", "bc", "d", "\"ef\""]),
            ("-\"貿易 戰\" 关税", vec!["-\"贸易战\"", "关税"]),
            ("-30℃，我们破雪而来", vec!["30c", "我们破雪而来"]),
            ("新冠-19 C++ 12:30", vec!["新冠19", "c", "1230"]),
            ("只开不关“的引号", vec!["只开不关", "的引号"]),
            ("5\" 屏幕", vec!["5", "屏幕"]),
            ("重复 重复", vec!["重复"]),
            ("－－ - “” 「」 ！！！ 👍", vec![]),
        ] {
            assert_eq!(read(text), terms, "{text}");
        }
    }

    #[test]
    fn very_long_queries_are_cut() {
        let long = "字符".repeat(5_000);
        assert_eq!(Parsed::parse(&long).terms[0].letters.chars().count(), MAX_LETTERS);
        let many: String = (0..500).map(|n| format!("词{n} ")).collect();
        assert_eq!(Parsed::parse(&many).terms.len(), MAX_TERMS);
    }

    proptest! {
        #[test]
        fn any_string_is_read(text in any::<String>(), marks in "[-“”「」\"a字 ]{0,30}") {
            for text in [text, marks] {
                let parsed = Parsed::parse(&text);
                prop_assert!(parsed.terms.iter().all(|term| !term.letters.is_empty()));
                let (_, fields) = Fields::schema();
                prop_assert!(!parsed.tiers(&fields, &Filter::default()).is_empty());
            }
        }
    }
}
