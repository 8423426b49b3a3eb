//! Articles of a segment that a search goes through, many at a time: what is done for each of them is done for all,
//! column by column. For most answers that is where the time goes, and one call for each article and column would
//! cost more than what it does.

use tantivy::columnar::ColumnValues;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, TERMINATED};

use super::docs::Docs;
use super::score::Scorer;
use super::view::Segment;

/// Articles in a batch that is taken from a set.
const SIZE: usize = 512;

/// Where articles come from.
pub enum Source<'a> {
    /// A set; scored afterwards, where a score is asked for.
    Set(Docs, Option<Scorer<'a>>),
    /// All that hold any of the pairs: the lists that score them are those that have them.
    Scored(Scorer<'a>),
}

impl Source<'_> {
    /// Whether there are no more.
    pub fn is_over(&self) -> bool {
        match self {
            Source::Set(docs, _) => docs.doc() == TERMINATED,
            Source::Scored(scorer) => scorer.next().is_none(),
        }
    }
}

/// Some articles in order, and what is known of each.
#[derive(Default)]
pub struct Batch {
    pub docs: Vec<DocId>,
    /// 1 where none is asked for.
    pub scores: Vec<f32>,
    /// Unix milliseconds; see [`Batch::look_up`].
    pub published: Vec<i64>,
}

impl Batch {
    /// Goes on to the next articles, without deleted ones; there may be none left then. Returns how many it went through.
    pub fn take_from(&mut self, source: &mut Source, segment: &Segment) -> usize {
        self.docs.clear();
        self.scores.clear();
        match source {
            Source::Set(docs, scorer) => {
                fill(docs, &mut self.docs);
                let taken = self.docs.len();
                self.docs.retain(|doc| segment.is_alive(*doc));
                self.scores.resize(self.docs.len(), if scorer.is_some() { 0.0 } else { 1.0 });
                scorer.iter_mut().for_each(|scorer| scorer.add(&self.docs, &mut self.scores));
                taken
            }
            Source::Scored(scorer) => scorer.next_any(|doc, score| {
                if segment.is_alive(doc) {
                    self.docs.push(doc);
                    self.scores.push(score);
                }
            }),
        }
    }

    /// When each of them was published.
    pub fn look_up(&mut self, published: &dyn ColumnValues<i64>) {
        self.published.resize(self.docs.len(), 0);
        published.get_vals(&self.docs, &mut self.published);
    }
}

/// The next ones of a set.
fn fill(docs: &mut Docs, out: &mut Vec<DocId>) {
    let mut some = [0; COLLECT_BLOCK_BUFFER_LEN];
    loop {
        let count = docs.fill_buffer(&mut some);
        out.extend_from_slice(&some[..count]);
        if count < some.len() || out.len() >= SIZE {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::budget::Budget;
    use crate::search::query::Filter;
    use crate::search::query::clues::Clues;
    use crate::search::query::parse::parse;
    use crate::search::query::plan::Plan;
    use crate::search::score::Pairs;
    use crate::search::view::View;

    type Found = Vec<(DocId, f32)>;

    fn all_of(mut source: Source, segment: &Segment) -> Found {
        let (mut batch, mut all) = (Batch::default(), Vec::new());
        while !source.is_over() {
            batch.take_from(&mut source, segment);
            all.extend(batch.docs.iter().copied().zip(batch.scores.iter().copied()));
        }
        all
    }

    /// Articles as the set of a query has them, and as the lists of its pairs do; none of these where they differ.
    fn both_ways(view: &View, query: &str) -> (Found, Option<Found>) {
        let query = parse(query, chrono_tz::Tz::UTC);
        let (segment, pairs) = (&view.segments[0], Pairs::look_up(view, &Clues::of(&query)));
        let (filter, budget) = (Filter::default(), Budget::until(None));
        let plan = Plan { query: &query, filter: &filter, fields: &view.fields, segment, budget: &budget };
        let set = Source::Set(plan.exact().unwrap(), Some(pairs.scorer(segment, 0)));
        let scored = plan.means_any_of(&pairs).then(|| Source::Scored(pairs.scorer(segment, 0)));
        (all_of(set, segment), scored.map(|source| all_of(source, segment)))
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        let words = ["我们", "台风", "AI", "登陆", "的", "，"];
        let text = proptest::collection::vec(proptest::sample::select(words.to_vec()), 1..6);
        proptest::collection::vec(text.prop_map(|words| words.concat()), 1..3_000)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, ..ProptestConfig::default() })]
        #[test]
        fn lists_that_score_have_what_the_set_has(texts in texts()) {
            let view = View::of_texts(&texts);
            for query in ["台风", "台风 OR 登陆", "AI", "AI OR 我们 OR 台风"] {
                let (set, scored) = both_ways(&view, query);
                let scored = scored.expect("any of its pairs is what it asks for");
                prop_assert_eq!(set, scored, "{}", query);
            }
        }

        #[test]
        fn a_batch_has_what_walking_finds(texts in texts()) {
            let view = View::of_texts(&texts);
            let holds = |word: &str| {
                let numbered = (0..).zip(&texts).filter(|(_, text)| text.replace('，', "").contains(word));
                numbered.map(|(doc, _)| doc).collect::<Vec<DocId>>()
            };
            let found = |query: &str| both_ways(&view, query).0.into_iter().map(|(doc, _)| doc).collect::<Vec<DocId>>();
            prop_assert_eq!(found("台风"), holds("台风"));
            prop_assert_eq!(found("\"我们台风\""), holds("我们台风"));
        }
    }

    #[test]
    fn only_what_asks_for_any_pair_is_read_off_their_lists() {
        let view = View::of_texts(&["台风登陆".to_owned()]);
        for query in
            ["台风 登陆", "台风登陆", "\"台风\"", "-台风", "title:台风", "台 OR 登陆", "台风 after:2024"]
        {
            assert!(both_ways(&view, query).1.is_none(), "{query}");
        }
    }
}
