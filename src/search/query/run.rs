//! Letters that must stand one behind another.

use std::collections::HashSet;

use crate::search::grams::Gram;
use crate::search::grams::gram::cut;
use crate::text::spelled;

/// A run of letters as the index knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Folded; spaces and punctuation do not count.
    pub letters: String,
    /// What must stand in it besides: signs, and whole words with so many letters.
    pub marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which letter of the run, from 0.
    pub place: u32,
    /// How many letters of the run it makes sure of; a sign of none.
    pub letters: u32,
    pub gram: Gram,
}

impl Run {
    /// `whole`: a Latin word or a number at either end must be one in the text, and not a part.
    pub fn of(text: &str, whole: bool) -> Run {
        let spelled = spelled::letters(text);
        let letters = spelled::without_marks(&spelled);
        let mut marks = signs(&spelled);
        if whole {
            marks.extend(outer_words(&spelled, letters.chars().count() as u32));
        }
        Run { marks, letters }
    }

    /// Is it in a text, of which these are [`spelled::letters`] with and without marks?
    pub fn stands_in(&self, spelled: &str, letters: &str) -> bool {
        if self.marks.is_empty() {
            return letters.contains(&self.letters);
        }
        let mut grams = HashSet::new();
        cut(spelled, |place, gram| {
            grams.insert((place, gram));
        });
        let places = starts(letters, &self.letters).map(|at| letters[..at].chars().count() as u32);
        let mut places = places
            .filter(|start| self.marks.iter().all(|mark| grams.contains(&(start + mark.place, mark.gram))));
        places.next().is_some()
    }
}

/// Where a run begins in a text, in bytes; also inside of itself.
fn starts<'a>(text: &'a str, run: &'a str) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text[from..].find(run)?;
        from = at + text[at..].chars().next()?.len_utf8();
        Some(at)
    })
}

fn signs(spelled: &str) -> Vec<Mark> {
    let (mut signs, mut place) = (Vec::new(), 0);
    let mut last = None;
    for c in spelled.chars() {
        match last {
            Some(last) if spelled::is_mark(c) && c != spelled::SPACE => {
                signs.push(Mark { place: place - 1, letters: 0, gram: Gram::pair(last, c) });
            }
            _ if spelled::is_mark(c) => {}
            _ => {
                last = Some(c);
                place += 1;
            }
        }
    }
    signs
}

/// The first and the last word, where the run begins or ends with one.
fn outer_words(spelled: &str, letters: u32) -> impl Iterator<Item = Mark> {
    let mark = |(place, word): (u32, String)| Mark {
        place,
        letters: word.chars().count() as u32,
        gram: Gram::word(&word),
    };
    let words = spelled::words(spelled).into_iter().map(mark);
    words.filter(move |mark| mark.place == 0 || mark.place + mark.letters == letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands_in(run: &str, whole: bool, text: &str) -> bool {
        let spelled = spelled::letters(text);
        Run::of(run, whole).stands_in(&spelled, &spelled::without_marks(&spelled))
    }

    #[test]
    fn words_are_told_from_parts_of_words() {
        for (run, text, whole, part) in [
            ("AI", "Haitink 来了", false, true),
            ("AI", "via India", false, true),
            ("aa", "a。aa乙", true, true),
            ("AI", "生成式AI工具", true, true),
            ("AI芯片", "OpenAI芯片", false, true),
            ("5G", "15G 网络", false, true),
            ("iphone", "iPhone15 Pro", true, true),
            ("new-york", "New York 来电", true, true),
            ("iphone15", "iPhone 15 Pro", true, true),
            ("C++", "用C 编写", false, false),
            ("c++", "用C++编写", true, true),
            ("C", "用C++编写", true, true),
            ("市", "市长", true, true),
            ("disney", "Disney+上线", true, true),
        ] {
            assert_eq!(
                (stands_in(run, true, text), stands_in(run, false, text)),
                (whole, part),
                "{run} in {text}"
            );
        }
    }
}
