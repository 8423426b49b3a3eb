//! How long a text is, and its first lines, in a way that is right for Chinese.

use super::letter::is_read_alone;

/// Word count as Chinese word processors give it: every ideograph is one, a run of letters or digits
/// is one.
pub fn words(text: &str) -> usize {
    let mut count = 0;
    let mut in_word = false;
    for c in text.chars() {
        if is_read_alone(c) {
            count += 1;
            in_word = false;
        } else if c.is_alphanumeric() {
            count += usize::from(!in_word);
            in_word = true;
        } else if !matches!(c, '\'' | '’' | '-' | '.' | ',' | '_' | '\u{300}'..='\u{36F}') {
            // don't, well-known, 3.14, 1,000 and snake_case are one word each.
            in_word = false;
        }
    }
    count
}

/// Whole minutes, at least one, that it takes to read so many words in a language: 400 ideographs
/// or 220 words a minute.
pub fn minutes(words: i32, lang: &str) -> i32 {
    let ideographic = ["zh", "ja", "ko"].iter().any(|family| lang.starts_with(family));
    let a_minute = if ideographic { 400 } else { 220 };
    ((words.max(0) + a_minute / 2) / a_minute).max(1)
}

/// The beginning of a plain text on one line, at most `max_chars` characters: up to the end of a
/// sentence where one ends in the second half of that room, else of a clause, else cut hard; an
/// ellipsis (counted) marks a cut inside a sentence.
pub fn excerpt(plain: &str, max_chars: usize) -> String {
    let line: Vec<char> = one_line(plain).take(max_chars + 1).collect();
    if line.len() <= max_chars {
        return line.into_iter().collect();
    }
    let room = &line[..max_chars];
    if let Some(end) = last_break(room, max_chars / 2, is_sentence_end) {
        return room[..end].iter().collect();
    }
    if max_chars == 0 {
        return String::new();
    }
    let room = &room[..max_chars - 1];
    let clause = last_break(room, max_chars / 2, |c| is_clause_end(c) || c == ' ');
    let mut cut: String = room[..clause.unwrap_or(room.len())].iter().collect();
    let kept = cut.trim_end_matches(|c| is_clause_end(c) || c == ' ').len();
    cut.truncate(kept);
    cut.push('…');
    cut
}

/// White space runs become one space, or none beside full-width punctuation.
fn one_line(plain: &str) -> impl Iterator<Item = char> {
    let mut last = None;
    let mut space = false;
    plain
        .chars()
        .filter(|c| !c.is_control() || c.is_whitespace())
        .flat_map(move |c| {
            if c.is_whitespace() {
                space = true;
                return [None, None];
            }
            let mark = |c: char| matches!(c, '\u{3001}'..='\u{301F}' | '！'..='／' | '：'..='＠');
            let gap = space && last.is_some_and(|l| !mark(l) && !mark(c));
            space = false;
            last = Some(c);
            [gap.then_some(' '), Some(c)]
        })
        .flatten()
}

/// The place after the last break in `line`, closing quotes and brackets included, if it lies
/// beyond `least`.
fn last_break(line: &[char], least: usize, is_break: impl Fn(char) -> bool) -> Option<usize> {
    let ends_here = |at: usize| {
        // A point inside a number or an address ends nothing.
        let inner = line[at] == '.' && line.get(at + 1).is_some_and(|c| c.is_alphanumeric());
        is_break(line[at]) && !inner
    };
    let at = (0..line.len()).rev().take_while(|at| at + 1 > least).find(|&at| ends_here(at))?;
    let closing = line[at + 1..].iter().take_while(|c| "”’」』）》】\"')".contains(**c)).count();
    Some(at + 1 + closing)
}

fn is_sentence_end(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '!' | '?' | '.' | '…' | '；' | '｡')
}

fn is_clause_end(c: char) -> bool {
    matches!(c, '，' | '、' | '：' | ',' | ':' | ';' | '；' | '—')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ideographs_count_one_each_and_foreign_words_one_each() {
        for (text, count) in [
            ("国内联播快讯", 6),
            ("用 Rust 写的 tantivy 0.27 很快！", 8),
            ("It's a well-known fact: 3.14 < 1,000", 6),
            ("「你好」，世界。", 4),
            ("", 0),
        ] {
            assert_eq!(words(text), count, "{text}");
        }
    }

    #[test]
    fn reading_time_is_in_whole_minutes() {
        assert_eq!([-1, 0, 199, 599, 600, 4_000].map(|words| minutes(words, "zh-Hant")), [1, 1, 1, 1, 2, 10]);
        assert_eq!([1, 329, 330, 2_200].map(|words| minutes(words, "en")), [1, 1, 2, 10]);
    }

    #[test]
    fn excerpts_end_where_a_sentence_or_clause_ends() {
        let text = "第一句话在这里结束。“第二句话也结束了。”第三句话还很长，而且没有";
        assert_eq!(excerpt(text, 100), text);
        assert_eq!(excerpt(text, 25), "第一句话在这里结束。“第二句话也结束了。”");
        assert_eq!(excerpt(text, 12), "第一句话在这里结束。");
        assert_eq!(excerpt("没有句号，只有逗号的很长的一段话", 8), "没有句号…");
        assert_eq!(excerpt("完全没有标点的很长的一段话", 6), "完全没有标…");
        assert_eq!(excerpt("第一段\n\n第二段 and\n English", 50), "第一段 第二段 and English");
        assert_eq!(excerpt("Version 1.25 of the engine is out now", 12), "Version…");
    }

    proptest! {
        #[test]
        fn excerpts_keep_to_their_room(text in any::<String>(), max in 0usize..60) {
            prop_assert!(excerpt(&text, max).chars().count() <= max);
        }
    }
}
