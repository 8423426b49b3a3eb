//! Search inside what a reader has saved, in the language of search. The copies are no part of the index: what was
//! withdrawn is found here too. The database narrows to copies that hold the letters asked for; those are read clause
//! by clause, as new articles are by alerts.

use chrono_tz::Tz;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::queries::{Card, Cursor};
use crate::alerts::percolate::{Article, Percolator};
use crate::app::App;
use crate::articles::content::plain_text;
use crate::db::entities::saved_article::{self, Column};
use crate::error::Error;
use crate::search::query::Parsed;
use crate::search::query::parse::read;
use crate::search::schema::Entry;

/// Articles found at most.
pub const MOST_FOUND: usize = 100;
/// Copies read at once.
const CHUNK: u64 = 50;

/// What a reader's saved articles hold of a query, last saved first.
pub async fn find(app: &App, user_id: i64, zone: Tz, query: &str) -> Result<Vec<Card>, Error> {
    let parsed = read(query, zone).parsed;
    let mut found = Vec::new();
    if parsed.is_empty() {
        return Ok(found);
    }
    let mut after: Option<Cursor> = None;
    loop {
        let place = || Expr::tuple([Expr::col(Column::SavedAt), Expr::col(Column::Id)]);
        let mut select = saved_article::Entity::find()
            .filter(saved_article::COLUMN.user_id.eq(user_id))
            .filter(letters_of(&parsed))
            .order_by_desc(Column::SavedAt)
            .order_by_desc(Column::Id)
            .limit(CHUNK);
        if let Some(after) = after {
            select = select.filter(place().lt(Expr::tuple([Expr::val(after.saved_at), Expr::val(after.id)])));
        }
        let rows = select.all(app.db.read()).await?;
        let is_last = (rows.len() as u64) < CHUNK;
        let Some(last) = rows.last() else { return Ok(found) };
        after = Some(Cursor { saved_at: last.saved_at.0, id: last.id });
        let query = parsed.clone();
        let matching =
            crate::blocking::run(move || matching(&query, rows)).await.map_err(anyhow::Error::from)?;
        found.extend(matching);
        if is_last || found.len() >= MOST_FOUND {
            found.truncate(MOST_FOUND);
            return Ok(found);
        }
    }
}

/// What the letters of a copy must hold; the clauses say the rest.
fn letters_of(query: &Parsed) -> Condition {
    let mut all = Condition::all();
    for clause in query.clauses.iter().filter(|clause| !clause.negated) {
        let terms: Vec<_> = clause.terms().collect();
        if terms.len() < clause.any.len() {
            continue;
        }
        // Letters and digits alone: nothing that LIKE would take for a sign.
        let any = terms.into_iter().fold(Condition::any(), |any, term| {
            any.add(Expr::col(Column::Letters).like(format!("%{}%", term.letters)))
        });
        all = all.add(any);
    }
    all
}

fn matching(query: &Parsed, rows: Vec<saved_article::Model>) -> Vec<Card> {
    let mut percolator = Percolator::default();
    percolator.insert(0, query);
    let holds = |row: &saved_article::Model| !percolator.matches(&Article::new(&entry(row))).is_empty();
    rows.into_iter().filter(holds).map(Card::of).collect()
}

fn entry(row: &saved_article::Model) -> Entry {
    Entry {
        id: row.id,
        published_at: row.published_at.unwrap_or(row.saved_at).0,
        lang: row.lang.clone(),
        has: crate::search::queries::parts(&row.body_html),
        title: row.title.clone(),
        body: plain_text(&row.body_html),
        account_name: row.account_name.clone(),
        account_handle: row.account_handle.clone(),
        author: row.author.clone(),
        tags: row.tags.0.clone(),
        ..Entry::default()
    }
}
