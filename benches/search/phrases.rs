//! The phrase check: random runs from random articles, each of which must find its article as a
//! quoted phrase, and only articles that hold it.

use std::time::Instant;

use xiangxun::search::index::Volume;
use xiangxun::text::fold;

use super::corpus::Article;
use super::random::Random;
use super::{quantile, request};

/// Of an answer so many are read to see whether they hold the run.
const READ: usize = 20;

/// Runs of 1 to 12 characters, whatever they are. `documents` tells which articles are in the index
/// by their ids, for runs of articles that are not.
pub fn check(volume: &Volume, articles: &[Article], runs: usize, seed: u64) -> anyhow::Result<()> {
    let folded: Vec<String> = articles
        .iter()
        .map(|article| format!("{}\n{}", fold::letters(&article.title), fold::letters(&article.body)))
        .collect();
    let mut random = Random::new(seed + 3);
    let (mut asked, mut found, mut read, mut wrong) = (0, 0, 0, 0);
    let (mut counted, mut miscounted) = (0, 0);
    let mut times = Vec::new();
    while asked < runs {
        let at = random.below(articles.len());
        let characters: Vec<char> = articles[at].body.chars().collect();
        let length = 1 + random.below(12);
        if characters.len() <= length {
            continue;
        }
        let start = random.below(characters.len() - length);
        let run: String = characters[start..start + length].iter().collect();
        let letters = fold::letters(&run);
        if run.contains(['"', '“', '”', '„', '＂', '«', '»'])
            || letters.is_empty()
            || fold::joins(characters[start])
        {
            continue;
        }
        asked += 1;
        let mut request = request(&format!("\"{run}\""));
        let started = Instant::now();
        let first = volume.search(&request)?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        read += first.hits.len().min(READ);
        wrong += first
            .hits
            .iter()
            .take(READ)
            .filter(|hit| !folded[hit.article as usize].contains(&letters))
            .count();
        // The whole count of every tenth, against reading everything.
        if asked % 10 == 0 {
            counted += 1;
            miscounted +=
                usize::from(first.total != folded.iter().filter(|text| text.contains(&letters)).count());
        }
        let mut page = first;
        request.limit = 1_000;
        let mut here = page.hits.iter().any(|hit| hit.article == at as i64);
        while !here && page.next.is_some() {
            request.after = page.next;
            page = volume.search(&request)?;
            here = page.hits.iter().any(|hit| hit.article == at as i64);
        }
        found += usize::from(here);
        if !here {
            println!("not found: {run:?} of article {at}");
        }
    }
    println!("phrase check: {found} of {asked} random runs of 1 to 12 characters found as quoted phrases;");
    println!(
        "{wrong} of {read} results do not hold theirs; {miscounted} of {counted} totals differ from reading every article"
    );
    println!("p50 {:.2} ms, p99 {:.2} ms\n", quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    Ok(())
}
