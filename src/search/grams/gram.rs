//! What a text is cut into for the index.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::text::spelled;

/// Two letters that follow each other, a letter with a sign, the last letter of a text, or a whole Latin
/// word or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gram(u64);

/// Bits of a character.
const CHAR: u32 = 21;
/// No character is as great: words begin here.
const WORDS: u64 = 0x11_0000;
/// So many numbers are left of the bits for the first character.
const ROOM: u64 = (1 << CHAR) - WORDS;

/// From the radicals to the end of the first plane: Han, kana, hangul.
pub const LISTED: std::ops::RangeInclusive<char> = '\u{2e80}'..='\u{ffff}';

/// The place of a letter among [`LISTED`], of which it is one.
pub fn listed_at(letter: char) -> usize {
    letter as usize - *LISTED.start() as usize
}

impl Gram {
    pub fn pair(first: char, second: char) -> Gram {
        Gram(u64::from(first as u32) << CHAR | u64::from(second as u32))
    }

    /// The last letter of a text, so that each of its letters begins a gram.
    pub fn last(letter: char) -> Gram {
        Gram::pair(letter, '\0')
    }

    /// A word by its hash, of nearly 41 bits: of all words of a large archive hardly two share one.
    pub fn word(letters: &str) -> Gram {
        let hash = FxBuildHasher.hash_one(letters);
        let (high, low) = (hash >> CHAR, hash & ((1 << CHAR) - 1));
        Gram((WORDS + high % ROOM) << CHAR | low)
    }

    /// Has this letter a list of its own? Those of alphabets are hardly looked for alone.
    pub fn is_listed(letter: char) -> bool {
        LISTED.contains(&letter)
    }

    /// All that begin with a letter.
    pub fn beginning_with(letter: char) -> std::ops::RangeInclusive<Gram> {
        Gram::last(letter)..=Gram::pair(letter, char::MAX)
    }

    /// A number of 42 bits, in the order of grams.
    pub fn code(self) -> u64 {
        self.0
    }
}

/// Calls `emit` with each gram of a text ([`spelled::letters`]) and its place: that of its first letter,
/// counted in letters. Within one gram's places they rise.
pub fn cut(spelled: &str, mut emit: impl FnMut(u32, Gram)) {
    let mut place = 0;
    let mut last: Option<char> = None;
    // The word that goes on, and its place.
    let (mut word, mut word_at) = (String::new(), 0);
    let mut apart = false;
    for c in spelled.chars() {
        if spelled::is_mark(c) {
            if let Some(last) = last.filter(|_| c != spelled::SPACE) {
                emit(place - 1, Gram::pair(last, c));
            }
            apart = true;
            continue;
        }
        if let Some(last) = last {
            emit(place - 1, Gram::pair(last, c));
            if !word.is_empty() && (apart || !spelled::joins(last, c)) {
                emit(word_at, Gram::word(&word));
                word.clear();
            }
        }
        if spelled::is_spelled(c) {
            if word.is_empty() {
                word_at = place;
            }
            word.push(c);
        }
        (last, apart) = (Some(c), false);
        place += 1;
    }
    if !word.is_empty() {
        emit(word_at, Gram::word(&word));
    }
    if let Some(last) = last {
        emit(place - 1, Gram::last(last));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::fold;

    fn cut_up(text: &str) -> Vec<(u32, Gram)> {
        let mut grams = Vec::new();
        cut(&spelled::letters(text), |place, gram| grams.push((place, gram)));
        grams.sort();
        grams
    }

    #[test]
    fn a_text_is_pairs_signs_and_words() {
        let mut wanted = vec![
            (0, Gram::word("ai")),
            (0, Gram::pair('a', 'i')),
            (1, Gram::pair('i', '台')),
            (2, Gram::pair('台', 'c')),
            (3, Gram::word("c")),
            (3, Gram::pair('c', '+')),
            (3, Gram::pair('c', '5')),
            (4, Gram::word("5")),
            (4, Gram::pair('5', 'g')),
            (5, Gram::word("g")),
            (5, Gram::last('g')),
        ];
        wanted.sort();
        assert_eq!(cut_up("AI 台C++ 5G"), wanted);
        assert_eq!(cut_up("via India")[0], (0, Gram::pair('v', 'i')));
        assert!(cut_up("via India").contains(&(3, Gram::word("india"))));
    }

    proptest! {
        #[test]
        fn each_letter_begins_a_pair_and_every_word_is_whole(text in any::<String>(), latin in "[aB1+# 台é.-]{0,30}") {
            for text in [text, latin] {
                let letters: Vec<char> = fold::letters(&text).chars().collect();
                let grams = cut_up(&text);
                for (n, pair) in letters.windows(2).enumerate() {
                    prop_assert!(grams.contains(&(n as u32, Gram::pair(pair[0], pair[1]))));
                }
                let words: Vec<(u32, Gram)> =
                    grams.into_iter().filter(|(_, gram)| gram.code() >> CHAR >= WORDS).collect();
                let wanted = spelled::words(&spelled::letters(&text));
                let wanted: Vec<(u32, Gram)> =
                    wanted.into_iter().map(|(place, word)| (place, Gram::word(&word))).collect();
                prop_assert_eq!(words.len(), wanted.len());
                prop_assert!(wanted.iter().all(|word| words.contains(word)));
            }
        }
    }
}
