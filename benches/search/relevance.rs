//! How good the answers are: sets of queries with the articles that answer them.
//!
//! Each set is a folder `SET/dev` with `queries.jsonl` and `qrels.tsv`; `qa-wiki` brings its own
//! articles. The article a query was made from (`exclude_id`) is dropped from the answer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use opencc_fmmseg::OpenCC;
use serde::Deserialize;
use xiangxun::search::index::Volume;

use super::corpus::{self, Article, lines};
use super::request;

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
struct Score {
    queries: usize,
    mrr: f64,
    recall: f64,
    ndcg: f64,
    first: usize,
}

pub fn measure(
    volume: &Volume,
    articles: &[Article],
    folder: &str,
    own: impl Fn(&[Article]) -> anyhow::Result<std::sync::Arc<Volume>>,
) -> anyhow::Result<()> {
    println!(
        "{:<34}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "relevance, first 10", "queries", "MRR", "recall", "nDCG", "first"
    );
    for set in ["known-item", "cross-outlet", "tags", "hard"] {
        measure_set(volume, articles, &Path::new(folder).join(set))?;
    }
    let wiki = Path::new(folder).join("qa-wiki");
    let articles = corpus::read(&wiki.join("dev/docs.jsonl").to_string_lossy())?;
    measure_set(&*own(&articles)?, &articles, &wiki)?;
    println!();
    Ok(())
}

fn measure_set(volume: &Volume, articles: &[Article], set: &Path) -> anyhow::Result<()> {
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
    let opencc = OpenCC::new();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for line in lines(&set.join("dev/queries.jsonl").to_string_lossy())? {
        let query: Query = serde_json::from_str(&line?)?;
        let Some(good) = relevant.get(&query.qid) else { continue };
        let excluded = query.exclude_id.as_ref().and_then(|id| ids.get(id.as_str()).copied());
        let mut ask = |kind: String, text: &str| -> anyhow::Result<()> {
            let mut request = request(text);
            request.limit = DEPTH + 1;
            let hits = volume.search(&request)?.hits;
            let hits: Vec<i64> =
                hits.iter().map(|hit| hit.article).filter(|id| Some(*id) != excluded).take(DEPTH).collect();
            scores.entry(kind).or_default().add(&hits, good, excluded);
            Ok(())
        };
        ask(query.kind.clone(), &query.query)?;
        let simplified = opencc.convert(&query.query, "t2s", false);
        let other =
            if simplified == query.query { opencc.convert(&query.query, "s2tw", false) } else { simplified };
        if other != query.query {
            ask(format!("{} > other script", query.kind), &other)?;
        }
    }
    let name = set.file_name().unwrap_or_default().to_string_lossy();
    for (kind, score) in scores {
        let mean = |sum: f64| sum / score.queries as f64;
        println!(
            "{:<34}{:>8}{:>8.3}{:>8.3}{:>8.3}{:>8.3}",
            format!("{name}/{kind}"),
            score.queries,
            mean(score.mrr),
            mean(score.recall),
            mean(score.ndcg),
            mean(score.first as f64)
        );
    }
    Ok(())
}

impl Score {
    fn add(&mut self, hits: &[i64], good: &HashSet<i64>, excluded: Option<i64>) {
        let wanted =
            (good.len() - usize::from(excluded.is_some_and(|id| good.contains(&id)))).clamp(1, DEPTH);
        let ranks: Vec<usize> = (0..hits.len()).filter(|n| good.contains(&hits[*n])).collect();
        let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
        self.queries += 1;
        self.mrr += ranks.first().map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
        self.recall += ranks.len() as f64 / wanted as f64;
        self.ndcg += ranks.iter().map(|rank| gain(*rank)).sum::<f64>() / (0..wanted).map(gain).sum::<f64>();
        self.first += usize::from(ranks.first() == Some(&0));
    }
}
