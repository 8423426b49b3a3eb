//! How characters of East Asia are written and read.

/// Ideographs, kana and Hangul syllables are read one by one; other letters in words.
pub fn is_read_alone(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30FF}'
        | '\u{AC00}'..='\u{D7A3}')
}

/// Ideographs, kana, bopomofo, their punctuation and wide forms: what stands without spaces between words. Hangul has
/// spaces.
pub fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Letters and digits of all other scripts, such as Latin.
pub fn is_foreign(c: char) -> bool {
    c.is_alphanumeric() && !is_read_alone(c) && !is_unspaced(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_of_their_kinds() {
        for (c, kinds) in [
            ('乡', [true, true, false]),
            ('𠮷', [true, true, false]),
            ('の', [true, true, false]),
            ('ㄅ', [false, true, false]),
            ('，', [false, true, false]),
            ('「', [false, true, false]),
            ('Ａ', [false, true, false]),
            ('한', [true, false, false]),
            ('a', [false, false, true]),
            ('é', [false, false, true]),
            ('5', [false, false, true]),
            ('’', [false, false, false]),
            (' ', [false, false, false]),
        ] {
            assert_eq!([is_read_alone(c), is_unspaced(c), is_foreign(c)], kinds, "{c}");
        }
    }
}
