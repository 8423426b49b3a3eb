//! Words inside which others seem to stand: 市长 in 南京市长江大桥.
//!
//! The index knows letters, not words, so that every run of letters is found. Who asks for a word
//! wants it as a word: on a page of results, articles where it only stands across the border of
//! others come after those where it is one.

use super::query::{Parsed, Term, Within};
use crate::text::{fold, segment};

/// Letters of a word that may be part of others.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=3;
/// Places of a word in a text that are looked at.
const PLACES: usize = 6;
/// Letters to both sides that tell where words begin and end.
const AROUND: usize = 8;

/// The words of a query that could be taken in.
pub struct Traps(Vec<String>);

impl Traps {
    pub fn of(query: &Parsed) -> Traps {
        let words = query.loose().filter(|term| term.within == Within::Anywhere && is_word(term));
        Traps(words.map(|term| term.text.clone()).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does one of the words stand in the texts only across others?
    pub fn takes_in(&self, texts: [&str; 2]) -> bool {
        let texts = texts.map(fold::fold);
        self.0.iter().any(|word| {
            let mut places = texts
                .iter()
                .flat_map(|text| text.match_indices(word).take(PLACES).map(move |(at, _)| (text, at)));
            let Some(first) = places.next() else { return false };
            !std::iter::once(first).chain(places).any(|(text, at)| stands_alone(text, at, word))
        })
    }
}

/// One word of the dictionary, of letters only.
fn is_word(term: &Term) -> bool {
    let letters = term.letters.chars().count();
    LENGTHS.contains(&letters) && term.text == term.letters && segment::words(&term.text).len() == 1
}

/// Do words end and begin around it, by the dictionary?
fn stands_alone(text: &str, at: usize, word: &str) -> bool {
    let end = at + word.len();
    let start = text[..at].char_indices().rev().take(AROUND).last().map_or(at, |(start, _)| start);
    let stop = text[end..].char_indices().nth(AROUND).map_or(text.len(), |(stop, _)| end + stop);
    let (mut border, mut begins) = (start, at == start);
    for part in segment::words(&text[start..stop]) {
        border += part.len();
        begins |= border == at;
        if border >= end {
            return begins && border == end;
        }
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::query::parse::parse;

    fn takes_in(query: &str, text: &str) -> bool {
        Traps::of(&parse(query, chrono_tz::Tz::UTC)).takes_in(["", text])
    }

    #[test]
    fn words_across_the_borders_of_others_are_told_from_words() {
        assert!(takes_in("市长", "南京市长江大桥通车五十年"));
        assert!(!takes_in("市长", "南京市长江大桥通车，市长出席"));
        assert!(!takes_in("市长", "新任市長昨日就職"));
        assert!(takes_in("国产", "全国产业工人代表"));
        assert!(!takes_in("国产", "国产芯片量产"));
    }

    #[test]
    fn whole_titles_and_phrases_are_not_words() {
        assert!(Traps::of(&parse("南京市长江大桥 \"市长\" -市长 title:市长", chrono_tz::Tz::UTC)).is_empty());
    }
}
