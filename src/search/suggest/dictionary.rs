//! Short texts, sorted so that all that begin with something stand together: by their letters, by
//! their pinyin, and by its initials.
//!
//! Texts are laid one after another in order of rank, so the place of a letter tells how good its
//! text is: of many matches the best are those with the smallest places. For each letter four bytes
//! are kept, and twelve for each place where a match may begin.

use std::cmp::Ordering;
use std::ops::Range;

use crate::text::fold;
use crate::text::pinyin::{self, Read, typed::without_tone};

/// Letters kept of a text; what follows is not compared.
pub const LETTERS: usize = 40;

/// Texts with what they stand for, best first.
#[derive(Debug)]
pub struct Dictionary<T> {
    pub(super) items: Vec<T>,
    pub(super) text: Text,
}

/// How much of a text is found.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Ways to read it, where its characters have several readings and no word tells which is meant.
    pub readings: usize,
    /// Matches begin at every letter, not only where a word begins.
    pub every_letter: bool,
}

/// For names and other short texts of which there are few.
pub const NAMES: Depth = Depth { readings: 8, every_letter: true };
/// For titles.
pub const TITLES: Depth = Depth { readings: 2, every_letter: false };

#[derive(Debug, Default)]
pub(super) struct Text {
    /// Letters of all texts, each text followed by a zero.
    letters: Vec<u16>,
    /// The syllable of each, plus one; zero for letters that have none.
    sounds: Vec<u16>,
    /// Where each text begins, and the item it belongs to.
    texts: Vec<(u32, u32)>,
    pub(super) firsts: Orders,
    pub(super) inner: Orders,
}

/// Places in the three orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    by_letter: Vec<u32>,
    by_sound: Vec<u32>,
    by_initial: Vec<u32>,
}

/// What places are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Letter,
    Sound,
    Initial,
}

impl<T> Dictionary<T> {
    /// Makes a dictionary of texts and their items, the best first.
    pub fn new(entries: impl IntoIterator<Item = (Vec<String>, T)>, depth: Depth) -> Dictionary<T> {
        let mut builder = Builder { text: Text::default(), firsts: Vec::new(), inner: Vec::new() };
        let mut items = Vec::new();
        for (texts, item) in entries {
            for text in texts {
                builder.add(&text, items.len() as u32, depth);
            }
            items.push(item);
        }
        Dictionary { items, text: builder.finish() }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of memory it takes, without what items own.
    pub fn bytes(&self) -> usize {
        let text = &self.text;
        let places = [&text.firsts, &text.inner].map(|orders| orders.by_letter.len() * 3);
        text.letters.len() * 4
            + text.texts.len() * 8
            + places.iter().sum::<usize>() * 4
            + self.items.len() * size_of::<T>()
    }
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Dictionary { items: Vec::new(), text: Text::default() }
    }
}

struct Builder {
    text: Text,
    firsts: Vec<u32>,
    inner: Vec<u32>,
}

impl Builder {
    fn add(&mut self, text: &str, item: u32, depth: Depth) {
        let mut letters = pinyin::read(&fold::fold(text));
        letters.truncate(LETTERS);
        if letters.is_empty() {
            return;
        }
        self.push(&letters, item, Some(depth));
        for other in readings(&letters, depth) {
            self.push(&other, item, depth.every_letter.then_some(depth));
        }
    }

    /// Without a depth, only its beginning is found.
    fn push(&mut self, letters: &[Read], item: u32, depth: Option<Depth>) {
        let start = self.text.letters.len() as u32;
        self.text.texts.push((start, item));
        for (at, read) in (start..).zip(letters) {
            self.text.letters.push(code(without_tone(read.letter)));
            self.text.sounds.push(read.sound.map_or(0, |sound| sound.0 + 1));
            if at == start {
                self.firsts.push(at);
            } else if depth.is_some_and(|depth| depth.every_letter || read.starts_word) {
                self.inner.push(at);
            }
        }
        self.text.letters.push(0);
        self.text.sounds.push(0);
    }

    fn finish(mut self) -> Text {
        self.text.letters.shrink_to_fit();
        self.text.sounds.shrink_to_fit();
        self.text.texts.shrink_to_fit();
        self.text.firsts = self.text.orders(&self.firsts);
        self.text.inner = self.text.orders(&self.inner);
        self.text
    }
}

