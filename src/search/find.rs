//! One search, from what was asked to what is shown.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono_tz::Tz;

use super::queries::{self, Published};
use super::query::Filter;
use super::query::moment::read_period;
use super::query::parse::parse;
use super::rank::{Cursor, Hit, Request, Sort};
use super::snippet::Highlighter;
use crate::accounts::queries::{Found as FoundAccount, by_handle};
use crate::app::App;
use crate::articles::content::plain_text;
use crate::error::{Error, Problems};

/// Results on a page unless asked otherwise, and at most.
pub const PAGE: usize = 20;
pub const MAX_PAGE: usize = 100;
/// Characters of a passage.
const PASSAGE: usize = 120;

/// A search as it came in an address, unread. Any string is allowed anywhere.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub q: String,
    /// Handle, with or without @.
    pub account: String,
    /// A day, month or year, or a moment as in RFC 3339; from its beginning, to its end.
    pub from: String,
    pub to: String,
    pub lang: String,
    /// `relevance` or `newest`.
    pub sort: String,
    pub limit: String,
    pub cursor: String,
}

/// What was found. Only articles that readers may see now.
#[derive(Debug, Default)]
pub struct Found {
    pub total: usize,
    /// Of these, the ones that hold every term as it stands.
    pub exact: usize,
    pub took: Duration,
    pub items: Vec<Item>,
    pub next: Option<Cursor>,
}

#[derive(Debug)]
pub struct Item {
    pub article: Published,
    pub score: f32,
    /// Safe HTML with `<mark>`.
    pub title_html: String,
    pub snippet_html: String,
}

impl Wanted {
    /// Reads the query part of an address; of a name that comes twice the last counts.
    pub fn from_query(query: &str) -> Wanted {
        let mut wanted = Wanted::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let field = match &*name {
                "q" => &mut wanted.q,
                "account" => &mut wanted.account,
                "from" => &mut wanted.from,
                "to" => &mut wanted.to,
                "lang" => &mut wanted.lang,
                "sort" => &mut wanted.sort,
                "limit" => &mut wanted.limit,
                "cursor" => &mut wanted.cursor,
                _ => continue,
            };
            *field = value.trim().to_owned();
        }
        wanted
    }

    /// The address of the same search elsewhere in its results.
    pub fn path(&self, cursor: Option<Cursor>) -> String {
        let start = "/search?";
        let mut query = url::form_urlencoded::Serializer::for_suffix(start.to_owned(), start.len());
        let cursor = cursor.map(|cursor| cursor.encode()).unwrap_or_default();
        for (name, value) in [
            ("q", &self.q),
            ("account", &self.account),
            ("from", &self.from),
            ("to", &self.to),
            ("lang", &self.lang),
            ("sort", &self.sort),
            ("cursor", &cursor),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// The same, for a choice of order.
    pub fn sorted(&self, sort: &str) -> String {
        Wanted { sort: sort.to_owned(), ..self.clone() }.path(None)
    }

    pub fn has_filter(&self) -> bool {
        [&self.account, &self.from, &self.to, &self.lang].iter().any(|field| !field.is_empty())
    }

    /// Nothing was asked for at all.
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && !self.has_filter()
    }
}

/// Searches. Days are those of `zone`.
///
/// # Errors
/// [`Error::Invalid`] for a date, order, limit or cursor that cannot be read, never for the query.
pub async fn find(app: &App, wanted: &Wanted, zone: Tz) -> Result<Found, Error> {
    let started = Instant::now();
    let Some(mut request) = read(app, wanted, zone).await? else {
        return Ok(Found::default());
    };
    let limit = request.limit;
    let mut found = Found::default();
    let mut shown = Vec::new();
    let (mut missing, mut first) = (0, true);
    // Once, unless the index has not heard yet that an article is gone; then some more for the gap.
    loop {
        let answer = app.search.ask(request.clone()).await?;
        if std::mem::take(&mut first) {
            (found.total, found.exact) = (answer.total, answer.exact);
        }
        let ids: Vec<i64> = answer.hits.iter().map(|hit| hit.article).collect();
        let rows = queries::published(app.db.read(), &ids).await?;
        missing += ids.len() - rows.len();
        shown.extend(in_order(&answer.hits, rows));
        found.next = answer.next;
        if shown.len() >= limit || answer.next.is_none() {
            break;
        }
        request.limit = limit - shown.len();
        request.after = answer.next;
    }
    found.total = found.total.saturating_sub(missing).max(shown.len());
    found.exact = found.exact.min(found.total);
    let highlighter = Highlighter::new(&request.query);
    let show = move || shown.into_iter().map(|(hit, row)| item(&highlighter, hit, row)).collect();
    found.items = tokio::task::spawn_blocking(show).await.map_err(anyhow::Error::from)?;
    found.took = started.elapsed();
    Ok(found)
}

/// `None` where nothing can be found, such as in an account that is not there.
async fn read(app: &App, wanted: &Wanted, zone: Tz) -> Result<Option<Request>, Error> {
    let mut problems = Problems::default();
    let mut day = |field: &'static str, text: &str, end: bool| {
        let period = read_period(text, zone);
        if !text.is_empty() && period.is_none() {
            problems.add(field, "search-bad-date");
        }
        period.map(|period| if end { period.end.0 } else { period.start.0 })
    };
    let (from, to) = (day("from", &wanted.from, false), day("to", &wanted.to, true));
    let sort = match wanted.sort.as_str() {
        "" | "relevance" => Sort::Relevance,
        "newest" => Sort::Newest,
        _ => {
            problems.add("sort", "search-bad-sort");
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
    problems.check()?;
    let account = match wanted.account.trim_start_matches('@') {
        "" => None,
        handle => match account_id(app, handle).await? {
            None => return Ok(None),
            id => id,
        },
    };
    let lang = Some(wanted.lang.clone()).filter(|lang| !lang.is_empty());
    Ok(Some(Request {
        query: parse(&wanted.q, zone),
        filter: Filter { accounts: account.map(|id| vec![id]), from, to, lang, has: None },
        sort,
        limit: limit.clamp(1, MAX_PAGE),
        after,
        now: app.clock.now().0,
        facets: false,
        time: None,
    }))
}

async fn account_id(app: &App, handle: &str) -> Result<Option<i64>, Error> {
    let found = by_handle(app.db.read(), handle).await?;
    Ok(found.map(|(FoundAccount::Here(account) | FoundAccount::Moved(account))| account.id))
}

fn in_order(hits: &[Hit], rows: Vec<Published>) -> Vec<(Hit, Published)> {
    let mut rows: HashMap<i64, Published> = rows.into_iter().map(|row| (row.id, row)).collect();
    hits.iter().filter_map(|hit| Some((hit.clone(), rows.remove(&hit.article)?))).collect()
}

fn item(highlighter: &Highlighter, hit: Hit, article: Published) -> Item {
    let title_html = highlighter.mark(&article.title);
    let snippet_html = highlighter.passage(&plain_text(&article.body_html), PASSAGE);
    Item { score: hit.score, title_html, snippet_html, article }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_whatever_is_in_it() {
        let wanted = Wanted::from_query("q=%E5%8F%B0%FF+a&q=b%20c&sort=newest&x=%");
        assert_eq!((wanted.q.as_str(), wanted.sort.as_str()), ("b c", "newest"));
        assert_eq!(Wanted::from_query("q=%E5%8F%B0%FF").q, "台\u{FFFD}");
        assert_eq!(Wanted::from_query("q=台&from=2026").path(None), "/search?q=%E5%8F%B0&from=2026");
    }
}
