//! What a reader typed, as pinyin: full (`renminribao`), initials (`rmrb`), with tone marks or
//! numbers (`rénmín`, `ren2min2`), ü as ü or v, mixed with Chinese (`人min日报`), and with the last
//! syllable unfinished. `xian` may be one syllable or two; `xi'an` and `xi an` are two.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::Syllable;
use crate::text::fold::{self, is_letter};

/// Letters as typed, folded, without tone marks.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    letters: Vec<char>,
    /// Does something stand in front of the letter that parts it from the one before?
    parted: Vec<bool>,
}

/// One way to take the letters from some place on: as one character of Chinese or one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub kind: Kind,
    /// Letters taken.
    pub length: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// This character itself.
    Letter(char),
    /// A whole syllable.
    Whole(Syllable),
    /// The beginning of a syllable: its first letter (or zh, ch, sh), or all that is typed yet.
    Start(Range<u16>),
}

/// Reads what was typed, at most `room` letters of it.
pub fn typed(text: &str, room: usize) -> Typed {
    let mut typed = Typed::default();
    let mut parted = false;
    for letter in fold::fold(text).chars() {
        if typed.letters.len() == room {
            break;
        }
        if is_letter(letter) {
            typed.letters.push(without_tone(letter));
            typed.parted.push(std::mem::take(&mut parted));
        } else {
            parted = true;
        }
    }
    typed
}

/// é is e and ǜ is v; other letters are themselves.
pub fn without_tone(letter: char) -> char {
    if letter.is_ascii() || !matches!(letter as u32, 0xC0..0x250 | 0x1E00..0x1F00) {
        return letter;
    }
    let mut parts = letter.nfd();
    match parts.next() {
        Some('u') if parts.any(|mark| mark == '\u{308}') => 'v',
        Some(base) if base.is_ascii_lowercase() => base,
        _ => letter,
    }
}

impl Typed {
    pub fn letters(&self) -> &[char] {
        &self.letters
    }

    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Could any of it be pinyin?
    pub fn has_latin(&self) -> bool {
        self.letters.iter().any(char::is_ascii_lowercase)
    }

    /// Every way to take one unit from `at` on, the longest syllables first.
    pub fn units(&self, at: usize) -> Vec<Unit> {
        let Some(&letter) = self.letters.get(at) else { return Vec::new() };
        let mut units = Vec::new();
        let run = self.run(at);
        for length in (1..=run.len()).rev() {
            let text = &run[..length];
            let next = at + length;
            if let Some(syllable) = Syllable::parse(text) {
                units.push(Unit { kind: Kind::Whole(syllable), length });
                if self.letters.get(next).is_some_and(|tone| matches!(tone, '1'..='5')) {
                    units.push(Unit { kind: Kind::Whole(syllable), length: length + 1 });
                }
            }
            if length == 1 || next == self.letters.len() || matches!(text, "zh" | "ch" | "sh") {
                let range = Syllable::starting(text);
                if !range.is_empty() {
                    units.push(Unit { kind: Kind::Start(range), length });
                }
            }
        }
        units.push(Unit { kind: Kind::Letter(letter), length: 1 });
        units
    }

    /// Latin letters from `at` on that may be of one syllable.
    fn run(&self, at: usize) -> String {
        let mut run = String::new();
        for (place, letter) in self.letters.iter().enumerate().skip(at).take(6) {
            if !letter.is_ascii_lowercase() || (self.parted[place] && place > at) {
                break;
            }
            run.push(*letter);
        }
        run
    }

    /// The ways to take all of it as whole syllables and letters that are not Latin; those with the
    /// fewest syllables first, at most `ways`.
    pub fn syllables(&self, ways: usize) -> Vec<Vec<Kind>> {
        let mut found = Vec::new();
        let mut open: std::collections::VecDeque<(usize, Vec<Kind>)> = [(0, Vec::new())].into();
        // Shorter ones come first, since each round takes one unit more.
        for _ in 0..4_000 {
            let Some((at, taken)) = open.pop_front() else { break };
            if at == self.letters.len() {
                found.push(taken);
                if found.len() == ways {
                    break;
                }
                continue;
            }
            for unit in self.units(at) {
                let whole = match unit.kind {
                    Kind::Whole(_) => true,
                    Kind::Letter(letter) => !letter.is_ascii_lowercase(),
                    Kind::Start(_) => false,
                };
                if whole {
                    let mut more = taken.clone();
                    more.push(unit.kind);
                    open.push_back((at + unit.length, more));
                }
            }
        }
        found
    }
}

impl Kind {
    /// Does a letter that is read so fit?
    pub fn fits(&self, letter: char, sound: Option<Syllable>) -> bool {
        match self {
            Kind::Letter(wanted) => *wanted == letter,
            Kind::Whole(wanted) => sound == Some(*wanted),
            Kind::Start(range) => sound.is_some_and(|sound| range.contains(&sound.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ways(text: &str) -> Vec<String> {
        let words = |kinds: Vec<Kind>| {
            let texts = kinds.into_iter().map(|kind| match kind {
                Kind::Whole(syllable) => syllable.text().to_owned(),
                Kind::Letter(letter) => letter.to_string(),
                Kind::Start(_) => unreachable!(),
            });
            texts.collect::<Vec<_>>().join(" ")
        };
        typed(text, 40).syllables(8).into_iter().map(words).collect()
    }

    #[test]
    fn tones_marks_and_spellings_are_all_the_same() {
        for text in ["rénmín rìbào", "ren2min2ri4bao4", "renminribao", "REN MIN RI BAO", "ｒｅｎminribao"]
        {
            assert!(ways(text).contains(&"ren min ri bao".to_owned()), "{text}: {:?}", ways(text));
        }
        for text in ["lǜse", "lvse", "lüse", "lv4se4"] {
            assert_eq!(ways(text)[0], "lv se", "{text}");
        }
        assert_eq!(ways("nüe")[0], "nve");
    }

    #[test]
    fn a_boundary_may_be_said_or_left_open() {
        assert_eq!(ways("xian")[..2], ["xian", "xi an"]);
        assert_eq!(ways("xi'an"), ["xi an"]);
        assert_eq!(ways("xi an"), ["xi an"]);
        assert!(ways("fangan").contains(&"fang an".to_owned()));
    }

    #[test]
    fn chinese_and_figures_stand_for_themselves() {
        assert_eq!(ways("人min日报"), ["人 min 日 报"]);
        assert_eq!(ways("5gshouji").len(), 0, "g alone is no syllable");
        assert!(ways("rmrb").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,60}", at in 0usize..70) {
            let typed = typed(&text, 40);
            for unit in typed.units(at) {
                prop_assert!(unit.length > 0 && at + unit.length <= typed.letters().len());
            }
            typed.syllables(8);
        }

        #[test]
        fn long_runs_of_pinyin_are_read_in_bounded_time(text in "[aeinxgo']{0,200}") {
            prop_assert!(typed(&text, 40).syllables(8).len() <= 8);
        }
    }
}
