//! The words that are written here: by letters, by sound, and with one letter left out.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Guess;
use crate::text::pinyin::{self, Syllable, plain};
use crate::text::{fold, segment};

/// Words kept: names, and the most frequent of the others.
const WORDS: usize = 100_000;
/// Words counted at a time; when there are more, those seen once are forgotten.
const COUNTED: usize = 500_000;
/// Letters of a word.
const LETTERS: usize = 12;
/// Letters of a name in plain letters.
const PLAIN: usize = 40;

/// What a letter sounds like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    Syllable(Syllable),
    Letter(char),
}

#[derive(Debug, Default)]
pub struct Vocabulary {
    words: Vec<Word>,
    /// Hashes with places in `words`, sorted.
    by_letters: Vec<(u64, u32)>,
    by_sound: Vec<(u64, u32)>,
    by_gap: Vec<(u64, u32)>,
    /// Names and Latin words in plain letters, sorted by length.
    plain: Vec<(Box<str>, u32)>,
}

#[derive(Debug)]
struct Word {
    /// As it was first written.
    shown: Box<str>,
    letters: Box<str>,
    weight: u64,
}

/// A word that sounds as asked for.
#[derive(Debug)]
pub struct Sounding<'a> {
    pub shown: &'a str,
    pub weight: u64,
    /// Not only nearly.
    pub exactly: bool,
}

/// A part of a query for which a word may be meant.
#[derive(Debug)]
pub struct Part {
    pub at: usize,
    pub count: usize,
    pub shown: String,
    pub guess: Guess,
    pub weight: u64,
}

#[derive(Debug, Default)]
pub struct VocabularyBuilder {
    words: HashMap<String, Counted>,
}

#[derive(Debug)]
struct Counted {
    shown: Box<str>,
    weight: u64,
    name: bool,
}

impl VocabularyBuilder {
    /// A name, tag or query.
    pub fn name(&mut self, name: &str, weight: u64) {
        let letters = fold::letters(name);
        if (2..=LETTERS * 2).contains(&letters.chars().count()) {
            self.count(letters, name.trim(), weight, true);
        }
    }

    /// The words of a title, of two letters and more.
    pub fn title(&mut self, title: &str) {
        let folded = fold::mapped(title);
        let mut at = 0;
        for word in segment::words(&folded.text) {
            let place = folded.source(at..at + word.len());
            at += word.len();
            let count = word.chars().count();
            let a_word = (2..=LETTERS).contains(&count)
                && word.chars().all(fold::is_letter)
                && !word.chars().all(char::is_numeric);
            if a_word && let Some(shown) = title.get(place) {
                self.count(word.to_owned(), shown, 1, false);
            }
        }
    }

    fn count(&mut self, letters: String, shown: &str, weight: u64, name: bool) {
        if self.words.len() > COUNTED {
            self.words.retain(|_, word| word.name || word.weight > 1);
        }
        let word =
            self.words.entry(letters).or_insert_with(|| Counted { shown: shown.into(), weight: 0, name });
        word.weight += weight;
        word.name |= name;
    }

    pub fn finish(self) -> Vocabulary {
        let mut words: Vec<(String, Counted)> =
            self.words.into_iter().filter(|(_, word)| word.name || word.weight > 1).collect();
        words.sort_by(|(left, one), (right, other)| {
            (other.name, other.weight, left).cmp(&(one.name, one.weight, right))
        });
        words.truncate(WORDS);
        let mut vocabulary = Vocabulary::default();
        for (letters, word) in words {
            vocabulary.add(letters, word);
        }
        let Vocabulary { by_letters, by_sound, by_gap, plain, .. } = &mut vocabulary;
        for hashes in [by_letters, by_sound, by_gap] {
            hashes.sort_unstable();
            hashes.shrink_to_fit();
        }
        plain.sort_by_key(|(text, _)| text.len());
        vocabulary
    }
}

impl Vocabulary {
    fn add(&mut self, letters: String, word: Counted) {
        let at = self.words.len() as u32;
        let sounds = sounds(&letters);
        let chars: Vec<char> = letters.chars().collect();
        let chinese = sounds.iter().all(|sound| matches!(sound, Sound::Syllable(_)));
        self.by_letters.push((hash(&chars), at));
        if sounds.iter().any(|sound| matches!(sound, Sound::Syllable(_))) {
            self.by_sound.push((hash_alike(&sounds), at));
        }
        if chinese && (3..=6).contains(&chars.len()) {
            self.by_gap.extend((0..chars.len()).map(|gap| (hash_gap(&chars, gap), at)));
        }
        if word.name || letters.is_ascii() {
            let text = plain(&letters);
            if (3..=PLAIN).contains(&text.len()) && text.is_ascii() {
                self.plain.push((text.into(), at));
            }
        }
        self.words.push(Word { shown: word.shown, letters: letters.into(), weight: word.weight });
    }

    pub fn bytes(&self) -> usize {
        let words = self.words.iter().map(|word| word.shown.len() + word.letters.len() + size_of::<Word>());
        let hashes = self.by_letters.len() + self.by_sound.len() + self.by_gap.len();
        words.sum::<usize>() + hashes * 16 + self.plain.iter().map(|(text, _)| text.len() + 24).sum::<usize>()
    }

