//! Words of scripts that put spaces between them, in letters without spaces.
//!
//! [`fold::letters`] drops spaces and punctuation, so that a run of letters is found across them. But
//! then AI stands in "Haitink" and in "via India" too, and C is all that is left of C++. The letters
//! made here keep what tells: a space between two words, and one + or # behind a word ([`is_mark`]).
//! Where Latin meets Chinese, or letters meet digits, a word ends without a mark: iPhone15, 5G手机.

use super::fold;

/// The mark between two words.
pub const SPACE: char = ' ';

/// Folded letters with marks between them.
pub fn letters(text: &str) -> String {
    let folded = fold::fold(text);
    let mut letters = String::with_capacity(folded.len());
    let mut last: Option<char> = None;
    let mut apart = false;
    for c in folded.chars() {
        if fold::is_letter(c) {
            if apart && last.is_some_and(|last| joins(last, c)) {
                letters.push(SPACE);
            }
            letters.push(c);
            (last, apart) = (Some(c), false);
        } else {
            // One sign is enough: A+ is A++ here.
            if !apart && matches!(c, '+' | '#') && last.is_some_and(is_spelled) {
                letters.push(c);
            }
            apart = true;
        }
    }
    letters
}

/// Is this character of [`letters`] none itself?
pub fn is_mark(c: char) -> bool {
    matches!(c, SPACE | '+' | '#')
}

/// Without its marks: what [`fold::letters`] makes of the same text.
pub fn without_marks(spelled: &str) -> String {
    spelled.chars().filter(|c| !is_mark(*c)).collect()
}

/// The words of [`letters`], each with the place of its first letter.
pub fn words(spelled: &str) -> Vec<(u32, String)> {
    let mut words: Vec<(u32, String)> = Vec::new();
    let mut place = 0;
    let mut last = None;
    for c in spelled.chars() {
        if is_mark(c) {
            last = None;
            continue;
        }
        match (last, words.last_mut()) {
            (Some(last), Some((_, word))) if joins(last, c) => word.push(c),
            _ if is_spelled(c) => words.push((place, c.to_string())),
            _ => {}
        }
        last = Some(c);
        place += 1;
    }
    words
}

/// Would these two folded letters be of one word, if they stood beside each other?
pub fn joins(one: char, other: char) -> bool {
    is_spelled(one) && kind(one) == kind(other)
}

/// Is it a letter or digit of a script that puts spaces between words?
pub fn is_spelled(c: char) -> bool {
    kind(c) != Kind::Other
}

#[derive(PartialEq, Eq)]
enum Kind {
    Digit,
    Letter,
    Other,
}

#[inline]
fn kind(c: char) -> Kind {
    match c {
        '\u{2E80}'.. => Kind::Other,
        '0'..='9' => Kind::Digit,
        'a'..='z' => Kind::Letter,
        // Latin with accents, Greek, Cyrillic, Armenian; more of Latin and Greek.
        '\u{C0}'..'\u{590}' | '\u{1E00}'..'\u{2000}' if c.is_alphabetic() => Kind::Letter,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_keep_their_ends_and_signs() {
        for (text, spelled) in [
            ("Ｖia India", "via india"),
            ("用 C++ 写的，C# 也行", "用c+写的c#也行"),
            ("iPhone 15 Pro，人工 智能 AI", "iphone15pro人工智能ai"),
            ("2024-01-02", "2024 01 02"),
            ("U.S. ＋ # É", "u s é"),
        ] {
            assert_eq!(letters(text), spelled, "{text}");
        }
    }

    proptest! {
        #[test]
        fn marks_are_all_that_is_added(text in any::<String>(), latin in "[aB1+# 台é.-]{0,30}") {
            for text in [text, latin] {
                prop_assert_eq!(without_marks(&letters(&text)), fold::letters(&text));
            }
        }
    }
}
