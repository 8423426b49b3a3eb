//! What an article is about, and which of the articles that the index found are about the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::articles::content::plain_text;
use crate::search::queries::Published;
use crate::search::query::clues::is_light;
use crate::search::query::{Atom, Clause, Parsed, Term};
use crate::search::sketch::Sketch;
use crate::text::{fold, segment, spelled};

/// Articles that are named.
const SHOWN: usize = 4;
/// Of these from one account, where others have some too.
const OF_ONE_ACCOUNT: usize = 2;
/// Bytes of a body that are read for its words.
const OPENING: usize = 24_000;
/// Characters of a title or tag that are asked for.
const LONGEST_TERM: usize = 60;
/// Words of the text that are asked for, and how often each must stand in it.
const WORDS: usize = 6;
const OFTEN: usize = 3;

/// As much of a body as is read for its words.
fn opening(html: &str) -> &str {
    let mut end = html.len().min(OPENING);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    &html[..end]
}

/// What an article is about.
pub struct Subject {
    title: String,
    tags: Vec<String>,
    /// Of the text.
    words: Vec<String>,
    /// Letters of title and tags by word, and of `words`; whoever is about the same has some of them.
    telling: HashSet<String>,
}

impl Subject {
    pub fn of(title: &str, tags: &[String], html: &str) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for word in telling(&plain_text(opening(html))) {
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
    pub fn query(&self) -> Parsed {
        let texts = std::iter::once(&self.title).chain(&self.tags).chain(&self.words);
        let terms = texts.filter_map(|text| Term::new(text, false, LONGEST_TERM));
        Parsed { clauses: terms.map(|term| Clause { negated: false, any: vec![Atom::Text(term)] }).collect() }
    }

    /// Those that are about the same without saying the same, of several accounts where there are some. The best
    /// come first, and no more are looked at than it takes.
    pub fn choose(&self, account_id: i64, body: &str, rows: Vec<Published>) -> Vec<i64> {
        let mut said = vec![(sketch(&plain_text(body)), fold::letters(&self.title))];
        let (mut chosen, mut others) = (Vec::new(), Vec::new());
        let mut by_account: HashMap<i64, usize> = HashMap::from([(account_id, 0)]);
        for row in rows {
            let text = plain_text(&row.body_html);
            let title = fold::letters(&row.title);
            if said.iter().any(|(_, other)| *other == title) || !self.is_shared_by(&row, &text) {
                continue;
            }
            let sketch = sketch(&text);
            if said.iter().any(|(other, _)| other.says_the_same(sketch)) {
                continue;
            }
            said.push((sketch, title));
            let count = by_account.entry(row.account_id).or_default();
            *count += 1;
            if *count <= OF_ONE_ACCOUNT {
                chosen.push(row.id)
            } else {
                others.push(row.id)
            }
            if chosen.len() == SHOWN {
                break;
            }
        }
        chosen.extend(others);
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

/// What tells a text from others that say something else.
fn sketch(text: &str) -> Sketch {
    Sketch::of(&spelled::letters(text))
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
