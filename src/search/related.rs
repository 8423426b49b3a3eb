//! Articles that tell of the same things as another: found by its title, its tags, and the words that it keeps coming
//! back to. A report that says the same as the article, or as one that is named already, is not among them.
//!
//! The index finds what shares rare letter pairs with all of that; whether it is about the same is decided by whole
//! words, for pairs alone also meet by chance.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tracing::Instrument;

use super::queries::{self, Published};
use super::query::clues::is_light;
use super::query::{Atom, Clause, Filter, Parsed, Term};
use super::rank::{Request, Sort};
use super::sketch::Sketch;
use crate::app::App;
use crate::articles::content::plain_text;
use crate::clock::Timestamp;
use crate::db::entities::article;
use crate::error::Error;
use crate::text::{fold, segment, spelled};

/// Articles that are named.
const SHOWN: usize = 4;
/// Of these from one account, where others have some too.
const OF_ONE_ACCOUNT: usize = 2;
/// Articles that are looked at.
const LOOKED_AT: usize = 16;
/// How long the index may look, and how long a page waits for all of it: the next reader sees what came too late.
const SEARCH: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_millis(8);
/// How long an answer is kept, and one that named nothing.
const LIFE: Duration = Duration::from_secs(600);
const EMPTY_LIFE: Duration = Duration::from_secs(20);
const KEPT: u64 = 5_000;
/// Bytes of a body that are read for its words.
const OPENING: usize = 24_000;
/// Characters of a title or tag that are asked for.
const LONGEST_TERM: usize = 60;
/// Words of the text that are asked for, and how often each must stand in it.
const WORDS: usize = 6;
const OFTEN: usize = 3;

/// What this node has found lately, by article and version.
#[derive(Debug)]
pub struct Related(Cache<(i64, i32), Arc<Kept>>);

#[derive(Debug)]
struct Kept {
    ids: Vec<i64>,
    until: Timestamp,
}

impl Default for Related {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEPT).time_to_live(LIFE).build())
    }
}

