//! The operators of the language, by all of their names, and what may stand behind them.
//!
//! Names and values are compared folded, so that full width, capitals and either script will do.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono_tz::Tz;
use strum::IntoStaticStr;

use super::moment::read_period;
use super::{Atom, Part, Term, Within};
use crate::text::fold;

/// What a term with a colon asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Operator {
    Title,
    From,
    Author,
    Tag,
    After,
    Before,
    Lang,
    Has,
}

/// Why a part of a query was read as plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Note {
    NotADate,
    NotALanguage,
    NotAPart,
    NotAnAccount,
}

const NAMES: &[(&str, Operator)] = &[
    ("title", Operator::Title),
    ("标题", Operator::Title),
    ("from", Operator::From),
    ("来自", Operator::From),
    ("author", Operator::Author),
    ("作者", Operator::Author),
    ("tag", Operator::Tag),
    ("标签", Operator::Tag),
    ("after", Operator::After),
    ("之后", Operator::After),
    ("自", Operator::After),
    ("before", Operator::Before),
    ("之前", Operator::Before),
    ("lang", Operator::Lang),
    ("language", Operator::Lang),
    ("语言", Operator::Lang),
    ("has", Operator::Has),
    ("含", Operator::Has),
];

const PARTS: &[(&str, Part)] = &[
    ("image", Part::Image),
    ("images", Part::Image),
    ("图", Part::Image),
    ("图片", Part::Image),
    ("video", Part::Video),
    ("videos", Part::Video),
    ("视频", Part::Video),
    ("影片", Part::Video),
    ("audio", Part::Audio),
    ("音频", Part::Audio),
    ("音讯", Part::Audio),
    ("table", Part::Table),
    ("tables", Part::Table),
    ("表", Part::Table),
    ("表格", Part::Table),
];

/// Languages by name, and the tags under which their articles may stand.
const LANGUAGES: &[(&[&str], &[&str])] = &[
    (
        &["zh", "cn", "中文", "chinese"],
        &[
            "zh",
            "zh-Hans",
            "zh-Hant",
            "zh-Hant-HK",
            "zh-Hant-TW",
            "zh-CN",
            "zh-SG",
            "zh-TW",
            "zh-HK",
            "zh-MO",
        ],
    ),
    (
        &["zh-hans", "zh-cn", "zh-sg", "hans", "简体", "简体中文", "简中", "simplified"],
        &["zh-Hans", "zh-CN", "zh-SG"],
    ),
    (
        &["zh-hant", "zh-tw", "hant", "繁体", "繁体中文", "繁中", "正体", "正体中文", "traditional"],
        &["zh-Hant", "zh-Hant-HK", "zh-Hant-TW", "zh-TW", "zh-HK", "zh-MO"],
    ),
    (&["zh-hk", "zh-hant-hk"], &["zh-Hant-HK", "zh-HK"]),
    (&["en", "英文", "英语", "english"], &["en", "en-US", "en-GB"]),
    (&["ja", "日文", "日语", "japanese"], &["ja"]),
    (&["ko", "韩文", "韩语", "korean"], &["ko"]),
    (&["fr", "法文", "法语", "french"], &["fr"]),
    (&["de", "德文", "德语", "german"], &["de"]),
    (&["es", "西班牙文", "西班牙语", "spanish"], &["es"]),
    (&["ru", "俄文", "俄语", "russian"], &["ru"]),
];

/// ISO 639-1, and the Chinese languages of ISO 639-3.
const CODES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv \
    cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie \
    ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk \
    ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se \
    sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo \
    xh yi yo za zh zu cmn yue nan hak wuu lzh gan hsn cdo";

static BY_NAME: LazyLock<HashMap<String, Operator>> =
    LazyLock::new(|| NAMES.iter().map(|(name, operator)| (fold::fold(name), *operator)).collect());
static PART_BY_NAME: LazyLock<HashMap<String, Part>> =
    LazyLock::new(|| PARTS.iter().map(|(name, part)| (fold::fold(name), *part)).collect());

impl Operator {
    /// The longest name, in characters.
    pub const LONGEST_NAME: usize = 8;

