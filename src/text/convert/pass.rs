//! One step over a text: the longest word that begins here is replaced, then the next.

use super::trie::Trie;

/// Where a text is parted before it is converted: around each word of the first rank.
pub fn walls(words: &Trie, text: &str) -> Vec<usize> {
    let mut walls = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        match words.find(&text[at..]).filter(|found| found.rank == 0) {
            Some(found) => {
                if walls.last() != Some(&at) {
                    walls.push(at);
                }
                at += found.length;
                walls.push(at);
            }
            None => at += letter.len_utf8(),
        }
    }
    walls
}

/// Replaces what `step` knows, between walls only; walls and marks (both in ascending order) move with the text.
pub fn pass(step: &Trie, text: &str, walls: &mut [usize], marks: &mut [usize]) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let (mut parting, mut marking) = (Moving::of(walls), Moving::of(marks));
    // Up to where it is written, and up to where it is read.
    let (mut written, mut at) = (0, 0);
    let mut next_wall = 0;
    while at < text.len() {
        while parting.places.get(next_wall).is_some_and(|wall| *wall <= at) {
            next_wall += 1;
        }
        let end = parting.places.get(next_wall).copied().unwrap_or(text.len());
        let Some(found) = step.find(&text[at..end]) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let from = &text[at..at + found.length];
        if from != found.to {
            out.push_str(&text[written..at]);
            for moving in [&mut parting, &mut marking] {
                moving.shift(at, out.len());
                moving.shift_within(from, at, found.to, out.len());
            }
            out.push_str(found.to);
            written = at + found.length;
        }
        at += found.length;
    }
    out.push_str(&text[written..]);
    parting.shift(text.len(), out.len());
    marking.shift(text.len(), out.len());
    out
}

/// Places in a text, of which those before `next` are places in the new one already.
struct Moving<'a> {
    places: &'a mut [usize],
    next: usize,
}

impl<'a> Moving<'a> {
    fn of(places: &'a mut [usize]) -> Self {
        Self { places, next: 0 }
    }

    /// Places up to `at`, where nothing was replaced since the last: it is at `new` now.
    fn shift(&mut self, at: usize, new: usize) {
        while let Some(place) = self.places.get_mut(self.next).filter(|place| **place <= at) {
            *place = new - (at - *place);
            self.next += 1;
        }
    }

    /// Places inside of a word at `at` that becomes another at `new`.
    fn shift_within(&mut self, from: &str, at: usize, to: &str, new: usize) {
        while let Some(place) = self.places.get_mut(self.next).filter(|place| **place < at + from.len()) {
            let letters = from[..*place - at].chars().count();
            *place = new + to.char_indices().nth(letters).map_or(to.len(), |(byte, _)| byte);
            self.next += 1;
        }
    }
}