/// Ids of related articles, best first. Nothing while there is no index, or where it is asked too much, or takes
/// longer than a page can wait for what is beside its text.
pub async fn of(app: &Arc<App>, article: &article::Model) -> Vec<i64> {
    let key = (article.id, article.version);
    let now = app.clock.now();
    if let Some(kept) = app.related.0.get(&key).await.filter(|kept| now < kept.until) {
        return kept.ids.clone();
    }
    let (app, article) = (app.clone(), article.clone());
    let looking = tokio::spawn(async move { look_and_keep(&app, &article).await }.in_current_span());
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(Ok(ids)) => ids,
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

async fn look_and_keep(app: &App, article: &article::Model) -> Vec<i64> {
    let ids = match look(app, article).await {
        Ok(ids) => ids,
        Err(Error::Busy { .. } | Error::Unavailable { .. }) => return Vec::new(),
        Err(error) => {
            tracing::warn!(article = article.id, "looking for related articles failed: {error:?}");
            return Vec::new();
        }
    };
    let life = if ids.is_empty() { EMPTY_LIFE } else { LIFE };
    let kept = Kept { ids: ids.clone(), until: app.clock.now() + life };
    app.related.0.insert((article.id, article.version), Arc::new(kept)).await;
    ids
}

async fn look(app: &App, article: &article::Model) -> Result<Vec<i64>, Error> {
    let subject = {
        let (title, tags) = (article.title.clone(), article.tags.0.clone());
        let html = opening(&article.body_html).to_owned();
        crate::blocking::run(move || Subject::of(&title, &tags, &html)).await.map_err(anyhow::Error::from)?
    };
    let request = Request {
        query: subject.query(),
        filter: Filter::default(),
        sort: Sort::Relevance,
        limit: LOOKED_AT,
        after: None,
        now: app.clock.now().0,
        facets: None,
        fold: true,
        time: Some(SEARCH),
    };
    if request.query.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = app.search.ask(request).await?.hits.into_iter().map(|hit| hit.article).collect();
    let mut rows: HashMap<i64, Published> =
        queries::published(app.db.read(), &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let rows: Vec<Published> =
        ids.iter().filter(|id| **id != article.id).filter_map(|id| rows.remove(id)).collect();
    let (account_id, body) = (article.account_id, article.body_html.clone());
    let chosen = crate::blocking::run(move || subject.choose(account_id, &body, rows));
    Ok(chosen.await.map_err(anyhow::Error::from)?)
}

/// As much of a body as is read for its words.
fn opening(html: &str) -> &str {
    let mut end = html.len().min(OPENING);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    &html[..end]
}

/// What an article is about.
struct Subject {
    title: String,
    tags: Vec<String>,
    /// Of the text.
    words: Vec<String>,
    /// Letters of title and tags by word, and of `words`; whoever is about the same has some of them.
    telling: HashSet<String>,
}

impl Subject {
    fn of(title: &str, tags: &[String], html: &str) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for word in telling(&plain_text(html)) {
            *counts.entry(word).or_default() += 1;
        }
        let mut often: Vec<(usize, String)> = counts
            .into_iter()
            .filter(|(_, count)| *count >= OFTEN)
            .map(|(word, count)| (count * word.chars().count(), word))
            .collect();
        often.sort_by(|one, other| other.cmp(one));
        let words: Vec<String> = often.into_iter().take(WORDS).map(|(_, word)| word).collect();
        let named = std::iter::once(title).chain(tags.iter().map(String::as_str)).flat_map(telling);
        let telling = named.chain(words.iter().cloned()).collect();
        Self { title: title.to_owned(), tags: tags.to_vec(), words, telling }
    }

    /// Each part may be missing, in part too.
    fn query(&self) -> Parsed {
        let texts = std::iter::once(&self.title).chain(&self.tags).chain(&self.words);
        let terms = texts.filter_map(|text| Term::new(text, false, LONGEST_TERM));
        Parsed { clauses: terms.map(|term| Clause { negated: false, any: vec![Atom::Text(term)] }).collect() }
    }

    /// Those that are about the same without saying the same, of several accounts where there are some.
    fn choose(&self, account_id: i64, body: &str, rows: Vec<Published>) -> Vec<i64> {
        let mut said = vec![(Sketch::of(&spelled::letters(&plain_text(body))), fold::letters(&self.title))];
        let mut about = Vec::new();
        for row in rows {
            let text = plain_text(&row.body_html);
            let says = (Sketch::of(&spelled::letters(&text)), fold::letters(&row.title));
            if said.iter().any(|(sketch, title)| sketch.says_the_same(says.0) || *title == says.1) {
                continue;
            }
            if self.is_shared_by(&row, &text) {
                said.push(says);
                about.push((row.id, row.account_id));
            }
        }
        let mut chosen = Vec::new();
        let mut by_account: HashMap<i64, usize> = HashMap::from([(account_id, 0)]);
        for (id, account) in &about {
            let count = by_account.entry(*account).or_default();
            if *count < OF_ONE_ACCOUNT {
                *count += 1;
                chosen.push(*id);
            }
        }
        let rest = about.iter().map(|(id, _)| *id).filter(|id| !chosen.contains(id)).collect::<Vec<_>>();
        chosen.extend(rest);
        chosen.truncate(SHOWN);
        chosen
    }

    /// A quarter of the telling words, two of them at least; one fewer under the same tag.
    fn is_shared_by(&self, row: &Published, text: &str) -> bool {
        let letters = fold::letters(&format!("{}\n{text}", row.title));
        let shared = self.telling.iter().filter(|word| letters.contains(word.as_str())).count();
        let tagged = |tag: &String| self.tags.iter().any(|own| fold::fold(own) == fold::fold(tag));
        let needed = self.telling.len().div_ceil(4).max(2) - usize::from(row.tags.0.iter().any(tagged));
        shared >= needed
    }
}

/// The letters of those words of a text that say what it is about.
fn telling(text: &str) -> Vec<String> {
    let folded = fold::fold(text);
    let words = segment::words(&folded).into_iter().map(fold::letters);
    words
        .filter(|word| {
            let mut chars = word.chars();
            let is_long = chars.by_ref().take(2).count() == 2;
            is_long && !is_light(word) && !word.bytes().all(|b| b.is_ascii_digit())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_about_its_title_its_tags_and_what_it_repeats() {
        let text = "<p>台风正在靠近。台风中心风力十二级，台风预计明天登陆，渔船回港。</p>";
        let subject = Subject::of("福建防汛进入应急状态", &["天气".to_owned()], text);
        assert_eq!(subject.words, ["台风"]);
        for word in ["福建", "防汛", "天气", "台风"] {
            assert!(subject.telling.contains(word), "{word}: {:?}", subject.telling);
        }
        assert!(!subject.telling.contains("渔船"));
        let terms: Vec<String> = subject.query().wanted().map(|term| term.text.clone()).collect();
        assert_eq!(terms, ["福建防汛进入应急状态", "天气", "台风"].map(fold::fold));
    }

    #[test]
    fn an_article_without_words_is_about_nothing() {
        let subject = Subject::of("——", &[], "<p>！</p>");
        assert!(subject.query().is_empty() && subject.telling.is_empty());
    }
}
