//! Text of one script in the other, word by word: 头发 becomes 頭髮, 发展 becomes 發展. OpenCC's way (longest
//! match, segments first, one step after the other) over OpenCC's dictionaries, see `opencc/README.md`.
//!
//! Places in a text can be carried along: where a tag stood between two characters, it stands again afterwards, and
//! a word is converted as a whole even where it is half bold.

mod dictionary;
mod pass;
mod trie;

use std::borrow::Cow;

use super::script::Script;
use dictionary::Step;
use pass::pass;

/// From what to what, by OpenCC's names: `s` Simplified, `t` Traditional as OpenCC writes it, `tw` and `hk` as in
/// Taiwan and Hong Kong, `p` with the words of the place (软件 and 軟體).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    S2t,
    T2s,
    S2tw,
    S2twp,
    S2hk,
    S2hkp,
    Tw2s,
    Tw2sp,
    Hk2s,
    Hk2sp,
    T2tw,
    T2hk,
    Tw2t,
    Hk2t,
}

impl Direction {
    /// Whose words part the text into segments, and the steps that each segment goes through.
    fn plan(self) -> (Option<Step>, &'static [Step]) {
        match self {
            Self::S2t => (None, &[Step::St]),
            Self::T2s => (None, &[Step::Ts]),
            Self::S2tw => (Some(Step::St), &[Step::St, Step::ToTw]),
            Self::S2twp => (Some(Step::St), &[Step::St, Step::ToTwWords]),
            Self::S2hk => (Some(Step::St), &[Step::St, Step::ToHk]),
            Self::S2hkp => (Some(Step::St), &[Step::St, Step::ToHkWords]),
            Self::Tw2s => (Some(Step::Ts), &[Step::FromTw, Step::Ts]),
            Self::Tw2sp => (Some(Step::Ts), &[Step::FromTwWords, Step::Ts]),
            Self::Hk2s => (Some(Step::Ts), &[Step::FromHk, Step::Ts]),
            Self::Hk2sp => (Some(Step::Ts), &[Step::FromHkWords, Step::Ts]),
            Self::T2tw => (None, &[Step::ToTw]),
            Self::T2hk => (None, &[Step::ToHk]),
            Self::Tw2t => (None, &[Step::FromTw]),
            Self::Hk2t => (None, &[Step::FromHk]),
        }
    }

    /// Converts a text.
    pub fn convert(self, text: &str) -> Cow<'_, str> {
        if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(self.convert_marked(text, &mut [])) }
    }

    /// Converts a text and moves marks with it: byte offsets in ascending order, at boundaries of characters. One
    /// inside a word whose length changes stays behind as many characters, as far as there are so many.
    pub fn convert_marked(self, text: &str, marks: &mut [usize]) -> String {
        let (words, steps) = self.plan();
        let mut walls = Vec::new();
        let mut text = if text.contains(is_compatible) {
            pass(Step::Unify.trie(), text, &mut walls, marks)
        } else {
            text.to_owned()
        };
        if let Some(words) = words {
            walls = pass::walls(words.trie(), &text);
        }
        for step in steps {
            text = pass(step.trie(), &text, &mut walls, marks);
        }
        text
    }
}

/// Characters that Unicode holds twice, for the sake of other standards.
fn is_compatible(c: char) -> bool {
    matches!(c, '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}')
}

/// The text in a script; as it is for [`Script::Other`].
pub fn to(script: Script, text: &str) -> Cow<'_, str> {
    match script {
        Script::Hans => Direction::T2s.convert(text),
        Script::Hant => Direction::S2t.convert(text),
        Script::Other => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn words_are_converted_as_a_whole() {
        for (hans, hant) in
            [("头发", "頭髮"), ("发展", "發展"), ("皇后在后面", "皇后在後面"), ("AI 手机", "AI 手機")]
        {
            assert_eq!(to(Script::Hant, hans), hant);
            assert_eq!(to(Script::Hans, hant), hans);
        }
        assert_eq!(to(Script::Hans, "台风"), "台风");
        assert_eq!(to(Script::Other, "颱風"), "颱風");
        assert_eq!(Direction::S2twp.convert("用U盘装软件"), "用隨身碟裝軟體");
        assert_eq!(Direction::S2hk.convert("卫生间里面说"), "衞生間裏面説");
    }

    #[test]
    fn marks_stay_between_the_same_characters() {
        // 内存 is 記憶體: the mark inside stands behind the first character.
        let text = "装内存，头发。";
        let at = |part: &str| text.find(part).unwrap();
        let mut marks = [0, at("内"), at("存"), at("，"), at("发"), text.len()];
        let converted = Direction::S2twp.convert_marked(text, &mut marks);
        assert_eq!(converted, "裝記憶體，頭髮。");
        let ends: Vec<&str> = marks.iter().map(|mark| &converted[*mark..]).collect();
        assert_eq!(ends, ["裝記憶體，頭髮。", "記憶體，頭髮。", "憶體，頭髮。", "，頭髮。", "髮。", ""]);
    }

    proptest! {
        #[test]
        fn marks_are_always_in_order_and_between_characters(
            text in "[内存头发面里台风公里软件著干AU盘網\u{f900}𠮷，<&;]{0,24}",
            cuts in prop::collection::vec(0usize..24, 0..6),
        ) {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut marks: Vec<usize> = cuts.into_iter().map(|cut| ends[cut.min(ends.len() - 1)]).collect();
            marks.sort_unstable();
            for direction in Direction::iter() {
                let mut moved = marks.clone();
                let converted = direction.convert_marked(&text, &mut moved);
                prop_assert_eq!(direction.convert(&text), converted.as_str());
                prop_assert!(moved.is_sorted());
                prop_assert!(moved.iter().all(|mark| converted.is_char_boundary(*mark)));
                for (before, after) in marks.iter().zip(&moved) {
                    prop_assert_eq!(*before == 0, *after == 0);
                    prop_assert!(*before != text.len() || *after == converted.len());
                }
            }
        }
    }
}
