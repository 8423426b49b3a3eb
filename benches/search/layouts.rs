//! What other layouts of an index would be: words, letter pairs, pairs with places, both; each as
//! plain fields of tantivy over folded text, the title weighted 3, any token enough, quoted runs as
//! phrases where there are places and as all of their tokens where there are none.

use std::path::Path;
use std::time::Instant;

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, PhraseQuery, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{Index, TantivyDocument, Term as IndexTerm};
use xiangxun::search::query::parse::parse;
use xiangxun::text::{fold, segment};

use super::corpus::Article;
use super::{cpu_seconds, relevance};

#[derive(Clone, Copy)]
struct Layout {
    name: &'static str,
    words: bool,
    pairs: bool,
    places: bool,
}

const LAYOUTS: [Layout; 5] = [
    Layout { name: "words", words: true, pairs: false, places: false },
    Layout { name: "words with places", words: true, pairs: false, places: true },
    Layout { name: "pairs", words: false, pairs: true, places: false },
    Layout { name: "pairs with places", words: false, pairs: true, places: true },
    Layout { name: "both, pairs with places", words: true, pairs: true, places: true },
];

/// One field for each kind of token, for the title and for the body.
struct Fields {
    words: Option<[Field; 2]>,
    pairs: Option<[Field; 2]>,
}

pub fn measure(articles: &[Article], sets: &Path, folder: &Path) -> anyhow::Result<()> {
    for layout in LAYOUTS {
        let folder = folder.join(layout.name.replace([' ', ','], "-"));
        std::fs::create_dir_all(&folder)?;
        let (index, fields) = build(layout, articles, &folder)?;
        let searcher = index.reader()?.searcher();
        let ask = |text: &str, limit: usize| -> anyhow::Result<Vec<i64>> {
            let query = query(layout, &fields, text);
            let found = searcher.search(&query, &TopDocs::with_limit(limit).order_by_score())?;
            let column = |segment: u32| searcher.segment_reader(segment).fast_fields().i64("id");
            found
                .into_iter()
                .map(|(_, at)| Ok(column(at.segment_ord)?.first(at.doc_id).unwrap_or_default()))
                .collect()
        };
        let mut line = String::new();
        for set in relevance::SETS {
            for (kind, score) in relevance::measure_set(articles, &sets.join(set), &ask)? {
                line += &format!("  {kind} {:.3}", score.mean(score.mrr));
            }
        }
        println!("MRR{line}\n");
    }
    Ok(())
}

fn build(layout: Layout, articles: &[Article], folder: &Path) -> anyhow::Result<(Index, Fields)> {
    let record =
        if layout.places { IndexRecordOption::WithFreqsAndPositions } else { IndexRecordOption::WithFreqs };
    let mut schema = Schema::builder();
    let id = schema.add_i64_field("id", FAST);
    let mut field = |name: &str, record| {
        let indexing = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(record);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let words_record = if layout.pairs { IndexRecordOption::WithFreqs } else { record };
    let fields = Fields {
        words: layout.words.then(|| ["title_words", "body_words"].map(|name| field(name, words_record))),
        pairs: layout.pairs.then(|| ["title_pairs", "body_pairs"].map(|name| field(name, record))),
    };
    let index = Index::create_in_dir(folder, schema.build())?;
    let mut writer = index.writer_with_num_threads(2, 200_000_000)?;
    let (started, cpu, mut bytes) = (Instant::now(), cpu_seconds(), 0);
    for (n, article) in articles.iter().enumerate() {
        let mut document = TantivyDocument::new();
        document.add_i64(id, n as i64);
        for (at, text) in [&article.title, &article.body].into_iter().enumerate() {
            let folded = fold::fold(text);
            if let Some(fields) = fields.words {
                document.add_pre_tokenized_text(fields[at], tokens(words(&folded)));
            }
            if let Some(fields) = fields.pairs {
                document.add_pre_tokenized_text(fields[at], tokens(pairs(&folded)));
            }
            bytes += text.len();
        }
        writer.add_document(document)?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    let size: u64 =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum::<std::io::Result<u64>>()?;
    println!(
        "{:<26}{:.1} s, {:.1} MB per CPU second, {:.2} of the text",
        layout.name,
        started.elapsed().as_secs_f64(),
        bytes as f64 / 1e6 / (cpu_seconds() - cpu),
        size as f64 / bytes as f64
    );
    Ok((index, fields))
}

fn words(folded: &str) -> Vec<String> {
    segment::search_words(folded)
        .into_iter()
        .map(|token| fold::letters(token.word))
        .filter(|word| !word.is_empty())
        .collect()
}

fn pairs(folded: &str) -> Vec<String> {
    let letters: Vec<char> = folded.chars().filter(|c| fold::is_letter(*c)).collect();
    let last = letters.last().map(|last| last.to_string());
    letters.windows(2).map(|pair| pair.iter().collect()).chain(last).collect()
}

fn tokens(texts: Vec<String>) -> PreTokenizedString {
    let token = |(position, text)| Token { position, text, ..Token::default() };
    PreTokenizedString { text: String::new(), tokens: texts.into_iter().enumerate().map(token).collect() }
}

fn query(layout: Layout, fields: &Fields, text: &str) -> BooleanQuery {
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    for term in parse(text, chrono_tz::Tz::UTC).wanted() {
        let mut pairs = pairs(&term.letters);
        if pairs.len() > 1 {
            // The last letter alone is no token of a query.
            pairs.pop();
        }
        for (fields, texts, decides) in
            [(fields.words, words(&term.text), !layout.pairs), (fields.pairs, pairs, true)]
        {
            let Some(fields) = fields else { continue };
            if !term.quoted {
                clauses.extend(texts.iter().map(|text| (Occur::Should, anywhere(fields, text))));
            } else if decides {
                clauses.push((Occur::Must, phrase(layout, fields, &texts)));
            }
        }
    }
    BooleanQuery::new(clauses)
}

fn anywhere(fields: [Field; 2], text: &str) -> Box<dyn Query> {
    let [title, body] = fields.map(|field| -> Box<dyn Query> {
        Box::new(TermQuery::new(IndexTerm::from_field_text(field, text), IndexRecordOption::WithFreqs))
    });
    Box::new(BooleanQuery::union(vec![Box::new(BoostQuery::new(title, 3.0)), body]))
}

fn phrase(layout: Layout, fields: [Field; 2], texts: &[String]) -> Box<dyn Query> {
    let each = fields.map(|field| -> Box<dyn Query> {
        let terms: Vec<IndexTerm> =
            texts.iter().map(|text| IndexTerm::from_field_text(field, text)).collect();
        if layout.places && terms.len() > 1 {
            return Box::new(PhraseQuery::new(terms));
        }
        let all = terms
            .into_iter()
            .map(|term| -> Box<dyn Query> { Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)) });
        Box::new(BooleanQuery::intersection(all.collect()))
    });
    Box::new(BooleanQuery::union(each.into()))
}
