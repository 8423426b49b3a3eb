//! How good the answers are: sets of queries with the articles that answer them.
//!
//! Each set is a folder `SET/dev` with `queries.jsonl` and `qrels.tsv`; `qa-wiki` brings its own
//! articles. The article a query was made from (`exclude_id`) is dropped from the answer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use xiangxun::text::convert::Direction;

use super::corpus::{Article, lines};

const DEPTH: usize = 10;

#[derive(Deserialize)]
struct Query {
    qid: String,
    query: String,
    #[serde(rename = "type")]
    kind: String,
    exclude_id: Option<String>,
}

#[derive(Default)]
pub struct Score {
    pub queries: usize,
    pub mrr: f64,
    recall: f64,
    ndcg: f64,
    first: usize,
    /// Queries whose first answer is none of the wanted: the places of the wanted among the first, and what came first.
    misses: Vec<(String, Vec<usize>, Option<i64>)>,
}

/// Answers a query with ids, best first: places of articles in their file.
pub type Ask<'a> = &'a dyn Fn(&str, usize) -> anyhow::Result<Vec<i64>>;

/// The sets that ask for articles of the corpus.
pub const SETS: [&str; 4] = ["known-item", "cross-outlet", "tags", "hard"];

pub fn heading() {
    println!(
        "{:<34}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "relevance, first 10", "queries", "MRR", "recall", "nDCG", "first"
    );
}

/// Prints how one set is answered; with `misses` also each query whose first answer is wrong.
pub fn print_set(articles: &[Article], set: &Path, misses: bool, ask: Ask) -> anyhow::Result<()> {
    let name = set.file_name().unwrap_or_default().to_string_lossy();
    for (kind, score) in measure_set(articles, set, ask)? {
        println!(
            "{:<34}{:>8}{:>8.3}{:>8.3}{:>8.3}{:>8.3}",
            format!("{name}/{kind}"),
            score.queries,
            score.mean(score.mrr),
            score.mean(score.recall),
            score.mean(score.ndcg),
            score.mean(score.first as f64)
        );
        for (query, places, first) in score.misses.iter().filter(|_| misses) {
            let first = first.and_then(|n| articles.get(n as usize)).map_or("nothing", |found| &found.title);
            println!("    {query} -> at {places:?}, behind {first}");
        }
    }
    Ok(())
}

/// By kind of query, each as written and in the other script.
pub fn measure_set(articles: &[Article], set: &Path, ask: Ask) -> anyhow::Result<BTreeMap<String, Score>> {
    let ids: HashMap<&str, i64> =
        articles.iter().zip(0..).map(|(article, n)| (article.id.as_str(), n)).collect();
    let mut relevant: HashMap<String, HashSet<i64>> = HashMap::new();
    for line in lines(&set.join("dev/qrels.tsv").to_string_lossy())? {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        if let [qid, id, grade] = fields[..]
            && grade != "0"
            && let Some(n) = ids.get(id)
        {
            relevant.entry(qid.to_owned()).or_default().insert(*n);
        }
    }
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for line in lines(&set.join("dev/queries.jsonl").to_string_lossy())? {
        let query: Query = serde_json::from_str(&line?)?;
        let Some(good) = relevant.get(&query.qid) else { continue };
        let excluded = query.exclude_id.as_ref().and_then(|id| ids.get(id.as_str()).copied());
        let mut asked = |kind: String, text: &str| -> anyhow::Result<()> {
            let hits = ask(text, DEPTH + 1)?;
            let hits: Vec<i64> = hits.into_iter().filter(|id| Some(*id) != excluded).take(DEPTH).collect();
            scores.entry(kind).or_default().add(text, &hits, good, excluded);
            Ok(())
        };
        asked(query.kind.clone(), &query.query)?;
        let simplified = Direction::T2s.convert(&query.query);
        let other =
            if simplified == query.query { Direction::S2tw.convert(&query.query) } else { simplified };
        if other != query.query {
            asked(format!("{} > other script", query.kind), &other)?;
        }
    }
    Ok(scores)
}

impl Score {
    pub fn mean(&self, sum: f64) -> f64 {
        sum / self.queries.max(1) as f64
    }

    fn add(&mut self, query: &str, hits: &[i64], good: &HashSet<i64>, excluded: Option<i64>) {
        let wanted =
            (good.len() - usize::from(excluded.is_some_and(|id| good.contains(&id)))).clamp(1, DEPTH);
        let ranks: Vec<usize> = (0..hits.len()).filter(|n| good.contains(&hits[*n])).collect();
        let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
        self.queries += 1;
        self.mrr += ranks.first().map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
        self.recall += ranks.len() as f64 / wanted as f64;
        self.ndcg += ranks.iter().map(|rank| gain(*rank)).sum::<f64>() / (0..wanted).map(gain).sum::<f64>();
        if ranks.first() == Some(&0) {
            self.first += 1;
        } else {
            let places = ranks.iter().map(|rank| rank + 1).collect();
            self.misses.push((query.to_owned(), places, hits.first().copied()));
        }
    }
}
