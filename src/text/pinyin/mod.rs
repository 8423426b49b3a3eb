//! How Chinese is read, and Chinese typed as Latin letters. Pure functions over folded text.
//!
//! - [`read`]: the likeliest reading of each character of a text, by dictionary.
//! - [`sounds`]: every reading of a character that is in use.
//! - [`typed`]: what a reader typed, as all the ways in which it can be meant.
//! - [`syllables`]: the syllables themselves, without tones.
//!
//! Readings come from the `pinyin` crate (pinyin-data, MIT), which orders those of a character but
//! does not choose by context; `characters.txt` and `phrases.txt` do that.

pub mod syllables;
pub mod typed;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use pinyin::ToPinyin;

pub use self::syllables::Syllable;
use super::fold::is_letter;
use super::segment;

/// A letter of a text as it is read there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    pub letter: char,
    /// None for letters that are no ideographs, and for those without a known reading.
    pub sound: Option<Syllable>,
    /// A dictionary chose it, or there is nothing to choose.
    pub sure: bool,
    /// A word begins here.
    pub starts_word: bool,
}

/// The letters of a folded text with their readings; punctuation and spaces are left out.
pub fn read(folded: &str) -> Vec<Read> {
    let table = &*TABLE;
    let mut all: Vec<Read> = Vec::with_capacity(folded.len() / 2);
    for word in segment::words(folded) {
        let start = all.len();
        for letter in word.chars().filter(|c| is_letter(*c)) {
            let sounds = table.sounds(letter);
            let starts_word = all.len() == start;
            all.push(Read { letter, sound: sounds.first().copied(), sure: sounds.len() < 2, starts_word });
        }
        // A character that is a word of its own: particles (的, 了, 都, 还) are the common case.
        if let [alone] = &mut all[start..]
            && !alone.sure
        {
            alone.sound = table.alone.get(&alone.letter).copied().or(alone.sound);
            alone.sure = true;
        }
    }
    choose(table, &mut all);
    all
}

/// Takes the phrases' readings, the longest first. A phrase stands inside a word, or is made of whole
/// words and has three letters: 市长 is none in 南京市|长江大桥, nor 中的 in 生活|中|的.
fn choose(table: &Table, all: &mut [Read]) {
    let letters: Vec<char> = all.iter().map(|read| read.letter).collect();
    let begins = |at: usize| all.get(at).is_none_or(|read| read.starts_word);
    let mut chosen: Vec<(Range<usize>, &[Syllable])> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let longest = Table::PHRASE.min(letters.len() - at);
        let found = (2..=longest).rev().find_map(|length| {
            let sounds = table.phrases.get(&letters[at..at + length])?;
            let one_word = (at + 1..at + length).all(|inner| !begins(inner));
            (one_word || length > 2 && begins(at) && begins(at + length)).then_some((length, &sounds[..]))
        });
        match found {
            Some((length, sounds)) => {
                chosen.push((at..at + length, sounds));
                at += length;
            }
            None => at += 1,
        }
    }
    for (place, sounds) in chosen {
        for (read, sound) in all[place].iter_mut().zip(sounds) {
            (read.sound, read.sure) = (Some(*sound), true);
        }
    }
}

/// Every reading of a folded character that is in use, the likeliest first; none for other letters.
pub fn sounds(letter: char) -> &'static [Syllable] {
    TABLE.sounds(letter)
}

/// A text in plain letters: 人民日报 gives `renminribao`; other letters stay as they are.
pub fn plain(folded: &str) -> String {
    let mut text = String::new();
    for read in read(folded) {
        match read.sound {
            Some(sound) => text.push_str(sound.text()),
            None => text.push(read.letter),
        }
    }
    text
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

struct Table {
    /// For each character up to the end of the main blocks: its range in `sounds`.
    places: Vec<(u32, u8)>,
    sounds: Vec<Syllable>,
    /// Readings of characters that stand alone, where they are others than inside words.
    alone: HashMap<char, Syllable>,
    phrases: HashMap<Vec<char>, Vec<Syllable>>,
}

impl Table {
    /// Letters of the longest phrase.
    const PHRASE: usize = 8;
    const CHARACTERS: Range<u32> = 0x3400..0xA000;

    fn new() -> Table {
        let mut table =
            Table { places: Vec::new(), sounds: Vec::new(), alone: HashMap::new(), phrases: HashMap::new() };
        let several: HashMap<char, Vec<Syllable>> = lines(include_str!("characters.txt"))
            .filter_map(|(letter, sounds)| Some((letter.chars().next()?, sounds)))
            .collect();
        for letter in Self::CHARACTERS.map(|code| char::from_u32(code).unwrap_or('\0')) {
            let first =
                letter.to_pinyin().and_then(|known| Syllable::parse(&known.plain().replace('ü', "v")));
            let from = table.sounds.len();
            match several.get(&letter) {
                Some(sounds) => {
                    table.sounds.extend(sounds);
                    if let Some(first) = first.filter(|first| sounds[1..].contains(first)) {
                        table.alone.insert(letter, first);
                    }
                }
                None => table.sounds.extend(first),
            }
            table.places.push((from as u32, (table.sounds.len() - from) as u8));
        }
        table.phrases = lines(include_str!("phrases.txt"))
            .map(|(phrase, sounds)| (phrase.chars().collect(), sounds))
            .collect();
        table
    }

    fn sounds(&self, letter: char) -> &[Syllable] {
        let place = (letter as u32).checked_sub(Self::CHARACTERS.start);
        match place.and_then(|place| self.places.get(place as usize)) {
            Some(&(from, count)) => &self.sounds[from as usize..from as usize + usize::from(count)],
            None => &[],
        }
    }
}

/// `长 chang zhang`: Chinese and syllables.
fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, Vec<Syllable>)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut parts = line.split(' ');
        Some((parts.next()?, parts.filter_map(Syllable::parse).collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold::fold;

    #[test]
    fn heteronyms_are_read_by_dictionary() {
        for (text, pinyin) in [
            ("人民日报", "renminribao"),
            ("重庆银行行长", "chongqingyinhanghangzhang"),
            ("南京市长江大桥", "nanjingshichangjiangdaqiao"),
            ("北京市长", "beijingshizhang"),
            ("音乐和快乐", "yinyuehekuaile"),
            ("長三角一體化", "changsanjiaoyitihua"),
            ("去了都说好的", "quledoushuohaode"),
            ("綠色旅遊、女排", "lvselvyounvpai"),
            ("西藏調查", "xizangdiaocha"),
            ("5G手機 2026年", "5gshouji2026nian"),
        ] {
            assert_eq!(plain(&fold(text)), pinyin, "{text}");
        }
    }

    #[test]
    fn the_files_hold_folded_text_and_known_syllables() {
        for (file, source) in
            [("characters.txt", include_str!("characters.txt")), ("phrases.txt", include_str!("phrases.txt"))]
        {
            for line in source.lines().filter(|line| !line.starts_with('#')) {
                let (letters, sounds) = line.split_once(' ').unwrap();
                assert_eq!(fold(letters), letters, "{file}");
                let count = sounds.split(' ').filter_map(Syllable::parse).count();
                assert_eq!(count, sounds.split(' ').count(), "{file}: {line}");
                assert!(file == "characters.txt" || count == letters.chars().count(), "{file}: {line}");
            }
        }
    }

    #[test]
    fn letters_are_all_there_and_in_order() {
        let text = fold("“十五五”规划：C++ 与 AI 大模型");
        let letters: String = read(&text).iter().map(|read| read.letter).collect();
        assert_eq!(letters, crate::text::fold::letters(&text));
    }
}
