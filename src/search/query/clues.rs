//! What a query tells about the articles it wants: its letter pairs, and how much each of them says.
//!
//! A pair inside a word tells more than one across the border of two, and the words that make a
//! question of a sentence (什么, 哪一个, 为什么) are seldom in the answer. A word of one letter is no
//! pair with its neighbours in the article; it is looked for by itself where it is rare.

use super::Term;
use crate::search::score::weight;
use crate::text::{fold, segment};

/// Pairs that are looked at, of the many a pasted page would have.
const MAX_PAIRS: usize = 160;
/// Words of one letter that are looked for by themselves.
const MAX_SINGLES: usize = 4;

/// Two letters of a query beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clue {
    pub letters: (char, char),
    /// 1 inside a word, less elsewhere.
    pub weight: f32,
    /// Begins with the second letter of the clue before.
    pub follows: bool,
}

#[derive(Debug, Default)]
pub struct Clues {
    /// In the order of the query, some of them twice.
    pub pairs: Vec<Clue>,
    /// Words of one letter.
    pub singles: Vec<char>,
}

impl Clues {
    pub fn of<'a>(terms: impl Iterator<Item = &'a Term>) -> Clues {
        let mut clues = Clues::default();
        for term in terms {
            clues.add(term);
        }
        clues
    }

    fn add(&mut self, term: &Term) {
        let letters: Vec<char> = term.letters.chars().collect();
        let words = words(&term.text);
        // For each letter the number of its word, and whether that only asks.
        let mut word_of = Vec::with_capacity(letters.len());
        for (n, word) in words.iter().enumerate() {
            let asks = is_asking(word);
            let alone = word.chars().count() == 1;
            if alone && !asks && letters.len() > 1 && self.singles.len() < MAX_SINGLES {
                self.singles.extend(word.chars());
            }
            word_of.extend(word.chars().map(|_| (n, asks)));
        }
        let room = MAX_PAIRS.saturating_sub(self.pairs.len());
        for (n, pair) in letters.windows(2).enumerate().take(room) {
            let weight = match (word_of.get(n), word_of.get(n + 1)) {
                (Some((_, true)), _) | (_, Some((_, true))) => weight::ASKING,
                (Some(one), Some(other)) if one.0 != other.0 && letters.len() > 2 => weight::ACROSS,
                _ => 1.0,
            };
            self.pairs.push(Clue { letters: (pair[0], pair[1]), weight, follows: n > 0 });
        }
    }

    /// Each pair once, with the greatest of its weights.
    pub fn distinct(&self) -> Vec<Clue> {
        let mut pairs = self.pairs.clone();
        pairs.sort_by(|one, other| one.letters.cmp(&other.letters).then(other.weight.total_cmp(&one.weight)));
        pairs.dedup_by_key(|clue| clue.letters);
        pairs
    }
}

/// The words of a text, letters only.
fn words(text: &str) -> Vec<String> {
    segment::words(text).into_iter().map(fold::letters).filter(|word| !word.is_empty()).collect()
}

/// Does the word only make a question, or hold a sentence together? Folded.
fn is_asking(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "什么",
        "甚么",
        "是什么",
        "为什么",
        "为何",
        "何时",
        "何地",
        "何人",
        "何处",
        "如何",
        "怎么",
        "怎样",
        "怎么样",
        "多少",
        "多大",
        "多久",
        "多长",
        "多高",
        "哪",
        "哪个",
        "哪些",
        "哪里",
        "哪儿",
        "哪一",
        "哪一个",
        "哪种",
        "哪位",
        "哪年",
        "哪几",
        "几",
        "几个",
        "谁",
        "吗",
        "呢",
        "是",
        "的",
        "了",
        "在",
        "有",
        "和",
        "与",
        "于",
        "为",
        "被",
        "由",
        "从",
        "对",
        "将",
        "把",
        "其",
        "之",
        "这",
        "那",
        "也",
        "都",
        "而",
        "及",
        "或",
        "等",
        "并",
        "请问",
        "是否",
        "一",
        "个",
        "种",
        "年",
        "不",
        "以",
        "到",
        "中",
        "上",
        "下",
        "会",
        "要",
        "就",
        "可",
        "说",
        "人",
        "多",
        "大",
    ];
    WORDS.contains(&word)
}
