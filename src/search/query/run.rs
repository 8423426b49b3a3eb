//! Letters that must stand one behind another.

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

    /// Is it in the text?
    pub fn stands_in(&self, text: &Text) -> bool {
        let grams = self.grams();
        // The rarest of its grams has the fewest places to look at.
        let rarest =
            grams.iter().map(|mark| (text.places(mark.gram), mark.place)).min_by_key(|(all, _)| all.len());
        let Some((places, within)) = rarest else { return text.letters.contains(&self.letters) };
        places.iter().filter_map(|(_, place)| place.checked_sub(within)).any(|start| {
            text.from(start).starts_with(&self.letters)
                && self.marks.iter().all(|mark| text.has(mark.gram, start + mark.place))
        })
    }

    /// Its marks, and its pairs.
    fn grams(&self) -> Vec<Mark> {
        let pairs = self.letters.chars().zip(self.letters.chars().skip(1)).enumerate();
        let pairs = pairs.map(|(place, (first, second))| Mark {
            place: place as u32,
            letters: 2,
            gram: Gram::pair(first, second),
        });
        self.marks.iter().copied().chain(pairs).collect()
    }
}

/// A text in which many runs are looked for: what it holds, by place.
#[derive(Debug)]
pub struct Text {
    letters: String,
    /// Where each letter begins in them, in bytes.
    starts: Vec<u32>,
    /// Each gram and its place, in order.
    grams: Vec<(Gram, u32)>,
}

impl Text {
    pub fn of(text: &str) -> Self {
        let spelled = spelled::letters(text);
        let letters = spelled::without_marks(&spelled);
        let starts = letters.char_indices().map(|(at, _)| at as u32).collect();
        let mut grams = Vec::with_capacity(letters.len());
        cut(&spelled, |place, gram| grams.push((gram, place)));
        grams.sort_unstable();
        Self { letters, starts, grams }
    }

    /// Folded, without marks.
    pub fn letters(&self) -> &str {
        &self.letters
    }

    /// Where a gram stands.
    fn places(&self, gram: Gram) -> &[(Gram, u32)] {
        let from = self.grams.partition_point(|(one, _)| *one < gram);
        let count = self.grams[from..].partition_point(|(one, _)| *one == gram);
        &self.grams[from..from + count]
    }

    fn has(&self, gram: Gram, place: u32) -> bool {
        self.grams.binary_search(&(gram, place)).is_ok()
    }

    /// Its letters from one on.
    fn from(&self, place: u32) -> &str {
        self.starts.get(place as usize).map_or("", |at| &self.letters[*at as usize..])
    }
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
        Run::of(run, whole).stands_in(&Text::of(text))
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
