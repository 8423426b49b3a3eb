//! Articles to measure with: as a file has them, or as many as wanted made of their paragraphs.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use anyhow::Context;
use serde::Deserialize;
use xiangxun::search::schema::Entry;

use super::random::Random;

/// A line of a corpus.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Article {
    #[serde(default)]
    pub id: String,
    pub title: String,
    pub body: String,
    #[serde(default)]
    pub lang: String,
    #[serde(default)]
    pub outlet: Option<String>,
    #[serde(default)]
    pub author: Option<String>,
    #[serde(default)]
    pub published_at: Option<String>,
}

/// Lines of a file, `.zst` or plain.
pub fn lines(path: &str) -> anyhow::Result<Box<dyn Iterator<Item = std::io::Result<String>>>> {
    let file = File::open(path).with_context(|| format!("opening {path}"))?;
    let plain: Box<dyn Read> =
        if path.ends_with(".zst") { Box::new(zstd::Decoder::new(file)?) } else { Box::new(file) };
    Ok(Box::new(BufReader::new(plain).lines()))
}

pub fn read(path: &str) -> anyhow::Result<Vec<Article>> {
    lines(path)?.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

impl Article {
    pub fn bytes(&self) -> usize {
        self.title.len() + self.body.len()
    }

    /// As the index takes it, with `accounts` to put it in. Tags stay out: some sets ask for them.
    pub fn entry(&self, id: i64, accounts: &mut Vec<String>) -> Entry {
        let outlet = self.outlet.clone().unwrap_or_default();
        let account = accounts.iter().position(|known| *known == outlet).unwrap_or_else(|| {
            accounts.push(outlet.clone());
            accounts.len() - 1
        });
        Entry {
            id,
            account: account as i64,
            published_at: day(self.published_at.as_deref().unwrap_or_default()),
            lang: self.lang.clone(),
            title: self.title.clone(),
            body: self.body.clone(),
            account_name: outlet,
            author: self.author.clone().unwrap_or_default(),
            ..Entry::default()
        }
    }
}

/// Unix milliseconds of the day that a text begins with, or 0.
fn day(text: &str) -> i64 {
    let day = text.get(..10).and_then(|day| chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    day.and_then(|day| day.and_hms_opt(0, 0, 0)).map_or(0, |midnight| midnight.and_utc().timestamp_millis())
}

/// Articles of paragraphs of others, each as long as one of them: the words of a language, in as
/// many articles as wanted.
pub struct Recombined<'a> {
    articles: &'a [Article],
    paragraphs: Vec<(&'a str, usize)>,
    random: Random,
    left: usize,
}

impl<'a> Recombined<'a> {
    pub fn new(articles: &'a [Article], count: usize, seed: u64) -> Recombined<'a> {
        let paragraphs = articles.iter().enumerate().flat_map(|(n, article)| {
            article.body.split("\n\n").filter(|text| !text.is_empty()).map(move |text| (text, n))
        });
        Recombined { articles, paragraphs: paragraphs.collect(), random: Random::new(seed), left: count }
    }
}

impl Iterator for Recombined<'_> {
    type Item = Article;

    fn next(&mut self) -> Option<Article> {
        self.left = self.left.checked_sub(1)?;
        let model = &self.articles[self.random.below(self.articles.len())];
        let mut body = String::with_capacity(model.body.len() + 200);
        while body.len() < model.body.len() {
            let (text, _) = self.paragraphs[self.random.below(self.paragraphs.len())];
            if !body.is_empty() {
                body.push_str("\n\n");
            }
            body.push_str(text);
        }
        let title = self.articles[self.random.below(self.articles.len())].title.clone();
        // Spread over ten years.
        let day =
            chrono::NaiveDate::from_ymd_opt(2016, 1, 1)? + chrono::Days::new(self.random.below(3_650) as u64);
        Some(Article { title, body, published_at: Some(day.to_string()), ..model.clone() })
    }
}
