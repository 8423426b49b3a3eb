//! An address for a title: 国内联播快讯 becomes `guo-nei-lian-bo-kuai-xun`.

use pinyin::ToPinyin;
use unicode_normalization::UnicodeNormalization;

/// No slug is longer; a title is cut between syllables.
pub const MAX_LENGTH: usize = 80;

/// A slug of `a-z`, `0-9` and single hyphens, 1 to [`MAX_LENGTH`] long: Latin words as they are
/// without accents, ideographs as pinyin. Titles with neither give `article`.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for word in syllables(title) {
        let hyphen = usize::from(!slug.is_empty());
        if slug.len() + hyphen + word.len() > MAX_LENGTH {
            if slug.is_empty() {
                slug.push_str(&word[..MAX_LENGTH]);
            }
            break;
        }
        if hyphen == 1 {
            slug.push('-');
        }
        slug.push_str(&word);
    }
    if slug.is_empty() { "article".to_owned() } else { slug }
}

/// Pinyin syllables and runs of ASCII letters and digits, in order; all ASCII.
fn syllables(title: &str) -> Vec<String> {
    let mut syllables = Vec::new();
    let mut run = String::new();
    for c in title.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() {
            run.push(c.to_ascii_lowercase());
            continue;
        }
        // An apostrophe does not end a word: "China's" is "chinas".
        if matches!(c, '\'' | '’') {
            continue;
        }
        if !run.is_empty() {
            syllables.push(std::mem::take(&mut run));
        }
        if let Some(pinyin) = c.to_pinyin() {
            syllables.push(pinyin.plain().replace('ü', "v"));
        }
    }
    syllables.push(run);
    syllables.retain(|s| !s.is_empty() && s.is_ascii());
    syllables
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn titles_become_addresses() {
        for (title, expected) in [
            ("国内联播快讯", "guo-nei-lian-bo-kuai-xun"),
            ("國內聯播快訊", "guo-nei-lian-bo-kuai-xun"),
            ("Linux 中 df 命令的11个例子", "linux-zhong-df-ming-ling-de-11-ge-li-zi"),
            ("５Ｇ手机：绿色", "5g-shou-ji-lv-se"),
            ("China's Café — naïve?", "chinas-cafe-naive"),
            ("！？。", "article"),
            ("", "article"),
        ] {
            assert_eq!(slug(title), expected);
        }
    }

    proptest! {
        #[test]
        fn any_title_gives_a_clean_bounded_slug(title in any::<String>()) {
            let slug = slug(&title);
            prop_assert!((1..=MAX_LENGTH).contains(&slug.len()));
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }
}
