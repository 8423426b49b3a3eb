//! Marks of quotation as each script has them: “ ” ‘ ’ in Simplified, 「 」『 』 in Traditional. Only pairs around or
//! behind Chinese change, so an apostrophe and what is quoted in English stay as they are. The marks of both scripts
//! have the same length in bytes: places in a text stay where they are.

use std::borrow::Cow;

use crate::articles::content::tag_end;
use crate::text::letter::{is_foreign, is_unspaced};

const CURLY: [char; 4] = ['“', '”', '‘', '’'];
const CORNERS: [&str; 4] = ["「", "」", "『", "』"];
/// In the order of the other two.
const CORNER_CHARS: [char; 4] = ['「', '」', '『', '』'];
const CURLY_MARKS: [&str; 4] = ["“", "”", "‘", "’"];
/// Letters of the name of an entity, and its `;`.
const LONGEST_ENTITY: usize = 10;

/// What marks become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    Curly,
    Corners,
}

impl Marks {
    /// The marks that are replaced: opening and closing, outer and inner.
    fn replaced(self) -> [char; 4] {
        if self == Self::Corners { CURLY } else { CORNER_CHARS }
    }

    fn written(self) -> [&'static str; 4] {
        if self == Self::Corners { CORNERS } else { CURLY_MARKS }
    }

    /// Whether a text has any that may be replaced.
    pub fn may_be_in(self, text: &str) -> bool {
        let [outer, _, inner, _] = if self == Self::Corners { CURLY_MARKS } else { CORNERS };
        text.contains(outer) || text.contains(inner)
    }

    /// A plain text with its marks replaced, each line for itself.
    pub fn put_in(self, text: Cow<'_, str>) -> Cow<'_, str> {
        if !self.may_be_in(&text) {
            return text;
        }
        let mut pairs = Pairs::new(self, false);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            pairs.read(line, at);
            pairs.end_block();
            at += line.len();
        }
        if pairs.found.is_empty() { text } else { Cow::Owned(pairs.put_in(&text)) }
    }
}

/// A mark that was opened and not closed yet.
#[derive(Clone, Copy, Debug)]
struct Opened {
    at: usize,
    /// Which of the four.
    kind: usize,
    /// Whether the letter before it is Chinese, where there is one in its block.
    before: Option<bool>,
    /// How many Chinese letters had been read by then.
    letters: usize,
}

