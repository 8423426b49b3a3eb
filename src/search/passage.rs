//! Where a passage of a text begins and ends, so that it reads well: at sentences, else at clauses, never
//! inside a word or a number.

use std::ops::Range;

use crate::text::letter::is_unspaced;

/// Fills the room around a window: from the beginning of its sentence if that is near, to the end of
/// one if that does not throw most of the room away.
pub fn widen(text: &str, window: Range<usize>, chars: usize) -> Range<usize> {
    let room = chars.saturating_sub(text[window.clone()].chars().count());
    let mut start = beginning(text, window.start, room);
    let end = ending(text, start..window.end, chars);
    // At the end of a text, more of what comes before.
    while let Some(earlier) = sentence_before(text, start) {
        if text[earlier..end].chars().count() > chars {
            break;
        }
        start = earlier;
    }
    start..end
}

/// Where to begin, with at most so many characters before `at`: at a sentence, else at a clause, else
/// at a word.
fn beginning(text: &str, at: usize, room: usize) -> usize {
    let far = before(text, at, room * 2 / 3);
    if let Some(sentence) = sentence_start(text, at).filter(|start| *start >= far) {
        return sentence;
    }
    let clauses = text[far..at].char_indices().map(|(comma, c)| (far + comma + c.len_utf8(), c));
    let mut clauses =
        clauses.filter(|(end, c)| is_clause_end(*c) && *end < at && !is_inside_word(text, *end));
    if let Some((clause, _)) = clauses.next() {
        return clause;
    }
    let mut start = before(text, at, room / 3);
    while start < at && is_inside_word(text, start) {
        start += text[start..].chars().next().map_or(1, char::len_utf8);
    }
    start
}

/// Where to end what begins with `window`: at a sentence, a clause, or at least not inside a word.
fn ending(text: &str, window: Range<usize>, chars: usize) -> usize {
    let limit = end_after(text, window.start, chars).max(window.end);
    if limit == text.len() {
        return limit;
    }
    let long_enough = |end: usize, share: usize| text[window.start..end].chars().count() * 4 >= chars * share;
    let ends = || text[window.end..limit].char_indices().rev().map(|(at, c)| (window.end + at, c));
    if let Some((at, c)) = ends().find(|(at, _)| is_sentence_end(text, *at)) {
        let end = past_closing_marks(text, at + c.len_utf8()).min(limit);
        if long_enough(end, 2) {
            return end;
        }
    }
    if let Some((at, _)) = ends().find(|(_, c)| is_clause_end(*c)).filter(|(at, _)| long_enough(*at, 3)) {
        return at;
    }
    let mut end = limit;
    while end > window.end && is_inside_word(text, end) {
        end = before(text, end, 1);
    }
    if end > window.end { end } else { limit }
}

/// Whether a passage begins, and ends, in the middle of a sentence.
pub fn cut_short(text: &str, passage: Range<usize>) -> [bool; 2] {
    let begins = text[..passage.start].trim().is_empty()
        || sentence_start(text, passage.start).is_some_and(|start| start == passage.start);
    let inside = text[passage.clone()].trim_end_matches(|c: char| is_closing(c) || c.is_whitespace());
    let ends = text[passage.end..].trim().is_empty() || inside.ends_with(['。', '！', '？', '!', '?', '.']);
    [!begins, !ends]
}

/// Where the sentence begins that `at` is in; `None` if that is very far.
fn sentence_start(text: &str, at: usize) -> Option<usize> {
    let mut seen = 0;
    for (end, c) in text[..at].char_indices().rev() {
        seen += 1;
        if seen > MAX_SENTENCE {
            return None;
        }
        if is_sentence_end(text, end) {
            let start = past_closing_marks(text, end + c.len_utf8());
            if start <= at {
                return Some(start);
            }
        }
    }
    Some((text.len() - text.trim_start().len()).min(at))
}

/// Where the sentence before `start` begins.
fn sentence_before(text: &str, start: usize) -> Option<usize> {
    let before = text[..start].trim_end_matches(|c: char| c.is_whitespace() || is_closing(c));
    let last = before.chars().next_back()?;
    sentence_start(text, before.len() - last.len_utf8()).filter(|earlier| *earlier < start)
}

/// Longer ones are no sentences.
const MAX_SENTENCE: usize = 300;

