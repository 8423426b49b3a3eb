//! A query as sets of articles of a segment.

use tantivy::DocSet;
use tantivy::schema::{Field, IndexRecordOption, Term as IndexTerm};

use super::run::Run;
use super::{Atom, Clause, Filter, Parsed, Term, Within};
use crate::search::budget::Budget;
use crate::search::docs::{self, Bits, Checked, Docs, Nothing, all_of, any_of};
use crate::search::grams::{Gram, Postings, Space};
use crate::search::schema::Fields;
use crate::search::score::Pairs;
use crate::search::view::Segment;

/// A query over one segment.
pub struct Plan<'a> {
    pub query: &'a Parsed,
    pub filter: &'a Filter,
    pub fields: &'a Fields,
    pub segment: &'a Segment,
    pub budget: &'a Budget,
}

impl Plan<'_> {
    /// Articles that hold everything as it was asked for.
    pub fn exact(&self) -> tantivy::Result<Docs> {
        let (mut all, none) = self.fixed()?;
        for term in self.query.loose() {
            all.push(self.holds(term));
        }
        if all.is_empty() {
            all.push(self.everything());
        }
        Ok(all_of(all, none, self.segment.reader.max_doc(), self.budget.clone()))
    }

    /// Whether an article holds everything as it was asked for if it holds any of the pairs, wherever.
    pub fn means_any_of(&self, pairs: &Pairs) -> bool {
        let [clause] = &self.query.clauses[..] else { return false };
        if clause.negated || !self.filter.is_empty() {
            return false;
        }
        let mut grams = Vec::new();
        for atom in &clause.any {
            let Atom::Text(term) = atom else { return false };
            if term.quoted || term.within != Within::Anywhere {
                return false;
            }
            for run in term.runs() {
                let letters: Vec<char> = run.letters.chars().collect();
                let [(_, gram)] = cover(&letters, &run)[..] else { return false };
                grams.push(gram);
            }
        }
        grams.sort_unstable();
        grams.dedup();
        pairs.grams().eq(grams)
    }

    /// What an article must hold that is only near; `None` where everything goes.
    pub fn near(&self) -> tantivy::Result<Option<Docs>> {
        let (mut all, none) = self.fixed()?;
        if all.is_empty() && none.is_empty() {
            return Ok(None);
        }
        if all.is_empty() {
            all.push(self.everything());
        }
        Ok(Some(all_of(all, none, self.segment.reader.max_doc(), self.budget.clone())))
    }

    /// What holds for exact and near articles alike: all clauses but loose terms, and the filter.
    fn fixed(&self) -> tantivy::Result<(Vec<Docs>, Vec<Docs>)> {
        let (mut all, mut none) = (Vec::new(), Vec::new());
        for clause in self.query.clauses.iter().filter(|clause| clause.loose().is_none()) {
            let docs = self.any(clause)?;
            if clause.negated { none.push(docs) } else { all.push(docs) }
        }
        let Filter { accounts, from, to, lang, has } = self.filter;
        if let Some(accounts) = accounts {
            let each = accounts.iter().map(|id| self.account(*id));
            all.push(any_of(each.collect::<tantivy::Result<_>>()?));
        }
        if let Some(lang) = lang {
            all.push(self.raw(self.fields.lang, lang)?);
        }
        if let Some(part) = has {
            all.push(self.raw(self.fields.has, (*part).into())?);
        }
        if from.is_some() || to.is_some() {
            all.push(self.published(*from, *to));
        }
        Ok((all, none))
    }

    fn any(&self, clause: &Clause) -> tantivy::Result<Docs> {
        let mut any = Vec::new();
        for atom in &clause.any {
            match atom {
                Atom::Text(term) => any.extend(self.places(term)),
                Atom::Account { id: None, .. } => {}
                Atom::Account { id: Some(id), .. } => any.push(self.account(*id)?),
                Atom::Published { from, to } => any.push(self.published(*from, *to)),
                Atom::Lang(lang) => any.push(self.raw(self.fields.lang, lang)?),
                Atom::Has(part) => any.push(self.raw(self.fields.has, (*part).into())?),
            }
        }
        Ok(any_of(any))
    }

    /// The term stands somewhere in the article as it was typed.
    fn holds(&self, term: &Term) -> Docs {
        any_of(self.places(term))
    }

    /// A set for each part of an article that the term may stand in. A quoted run is found where the article itself
    /// says it.
    fn places(&self, term: &Term) -> Vec<Docs> {
        let spaces: &[Space] = match term.within {
            Within::Anywhere if term.quoted => &[Space::Text],
            Within::Anywhere => &[Space::Text, Space::Name, Space::Author, Space::Tag],
            Within::Title => &[Space::Title],
            Within::Author => &[Space::Author],
            Within::Tag => &[Space::Tag],
        };
        let runs: Vec<Run> = term.runs().collect();
        runs.iter().flat_map(|run| spaces.iter().map(|space| self.run(*space, run))).collect()
    }

    fn run(&self, space: Space, run: &Run) -> Docs {
        let letters: Vec<char> = run.letters.chars().collect();
        let grams = cover(&letters, run);
        if let ([letter], []) = (&letters[..], &grams[..]) {
            return self.starts_with(space, *letter);
        }
        let lists = |space| -> Option<Vec<Postings>> {
            grams.iter().map(|(_, gram)| self.segment.grams.postings(space, *gram)).collect()
        };
        let placed = |lists: Vec<Postings>, titles| -> Docs {
            let placed = grams.iter().map(|(place, _)| *place).zip(lists).collect();
            Box::new(docs::Run::new(placed, letters.len() as u32, titles, self.budget.clone()))
        };
        let Some(mut here) = lists(space) else { return Box::new(Nothing) };
        match space {
            _ if here.len() == 1 => Box::new(here.remove(0)),
            Space::Title => {
                // Titles have no places of their own: they are the first ones of the text.
                let mut all: Vec<Docs> = here.into_iter().map(|list| Box::new(list) as Docs).collect();
                let titles = self.segment.grams.lengths().clone();
                all.extend(lists(Space::Text).map(|texts| placed(texts, Some(titles))));
                all_of(all, Vec::new(), self.segment.reader.max_doc(), self.budget.clone())
            }
            _ => placed(here, None),
        }
    }

    /// Each letter of a text begins a term; many have a list of their own.
    fn starts_with(&self, space: Space, letter: char) -> Docs {
        if space == Space::Text && Gram::is_listed(letter) {
            let list = self.segment.grams.postings(Space::Letter, Gram::last(letter));
            return list.map_or(Box::new(Nothing), |list| Box::new(list));
        }
        let mut bits = Bits::new(self.segment.reader.max_doc());
        let mut budget = self.budget.clone();
        for mut list in self.segment.grams.starting_with(space, letter) {
            while list.doc() < self.segment.reader.max_doc() && !budget.is_spent() {
                bits.insert(list.doc());
                list.advance();
            }
        }
        bits.into_docs()
    }

    fn account(&self, id: i64) -> tantivy::Result<Docs> {
        self.list(self.fields.account, &IndexTerm::from_field_i64(self.fields.account, id))
    }

    fn raw(&self, field: Field, text: &str) -> tantivy::Result<Docs> {
        self.list(field, &IndexTerm::from_field_text(field, text))
    }

    fn list(&self, field: Field, term: &IndexTerm) -> tantivy::Result<Docs> {
        let index = self.segment.reader.inverted_index(field)?;
        Ok(match index.read_postings(term, IndexRecordOption::Basic)? {
            Some(list) => Box::new(list),
            None => Box::new(Nothing),
        })
    }

    fn published(&self, from: Option<i64>, to: Option<i64>) -> Docs {
        let published = self.segment.published.clone();
        let (from, to) = (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
        let check = move |doc| (from..to).contains(&published.get_val(doc));
        Box::new(Checked::new(self.segment.reader.max_doc(), check, self.budget.clone()))
    }

    fn everything(&self) -> Docs {
        Box::new(Checked::new(self.segment.reader.max_doc(), |_| true, self.budget.clone()))
    }
}

/// What must stand one after another, with the place of each: the marks, and pairs of letters, so that
/// each letter is in one of them.
fn cover(letters: &[char], run: &Run) -> Vec<(u32, Gram)> {
    let mut grams: Vec<(u32, Gram)> = run.marks.iter().map(|mark| (mark.place, mark.gram)).collect();
    let is_sure = |at: usize| {
        let at = at as u32;
        run.marks.iter().any(|mark| (mark.place..mark.place + mark.letters).contains(&at))
    };
    let mut at = 0;
    while at < letters.len() {
        if is_sure(at) {
            at += 1;
        } else if at + 1 < letters.len() {
            grams.push((at as u32, Gram::pair(letters[at], letters[at + 1])));
            at += 2;
        } else {
            // The last letter, with the one before.
            if let Some(before) = at.checked_sub(1) {
                grams.push((before as u32, Gram::pair(letters[before], letters[at])));
            }
            at += 1;
        }
    }
    grams
}
