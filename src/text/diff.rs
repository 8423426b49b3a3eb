//! What changed between two versions of a text, for people to read: first by sentences, then within those that are
//! still alike by words. Chinese words go by dictionary, so that 周三 becoming 周四 is not 三 becoming 四.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::segment;

/// How long one comparison may take; what is not looked at by then shows as taken out and put in.
const PATIENCE: Duration = Duration::from_millis(150);
/// Longer sentences, in bytes, are not looked into.
const LONGEST_SENTENCE: usize = 2_000;
/// Sentences that have less than this in common are two sentences.
const ALIKE: f32 = 0.5;

/// A stretch of text that is in both versions or in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Same(String),
    Removed(String),
    Added(String),
}

/// A part of a text in two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Paragraphs that are the same in both, that many.
    Same(usize),
    /// A paragraph that is not.
    Changed(Vec<Piece>),
}

/// Compares texts of a paragraph a line.
pub fn texts(before: &str, after: &str) -> Vec<Part> {
    let deadline = Instant::now() + PATIENCE;
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut parts = Vec::new();
    for op in compare(&old, &new, deadline) {
        match op {
            DiffOp::Equal { len, .. } => parts.push(Part::Same(len)),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
                parts.extend(paragraphs(old, new, deadline).into_iter().map(Part::Changed));
            }
        }
    }
    parts
}

/// Compares two lines, such as titles.
pub fn lines(before: &str, after: &str) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    sentence(before, after, Instant::now() + PATIENCE, &mut pieces);
    pieces.0
}

/// Paragraphs that stand in each other's place: one by one where there are as many, as it is with most corrections.
fn paragraphs(old: &[&str], new: &[&str], deadline: Instant) -> Vec<Vec<Piece>> {
    if old.len() == new.len() {
        return old.iter().zip(new).map(|(old, new)| paragraph(old, new, deadline)).collect();
    }
    let removed = old.iter().map(|line| vec![Piece::Removed((*line).to_owned())]);
    let added = new.iter().map(|line| vec![Piece::Added((*line).to_owned())]);
    // A paragraph that was cut in two, or two made one, is followed through.
    if let ([_], _) | (_, [_]) = (old, new)
        && !old.is_empty()
        && !new.is_empty()
    {
        return vec![paragraph(&old.join("\n"), &new.join("\n"), deadline)];
    }
    removed.chain(added).collect()
}

fn paragraph(before: &str, after: &str, deadline: Instant) -> Vec<Piece> {
    let (old, new) = (sentences(before), sentences(after));
    let mut pieces = Pieces::default();
    for op in compare(&old, &new, deadline) {
        let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
        match op {
            DiffOp::Equal { .. } => pieces.same(&new.concat()),
            _ => sentence(&old.concat(), &new.concat(), deadline, &mut pieces),
        }
    }
    pieces.0
}

/// By words, where enough of them are the same.
fn sentence(before: &str, after: &str, deadline: Instant, pieces: &mut Pieces) {
    if before.is_empty() || after.is_empty() || before.len().max(after.len()) > LONGEST_SENTENCE {
        pieces.removed(before);
        pieces.added(after);
        return;
    }
    let (old, new) = (segment::words(before), segment::words(after));
    let ops = compare(&old, &new, deadline);
    let kept: usize = ops
        .iter()
        .filter(|op| matches!(op, DiffOp::Equal { .. }))
        .map(|op| new[op.new_range()].concat().len())
        .sum();
    if (2 * kept) as f32 / ((before.len() + after.len()) as f32) < ALIKE {
        pieces.removed(before);
        pieces.added(after);
        return;
    }
    for op in ops {
        let (old, new) = (old[op.old_range()].concat(), new[op.new_range()].concat());
        match op {
            DiffOp::Equal { .. } => pieces.same(&new),
            _ => {
                pieces.removed(&old);
                pieces.added(&new);
            }
        }
    }
}

fn compare(old: &[&str], new: &[&str], deadline: Instant) -> Vec<DiffOp> {
    capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(deadline))
}

/// The sentences of a paragraph, with the marks that end them; together they are the paragraph.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            '。' | '！' | '？' | '；' | '\n' => true,
            '.' | '!' | '?' => next.is_none_or(char::is_whitespace),
            _ => false,
        };
        let closes = next.is_some_and(|next| "。！？”’」』）》】\"')… ".contains(next));
        let was_ended = text[start..at].ends_with(['。', '！', '？', '.', '!', '?']);
        if (ends || (was_ended && "”’」』）》】\"')… ".contains(c))) && !closes {
            sentences.push(&text[start..at + c.len_utf8()]);
            start = at + c.len_utf8();
        }
    }
    if start < text.len() {
        sentences.push(&text[start..]);
    }
    sentences
}

