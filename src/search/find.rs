//! One search, from what was asked to what is shown.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono_tz::Tz;

use super::place::Cursor;
use super::queries::{self, Bearer, Place, Published};
use super::query::moment::read_period;
use super::query::parse::read;
use super::query::reading::Reading;
use super::query::{Filter, Parsed, Part};
use super::rank::{Answer, Facets, Hit, Request, Sort};
use super::snippet::Highlighter;
use super::trap::Traps;
use super::wanted::Wanted;
use crate::app::App;
use crate::articles::content::plain_text;
use crate::error::{Error, Problems};
use crate::page::Page;
use crate::text::script::Script;

/// Results on a page unless asked otherwise, and at most.
pub const PAGE: usize = 20;
pub const MAX_PAGE: usize = 100;
/// Characters of a passage.
const PASSAGE: usize = 120;
/// Other outlets named under a hit.
const MAX_ALSO: usize = 5;
/// Accounts that an answer is counted by.
const MAX_FACET_ACCOUNTS: usize = 12;

/// Who asks, and where they are.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    pub user: Option<i64>,
    pub zone: Tz,
    /// In which they read; what they type goes before it.
    pub script: Script,
}

impl Reader {
    /// The reader of a page.
    pub fn of(page: &Page) -> Reader {
        Reader {
            user: page.user.as_ref().map(|user| user.id),
            zone: page.zone(),
            script: page.script.shown.script(page.locale),
        }
    }
}

/// What was found. Only articles that readers may see now.
#[derive(Debug, Default)]
pub struct Found {
    /// How the query was understood.
    pub reading: Reading,
    /// Accounts asked for, by what they were asked for as; those that are there.
    pub accounts: HashMap<String, Bearer>,
    pub total: usize,
    /// Of these, the ones that hold every term as it stands.
    pub exact: usize,
    /// Nothing held all that was quoted, so what is shown holds parts of it.
    pub relaxed: bool,
    /// Not everything was looked at.
    pub partial: bool,
    pub took: Duration,
    pub items: Vec<Item>,
    pub next: Option<Cursor>,
    /// Of the whole answer; only with the first page, where it was asked for.
    pub facets: Option<Counts>,
}

/// [`Facets`], with the accounts' names.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    pub accounts: Vec<(Bearer, usize)>,
    pub months: Vec<((i32, u32), usize)>,
    pub langs: Vec<(String, usize)>,
    pub has: Vec<(Part, usize)>,
}

#[derive(Debug)]
pub struct Item {
    pub article: Published,
    /// Articles of other accounts that say nearly the same.
    pub also: Vec<Place>,
    pub score: f32,
    /// Safe HTML with `<mark>`.
    pub title_html: String,
    pub snippet_html: String,
}

/// Searches. Days are those of the reader's zone.
///
/// # Errors
/// [`Error::Invalid`] for a date, order, limit or cursor that cannot be read, never for the query.
pub async fn find(app: &App, wanted: &Wanted, reader: Reader) -> Result<Found, Error> {
    let started = Instant::now();
    let (request, mut found) = prepare(app, wanted, reader).await?;
    if let Some(request) = request {
        let counted = request.facets.is_some();
        let (answer, shown) = fetch(app, request.clone(), &mut found).await?;
        if counted {
            found.facets = Some(counts(app, answer.facets).await?);
        }
        let also = also(app, shown.iter().map(|(hit, _)| hit)).await?;
        let answered = request.query.relaxed().filter(|_| found.relaxed).unwrap_or(request.query);
        let by_relevance = request.sort == Sort::Relevance;
        let show = move || {
            let mut shown: Vec<Shown> = shown.into_iter().map(Shown::new).collect();
            if by_relevance {
                words_first(&Traps::of(&answered), &mut shown);
            }
            let highlighter = Highlighter::new(&answered);
            shown.into_iter().map(|shown| shown.item(&highlighter, &also)).collect::<Vec<_>>()
        };
        found.items = crate::blocking::run(show).await.map_err(anyhow::Error::from)?;
    }
    found.took = started.elapsed();
    Ok(found)
}

