//! Words that mean the same, from a file that operators may edit.

use std::collections::HashMap;
use std::path::Path;

use crate::text::{fold, segment};

/// The file that is built in.
const BUILT_IN: &str = include_str!("synonyms.txt");
/// Letters of a word at most.
const LETTERS: usize = 30;
/// Words of a group, and groups of a file, at most.
const WORDS: usize = 12;
const GROUPS: usize = 20_000;
/// Words of the dictionary that one word here is made of, at most.
const NAME: usize = 8;
/// Texts that one is rephrased as.
const REPHRASED: usize = 12;

/// Groups of words that mean the same.
#[derive(Debug, Default)]
pub struct Synonyms {
    /// For each word's letters those of the others in its group.
    others: HashMap<String, Vec<String>>,
}

impl Synonyms {
    /// Reads the file of the settings, or the one that is built in where `file` is empty.
    ///
    /// # Errors
    /// Says in which line what is wrong.
    pub fn load(file: &Path) -> Result<Synonyms, String> {
        if file.as_os_str().is_empty() {
            return Synonyms::parse(BUILT_IN);
        }
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        Synonyms::parse(&text).map_err(|problem| format!("{}: {problem}", file.display()))
    }

    /// Reads groups of words, `央行 = 中国人民银行`, one a line. Lines that begin with # say nothing.
    ///
    /// # Errors
    /// Says in which line what is wrong.
    pub fn parse(text: &str) -> Result<Synonyms, String> {
        let mut synonyms = Synonyms::default();
        let lines = text.trim_start_matches('\u{FEFF}').lines().map(str::trim);
        let lines = (1..).zip(lines).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        for (groups, (number, line)) in lines.enumerate() {
            if groups == GROUPS {
                return Err(format!("line {number}: there may be {GROUPS} groups at most"));
            }
            synonyms.add(line).map_err(|problem| format!("line {number}: {problem}"))?;
        }
        Ok(synonyms)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<(&str, String)> =
            line.split(['=', '＝']).map(|word| (word.trim(), fold::letters(word))).collect();
        if words.len() < 2 {
            return Err(format!("`{line}` is one word; write the others after ="));
        }
        if words.len() > WORDS {
            return Err(format!("a group may have {WORDS} words at most"));
        }
        for (at, (word, letters)) in words.iter().enumerate() {
            match letters.chars().count() {
                0 => return Err("a word is missing beside =".to_owned()),
                1 => return Err(format!("`{word}` is one letter, which stands in nearly every article")),
                count if count > LETTERS => return Err(format!("`{word}` has more than {LETTERS} letters")),
                _ => {}
            }
            let twice = words[..at].iter().any(|(_, other)| other == letters);
            if twice || self.others.contains_key(letters) {
                return Err(format!("`{word}` is there twice (scripts, width and case do not matter)"));
            }
        }
        for (_, letters) in &words {
            let others = words.iter().map(|(_, other)| other).filter(|other| *other != letters).cloned();
            self.others.insert(letters.clone(), others.collect());
        }
        Ok(())
    }

    /// The folded letters of all words that mean the same as this one; empty where there are none.
    pub fn expand(&self, letters: &str) -> &[String] {
        self.others.get(letters).map_or(&[], Vec::as_slice)
    }

    /// A folded text with one of its words replaced by what means the same, in all ways there are (but
    /// few); in letters.
    pub fn rephrase(&self, text: &str) -> Vec<String> {
        let words: Vec<String> = segment::words(text).into_iter().map(fold::letters).collect();
        let mut rephrased: Vec<String> = self.expand(&words.concat()).to_vec();
        // A name may be several words of the dictionary.
        for start in 0..words.len() {
            for end in start + 1..=words.len().min(start + NAME) {
                let (before, behind) = (words[..start].concat(), words[end..].concat());
                if !before.is_empty() || !behind.is_empty() {
                    let others = self.expand(&words[start..end].concat()).iter();
                    rephrased.extend(others.map(|other| format!("{before}{other}{behind}")));
                }
            }
        }
        rephrased.truncate(REPHRASED);
        rephrased
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_group_lead_to_each_other_in_any_script() {
        let synonyms = Synonyms::parse("# 注\n\n央行 = 中國人民銀行 ＝ PBoC\r\n").unwrap();
        assert_eq!(synonyms.expand("央行"), ["中国人民银行", "pboc"]);
        assert_eq!(synonyms.expand("pboc"), ["央行", "中国人民银行"]);
        assert_eq!(synonyms.expand(&fold::letters("中國人民銀行")), ["央行", "pboc"]);
        assert!(synonyms.expand("人民").is_empty());
        assert_eq!(synonyms.rephrase("央行降准"), ["中国人民银行降准", "pboc降准"]);
        assert_eq!(synonyms.rephrase("国务院任命中国人民银行行长").len(), 2);
        assert_eq!(synonyms.rephrase("央行").len(), 2);
        assert!(synonyms.rephrase("").is_empty() && synonyms.rephrase("人民").is_empty());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (file, problem) in [
            ("央行", "line 1: `央行` is one word"),
            ("# a\n央行 =", "line 2: a word is missing"),
            ("央 = 中国人民银行", "line 1: `央` is one letter"),
            ("央行 = 人行\n\n人行 = 中国人民银行", "line 3: `人行` is there twice"),
            ("臺灣 = 台湾", "line 1: `台湾` is there twice"),
        ] {
            let said = Synonyms::parse(file).unwrap_err();
            assert!(said.starts_with(problem), "{said}");
        }
        let said = Synonyms::load(Path::new("/nonexistent/synonyms.txt")).unwrap_err();
        assert!(said.contains("cannot be read"), "{said}");
    }

    #[test]
    fn the_file_that_is_built_in_is_right() {
        let synonyms = Synonyms::load(Path::new("")).unwrap();
        assert_eq!(synonyms.expand("国台办"), ["国务院台湾事务办公室"]);
        assert_eq!(synonyms.expand("软体"), ["软件"]);
    }
}