    pub fn named(name: &str) -> Option<Operator> {
        BY_NAME.get(&fold::fold(name)).copied()
    }

    /// What it asks for with this value. `None` where the value holds nothing; at most `room`
    /// letters of it count.
    ///
    /// # Errors
    /// Why the value cannot stand behind this operator.
    pub fn read(self, value: &str, quoted: bool, room: usize, zone: Tz) -> Result<Option<Vec<Atom>>, Note> {
        let within =
            |within| Term::new(value, quoted, room).map(|term| vec![Atom::Text(Term { within, ..term })]);
        let atoms = match self {
            Operator::Title => return Ok(within(Within::Title)),
            Operator::Author => return Ok(within(Within::Author)),
            Operator::Tag => return Ok(within(Within::Tag)),
            Operator::From => {
                vec![Atom::Account { handle: handle(value).ok_or(Note::NotAnAccount)?, id: None }]
            }
            Operator::After => vec![Atom::Published { from: Some(beginning(value, zone)?), to: None }],
            Operator::Before => vec![Atom::Published { from: None, to: Some(beginning(value, zone)?) }],
            Operator::Lang => {
                languages(value).ok_or(Note::NotALanguage)?.into_iter().map(Atom::Lang).collect()
            }
            Operator::Has => {
                let part = PART_BY_NAME.get(&fold::fold(value)).copied();
                vec![Atom::Has(part.ok_or(Note::NotAPart)?)]
            }
        };
        Ok(Some(atoms))
    }
}

fn beginning(value: &str, zone: Tz) -> Result<i64, Note> {
    read_period(value, zone).map(|period| period.start.0).ok_or(Note::NotADate)
}

/// A handle or the name of an account, without @, capitals and full width.
fn handle(value: &str) -> Option<String> {
    let folded = fold::fold(value);
    let handle = folded.trim().trim_start_matches('@').trim();
    (!fold::letters(handle).is_empty()).then(|| handle.to_owned())
}

/// The tags of articles that are in a language.
fn languages(value: &str) -> Option<Vec<String>> {
    let folded = fold::fold(value).trim().replace('_', "-");
    let known = LANGUAGES.iter().find(|(names, _)| names.iter().any(|name| fold::fold(name) == folded));
    if let Some((_, tags)) = known {
        return Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
    }
    let mut parts = folded.split('-');
    let mut tag =
        parts.next().filter(|code| CODES.split_whitespace().any(|known| known == *code))?.to_owned();
    for part in parts {
        if !(2..=8).contains(&part.len())
            || !part.bytes().all(|b| b.is_ascii_alphanumeric())
            || tag.len() > 26
        {
            return None;
        }
        let part = match part.len() {
            2 => part.to_ascii_uppercase(),
            4 => part[..1].to_ascii_uppercase() + &part[1..],
            _ => part.to_owned(),
        };
        tag = format!("{tag}-{part}");
    }
    Some(vec![tag])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_in_either_script_and_width() {
        for (name, operator) in [
            ("標題", Operator::Title),
            ("ＴＩＴＬＥ", Operator::Title),
            ("來自", Operator::From),
            ("標籤", Operator::Tag),
            ("之後", Operator::After),
            ("語言", Operator::Lang),
        ] {
            assert_eq!(Operator::named(name), Some(operator), "{name}");
        }
        assert_eq!(Operator::named("site"), None);
        assert!(NAMES.iter().all(|(name, _)| name.chars().count() <= Operator::LONGEST_NAME));
    }

    #[test]
    fn languages_go_by_tag_and_by_name() {
        for (value, tag) in [
            ("zh-hans", "zh-Hans"),
            ("繁體", "zh-Hant"),
            ("English", "en"),
            ("pt_br", "pt-BR"),
            ("yue", "yue"),
            ("sr-latn", "sr-Latn"),
        ] {
            assert_eq!(languages(value).unwrap()[0], tag, "{value}");
        }
        assert!(languages("中文").unwrap().len() > 5);
        for wrong in ["", "xx", "klingon", "en-", "-", "zh-a", "e", "火星文"] {
            assert_eq!(languages(wrong), None, "{wrong}");
        }
    }
}