/// The pairs of a text that is read in pieces, block by block.
#[derive(Debug)]
pub struct Pairs {
    into: Marks,
    has_entities: bool,
    opened: Vec<Opened>,
    /// Places of marks that are replaced, with what stands there then.
    found: Vec<(usize, &'static str)>,
    /// Of pairs at the beginning of a block without Chinese in them, which the next letter decides on.
    undecided: Vec<(usize, &'static str)>,
    /// Whether the last letter of this block is Chinese.
    before: Option<bool>,
    /// Chinese letters that were read.
    letters: usize,
    has_text: bool,
    /// The mark that the block begins with, and whether its pair is replaced.
    lead: Option<(usize, usize, bool)>,
    /// Marks that blocks before began with and that a later one closes: who is quoted over many paragraphs has one at the
    /// beginning of each, and the last at the end.
    leads: Vec<(usize, usize)>,
}

impl Pairs {
    pub fn new(into: Marks, has_entities: bool) -> Self {
        Self {
            into,
            has_entities,
            opened: Vec::new(),
            found: Vec::new(),
            undecided: Vec::new(),
            before: None,
            letters: 0,
            has_text: false,
            lead: None,
            leads: Vec::new(),
        }
    }

    /// Reads the next piece of a block, which stands at `at` in the whole text.
    pub fn read(&mut self, piece: &str, at: usize) {
        self.go_over(piece, Some(at));
    }

    /// Reads what is not to be changed: only its letters count.
    pub fn pass_by(&mut self, html: &str) {
        let mut rest = html;
        while let Some((text, tag)) = rest.split_once('<') {
            self.go_over(text, None);
            rest = tag_end(tag).map_or("", |end| &tag[end + 1..]);
        }
        self.go_over(rest, None);
    }

    fn go_over(&mut self, piece: &str, at: Option<usize>) {
        let marks = self.into.replaced();
        let (mut last, mut skipped) = (None, 0);
        for (place, c) in piece.char_indices() {
            let before = last.replace(c);
            if place < skipped || c.is_whitespace() {
                continue;
            }
            match marks.iter().position(|mark| *mark == c) {
                Some(kind) => {
                    let next = || piece[place + c.len_utf8()..].chars().next();
                    if let Some(at) = at
                        && !(c == '’' && before.is_some_and(is_foreign) && next().is_some_and(is_foreign))
                    {
                        self.mark(kind, at + place);
                    }
                }
                None if c == '&' && self.has_entities => skipped = place + entity(&piece[place..]),
                None => self.letter(c),
            }
            self.has_text = true;
        }
    }

    fn mark(&mut self, kind: usize, at: usize) {
        if kind % 2 == 1 {
            return self.close(kind - 1, at);
        }
        if !self.has_text {
            self.lead = Some((at, kind, false));
        }
        self.opened.push(Opened { at, kind, before: self.before, letters: self.letters });
    }

    /// A closing mark. One that may be an apostrophe closes nothing but the last that was opened.
    fn close(&mut self, kind: usize, at: usize) {
        let is_it = |opened: &Opened| opened.kind == kind;
        let Some(place) = self.opened.iter().rposition(is_it) else { return };
        let may_be_apostrophe = kind == 2 && self.into == Marks::Corners;
        if may_be_apostrophe && place + 1 < self.opened.len() {
            return;
        }
        let opened = self.opened[place];
        self.opened.truncate(place);
        let written = self.into.written();
        let pair = [(opened.at, written[kind]), (at, written[kind + 1])];
        let is_chinese = opened.before == Some(true) || self.letters > opened.letters;
        if !is_chinese {
            if opened.before.is_none() {
                self.undecided.extend(pair);
            }
            return;
        }
        self.found.extend(pair);
        if let Some((_, _, is_replaced)) = self.lead.as_mut().filter(|lead| lead.0 == opened.at) {
            *is_replaced = true;
        }
    }

    fn letter(&mut self, c: char) {
        let is_chinese = is_chinese(c);
        if !is_chinese && !c.is_alphabetic() {
            return;
        }
        if is_chinese {
            self.letters += 1;
            self.found.append(&mut self.undecided);
        }
        self.undecided.clear();
        self.before = Some(is_chinese);
    }

    /// Marks in the next block are pairs of their own.
    pub fn end_block(&mut self) {
        if !self.has_text {
            return;
        }
        let is_open = self.opened.first().is_some_and(|first| Some(first.at) == self.lead.map(|lead| lead.0));
        match self.lead {
            Some((at, kind, _)) if is_open && self.letters > self.opened[0].letters => {
                self.leads.retain(|lead| lead.1 == kind);
                self.leads.push((at, kind));
            }
            Some((_, kind, true)) => {
                let written = self.into.written()[kind];
                let leads = self.leads.drain(..).filter(|lead| lead.1 == kind);
                self.found.extend(leads.map(|(at, _)| (at, written)));
            }
            _ => self.leads.clear(),
        }
        self.opened.clear();
        self.undecided.clear();
        (self.before, self.has_text, self.lead) = (None, false, None);
    }

    /// The whole text with the marks of its pairs.
    pub fn put_in(mut self, text: &str) -> String {
        self.end_block();
        self.found.sort_unstable_by_key(|(at, _)| *at);
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (at, mark) in self.found {
            out.push_str(&text[from..at]);
            out.push_str(mark);
            from = at + mark.len();
        }
        out.push_str(&text[from..]);
        out
    }
}

/// Bytes of the entity that a text begins with; of its `&` where it is none.
fn entity(text: &str) -> usize {
    let end = text.bytes().take(LONGEST_ENTITY).position(|b| b == b';');
    end.map_or(1, |end| end + 1)
}

/// Letters and punctuation of Chinese, but for the marks themselves.
fn is_chinese(c: char) -> bool {
    is_unspaced(c) && !CORNER_CHARS.contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(into: Marks, text: &str) -> String {
        into.put_in(text.into()).into_owned()
    }

    #[test]
    fn pairs_follow_the_script() {
        for (curly, corners) in [
            ("他說“你好”。", "他說「你好」。"),
            ("“他說‘你好’嗎？”", "「他說『你好』嗎？」"),
            ("“hello”是你好", "「hello」是你好"),
            ("他說：“Hello, world.”", "他說：「Hello, world.」"),
            ("用 2 個“x”", "用 2 個「x」"),
            ("“it’s 好”", "「it’s 好」"),
            ("“一‘二”三", "「一‘二」三"),
            ("“一段\n“二段", "“一段\n“二段"),
            ("“一段\n“二段”後", "「一段\n「二段」後"),
        ] {
            assert_eq!(put(Marks::Corners, curly), corners);
            assert_eq!(put(Marks::Curly, corners), curly);
        }
    }

    #[test]
    fn what_is_quoted_among_latin_letters_stays() {
        for text in [
            "it’s the readers’ 好 choice",
            "He said “hello” to us.",
            "“Hello.” She left.",
            "”一“二",
            "‘",
            "’90 年",
        ] {
            assert_eq!(put(Marks::Corners, text), text);
        }
        assert_eq!(put(Marks::Curly, "He said 「hello」 to us, 「好"), "He said 「hello」 to us, 「好");
    }

    #[test]
    fn entities_are_no_words() {
        let mut pairs = Pairs::new(Marks::Corners, true);
        let html = "好&quot;“x”&amp";
        pairs.read(html, 0);
        assert_eq!(pairs.put_in(html), "好&quot;「x」&amp");
    }

    proptest! {
        #[test]
        fn only_marks_change_and_pairs_come_back(text in "[“”‘’「」『』好a1& ，。;\n—]{0,40}|\\PC{0,40}") {
            for into in [Marks::Corners, Marks::Curly] {
                let there = put(into, &text);
                prop_assert_eq!(there.chars().count(), text.chars().count());
                for (a, b) in text.chars().zip(there.chars()) {
                    prop_assert!(a == b || into.replaced().contains(&a) && !into.replaced().contains(&b));
                }
                let html = format!("<p>{text}</p>");
                let mut pairs = Pairs::new(into, true);
                pairs.pass_by(&html);
                pairs.read(&html, 0);
                prop_assert_eq!(pairs.put_in(&html).len(), html.len());
            }
        }

        #[test]
        fn there_and_back_is_the_same(text in "[“”‘’好a1 ，。\n]{0,40}") {
            prop_assert_eq!(put(Marks::Curly, &put(Marks::Corners, &text)), text);
        }

        #[test]
        fn back_and_there_is_the_same(text in "[「」『』好 ，。\n]{0,40}") {
            prop_assert_eq!(put(Marks::Corners, &put(Marks::Curly, &text)), text);
        }
    }
}
