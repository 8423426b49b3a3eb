//! Reads what was typed into a [`Parsed`] query.

use chrono_tz::Tz;

use super::{Atom, Clause, Parsed, Term};

/// More than anybody means to ask for; what is beyond is left out.
const MAX_LETTERS: usize = 1_000;
const MAX_CLAUSES: usize = 32;

/// Reads `text`; days in it are those of `zone`. Every string can be read.
pub fn parse(text: &str, _zone: Tz) -> Parsed {
    let mut parser = Parser { rest: text, last: None, room: MAX_LETTERS, clauses: Vec::new() };
    while parser.clauses.len() < MAX_CLAUSES && parser.room > 0 && parser.step() {}
    Parsed { clauses: parser.clauses }
}

struct Parser<'a> {
    rest: &'a str,
    /// What stands before it, a minus left out.
    last: Option<char>,
    /// Letters that may still be asked for.
    room: usize,
    clauses: Vec<Clause>,
}

impl Parser<'_> {
    /// Reads one term or separator; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        let negated = is_minus(first) && {
            let next = self.rest[first.len_utf8()..].chars().next();
            // -30℃ is a temperature and -- a dash, not something to leave out.
            next.is_some_and(|c| !c.is_whitespace() && !c.is_numeric() && !is_minus(c))
        };
        if negated {
            self.rest = &self.rest[first.len_utf8()..];
        }
        if !self.quoted(negated) {
            self.plain(negated);
        }
        true
    }

    /// Quotation marks bind when they stand apart: in 谈“十五五”规划 they are only the author's, and
    /// what is inside is a term like the others.
    fn quoted(&mut self, negated: bool) -> bool {
        let mut chars = self.rest.chars();
        let Some(close) = chars.next().and_then(closing_marks) else { return false };
        let inside = chars.as_str();
        let Some(end) = inside.find(close) else { return false };
        let after = end + inside[end..].chars().next().map_or(0, char::len_utf8);
        let text = &inside[..end];
        self.rest = &inside[after..];
        let apart = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let binds = apart(self.last) && apart(self.rest.chars().next());
        self.last = inside[end..].chars().next();
        self.push(text, binds, negated);
        true
    }

    /// Up to the next separator, and past it.
    fn plain(&mut self, negated: bool) {
        let end = self.rest.find(is_separator).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        let separator = rest.chars().next();
        // A quotation mark is left for the next step, unless it stands here unpaired.
        let skip = separator.filter(|c| end == 0 || closing_marks(*c).is_none());
        self.rest = &rest[skip.map_or(0, char::len_utf8)..];
        self.last = skip.or(text.chars().next_back());
        self.push(text, false, negated);
    }

    fn push(&mut self, text: &str, quoted: bool, negated: bool) {
        if let Some(term) = Term::new(text, quoted, self.room) {
            self.room = self.room.saturating_sub(term.text.chars().count());
            let clause = Clause { negated, any: vec![Atom::Text(term)] };
            if !self.clauses.contains(&clause) {
                self.clauses.push(clause);
            }
        }
    }
}

/// The marks that close what this one opens.
fn closing_marks(open: char) -> Option<&'static [char]> {
    match open {
        '"' | '＂' | '“' | '”' | '„' | '«' => Some(&['"', '＂', '”', '“', '»']),
        '「' | '｢' => Some(&['」', '｣']),
        '『' => Some(&['』']),
        _ => None,
    }
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '－' | '−')
}

/// What parts terms. Points, hyphens, slashes and the like inside a term are passed over as in the
/// articles themselves.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || closing_marks(c).is_some()
        || matches!(
            c,
            ',' | ';'
                | '!'
                | '?'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '|'
                | '<'
                | '>'
                | '，'
                | '。'
                | '、'
                | '；'
                | '：'
                | '！'
                | '？'
                | '（'
                | '）'
                | '【'
                | '】'
                | '〔'
                | '〕'
                | '《'
                | '》'
                | '〈'
                | '〉'
                | '」'
                | '』'
                | '｣'
                | '｜'
                | '…'
                | '»'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mark = |clause: &Clause| {
            let Atom::Text(term) = &clause.any[0] else { panic!("not a text: {clause:?}") };
            let minus = if clause.negated { "-" } else { "" };
            let quote = if term.quoted { "\"" } else { "" };
            format!("{minus}{quote}{}{quote}", term.letters)
        };
        parse(text, Tz::UTC).clauses.iter().map(mark).collect()
    }

    #[test]
    fn terms_phrases_and_exclusions_are_told_apart() {
        for (text, terms) in [
            ("颱風 登陸", vec!["台风", "登陆"]),
            ("“十五五” 规划", vec!["\"十五五\"", "规划"]),
            ("谈“十五五”规划", vec!["谈", "十五五", "规划"]),
            ("「國務院 常務會議」 -香港", vec!["\"国务院常务会议\"", "-香港"]),
            ("a\"b c\"d \"e f\"", vec!["a", "bc", "d", "\"ef\""]),
            ("-\"貿易 戰\" 关税", vec!["-\"贸易战\"", "关税"]),
            ("-30℃，我们破雪而来", vec!["30c", "我们破雪而来"]),
            ("新冠-19 C++ 12:30", vec!["新冠19", "c", "1230"]),
            ("只开不关“的引号", vec!["只开不关", "的引号"]),
            ("5\" 屏幕", vec!["5", "屏幕"]),
            ("重复 重复", vec!["重复"]),
            ("－－ - “” 「」 ！！！ 👍", vec![]),
        ] {
            assert_eq!(read(text), terms, "{text}");
        }
    }

    #[test]
    fn very_long_queries_are_cut() {
        let long = "字符".repeat(5_000);
        let parsed = parse(&long, Tz::UTC);
        assert_eq!(parsed.wanted().next().unwrap().letters.chars().count(), MAX_LETTERS);
        let many: String = (0..500).map(|n| format!("词{n} ")).collect();
        assert_eq!(parse(&many, Tz::UTC).clauses.len(), MAX_CLAUSES);
    }

    proptest! {
        #[test]
        fn any_string_is_read(text in any::<String>(), marks in "[-“”「」\"a字 ]{0,30}") {
            for text in [text, marks] {
                let parsed = parse(&text, Tz::UTC);
                prop_assert!(parsed.clauses.iter().all(|clause| !clause.any.is_empty()));
                prop_assert!(parsed.wanted().all(|term| !term.letters.is_empty()));
            }
        }
    }
}