/// Other ways to read a text: for titles only of its first two letters, since the search copes with
/// others where a beginning fits.
fn readings(letters: &[Read], depth: Depth) -> Vec<Vec<Read>> {
    let reach = if depth.every_letter { letters.len() } else { 2 };
    let mut all = vec![letters.to_vec()];
    for (at, read) in letters.iter().enumerate().take(reach).filter(|(_, read)| !read.sure) {
        for known in all.clone() {
            for other in pinyin::sounds(read.letter).iter().filter(|sound| Some(**sound) != read.sound) {
                if all.len() >= depth.readings {
                    break;
                }
                let mut more = known.clone();
                more[at].sound = Some(*other);
                all.push(more);
            }
        }
    }
    all.remove(0);
    all
}

/// A letter in two bytes. The few beyond share the private area, which texts have no use for.
pub(super) fn code(letter: char) -> u16 {
    u16::try_from(letter as u32).unwrap_or(0xE000 + (letter as u32 % 0x1900) as u16)
}

impl Text {
    fn orders(&self, places: &[u32]) -> Orders {
        Orders {
            by_letter: self.sorted(places, Key::Letter),
            by_sound: self.sorted(places, Key::Sound),
            by_initial: self.sorted(places, Key::Initial),
        }
    }

    fn sorted(&self, places: &[u32], key: Key) -> Vec<u32> {
        // The first four keys are compared as one number.
        let head =
            |at: u32| (0..4).fold(0u64, |head, next| head << 16 | u64::from(self.key_or_end(key, at, next)));
        let mut sorted: Vec<(u64, u32)> = places.iter().map(|at| (head(*at), *at)).collect();
        sorted.sort_unstable_by(|one, other| {
            one.0.cmp(&other.0).then_with(|| self.compare(key, one.1, other.1)).then(one.1.cmp(&other.1))
        });
        sorted.into_iter().map(|(_, at)| at).collect()
    }

    /// Zero from the text's end on.
    fn key_or_end(&self, key: Key, at: u32, next: u32) -> u16 {
        let inside = (at..at + next).all(|at| self.letters[at as usize] != 0);
        if inside { self.key(key, at + next) } else { 0 }
    }

    /// Compares what begins at two places.
    fn compare(&self, key: Key, one: u32, other: u32) -> Ordering {
        for next in 0..LETTERS as u32 {
            let (left, right) = (self.key(key, one + next), self.key(key, other + next));
            if left != right || left == 0 {
                return left.cmp(&right);
            }
        }
        Ordering::Equal
    }

    /// What a letter is sorted by; zero at the end of a text only.
    pub(super) fn key(&self, key: Key, at: u32) -> u16 {
        let (letter, sound) = (self.letters[at as usize], self.sounds[at as usize]);
        match key {
            Key::Letter => letter,
            Key::Sound if sound > 0 => sound,
            Key::Sound => letter_key(letter),
            Key::Initial if sound > 0 => pinyin::Syllable(sound - 1).initial() as u16,
            Key::Initial => letter,
        }
    }

    pub(super) fn letter(&self, at: u32) -> u16 {
        self.letters[at as usize]
    }

    pub(super) fn sound(&self, at: u32) -> Option<pinyin::Syllable> {
        self.sounds[at as usize].checked_sub(1).map(pinyin::Syllable)
    }

    /// Of sorted places whose first `depth` keys are the same, those whose next is one of `wanted`.
    pub(super) fn narrow(&self, places: &[u32], key: Key, depth: u32, wanted: Range<u16>) -> Range<usize> {
        let from = places.partition_point(|at| self.key(key, at + depth) < wanted.start);
        let to = places[from..].partition_point(|at| self.key(key, at + depth) < wanted.end);
        from..from + to
    }

    /// The item whose text holds a place, and where that text begins.
    pub(super) fn span(&self, at: u32) -> (u32, u32) {
        let text = self.texts.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        let (start, item) = self.texts[text];
        (item, start)
    }

    /// Is this the letter there? Beyond the last text there is none.
    pub(super) fn has(&self, at: u32, letter: u16) -> bool {
        self.letters.get(at as usize) == Some(&letter)
    }
}

/// The key of a letter without a syllable, beyond those of all syllables.
pub(super) fn letter_key(letter: u16) -> u16 {
    match letter {
        0 => 0,
        1..0x1000 => letter + 0x1000,
        _ => letter,
    }
}

impl Orders {
    pub(super) fn by(&self, key: Key) -> &[u32] {
        match key {
            Key::Letter => &self.by_letter,
            Key::Sound => &self.by_sound,
            Key::Initial => &self.by_initial,
        }
    }
}
