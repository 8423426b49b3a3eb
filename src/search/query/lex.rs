//! Cuts what was typed into items: words, quoted phrases, operators with their values.

use chrono_tz::Tz;

use super::operator::{Note, Operator};
use crate::text::{fold, spelled};

/// What was typed, cut; nothing of it is understood yet but where an operator binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Or,
    Item(Item),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub negated: bool,
    pub operator: Option<Operator>,
    /// Without operator and quotation marks.
    pub value: String,
    pub quoted: bool,
    /// See [`super::Term::gentle`].
    pub gentle: bool,
    /// An operator was meant, but its value is none.
    pub note: Option<Note>,
    /// Reads the same where it stands alone; without the minus.
    pub typed: String,
}

impl Item {
    pub fn plain(text: &str) -> Item {
        Item {
            negated: false,
            operator: None,
            value: text.to_owned(),
            quoted: false,
            gentle: false,
            note: None,
            typed: text.to_owned(),
        }
    }
}

pub struct Lexer<'a> {
    rest: &'a str,
    /// What stands before it.
    last: Option<char>,
    /// How much is left behind the end of a bracket whose inside is not wanted.
    negated_until: Option<usize>,
    zone: Tz,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, zone: Tz) -> Lexer<'a> {
        Lexer { rest: text, last: None, negated_until: None, zone }
    }

    /// Passes over so many bytes.
    fn skip(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.last = passed.chars().next_back().or(self.last);
        self.rest = rest;
    }

    fn stands_apart(&self) -> bool {
        self.last.is_none_or(|c| c.is_whitespace() || is_bracket(c))
    }

    /// A minus counts where a term begins: not in -30℃ (a temperature), -- (a dash) or 》-影评.
    fn minus(&mut self) -> bool {
        let mut chars = self.rest.chars();
        let binds = chars.next().is_some_and(is_minus)
            && self.stands_apart()
            && chars.next().is_some_and(|c| !c.is_whitespace() && !c.is_numeric() && !is_minus(c));
        if binds {
            let minus = self.rest.chars().next().map_or(0, char::len_utf8);
            self.rest = &self.rest[minus..];
        }
        binds
    }

    /// -( .. ): nothing inside is wanted.
    fn negated_bracket(&mut self) {
        if self.rest.starts_with(['(', '（']) {
            let end = self.rest.find([')', '）']).unwrap_or(self.rest.len());
            self.negated_until = Some(self.rest.len() - end);
        }
    }

    fn or(&mut self) -> Option<Token> {
        if !self.stands_apart() {
            return None;
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || is_bracket(c)).unwrap_or(self.rest.len());
        is_or(&self.rest[..end]).then(|| {
            self.skip(end);
            Token::Or
        })
    }

    /// `title:..`, where something stands behind the colon.
    fn operator(&mut self, negated: bool) -> Option<Item> {
        let (operator, colon) = operator_at(self.rest)?;
        let behind = &self.rest[colon..];
        let value = behind.trim_start();
        let spaced = value.len() < behind.len();
        if spaced && (operator_at(value).is_some() || value.starts_with(is_minus)) {
            return None;
        }
        let name = self.rest[..colon].to_owned();
        let mut inner = Lexer { rest: value, last: None, ..*self };
        let (value, quoted) = match inner.marked() {
            Some(value) => (without_marks(value), true),
            None => (inner.run().to_owned(), false),
        };
        if fold::letters(&value).is_empty() {
            return None;
        }
        let note = operator.read(&value, quoted, 1, self.zone).err();
        if note.is_some() && spaced {
            return None;
        }
        let typed = name + &if quoted { format!("\"{value}\"") } else { value.clone() };
        self.skip(self.rest.len() - inner.rest.len());
        let (operator, value, quoted) = match note {
            None => (Some(operator), value, quoted),
            Some(_) => (None, typed.clone(), false),
        };
        Some(Item { negated, operator, value, quoted, gentle: false, note, typed })
    }

    /// What stands between quotation marks, if it is some; past them.
    fn marked(&mut self) -> Option<&'a str> {
        let mut chars = self.rest.chars();
        let close = closing_marks(chars.next()?)?;
        let inside = chars.as_str();
        let end = inside.find(close)?;
        let opening = self.rest.len() - inside.len();
        let closing = inside[end..].chars().next().map_or(0, char::len_utf8);
        self.skip(opening + end + closing);
        Some(&inside[..end])
    }

    /// Up to the next separator.
    fn run(&mut self) -> &'a str {
        let end = self.rest.find(is_separator).unwrap_or(self.rest.len());
        let run = &self.rest[..end];
        self.skip(end);
        run
    }

    /// Quotation marks bind when they stand apart: in 谈“十五五”规划 they are only the author's, and
    /// what is inside is a term like the others.
    fn quoted(&mut self, negated: bool) -> Option<Item> {
        let apart = self.stands_apart();
        let gentle = !self.rest.starts_with(['"', '＂']);
        let value = self.marked()?;
        let quoted = apart && self.rest.chars().next().is_none_or(|c| c.is_whitespace() || is_bracket(c));
        let value = without_marks(value);
        let typed = match (quoted, gentle) {
            (true, false) => format!("\"{value}\""),
            (true, true) => format!("“{value}”"),
            (false, _) => alone(&value, self.zone),
        };
        // Spaces between marks that do not bind are none: what is inside is one term.
        let value = if quoted { value } else { typed.clone() };
        Some(Item { quoted, gentle, negated, typed, ..Item::plain(&value) })
    }

    fn plain(&mut self, negated: bool) -> Option<Item> {
        let run = Some(self.run()).filter(|run| !run.is_empty())?;
        let is_odd = run.starts_with(is_minus) || run.ends_with(':') || is_or(run);
        let typed = if is_odd { alone(run, self.zone) } else { run.to_owned() };
        Some(Item { negated, typed, ..Item::plain(run) })
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let mut minus = false;
        loop {
            let first = self.rest.chars().next()?;
            if let Some(or) = self.or() {
                return Some(or);
            }
            if self.minus() {
                minus = true;
                self.negated_bracket();
            }
            let negated = minus || self.negated_until.is_some_and(|left| self.rest.len() > left);
            let item = self.operator(negated).or_else(|| self.quoted(negated));
            if let Some(item) = item.or_else(|| self.plain(negated)) {
                return Some(Token::Item(item));
            }
            minus &= !first.is_whitespace();
            self.skip(self.rest.chars().next().map_or(0, char::len_utf8));
        }
    }
}

