//! Letters that must stand one behind another.

use std::collections::HashSet;

use crate::text::spelled::{self, END};

/// A run of letters as the index knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Folded; spaces and punctuation do not count.
    pub letters: String,
    /// What must stand at them besides.
    pub marks: Vec<Mark>,
}

/// Of [`spelled::grams`], a sign or an end of a word at a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Which letter of the run, or the text, from 0.
    pub place: u32,
    pub first: char,
    pub second: char,
}

impl Run {
    /// `whole`: a word of Latin letters or digits at either end must be one in the text, and not a part.
    pub fn of(text: &str, whole: bool) -> Run {
        let spelled = spelled::letters(text);
        let letters = spelled::without_marks(&spelled);
        let last = (letters.chars().count() as u32).saturating_sub(1);
        let marks = marks(&spelled).filter(|mark| match (mark.first, mark.second) {
            (END, _) => whole && mark.place == 0,
            (_, END) => whole && mark.place == last,
            _ => true,
        });
        Run { marks: marks.collect(), letters }
    }

    /// Is it in a text, of which these are [`spelled::letters`] with and without marks?
    pub fn stands_in(&self, spelled: &str, letters: &str) -> bool {
        if self.marks.is_empty() {
            return letters.contains(&self.letters);
        }
        let marks: HashSet<Mark> = marks(spelled).collect();
        let mut places =
            letters.match_indices(&self.letters).map(|(at, _)| letters[..at].chars().count() as u32);
        places.any(|start| {
            let here = |mark: &Mark| marks.contains(&Mark { place: start + mark.place, ..*mark });
            self.marks.iter().all(here)
        })
    }
}

fn marks(spelled: &str) -> impl Iterator<Item = Mark> {
    let mut marks = Vec::new();
    spelled::grams(spelled, |place, first, second| {
        if spelled::is_mark(first) || spelled::is_mark(second) {
            marks.push(Mark { place, first, second });
        }
    });
    marks.into_iter()
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
            ("AI", "生成式AI工具", true, true),
            ("AI芯片", "OpenAI芯片", false, true),
            ("5G", "15G 网络", false, true),
            ("iphone", "iPhone15 Pro", true, true),
            ("us", "U.S. 来电", true, true),
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
