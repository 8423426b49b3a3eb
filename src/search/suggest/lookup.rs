//! Finds texts of a [`Dictionary`] by what was typed so far.
//!
//! What was typed can be taken in many ways (`xian` is 先, 西安, or x-i-a-n). They are walked letter
//! by letter over the sorted places, and a way that no text has ends at once; so what is in the
//! dictionary bounds the work, and a number of steps bounds it again.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::dictionary::{Dictionary, Key, LETTERS, Orders, Text, code, letter_key};
use crate::text::pinyin::typed::{Kind, Typed, Unit};
use crate::text::pinyin::{self, Syllable};

/// Steps of one walk.
const STEPS: usize = 3_000;
/// Places compared in one lookup.
const CHECKS: usize = 60_000;
/// Places from which other readings are tried.
const DEAD_ENDS: usize = 12;

/// A text that fits. The smallest is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    pub fit: Fit,
    /// Its place among the dictionary's items.
    pub item: u32,
}

/// How well a text fits; the first is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Nothing of the text is left.
    Whole,
    /// Its initials, and nothing of the text is left.
    WholeInitials,
    Start,
    Inner,
    StartInitials,
    InnerInitials,
}

/// A way to take all that was typed, and the places it fits.
struct Leaf {
    places: Range<usize>,
    units: Vec<Unit>,
    /// The order is too coarse to say: each place must be compared.
    check: bool,
    initials: bool,
}

/// Where a walk ended before what was typed did.
struct DeadEnd {
    places: Range<usize>,
    depth: u32,
    at: usize,
}

struct Walk<'a> {
    text: &'a Text,
    orders: &'a Orders,
    typed: &'a Typed,
    key: Key,
    steps: usize,
    leaves: Vec<Leaf>,
    dead_ends: Vec<DeadEnd>,
}

impl<T> Dictionary<T> {
    /// The best items for what was typed, at most `limit`, best first.
    pub fn find(&self, typed: &Typed, limit: usize) -> Vec<Match> {
        let mut checks = CHECKS;
        let mut found = self.text.matches(&self.text.firsts, typed, limit, &mut checks);
        // Where a single Latin letter was typed, half of all words begin with it.
        let letter_alone = typed.letters().len() == 1 && typed.has_latin();
        if found.len() < limit && !letter_alone {
            found.extend(self.text.matches(&self.text.inner, typed, limit, &mut checks));
        }
        found.sort_unstable();
        let mut seen = std::collections::HashSet::new();
        found.retain(|one| seen.insert(one.item));
        found.truncate(limit);
        found
    }

    pub fn item(&self, found: Match) -> &T {
        &self.items[found.item as usize]
    }
}

impl Text {
    fn matches(&self, orders: &Orders, typed: &Typed, limit: usize, checks: &mut usize) -> Vec<Match> {
        let mut found = Vec::new();
        let keys: &[Key] =
            if typed.has_latin() { &[Key::Letter, Key::Sound, Key::Initial] } else { &[Key::Letter] };
        for &key in keys {
            let mut walk = Walk {
                text: self,
                orders,
                typed,
                key,
                steps: STEPS,
                leaves: Vec::new(),
                dead_ends: Vec::new(),
            };
            walk.step(0, 0, 0..orders.by(key).len(), &mut Vec::new(), false);
            for leaf in &walk.leaves {
                walk.gather(leaf, limit, checks, &mut found);
            }
            if key == Key::Sound && found.is_empty() {
                for end in &walk.dead_ends {
                    walk.gather_dead_end(end, limit, checks, &mut found);
                }
            }
        }
        found
    }
}

