//! Is a text written in Simplified or Traditional characters?

use std::collections::HashMap;
use std::sync::LazyLock;

/// The script a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    Hans,
    Hant,
    /// Not Chinese, or too little of it to tell.
    Other,
}

impl Script {
    /// The language tag as stored with an article; `None` when the text does not tell.
    pub fn tag(self) -> Option<&'static str> {
        match self {
            Script::Hans => Some("zh-Hans"),
            Script::Hant => Some("zh-Hant"),
            Script::Other => None,
        }
    }
}

/// The script that a text's characters show, however few they are; `None` where they are the same in both.
pub fn shown(text: &str) -> Option<Script> {
    let (mut hans, mut hant) = (0, 0);
    for script in text.chars().filter_map(|c| ONLY.get(&c)) {
        *if *script == Script::Hant { &mut hant } else { &mut hans } += 1;
    }
    match (hans, hant) {
        (0, 0) => None,
        _ if hant > hans => Some(Script::Hant),
        _ => Some(Script::Hans),
    }
}

/// Enough of a text to be sure of its script.
const SAMPLE: usize = 4_000;

/// Detects the script by counting the characters that exist in one of them only. Chinese text
/// without a single such character (人民日报 has one, 中文 none) counts as Simplified; text with
/// less than one ideograph in ten letters, or with kana, is not Chinese.
pub fn detect(text: &str) -> Script {
    let (mut letters, mut ideographs, mut kana, mut hans, mut hant) = (0, 0, 0, 0, 0);
    for c in text.chars().filter(|c| c.is_alphanumeric()).take(SAMPLE) {
        letters += 1;
        match c {
            '\u{3041}'..='\u{30FF}' => kana += 1,
            '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}' => {
                ideographs += 1;
                match ONLY.get(&c) {
                    Some(Script::Hans) => hans += 1,
                    Some(Script::Hant) => hant += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if ideographs == 0 || ideographs * 10 < letters || kana * 3 > ideographs {
        Script::Other
    } else if hant > hans {
        Script::Hant
    } else {
        Script::Hans
    }
}

static ONLY: LazyLock<HashMap<char, Script>> = LazyLock::new(|| {
    let (hans, hant) =
        include_str!("script_chars.txt").split_once("\n----\n").expect("script_chars.txt: two parts");
    let part = |lines: &'static str, script| {
        lines.lines().filter(|line| !line.starts_with('#')).flat_map(str::chars).map(move |c| (c, script))
    };
    part(hans, Script::Hans).chain(part(hant, Script::Hant)).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_characters_may_show_their_script() {
        assert_eq!(shown("颱風"), Some(Script::Hant));
        assert_eq!(shown("台风 typhoon"), Some(Script::Hans));
        assert_eq!((shown("中文"), shown("AI"), shown("")), (None, None, None));
    }

    #[test]
    fn scripts_are_told_apart() {
        for (text, script) in [
            ("国务院新闻办公室举行发布会", Script::Hans),
            ("國務院新聞辦公室舉行發布會", Script::Hant),
            ("臺灣大學圖書館", Script::Hant),
            ("中文", Script::Hans),
            ("用 Rust 写的 tantivy 是一个搜索引擎，很快", Script::Hans),
            ("Only English, with one 字 in a long English sentence", Script::Other),
            ("これは日本語の文章です", Script::Other),
            ("", Script::Other),
            ("12345！？", Script::Other),
            ("他引用了「國際」一词，但全文是简体中文写的", Script::Hans),
        ] {
            assert_eq!(detect(text), script, "{text}");
        }
    }
}