/// Gathers pieces; those of a kind that follow each other become one.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn same(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Same(before)) => before.push_str(text),
            _ => self.0.push(Piece::Same(text.to_owned())),
        }
    }

    fn removed(&mut self, text: &str) {
        // What goes stands before what comes.
        let at = self.0.len() - usize::from(matches!(self.0.last(), Some(Piece::Added(_))));
        match at.checked_sub(1).and_then(|last| self.0.get_mut(last)) {
            _ if text.is_empty() => {}
            Some(Piece::Removed(before)) => before.push_str(text),
            _ => self.0.insert(at, Piece::Removed(text.to_owned())),
        }
    }

    fn added(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Added(before)) => before.push_str(text),
            _ => self.0.push(Piece::Added(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Piece::{Added, Removed, Same};
    use super::*;

    fn same(text: &str) -> Piece {
        Same(text.into())
    }

    fn removed(text: &str) -> Piece {
        Removed(text.into())
    }

    fn added(text: &str) -> Piece {
        Added(text.into())
    }

    #[test]
    fn a_corrected_number_is_shown_within_its_sentence() {
        let before = "会议在周三开幕。\n共有三百人参加，其中二十人来自海外。会后有晚宴。";
        let after = "会议在周三开幕。\n共有四百人参加，其中二十人来自海外。会后有晚宴。";
        let parts = texts(before, after);
        assert_eq!((parts.len(), &parts[0]), (2, &Part::Same(1)));
        let Part::Changed(pieces) = &parts[1] else { panic!() };
        assert!(
            matches!(&pieces[..], [Same(_), Removed(old), Added(new), Same(_)]
            if old.starts_with('三') && new.starts_with('四')),
            "{pieces:?}"
        );
    }

    #[test]
    fn sentences_come_and_go_as_a_whole() {
        let pieces = paragraph(
            "甲说好。乙说不好。丙没有说话。",
            "甲说好。丙没有说话。后来下雨了。",
            Instant::now() + PATIENCE,
        );
        assert_eq!(
            pieces,
            [same("甲说好。"), removed("乙说不好。"), same("丙没有说话。"), added("后来下雨了。")]
        );
    }

    #[test]
    fn another_sentence_is_not_taken_for_a_changed_one() {
        assert_eq!(lines("台风登陆福建", "央行宣布降息"), [removed("台风登陆福建"), added("央行宣布降息")]);
        assert_eq!(lines("", "新题"), [added("新题")]);
        assert_eq!(lines("同题", "同题"), [same("同题")]);
    }

    #[test]
    fn english_goes_by_words_and_quotes_close_their_sentence() {
        assert_eq!(
            lines("The first version is out now.", "The second version is out now."),
            [same("The "), removed("first"), added("second"), same(" version is out now.")]
        );
        assert_eq!(
            sentences("他说：“走吧！”大家走了。It is 3.5 m. Yes"),
            ["他说：“走吧！”", "大家走了。", "It is 3.5 m. ", "Yes"]
        );
    }

    #[test]
    fn a_paragraph_that_was_cut_in_two_is_followed_through() {
        let parts = texts("甲到了北京。乙到了上海。", "甲到了北京。\n乙到了上海。");
        let [Part::Changed(pieces)] = &parts[..] else { panic!("{parts:?}") };
        assert!(
            pieces.iter().all(|piece| !matches!(piece, Removed(text) if text.contains('北'))),
            "{pieces:?}"
        );
    }

    proptest! {
        #[test]
        fn both_versions_can_be_read_from_the_difference(before in "[甲乙丙丁。！ a-c.\n]{0,60}", after in "[甲乙丙丁。！ a-c.\n]{0,60}") {
            let (mut old, mut new) = (String::new(), String::new());
            for piece in paragraph(&before, &after, Instant::now() + PATIENCE) {
                match piece {
                    Same(text) => { old.push_str(&text); new.push_str(&text); }
                    Removed(text) => old.push_str(&text),
                    Added(text) => new.push_str(&text),
                }
            }
            prop_assert_eq!((old, new), (before, after));
        }
    }
}