/// Puts articles that only seem to hold a word behind those that do; scores keep falling.
fn words_first(traps: &Traps, shown: &mut [Shown]) {
    if traps.is_empty() {
        return;
    }
    let scores: Vec<f32> = shown.iter().map(|shown| shown.hit.score).collect();
    shown.sort_by_cached_key(|shown| traps.takes_in([&shown.article.title, &shown.text]));
    shown.iter_mut().zip(scores).for_each(|(shown, score)| shown.hit.score = score);
}

/// The ids found, in order, without their articles, for what shows articles in its own way; and whether not everything
/// was looked at.
///
/// # Errors
/// As of [`find`].
pub async fn find_ids(app: &App, wanted: &Wanted, reader: Reader) -> Result<(Vec<i64>, bool), Error> {
    let (request, _) = prepare(app, wanted, reader).await?;
    let Some(request) = request else { return Ok((Vec::new(), false)) };
    let answer = app.search.ask(request).await?;
    Ok((answer.hits.into_iter().map(|hit| hit.article).collect(), answer.partial))
}

/// Asks until the page is full: once, unless the index has not heard yet that an article is gone;
/// then some more for the gap.
async fn fetch(
    app: &App,
    mut request: Request,
    found: &mut Found,
) -> Result<(Answer, Vec<(Hit, Published)>), Error> {
    let limit = request.limit;
    let mut first: Option<Answer> = None;
    let mut shown = Vec::new();
    let mut missing = 0;
    loop {
        let answer = app.search.ask(request.clone()).await?;
        let ids: Vec<i64> = answer.hits.iter().map(|hit| hit.article).collect();
        let rows = queries::published(app.db.read(), &ids).await?;
        missing += ids.len() - rows.len();
        shown.extend(in_order(&answer.hits, rows));
        found.next = answer.next;
        found.partial |= answer.partial;
        found.relaxed |= answer.relaxed;
        first.get_or_insert(answer);
        if shown.len() >= limit || found.next.is_none() {
            break;
        }
        request.limit = limit - shown.len();
        request.after = found.next;
        request.facets = None;
    }
    let first = first.unwrap_or_default();
    found.total = first.total.saturating_sub(missing).max(shown.len());
    found.exact = first.exact.min(found.total);
    Ok((first, shown))
}

/// What an article has to hold to be found; `None` where nothing can be. Days are those of the reader's zone.
///
/// # Errors
/// As of [`find`].
pub async fn asked(app: &App, wanted: &Wanted, reader: Reader) -> Result<Option<(Parsed, Filter)>, Error> {
    let (request, _) = prepare(app, wanted, reader).await?;
    Ok(request.map(|request| (request.query, request.filter)))
}

/// Reads what was asked for. There is no request where nothing can be found, such as in an account
/// that is not there.
async fn prepare(app: &App, wanted: &Wanted, reader: Reader) -> Result<(Option<Request>, Found), Error> {
    let mut request = read_request(wanted, reader, app.clock.now().0)?;
    request.time = Some(Duration::from_millis(app.config.search_time.into()));
    let mut reading = read(&wanted.q, reader.zone);
    reading.parsed.expand(&app.synonyms);
    let asked: HashSet<&str> =
        reading.parsed.handles().chain(wanted.accounts.iter().map(String::as_str)).collect();
    let accounts = queries::bearers(app.db.read(), &asked).await?;
    request.query = reading.parsed.clone();
    request.query.resolve(&accounts.iter().map(|(asked, account)| (asked.clone(), account.id)).collect());
    let mut narrowed: Option<Vec<i64>> = None;
    if !wanted.accounts.is_empty() {
        let chosen = wanted.accounts.iter().filter_map(|handle| accounts.get(handle));
        narrowed = Some(chosen.map(|account| account.id).collect());
    }
    if let (false, Some(user)) = (wanted.scope.is_empty(), reader.user) {
        let followed = queries::followed_accounts(app.db.read(), user).await?;
        narrowed = Some(match narrowed {
            Some(ids) => ids.into_iter().filter(|id| followed.contains(id)).collect(),
            None => followed,
        });
    }
    let nothing = narrowed.as_ref().is_some_and(Vec::is_empty) || wanted.is_empty();
    request.filter.accounts = narrowed;
    let found = Found { reading, accounts, ..Found::default() };
    Ok(((!nothing).then_some(request), found))
}

