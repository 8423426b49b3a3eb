//! Cuts folded text into terms.
//!
//! Both tokenizers expect text that went through [`crate::text::fold`] already, so that an article
//! is folded once for all of its fields.

use std::str::Chars;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};

use crate::text::fold::is_letter;
use crate::text::segment;

/// Every two letters that follow each other, punctuation and spaces left out: 新冠-19 gives 新冠,
/// 冠1, 19. The last letter comes once more alone, so that each letter of a text begins a term and a
/// single one is found by prefix. Positions count letters; a run of letters is in the text exactly
/// when its bigrams stand there one after another.
pub const GRAMS: &str = "grams";

/// Words by dictionary, of three letters and more: shorter ones are bigrams already, and left out
/// here they save half of the index's second half. For ranking, so positions mean nothing.
pub const WORDS: &str = "words";

/// Longer words (addresses, encoded data) are left out of the words; bigrams still find them.
const MAX_WORD_BYTES: usize = 60;

pub fn manager() -> TokenizerManager {
    // Its own `raw` is kept, for tags of languages.
    let tokenizers = TokenizerManager::default();
    tokenizers.register(GRAMS, Grams::default());
    tokenizers.register(WORDS, Words::default());
    tokenizers
}

#[derive(Clone, Default)]
pub struct Grams {
    token: Token,
}

pub struct GramStream<'a> {
    letters: Chars<'a>,
    /// The letter that begins the next term.
    first: Option<char>,
    token: &'a mut Token,
}

impl Tokenizer for Grams {
    type TokenStream<'a> = GramStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> GramStream<'a> {
        self.token.reset();
        let mut letters = text.chars();
        let first = letters.find(|c| is_letter(*c));
        GramStream { letters, first, token: &mut self.token }
    }
}

impl TokenStream for GramStream<'_> {
    #[inline]
    fn advance(&mut self) -> bool {
        let Some(first) = self.first else { return false };
        self.token.text.clear();
        self.token.text.push(first);
        self.first = self.letters.find(|c| is_letter(*c));
        if let Some(second) = self.first {
            self.token.text.push(second);
        }
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[derive(Clone, Default)]
pub struct Words {
    token: Token,
}

pub struct WordStream<'a> {
    words: std::vec::IntoIter<jieba_rs::Token<'a>>,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { words: segment::search_words(text).into_iter(), token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.find(|w| is_term(w.word)) else { return false };
        self.token.text.clear();
        self.token.text.push_str(word.word);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Is this piece of a segmented text a term of [`WORDS`]?
pub fn is_term(word: &str) -> bool {
    word.len() <= MAX_WORD_BYTES && word.chars().filter(|c| is_letter(*c)).nth(2).is_some()
}

#[cfg(test)]
mod tests {
    use tantivy::tokenizer::TextAnalyzer;

    use super::*;

    fn terms(tokenizer: impl Tokenizer, text: &str) -> Vec<(usize, String)> {
        let mut terms = Vec::new();
        let mut analyzer = TextAnalyzer::from(tokenizer);
        let mut stream = analyzer.token_stream(text);
        while let Some(token) = stream.next() {
            terms.push((token.position, token.text.clone()));
        }
        terms
    }

    #[test]
    fn grams_cross_punctuation_and_every_letter_begins_one() {
        let grams = terms(Grams::default(), "新冠-19。");
        let expected = [(0, "新冠"), (1, "冠1"), (2, "19"), (3, "9")];
        assert_eq!(grams, expected.map(|(at, gram)| (at, gram.to_owned())));
        assert_eq!(terms(Grams::default(), "！字"), [(0, "字".to_owned())]);
        assert_eq!(terms(Grams::default(), "！？"), []);
    }

    #[test]
    fn words_are_long_ones_only() {
        let words: Vec<String> =
            terms(Words::default(), "央行：降准 0.5 个百分点。").into_iter().map(|(_, w)| w).collect();
        assert_eq!(words, ["百分点"]);
    }
}