    /// Words that sound so, or nearly so.
    pub fn with_sounds<'a>(&'a self, wanted: &[Sound]) -> impl Iterator<Item = Sounding<'a>> {
        let wanted = wanted.to_vec();
        let near = move |sound: &Sound, other: &Sound| alike(*sound) == alike(*other);
        let found = found(&self.by_sound, hash_alike(&wanted)).map(|at| &self.words[at]);
        found.filter_map(move |word| {
            let sounds = sounds(&word.letters);
            let fits =
                sounds.len() == wanted.len() && sounds.iter().zip(&wanted).all(|(one, two)| near(one, two));
            fits.then(|| Sounding { shown: &word.shown, weight: word.weight, exactly: sounds == wanted })
        })
    }

    /// Words that one after another sound so, or nearly so, and the weight of the rarest. The longest are
    /// taken first, of equally long ones those that sound exactly so, then the most frequent.
    pub fn made_of_words(&self, wanted: &[Sound]) -> Option<(String, u64)> {
        let (mut text, mut weight, mut at) = (String::new(), u64::MAX, 0);
        while at < wanted.len() {
            let longest = LETTERS.min(wanted.len() - at);
            let (length, word) = (2..=longest).rev().find_map(|length| {
                let words = self.with_sounds(&wanted[at..at + length]);
                Some((length, words.max_by_key(|word| (word.exactly, word.weight))?))
            })?;
            text.push_str(word.shown);
            weight = weight.min(word.weight);
            at += length;
        }
        (!text.is_empty()).then_some((text, weight))
    }

    /// Names whose initials these are.
    pub fn with_initials<'a>(&'a self, latin: &'a str) -> impl Iterator<Item = (Guess, u64, &'a str)> {
        let first = latin.as_bytes().first();
        let named = self.plain.iter().filter(move |(text, _)| text.as_bytes().first() == first);
        let named = named.map(|(_, at)| &self.words[*at as usize]);
        let found = named.filter(|word| word.letters.chars().count() == latin.len()).filter(move |word| {
            let initials = sounds(&word.letters).into_iter().map(|sound| match sound {
                Sound::Syllable(syllable) => syllable.initial(),
                Sound::Letter(letter) => letter,
            });
            initials.eq(latin.chars())
        });
        found.map(|word| (Guess::Initials, word.weight, &*word.shown))
    }

    /// Names in plain letters, and Latin words, of which one letter is another, missing or too many.
    pub fn with_one_letter_changed<'a>(
        &'a self,
        latin: &'a str,
    ) -> impl Iterator<Item = (Guess, u64, &'a str)> {
        let from = self.plain.partition_point(|(text, _)| text.len() + 1 < latin.len());
        let to = self.plain.partition_point(|(text, _)| text.len() <= latin.len() + 1);
        let from = if latin.len() < 4 { to } else { from };
        let near = self.plain[from..to].iter().filter(move |(text, _)| {
            text.as_bytes()[0] == latin.as_bytes()[0] && strsim::osa_distance(text, latin) == 1
        });
        near.map(|(_, at)| &self.words[*at as usize]).map(|word| (Guess::Letter, word.weight, &*word.shown))
    }

    /// Parts of a folded text that are probably other words: such as sound the same and are far more
    /// frequent, and such with one other character.
    pub fn parts(&self, folded: &str) -> Vec<Part> {
        let read = pinyin::read(folded);
        let chars: Vec<char> = read.iter().map(|read| read.letter).collect();
        let sounds: Vec<Sound> = read.iter().map(sound).collect();
        let alone = |at: usize| read[at].starts_word && read.get(at + 1).is_none_or(|next| next.starts_word);
        // A mistake breaks a word into single characters.
        let broken = (0..read.len()).any(alone);
        let mut parts = Vec::new();
        for count in 2..=6.min(chars.len()) {
            for at in 0..=chars.len() - count {
                let range = at..at + count;
                if broken && !range.clone().any(alone) {
                    continue;
                }
                let own = self.weight(&chars[range.clone()]);
                let mut take = |shown: &str, weight: u64, guess: Guess| {
                    if weight > own.saturating_mul(4) + 1
                        && fold::letters(shown).chars().ne(chars[range.clone()].iter().copied())
                    {
                        parts.push(Part { at, count, shown: shown.to_owned(), guess, weight });
                    }
                };
                for word in self.with_sounds(&sounds[range.clone()]) {
                    take(word.shown, word.weight, if word.exactly { Guess::Sound } else { Guess::Alike });
                }
                if count >= 3 && own == 0 {
                    for gap in 0..count {
                        let near = found(&self.by_gap, hash_gap(&chars[range.clone()], gap));
                        near.for_each(|at| take(&self.words[at].shown, self.words[at].weight, Guess::Letter));
                    }
                }
            }
        }
        parts
    }

    fn weight(&self, letters: &[char]) -> u64 {
        found(&self.by_letters, hash(letters)).map(|at| self.words[at].weight).max().unwrap_or(0)
    }
}

fn sound(read: &pinyin::Read) -> Sound {
    read.sound.map_or(Sound::Letter(read.letter), Sound::Syllable)
}

fn sounds(letters: &str) -> Vec<Sound> {
    pinyin::read(letters).iter().map(sound).collect()
}

fn found(hashes: &[(u64, u32)], wanted: u64) -> impl Iterator<Item = usize> {
    let from = hashes.partition_point(|(hash, _)| *hash < wanted);
    hashes[from..].iter().take_while(move |(hash, _)| *hash == wanted).map(|(_, at)| *at as usize)
}

fn alike(sound: Sound) -> (u16, char) {
    match sound {
        Sound::Syllable(syllable) => (syllable.alike().0, '\0'),
        Sound::Letter(letter) => (u16::MAX, letter),
    }
}

fn hash<T: Hash + ?Sized>(of: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn hash_alike(sounds: &[Sound]) -> u64 {
    hash(&sounds.iter().map(|sound| alike(*sound)).collect::<Vec<_>>())
}

fn hash_gap(letters: &[char], gap: usize) -> u64 {
    hash(&(gap, &letters[..gap], &letters[gap + 1..]))
}
