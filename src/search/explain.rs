//! How a query was read, in words: every part of it and of what narrows it, each with the way to be
//! taken out.

use std::collections::HashMap;

use super::find::Found;
use super::queries::Bearer;
use super::query::Atom;
use super::query::reading::{Choice, Kind, Piece};
use super::wanted::Wanted;
use crate::accounts::pages::language_name;
use crate::clock::Timestamp;
use crate::page::Page;
use crate::text::{convert, script};

/// A part of a search, and the address of the search without it.
#[derive(Debug)]
pub struct Chip {
    pub text: String,
    pub href: String,
}

/// Words named that mean the same as a term.
const MAX_OTHERS: usize = 3;

/// The parts of a search. Those of a query of plain words are not worth a word.
pub fn chips(page: &Page, wanted: &Wanted, found: &Found) -> Vec<Chip> {
    let pieces = &found.reading.pieces;
    let is_plain = |piece: &Piece| {
        let word = |choice: &Choice| choice.kind == Kind::Word && choice.note.is_none();
        !piece.negated && piece.any.len() == 1 && piece.any.iter().all(word)
    };
    let mut chips = Vec::new();
    if !pieces.iter().all(is_plain) {
        chips.extend(pieces.iter().enumerate().map(|(n, piece)| Chip {
            text: piece_text(page, &found.accounts, piece),
            href: wanted.changed(|wanted| wanted.q = found.reading.without(n)),
        }));
    }
    chips.extend(narrowing(page, wanted, found));
    chips
}

/// What could not be read as it was meant, was left out, or is looked for besides.
pub fn notes(page: &Page, found: &Found) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for (choice, note) in found.reading.notes() {
        let key = format!("search-note-{}", <&str>::from(note).replace('_', "-"));
        notes.push(page.t1(&key, "part", &choice.value));
    }
    if found.reading.cut {
        notes.push(page.t("search-note-cut"));
    }
    let typed: Vec<&Choice> = found.reading.pieces.iter().flat_map(|piece| &piece.any).collect();
    for term in found.reading.parsed.wanted().filter(|term| !term.others.is_empty()) {
        let is_it = |choice: &&&Choice| choice.atom.term().is_some_and(|typed| typed.text == term.text);
        let part = typed.iter().find(is_it).map_or(&term.text, |choice| &choice.value);
        // They are kept folded, which is Simplified.
        let script = script::shown(part).unwrap_or_else(|| page.script.shown.script(page.locale));
        let others = term.others.iter().take(MAX_OTHERS).map(|other| convert::to(script, other));
        let others = others.collect::<Vec<_>>().join("、");
        notes.push(page.t2("search-note-others", "part", part, "others", others));
    }
    notes
}

/// A part of a query in words; `accounts` by what they are asked for as.
pub fn piece_text(page: &Page, accounts: &HashMap<String, Bearer>, piece: &Piece) -> String {
    let any: Vec<String> = piece.any.iter().map(|choice| choice_text(page, accounts, choice)).collect();
    let any = any.join(&page.t("search-read-or"));
    if piece.negated { page.t1("search-read-not", "part", any) } else { any }
}

fn choice_text(page: &Page, accounts: &HashMap<String, Bearer>, choice: &Choice) -> String {
    let value = if choice.quoted {
        page.t1("search-read-quoted", "value", &choice.value)
    } else {
        choice.value.clone()
    };
    match &choice.atom {
        Atom::Text(_) if choice.kind == Kind::Word => value,
        Atom::Text(_) => page.t1(&format!("search-read-{}", <&str>::from(choice.kind)), "value", value),
        Atom::Account { handle, .. } => account_text(page, accounts, handle),
        Atom::Published { from: Some(moment), .. } => {
            page.t1("search-read-after", "date", moment_text(page, Timestamp(*moment)))
        }
        Atom::Published { to, .. } => {
            page.t1("search-read-before", "date", moment_text(page, Timestamp(to.unwrap_or_default())))
        }
        Atom::Lang(lang) => page.t1("search-read-lang", "value", language_text(page, lang)),
        Atom::Has(part) => {
            page.t1("search-read-has", "value", page.t(&format!("search-has-{}", <&str>::from(*part))))
        }
    }
}

fn account_text(page: &Page, accounts: &HashMap<String, Bearer>, asked: &str) -> String {
    match accounts.get(asked) {
        Some(account) => page.t1("search-read-from", "value", &account.name),
        None => page.t1("search-read-from-nobody", "value", asked),
    }
}

/// The date; with the time where that is not the beginning of a day.
fn moment_text(page: &Page, moment: Timestamp) -> String {
    if page.time(&moment) == "00:00" { page.date(&moment) } else { page.date_time(&moment) }
}

/// A language's name for itself; `zh` is Chinese in either script.
pub fn language_text(page: &Page, tag: &str) -> String {
    if tag == "zh" { page.t("search-lang-zh") } else { language_name(tag).to_owned() }
}

/// The filters beside the query.
fn narrowing(page: &Page, wanted: &Wanted, found: &Found) -> Vec<Chip> {
    let mut chips: Vec<Chip> = Vec::new();
    let mut add = |text: String, href: String| chips.push(Chip { text, href });
    if !wanted.scope.is_empty() {
        add(page.t("search-in-subscriptions"), wanted.changed(|wanted| wanted.scope.clear()));
    }
    for handle in &wanted.accounts {
        let href = wanted.changed(|wanted| wanted.accounts.retain(|other| other != handle));
        add(account_text(page, &found.accounts, handle), href);
    }
    let (from, to) = (&wanted.from, &wanted.to);
    if !from.is_empty() && from == to {
        add(
            page.t1("search-read-in-period", "date", from),
            wanted.changed(|wanted| {
                wanted.from.clear();
                wanted.to.clear();
            }),
        );
    } else {
        if !from.is_empty() {
            add(page.t1("search-read-after", "date", from), wanted.changed(|wanted| wanted.from.clear()));
        }
        if !to.is_empty() {
            add(page.t1("search-read-until", "date", to), wanted.changed(|wanted| wanted.to.clear()));
        }
    }
    if !wanted.lang.is_empty() {
        let text = page.t1("search-read-lang", "value", language_text(page, &wanted.lang));
        add(text, wanted.changed(|wanted| wanted.lang.clear()));
    }
    if let Some(part) = wanted.part() {
        let part = page.t(&format!("search-has-{}", <&str>::from(part)));
        add(page.t1("search-read-has", "value", part), wanted.changed(|wanted| wanted.has.clear()));
    }
    chips
}
