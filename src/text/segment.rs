//! Words of a Chinese text, by dictionary (jieba).
//!
//! The dictionary knows Simplified words, so give it folded text. Segmentation depends on context
//! (物资生产企业 cuts differently inside 生产企): words are for ranking, never for deciding
//! whether an article holds a phrase.

use std::sync::LazyLock;

use jieba_rs::{Jieba, Token};

/// One for the whole process, loaded when first needed (about 0.25 s and 33 MB in a release build).
static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Loads the dictionary, should it not be loaded yet.
pub fn load() {
    LazyLock::force(&JIEBA);
}

/// Words as a search engine wants them: long words also as the shorter words they hold
/// (中国科学院 gives 中国, 科学, 学院, 科学院, 中国科学院), in order of place.
/// Spaces and punctuation come as tokens too. Only words of the dictionary are joined; what it
/// does not know comes as single characters, the same on both sides of a comparison.
pub fn search_words(folded: &str) -> Vec<Token<'_>> {
    JIEBA.cut_for_search(folded, false)
}

/// Words that do not overlap and together make up the text.
pub fn words(folded: &str) -> Vec<&str> {
    JIEBA.cut(folded, false).into_iter().map(|token| token.word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_give_their_parts_too() {
        let words: Vec<&str> = search_words("中国科学院在南京").iter().map(|t| t.word).collect();
        assert_eq!(words, ["中国", "科学", "学院", "科学院", "中国科学院", "在", "南京"]);
    }

    #[test]
    fn words_make_up_the_text() {
        let text = "南京市长江大桥 opened in 1968。";
        assert_eq!(words(text).concat(), text);
        assert!(words(text).contains(&"长江大桥"));
    }
}