/// The operator whose name the text begins with, and where its value begins.
fn operator_at(text: &str) -> Option<(Operator, usize)> {
    let names = text.char_indices().take(Operator::LONGEST_NAME + 1);
    let (end, colon) =
        names.take_while(|(_, c)| !c.is_whitespace()).find(|(_, c)| matches!(c, ':' | '：'))?;
    Some((Operator::named(&text[..end])?, end + colon.len_utf8()))
}

/// A plain text written so that it is read as one plain term wherever it stands.
fn alone(text: &str, zone: Tz) -> String {
    let bare = text.trim_start_matches(is_minus).trim_end_matches(':');
    let is_one_run = !bare.is_empty() && !bare.contains(is_separator);
    let is_plain = || Lexer::new(bare, zone).next() == Some(Token::Item(Item::plain(bare)));
    if is_one_run && is_plain() {
        bare.to_owned()
    } else {
        spelled::letters(text).replace(spelled::SPACE, "")
    }
}

/// The inside of quotation marks, without further ones that would end it.
fn without_marks(text: &str) -> String {
    text.replace(closing_marks('"').unwrap_or_default(), " ").trim().to_owned()
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

fn is_or(text: &str) -> bool {
    matches!(text, "OR" | "ＯＲ" | "|" | "｜" | "||")
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '－' | '−')
}

fn is_bracket(c: char) -> bool {
    matches!(c, '(' | ')' | '（' | '）')
}

/// Besides brackets, spaces and quotation marks.
const SEPARATORS: &str = ",;!?[]{}|<>，。、；：！？【】〔〕《》〈〉」』｣｜…»";

/// What parts terms. Points, hyphens, slashes and the like inside a term are passed over as in the
/// articles themselves.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || is_bracket(c)
        || closing_marks(c).is_some()
        || SEPARATORS.contains(c)
}
