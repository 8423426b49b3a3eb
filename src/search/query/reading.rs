//! A query as it was read: what it asks for, and its parts as typed, each of which can be taken out.

use strum::IntoStaticStr;

use super::lex::Item;
use super::operator::{Note, Operator};
use super::{Atom, Parsed};

/// A query as understood, and its parts as typed: one piece for each clause.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    pub parsed: Parsed,
    pub pieces: Vec<Piece>,
    /// There was more than is looked at.
    pub cut: bool,
}

/// A part of a query that can be taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub negated: bool,
    /// Never empty; several are alternatives.
    pub any: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub kind: Kind,
    /// What it came to; the first, where that is several (a language and its kinds).
    pub atom: Atom,
    /// What stands behind the operator, as typed and without quotation marks.
    pub value: String,
    pub quoted: bool,
    /// An operator was meant, but the whole was read as text.
    pub note: Option<Note>,
    /// Reads the same where it stands alone.
    pub(super) typed: String,
}

/// What a choice asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    Word,
    Phrase,
    Title,
    From,
    Author,
    Tag,
    After,
    Before,
    Lang,
    Has,
}

impl Reading {
    /// The query, written so that it reads the same.
    pub fn typed(&self) -> String {
        self.without(usize::MAX)
    }

    /// The query without one of its pieces.
    pub fn without(&self, index: usize) -> String {
        let others = self.pieces.iter().enumerate().filter(|(n, _)| *n != index);
        others.map(|(_, piece)| piece.typed()).collect::<Vec<_>>().join(" ")
    }

    /// What was meant as an operator and could not be.
    pub fn notes(&self) -> impl Iterator<Item = (&Choice, Note)> {
        let choices = self.pieces.iter().flat_map(|piece| &piece.any);
        choices.filter_map(|choice| Some((choice, choice.note?)))
    }
}

impl Piece {
    /// As it was typed, about.
    pub fn typed(&self) -> String {
        let any: Vec<&str> = self.any.iter().map(|choice| choice.typed.as_str()).collect();
        let any = any.join(" OR ");
        match (self.negated, any.starts_with(char::is_numeric)) {
            (false, _) => any,
            (true, false) => format!("-{any}"),
            // -30 would be a number.
            (true, true) => format!("-({any})"),
        }
    }
}

impl Kind {
    pub(super) fn of(item: &Item) -> Kind {
        match item.operator {
            None if item.quoted => Kind::Phrase,
            None => Kind::Word,
            Some(Operator::Title) => Kind::Title,
            Some(Operator::From) => Kind::From,
            Some(Operator::Author) => Kind::Author,
            Some(Operator::Tag) => Kind::Tag,
            Some(Operator::After) => Kind::After,
            Some(Operator::Before) => Kind::Before,
            Some(Operator::Lang) => Kind::Lang,
            Some(Operator::Has) => Kind::Has,
        }
    }
}