fn is_sentence_end(text: &str, at: usize) -> bool {
    let mut chars = text[at..].chars();
    match chars.next() {
        Some('。' | '！' | '？' | '!' | '?' | '\n' | '；') => true,
        // Not in 3.5 or e.g.
        Some('.') => {
            chars.next().is_some_and(char::is_whitespace)
                && text[..at].chars().rev().take(3).all(char::is_alphabetic)
        }
        _ => false,
    }
}

fn is_clause_end(c: char) -> bool {
    matches!(c, '，' | '：' | '、' | ',' | ':' | ';' | '—')
}

fn is_closing(c: char) -> bool {
    matches!(c, '”' | '’' | '」' | '』' | '）' | ')' | '】' | '》' | '"')
}

/// After an end of a sentence: past quotation marks that belong to it, and spaces.
fn past_closing_marks(text: &str, at: usize) -> usize {
    let rest = text[at..].trim_start_matches(is_closing);
    text.len() - rest.trim_start().len()
}

/// Whether a cut here would go through a word of letters, a number, or part it from its unit.
fn is_inside_word(text: &str, at: usize) -> bool {
    let is_unit = |c| UNITS.contains(c);
    is_inside_letters(text, at)
        || (text[at..].starts_with(is_unit) && text[..at].ends_with(|c: char| c.is_ascii_digit()))
}

/// Whether letters or digits that are not Chinese go on here.
fn is_inside_letters(text: &str, at: usize) -> bool {
    let mut back = text[..at].chars().rev();
    let mut on = text[at..].chars();
    let (Some(last), Some(next)) = (back.next(), on.next()) else { return false };
    let joins = |c: char| matches!(c, '.' | ',' | ':' | '-' | '\'' | '/' | '_');
    let is_letter = |c: char| c.is_alphanumeric() && !is_unspaced(c);
    (is_letter(last) && (is_letter(next) || next == '%'))
        || (is_letter(last) && joins(next) && on.next().is_some_and(is_letter))
        || (joins(last) && is_letter(next) && back.next().is_some_and(is_letter))
}

/// What belongs to the number before it.
const UNITS: &str = "年月日时時点點分秒万萬亿億元人名个個岁歲号號℃";

/// The byte so many characters before `at`, or the beginning.
fn before(text: &str, at: usize, chars: usize) -> usize {
    match chars {
        0 => at,
        _ => text[..at].char_indices().rev().nth(chars - 1).map_or(0, |(before, _)| before),
    }
}

/// The byte `chars` characters after `start`, or the end.
pub fn end_after(text: &str, start: usize, chars: usize) -> usize {
    text[start..].char_indices().nth(chars).map_or(text.len(), |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened<'a>(text: &'a str, found: &str, chars: usize) -> &'a str {
        let at = text.find(found).unwrap();
        text[widen(text, at..at + found.len(), chars)].trim_end()
    }

    #[test]
    fn a_passage_begins_and_ends_with_a_sentence_where_it_can() {
        let text = "前一句话到此为止。“第二句话里有颱風登陸，”他说。第三句话。第四句话很长很长很长很长很长很长很长。";
        assert_eq!(widened(text, "颱風", 28), "“第二句话里有颱風登陸，”他说。第三句话。");
        assert_eq!(widened(text, "第三句", 28), "第三句话。第四句话很长很长很长很长很长很长很长。");
        assert_eq!(widened("Not 3.5 but four. It rained. Then it stopped.", "rained", 16), "It rained.");
    }

    #[test]
    fn the_end_of_a_text_is_shown_with_what_comes_before() {
        let text = "第一句话。第二句话。第三句话。最后有颱風。";
        assert_eq!(widened(text, "颱風", 16), "第二句话。第三句话。最后有颱風。");
    }

    #[test]
    fn long_sentences_are_cut_at_clauses_and_words() {
        let filler = "没有标点的文字".repeat(20);
        let text = format!("{filler}，但是到了晚上颱風{filler}");
        assert!(widened(&text, "颱風", 30).starts_with("但是到了晚上颱風"));
        assert_eq!(cut_short(&text, 0..3), [false, true]);
        let text = format!("{filler}Sutherland 2024年颱風，12,345 人 typhoon{filler}");
        let at = text.find("颱風").unwrap();
        for chars in 12..40 {
            let passage = widen(&text, at..at + "颱風".len(), chars);
            assert!(!is_inside_word(&text, passage.start), "{}", &text[passage]);
            assert!(!is_inside_word(&text, passage.end), "{}", &text[passage]);
        }
    }
}
