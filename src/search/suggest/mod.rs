//! Suggestions while a reader types: accounts, tags, frequent queries and titles, by Chinese in either
//! script, pinyin, its initials, or a mixture. And what they probably meant where little was found.
//!
//! Every node keeps its own [`Known`] in memory: made from the database when the node starts and from
//! time to time, and kept up by events in between ([`follower`]). What is shown is read from the
//! database at that moment, so what was withdrawn is never suggested.
//!
//! - [`dictionary`]: texts sorted by letters, sounds and initials; [`lookup`] walks them.
//! - [`near`]: near misses, for "did you mean".
//! - [`queries`]: reads of the database.

pub mod api;
pub mod dictionary;
pub mod follower;
pub mod lookup;
pub mod near;
pub mod pages;
pub mod queries;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use utoipa::ToSchema;

use self::dictionary::Dictionary;
use self::lookup::{Fit, Match};
use self::near::Vocabulary;
use crate::app::App;
use crate::error::Error;
use crate::text::pinyin::typed::typed;

/// Letters of what was typed that are looked at.
const TYPED: usize = 120;
/// Suggestions unless asked otherwise, and at most.
pub const USUAL: usize = 8;
pub const MOST: usize = 20;
/// Accounts, and tags and queries, among them.
const ACCOUNTS: usize = 3;
const TERMS: usize = 2;

/// This node's suggestions.
#[derive(Debug, Default)]
pub struct Suggest {
    known: RwLock<Arc<Known>>,
}

/// All that can be suggested, as it was at some moment.
#[derive(Debug, Default)]
pub struct Known {
    base: Arc<Base>,
    accounts: Arc<Dictionary<i64>>,
    /// Titles newer than the base.
    fresh: Dictionary<i64>,
    /// Articles whose titles in the base do not count any more.
    replaced: HashSet<i64>,
}

/// What is made anew from time to time only.
#[derive(Debug, Default)]
pub struct Base {
    terms: Dictionary<Term>,
    titles: Dictionary<i64>,
    vocabulary: Vocabulary,
}

/// A tag, or a query that several readers asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub text: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    Account,
    Tag,
    Query,
    Title,
}

/// One suggestion.
#[derive(Debug, Clone)]
pub struct Suggestion {
    pub kind: Kind,
    pub text: String,
    /// The account's handle, or the name of a title's account; empty for tags and queries.
    pub detail: String,
    /// Where it leads: the account, the article, or a search.
    pub path: String,
    /// BCP 47; empty where it is not known.
    pub lang: String,
}

impl Suggest {
    /// As it is now; stays as it is while it is held.
    pub fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }
}

/// What was found in memory, not yet looked up.
#[derive(Debug, Default)]
pub struct Found {
    pub accounts: Vec<i64>,
    pub terms: Vec<Term>,
    /// More than asked for, since some may be gone.
    pub titles: Vec<i64>,
}

impl Known {
    /// Makes one of its parts; for the bench too.
    pub fn new(
        accounts: Dictionary<i64>,
        terms: Dictionary<Term>,
        titles: Dictionary<i64>,
        vocabulary: Vocabulary,
    ) -> Known {
        let base = Arc::new(Base { terms, titles, vocabulary });
        Known { base, accounts: Arc::new(accounts), ..Known::default() }
    }

    /// The best of each kind for what was typed.
    pub fn find(&self, text: &str, limit: usize) -> Found {
        let typed = typed(text, TYPED);
        if typed.is_empty() {
            return Found::default();
        }
        let mut accounts = self.accounts.find(&typed, ACCOUNTS);
        // An account in whose name it merely stands somewhere is suggested after a better one only.
        if accounts.iter().any(|one| one.fit <= Fit::Start) {
            accounts.retain(|one| one.fit <= Fit::Inner);
        }
        let terms = self.base.terms.find(&typed, limit);
        let mut titles: Vec<(Fit, bool, Match)> = Vec::new();
        titles.extend(self.fresh.find(&typed, limit).into_iter().map(|one| (one.fit, false, one)));
        let base = self.base.titles.find(&typed, limit + 8);
        titles.extend(base.into_iter().map(|one| (one.fit, true, one)));
        titles.sort_unstable();
        let id = |(_, in_base, one): (Fit, bool, Match)| match in_base {
            true => Some(*self.base.titles.item(one)).filter(|id| !self.replaced.contains(id)),
            false => Some(*self.fresh.item(one)),
        };
        Found {
            accounts: accounts.into_iter().map(|one| *self.accounts.item(one)).collect(),
            terms: terms.into_iter().map(|one| self.base.terms.item(one).clone()).collect(),
            titles: titles.into_iter().filter_map(id).collect(),
        }
    }

    /// Bytes of memory it takes, about.
    pub fn bytes(&self) -> usize {
        self.accounts.bytes()
            + self.base.terms.bytes()
            + self.base.titles.bytes()
            + self.base.vocabulary.bytes()
            + self.fresh.bytes()
    }

    /// Titles in it.
    pub fn titles(&self) -> usize {
        self.base.titles.len() + self.fresh.len()
    }
}

/// Suggestions for what was typed so far, the best first; any text is allowed.
pub async fn suggest(app: &App, text: &str, limit: usize) -> Result<Vec<Suggestion>, Error> {
    let limit = limit.clamp(1, MOST);
    let known = app.suggest.known();
    let typed = text.to_owned();
    let found = crate::blocking::run(move || known.find(&typed, limit)).await.map_err(anyhow::Error::from)?;
    show(app, found, limit).await
}

/// Reads what is to be shown.
async fn show(app: &App, found: Found, limit: usize) -> Result<Vec<Suggestion>, Error> {
    let db = app.db.read();
    let mut shown = Vec::new();
    if !found.accounts.is_empty() {
        let rows = queries::accounts_of(db, &found.accounts).await?;
        shown.extend(in_order(&found.accounts, rows, |row| row.id).map(account));
    }
    let mut terms = found.terms.into_iter().map(term);
    shown.extend(terms.by_ref().take(TERMS));
    if !found.titles.is_empty() && shown.len() < limit {
        let rows = queries::titles_of(db, &found.titles).await?;
        let rows = in_order(&found.titles, rows, |row| row.id).map(title);
        shown.extend(rows.take(limit - shown.len()));
    }
    let room = limit.saturating_sub(shown.len());
    shown.extend(terms.take(room));
    shown.truncate(limit);
    Ok(shown)
}

fn in_order<T>(ids: &[i64], rows: Vec<T>, id: impl Fn(&T) -> i64) -> impl Iterator<Item = T> {
    let mut rows: HashMap<i64, T> = rows.into_iter().map(|row| (id(&row), row)).collect();
    ids.iter().filter_map(move |id| rows.remove(id))
}

fn account(row: queries::AccountRow) -> Suggestion {
    let path = format!("/@{}", row.handle);
    Suggestion {
        kind: Kind::Account,
        text: row.name,
        detail: format!("@{}", row.handle),
        path,
        lang: row.lang,
    }
}

fn title(row: queries::TitleRow) -> Suggestion {
    let path = format!("/@{}/{}", row.handle, row.slug);
    Suggestion { kind: Kind::Title, text: row.title, detail: row.name, path, lang: row.lang }
}

fn term(term: Term) -> Suggestion {
    let query: String = url::form_urlencoded::byte_serialize(term.text.as_bytes()).collect();
    let path = format!("/search?q={query}");
    Suggestion { kind: term.kind, text: term.text, detail: String::new(), path, lang: String::new() }
}
