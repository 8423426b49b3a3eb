//! The texts of the product: every key in all three languages, every key used exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use xiangxun::page::Locale;

const LOCALES: [&str; 3] = ["zh-Hans", "zh-Hant", "en"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_under(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, endings, found);
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.push(path);
        }
    }
}

/// Each key of a language with the `$variables` that its text takes.
fn keys(locale: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    files_under(&root().join("locales").join(locale), &[".ftl"], &mut files);
    let mut keys = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut key = String::new();
        for line in text.lines() {
            if let Some((name, _)) = line.split_once('=')
                && line.starts_with(|c: char| c.is_ascii_lowercase())
            {
                key = name.trim().to_owned();
                let doubled = keys.insert(key.clone(), BTreeSet::new());
                assert!(doubled.is_none(), "{locale}: {key} is said twice, again in {}", file.display());
            }
            for variable in line.split('$').skip(1) {
                let name: String =
                    variable.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if !line.starts_with('#') {
                    keys.get_mut(&key).unwrap().insert(name);
                }
            }
        }
    }
    keys
}

#[test]
fn every_key_is_in_every_language() {
    let [hans, hant, en] = LOCALES.map(keys);
    for (locale, other) in [("zh-Hant", &hant), ("en", &en)] {
        let missing: Vec<_> = hans.keys().filter(|key| !other.contains_key(*key)).collect();
        let extra: Vec<_> = other.keys().filter(|key| !hans.contains_key(*key)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{locale}: missing {missing:?}, extra {extra:?}");
    }
}

/// Keys named in the sources: the first string given to `t`, `t1`, `t2`, `n`, `titled_key`,
/// `text`, `text_with`, `Message::from`, `redirect_with_flash` and the like.
fn used_keys(text: &str) -> BTreeSet<String> {
    const CALLS: [&str; 8] = [
        "page.t(\"",
        "page.t1(\"",
        "page.t2(\"",
        "page.n(\"",
        "titled_key(\"",
        "locale.text(\"",
        "locale.text_with(\"",
        "Message::from(\"",
    ];
    CALLS
        .iter()
        .flat_map(|call| text.split(call).skip(1))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_text_can_be_said_with_its_arguments() {
    let english = keys("en");
    for (tag, locale) in LOCALES.map(|tag| (tag, Locale::from_tag(tag).unwrap())) {
        for (key, arguments) in keys(tag) {
            for value in ["0", "1", "1234", "x"] {
                let args: Vec<(&'static str, String)> =
                    arguments.iter().map(|name| (&*name.clone().leak(), value.to_owned())).collect();
                let text = locale.text_with(&key, &args);
                assert!(!text.contains('⟦') && !text.contains("{$"), "{tag}: {key} = {text}");
                // A text that cannot be formatted falls back to English.
                let in_english = Locale::En.text_with(&key, &args);
                let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(
                    locale == Locale::En || chinese || text != in_english || !has_words(&in_english),
                    "{tag}: {key} is said in English: {text}"
                );
            }
        }
        assert_eq!(english.len(), keys(tag).len());
    }
}

/// Whether a text holds two English words, more than a name such as "Atom" or "API".
fn has_words(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() > 2).count() > 1
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split("{#").map(|part| part.rsplit("#}").next().unwrap()).collect()
}

#[test]
fn every_key_that_a_page_or_a_handler_names_exists() {
    let known = keys("en");
    let mut files = Vec::new();
    files_under(&root().join("templates"), &[".html", ".txt"], &mut files);
    files_under(&root().join("src"), &[".rs"], &mut files);
    let mut missing = Vec::new();
    for file in files {
        let text = without_comments(&std::fs::read_to_string(&file).unwrap());
        // Calls are often wrapped by rustfmt; keys hold no white space.
        let text: String = text.split_whitespace().collect();
        for key in used_keys(&text) {
            if !known.contains_key(&key) {
                missing.push(format!("{key} in {}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "unknown keys: {missing:#?}");
}

#[test]
fn traditional_texts_hold_no_simplified_characters() {
    // Common characters that only the Simplified script has.
    const SIMPLIFIED: &str =
        "们这对还订阅图视频转发网络设计应让问经过账请说时会没选择关闭录储读邮题见开头为语删讯内户";
    let mut files = Vec::new();
    files_under(&root().join("locales/zh-Hant"), &[".ftl"], &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let found: BTreeSet<char> = text.chars().filter(|c| SIMPLIFIED.contains(*c)).collect();
        assert!(found.is_empty(), "{} holds {found:?}", file.display());
    }
}