fn read_request(wanted: &Wanted, reader: Reader, now: i64) -> Result<Request, Error> {
    let mut problems = Problems::default();
    let mut day = |field: &'static str, text: &str, end: bool| {
        let period = read_period(text, reader.zone);
        if !text.is_empty() && period.is_none() {
            problems.add(field, "search-bad-date");
        }
        period.map(|period| if end { period.end.0 } else { period.start.0 })
    };
    let (from, to) = (day("from", &wanted.from, false), day("to", &wanted.to, true));
    let sort = match wanted.sort.as_str() {
        "newest" => Sort::Newest,
        "oldest" => Sort::Oldest,
        other => {
            if !matches!(other, "" | "relevance") {
                problems.add("sort", "search-bad-sort");
            }
            Sort::Relevance
        }
    };
    let limit = match wanted.limit.as_str() {
        "" => PAGE,
        text => text.parse().unwrap_or_else(|_| {
            problems.add("limit", "search-bad-limit");
            PAGE
        }),
    };
    let after = Cursor::decode(&wanted.cursor);
    if after.is_none() && !wanted.cursor.is_empty() {
        problems.add("cursor", "search-bad-cursor");
    }
    if wanted.part().is_none() && !wanted.has.is_empty() {
        problems.add("has", "search-bad-has");
    }
    match wanted.scope.as_str() {
        "" => {}
        "subscriptions" if reader.user.is_some() => {}
        "subscriptions" => problems.add("in", "search-sign-in"),
        _ => problems.add("in", "search-bad-scope"),
    }
    problems.check()?;
    let lang = Some(wanted.lang.clone()).filter(|lang| !lang.is_empty());
    Ok(Request {
        query: Default::default(),
        filter: Filter { accounts: None, from, to, lang, has: wanted.part() },
        sort,
        limit: limit.clamp(1, MAX_PAGE),
        after,
        now,
        fold: wanted.fold,
        facets: Some(reader.zone).filter(|_| wanted.facets && after.is_none()),
        time: None,
    })
}

async fn counts(app: &App, facets: Facets) -> Result<Counts, Error> {
    let mut accounts = facets.accounts;
    accounts.truncate(MAX_FACET_ACCOUNTS);
    let ids: Vec<i64> = accounts.iter().map(|(id, _)| *id).collect();
    let mut names = queries::accounts(app.db.read(), &ids).await?;
    let named = accounts.into_iter().filter_map(|(id, count)| Some((names.remove(&id)?, count))).collect();
    Ok(Counts { accounts: named, months: facets.months, langs: facets.langs, has: facets.has })
}

/// Places of near-duplicates, by id.
async fn also(app: &App, hits: impl Iterator<Item = &Hit>) -> Result<HashMap<i64, Place>, Error> {
    let ids: Vec<i64> = hits.flat_map(|hit| hit.also.iter().take(MAX_ALSO).copied()).collect();
    Ok(queries::places(app.db.read(), &ids).await?)
}

fn in_order(hits: &[Hit], rows: Vec<Published>) -> Vec<(Hit, Published)> {
    let mut rows: HashMap<i64, Published> = rows.into_iter().map(|row| (row.id, row)).collect();
    hits.iter().filter_map(|hit| Some((hit.clone(), rows.remove(&hit.article)?))).collect()
}

/// A result on its way to the page.
struct Shown {
    hit: Hit,
    article: Published,
    /// The article's, plain.
    text: String,
}

impl Shown {
    fn new((hit, article): (Hit, Published)) -> Shown {
        Shown { hit, text: plain_text(&article.body_html), article }
    }

    fn item(self, highlighter: &Highlighter, also: &HashMap<i64, Place>) -> Item {
        Item {
            title_html: highlighter.mark(&self.article.title),
            snippet_html: highlighter.passage(&self.text, PASSAGE),
            also: self.hit.also.iter().filter_map(|id| also.get(id).cloned()).collect(),
            score: self.hit.score,
            article: self.article,
        }
    }
}
