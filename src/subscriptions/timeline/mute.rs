//! Words that hide articles from a reader's timeline. They are compared folded, so either script will do; a Latin
//! word or a number is a whole one, as in search.

use crate::search::query::run::{Run, Text};
use crate::text::fold;

/// A reader's words, ready to be looked for.
#[derive(Debug, Default)]
pub struct Mute(Vec<Run>);

impl Mute {
    pub fn of(words: &[String]) -> Self {
        Self(words.iter().map(|word| Run::of(&fold::fold(word), true)).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does one of the words stand in one of the texts?
    pub fn hides<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        !self.0.is_empty()
            && texts.into_iter().any(|text| {
                let text = Text::of(text);
                self.0.iter().any(|run| run.stands_in(&text))
            })
    }
}

/// Words as they are typed: one a line, or with commas between them.
pub fn read_words(text: &str) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let mut words = Vec::new();
    for word in text.split(['\n', ',', '，', '、']) {
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        let letters = fold::letters(&word);
        if word.is_empty() || !letters.is_empty() && known.contains(&letters) {
            continue;
        }
        known.push(letters);
        words.push(word);
    }
    words
}

/// Is there anything to look for in it?
pub fn is_word(word: &str) -> bool {
    !fold::letters(word).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hide_in_either_script_and_latin_ones_as_a_whole() {
        let mute = Mute::of(&["彩票".into(), "臺灣選舉".into(), "AI".into(), "bit coin".into()]);
        for (text, hidden) in [
            ("今日彩票开奖", true),
            ("台湾选举结果", true),
            ("海汀克（Haitink）去世", false),
            ("生成式AI工具", true),
            ("ＡＩ时代", true),
            ("Bit-Coin 大跌", true),
            ("彩色的票", false),
        ] {
            assert_eq!(mute.hides([text]), hidden, "{text}");
        }
        assert!(!Mute::default().hides(["彩票"]) && Mute::default().is_empty());
    }

    #[test]
    fn words_are_read_one_a_line_and_each_once() {
        assert_eq!(
            read_words(" 彩票 \n\n臺灣, 台湾，bit  coin、!?\r\n彩票"),
            ["彩票", "臺灣", "bit coin", "!?"]
        );
        assert!(is_word("臺灣") && !is_word("!?"));
    }
}