impl Walk<'_> {
    /// Takes each unit that may stand at `at`; `places` fit all units so far.
    fn step(&mut self, at: usize, depth: u32, places: Range<usize>, units: &mut Vec<Unit>, check: bool) {
        if at == self.typed.letters().len() || depth as usize == LETTERS {
            let initials = self.key == Key::Initial;
            // Without an abbreviated syllable inside, the order of sounds has found it already.
            let inside = &units[..units.len().saturating_sub(1)];
            let abbreviated = inside.iter().any(|unit| matches!(unit.kind, Kind::Start(_)));
            if !units.is_empty() && (!initials || abbreviated) {
                self.leaves.push(Leaf { places, units: units.clone(), check, initials });
            }
            return;
        }
        let mut ended = true;
        for unit in self.typed.units(at) {
            for (wanted, must_check) in self.keys(&unit, at) {
                if self.steps == 0 {
                    return;
                }
                self.steps -= 1;
                let order = self.orders.by(self.key);
                let inner = self.text.narrow(&order[places.clone()], self.key, depth, wanted);
                if inner.is_empty() {
                    continue;
                }
                ended = false;
                let inner = places.start + inner.start..places.start + inner.end;
                let next = at + unit.length;
                units.push(unit.clone());
                self.step(next, depth + 1, inner, units, check || must_check);
                units.pop();
            }
        }
        if ended && depth >= 2 && places.len() < 3_000 && self.dead_ends.len() < DEAD_ENDS {
            self.dead_ends.push(DeadEnd { places, depth, at });
        }
    }

    /// The keys under which a unit's texts stand in this order, and whether others stand there too.
    fn keys(&self, unit: &Unit, at: usize) -> Vec<(Range<u16>, bool)> {
        let one = |key: u16| key..key + 1;
        let last = at + unit.length == self.typed.letters().len();
        match (&unit.kind, self.key) {
            (Kind::Letter(letter), Key::Letter) => vec![(one(code(*letter)), false)],
            (_, Key::Letter) => Vec::new(),
            (Kind::Whole(sound), Key::Sound) => vec![(one(sound.0 + 1), false)],
            (Kind::Start(sounds), Key::Sound) if last => vec![(sounds.start + 1..sounds.end + 1, false)],
            (Kind::Start(_), Key::Sound) => Vec::new(),
            (Kind::Whole(sound), Key::Initial) => vec![(one(sound.initial() as u16), true)],
            (Kind::Start(sounds), Key::Initial) => {
                vec![(one(Syllable(sounds.start).initial() as u16), unit.length > 1)]
            }
            // The initial stands for the letter itself, too.
            (Kind::Letter(letter), Key::Initial) if is_initial(*letter) => Vec::new(),
            (Kind::Letter(letter), _) => {
                let sounds = pinyin::sounds(*letter);
                if sounds.is_empty() {
                    let key = code(*letter);
                    return vec![(one(if self.key == Key::Sound { letter_key(key) } else { key }), true)];
                }
                let mut keys: Vec<u16> = match self.key {
                    Key::Sound => sounds.iter().map(|sound| sound.0 + 1).collect(),
                    _ => sounds.iter().map(|sound| sound.initial() as u16).collect(),
                };
                keys.sort_unstable();
                keys.dedup();
                keys.into_iter().map(|key| (one(key), true)).collect()
            }
        }
    }

    /// Adds the best of a leaf's places.
    fn gather(&self, leaf: &Leaf, limit: usize, checks: &mut usize, found: &mut Vec<Match>) {
        // Places of one item stand next to each other, and an item may have some.
        let room = limit * 3;
        let mut best: BinaryHeap<u32> = BinaryHeap::with_capacity(room + 1);
        for &place in &self.orders.by(self.key)[leaf.places.clone()] {
            if best.len() == room && best.peek().is_some_and(|worst| place > *worst) {
                continue;
            }
            if leaf.check {
                if *checks == 0 {
                    break;
                }
                *checks -= 1;
                if !(place..).zip(&leaf.units).all(|(at, unit)| self.fits(unit, at)) {
                    continue;
                }
            }
            best.push(place);
            if best.len() > room {
                best.pop();
            }
        }
        let length = leaf.units.len() as u32;
        found.extend(best.into_iter().map(|place| self.found(place, length, leaf.initials)));
    }

    fn found(&self, place: u32, length: u32, initials: bool) -> Match {
        let (item, begins) = self.text.span(place);
        let start = begins == place;
        let whole = start && self.text.letter(place + length) == 0;
        let fit = match (start, initials) {
            (true, false) if whole => Fit::Whole,
            (true, true) if whole => Fit::WholeInitials,
            (true, false) => Fit::Start,
            (false, false) => Fit::Inner,
            (true, true) => Fit::StartInitials,
            (false, true) => Fit::InnerInitials,
        };
        Match { fit, item }
    }

    fn fits(&self, unit: &Unit, at: u32) -> bool {
        let letter = self.text.letter(at);
        match &unit.kind {
            Kind::Letter(wanted) => letter == code(*wanted),
            Kind::Whole(wanted) => self.text.sound(at) == Some(*wanted),
            Kind::Start(sounds) => match self.text.sound(at) {
                Some(sound) => sounds.contains(&sound.0),
                None => unit.length == 1 && letter == Syllable(sounds.start).initial() as u16,
            },
        }
    }

    /// Goes on where a walk ended, taking any reading of the characters that follow.
    fn gather_dead_end(&self, end: &DeadEnd, limit: usize, checks: &mut usize, found: &mut Vec<Match>) {
        let mut best: Vec<(u32, u32)> = Vec::new();
        for &place in &self.orders.by(self.key)[end.places.clone()] {
            if *checks == 0 {
                break;
            }
            *checks -= 1;
            if let Some(length) = self.reads_on(place + end.depth, end.depth, end.at) {
                best.push((place, length));
            }
        }
        best.sort_unstable();
        found.extend(best.into_iter().take(limit).map(|(place, length)| self.found(place, length, false)));
    }

    /// Can the rest of what was typed be read from a place on? Gives the letters in all.
    fn reads_on(&self, at: u32, depth: u32, typed_at: usize) -> Option<u32> {
        if typed_at == self.typed.letters().len() || depth as usize == LETTERS {
            return Some(depth);
        }
        if self.text.letter(at) == 0 {
            return None;
        }
        let sounds = char::from_u32(u32::from(self.text.letter(at))).map_or(&[][..], pinyin::sounds);
        self.typed.units(typed_at).into_iter().find_map(|unit| {
            let fits = self.fits(&unit, at)
                || match &unit.kind {
                    Kind::Whole(wanted) => sounds.contains(wanted),
                    Kind::Start(range) if typed_at + unit.length == self.typed.letters().len() => {
                        sounds.iter().any(|sound| range.contains(&sound.0))
                    }
                    _ => false,
                };
            let last_or_whole =
                !matches!(unit.kind, Kind::Start(_)) || typed_at + unit.length == self.typed.letters().len();
            (fits && last_or_whole).then(|| self.reads_on(at + 1, depth + 1, typed_at + unit.length))?
        })
    }
}

/// May a syllable begin with this letter?
fn is_initial(letter: char) -> bool {
    letter.is_ascii_lowercase() && !matches!(letter, 'i' | 'u' | 'v')
}
