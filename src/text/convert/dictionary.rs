//! OpenCC's dictionaries, and the steps that are made of them: each is unpacked and put together when it is first
//! needed, and kept.

use std::sync::{LazyLock, OnceLock};

use strum::EnumCount;

use super::trie::{Entry, Trie};

/// One step of a conversion, as OpenCC's configurations call it: dictionaries of which the first that holds
/// anything here decides, by its longest word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumCount)]
pub enum Step {
    /// Characters that Unicode holds twice.
    Unify,
    St,
    Ts,
    ToTw,
    ToTwWords,
    ToHk,
    ToHkWords,
    FromTw,
    FromTwWords,
    FromHk,
    FromHkWords,
}

impl Step {
    /// Its dictionaries with their ranks: the lower decides; of two with the same, the longer word.
    fn dictionaries(self) -> &'static [(u8, &'static str)] {
        match self {
            Self::Unify => &[(0, "CJK_Compatibility_Ideographs")],
            Self::St => {
                &[(0, "STPhrases"), (0, "STPhrases_GeneratedFromRegionalPhrases"), (1, "STCharacters")]
            }
            Self::Ts => &[(0, "TSPhrases"), (1, "TSCharactersExt"), (2, "TSCharacters")],
            Self::ToTw => &[(0, "TWVariantsPhrases"), (1, "TWVariants")],
            Self::ToTwWords => &[(0, "TWPhrases"), (1, "TWVariantsPhrases"), (2, "TWVariants")],
            Self::ToHk => &[(0, "HKVariantsPhrases"), (1, "HKVariants")],
            Self::ToHkWords => &[(0, "HKPhrases"), (1, "HKVariantsPhrases"), (2, "HKVariants")],
            Self::FromTw => &[(0, "TWVariantsRevPhrases"), (1, "TWVariantsRev")],
            Self::FromTwWords => &[(0, "TWPhrasesRev"), (1, "TWVariantsRevPhrases"), (2, "TWVariantsRev")],
            Self::FromHk => &[(0, "HKVariantsRevPhrases"), (1, "HKVariantsRev")],
            Self::FromHkWords => &[(0, "HKPhrasesRev"), (1, "HKVariantsRevPhrases"), (2, "HKVariantsRev")],
        }
    }

    pub fn trie(self) -> &'static Trie {
        static TRIES: [OnceLock<Trie>; Step::COUNT] = [const { OnceLock::new() }; Step::COUNT];
        TRIES[self as usize].get_or_init(|| {
            let entries = self.dictionaries().iter().flat_map(|(rank, name)| entries(*rank, name));
            Trie::of(entries.collect())
        })
    }
}

static PACKED: &[u8] = include_bytes!("opencc/dictionaries.txt.zst");

/// `== NAME`, then the entries of that dictionary: from, a tab, to.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let bytes = zstd::decode_all(PACKED).expect("opencc/dictionaries.txt.zst: packed by zstd");
    String::from_utf8(bytes).expect("opencc/dictionaries.txt.zst: UTF-8")
});

fn entries(rank: u8, name: &str) -> impl Iterator<Item = Entry> {
    let head = format!("== {name}\n");
    let start = TEXT.find(&head).map_or(TEXT.len(), |at| at + head.len());
    let rest = &TEXT[start..];
    let end = rest.find("\n== ").unwrap_or(rest.len());
    let entries = rest[..end].lines().filter_map(|line| line.split_once('\t'));
    entries.map(move |(from, to)| Entry { from, rank, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dictionary_is_there() {
        let steps = [
            Step::Unify,
            Step::St,
            Step::Ts,
            Step::ToTw,
            Step::ToTwWords,
            Step::ToHk,
            Step::ToHkWords,
            Step::FromTw,
            Step::FromTwWords,
            Step::FromHk,
            Step::FromHkWords,
        ];
        assert_eq!(steps.len(), Step::COUNT);
        for (rank, name) in steps.iter().flat_map(|step| step.dictionaries()) {
            assert!(entries(*rank, name).count() > 10, "{name}");
        }
        assert!(entries(0, "STPhrases").count() > 49_000);
        assert!(entries(0, "Phrases").count() == 0);
    }
}
