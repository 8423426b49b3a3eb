//! What an account says of itself: parsed from a form or JSON into values that can be shown.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use url::Url;

use crate::db::entities::account::{self, Link, Links, Region, Topic};
use crate::error::{Message, Problems};

pub const MOST_LINKS: usize = 8;
pub const LONGEST_NAME: usize = 60;
pub const LONGEST_BIO: usize = 500;
const LONGEST_LABEL: usize = 40;
const LONGEST_URL: usize = 500;
/// Marks on one letter: Vietnamese and Thai need three, "zalgo" piles up dozens.
const MOST_MARKS: usize = 4;

/// A profile as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileForm {
    pub name: String,
    #[serde(default)]
    pub bio: String,
    /// BCP 47.
    pub lang: String,
    /// http(s) or a picture of this site; empty for none.
    #[serde(default)]
    pub avatar_url: String,
    #[serde(default)]
    pub links: Vec<Link>,
    /// One of [`Region`]; empty for none.
    #[serde(default)]
    pub region: String,
    /// One of [`Topic`]; empty for none.
    #[serde(default)]
    pub topic: String,
}

/// A profile that can be shown as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub bio: String,
    pub lang: String,
    pub avatar_url: Option<String>,
    pub links: Links,
    pub region: Option<Region>,
    pub topic: Option<Topic>,
}

impl ProfileForm {
    /// The form of a present profile.
    pub fn of(account: &account::Model) -> Self {
        Self {
            name: account.name.clone(),
            bio: account.bio.clone(),
            lang: account.lang.clone(),
            avatar_url: account.avatar_url.clone().unwrap_or_default(),
            links: account.links.0.clone(),
            region: account.region.map(|region| region.to_string()).unwrap_or_default(),
            topic: account.topic.map(|topic| topic.to_string()).unwrap_or_default(),
        }
    }

    /// # Errors
    /// Problems of `name`, `bio`, `lang`, `avatar_url`, `links`, `region` and `topic`.
    pub fn parse(&self) -> Result<Profile, Problems> {
        let mut problems = Problems::default();
        let profile = Profile {
            name: parse_name(&self.name).unwrap_or_else(|m| refuse(&mut problems, "name", m)),
            bio: parse_bio(&self.bio).unwrap_or_else(|m| refuse(&mut problems, "bio", m)),
            lang: parse_lang(&self.lang).unwrap_or_else(|m| refuse(&mut problems, "lang", m)),
            avatar_url: parse_avatar(&self.avatar_url)
                .unwrap_or_else(|m| refuse(&mut problems, "avatar_url", m)),
            links: parse_links(&self.links).unwrap_or_else(|m| refuse(&mut problems, "links", m)),
            region: parse_choice(&self.region, "account-region-wrong")
                .unwrap_or_else(|m| refuse(&mut problems, "region", m)),
            topic: parse_choice(&self.topic, "account-topic-wrong")
                .unwrap_or_else(|m| refuse(&mut problems, "topic", m)),
        };
        if problems.is_empty() { Ok(profile) } else { Err(problems) }
    }
}

fn refuse<T: Default>(problems: &mut Problems, field: &'static str, message: Message) -> T {
    problems.add(field, message);
    T::default()
}

/// A name in any script, on one line, of 1 to 60 characters that can be seen.
pub fn parse_name(text: &str) -> Result<String, Message> {
    let name = one_line(text)?;
    if name.chars().count() > LONGEST_NAME || !name.contains(char::is_alphanumeric) {
        return Err(Message::from("account-name-wrong").with("most", LONGEST_NAME));
    }
    Ok(name)
}

fn parse_bio(text: &str) -> Result<String, Message> {
    let bio: String = text.replace("\r\n", "\n").trim().nfc().collect();
    if bio.chars().any(|c| c != '\n' && is_hidden(c)) || has_piled_marks(&bio) {
        return Err("account-text-hidden".into());
    }
    if bio.chars().count() > LONGEST_BIO {
        return Err(Message::from("account-bio-long").with("most", LONGEST_BIO));
    }
    Ok(bio)
}

/// A language tag (BCP 47): a language of 2 or 3 letters and further parts, such as zh-Hant-HK.
pub fn parse_lang(text: &str) -> Result<String, Message> {
    let text = text.trim();
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language = (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_alphabetic());
    let is_part =
        |part: &str| (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_language || text.len() > 35 || !parts.all(is_part) {
        return Err("account-lang-wrong".into());
    }
    Ok(text.to_owned())
}

/// One of a closed list, or none.
fn parse_choice<T: FromStr>(text: &str, wrong: &'static str) -> Result<Option<T>, Message> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| wrong.into()),
    }
}

fn parse_avatar(text: &str) -> Result<Option<String>, Message> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if is_own_picture(text) {
        return Ok(Some(text.to_owned()));
    }
    parse_url(text).map(Some)
}

/// Whether this is the path of a picture that `media` keeps.
fn is_own_picture(text: &str) -> bool {
    text.strip_prefix("/media/").is_some_and(|key| {
        key.len() < 100
            && !key.contains("..")
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '/' || c == '.')
    })
}

/// Empty rows of the form are skipped; a link without a label is labelled with its host.
fn parse_links(links: &[Link]) -> Result<Links, Message> {
    let filled: Vec<&Link> =
        links.iter().filter(|link| !link.url.trim().is_empty() || !link.label.trim().is_empty()).collect();
    if filled.len() > MOST_LINKS {
        return Err(Message::from("account-links-many").with("most", MOST_LINKS));
    }
    filled.into_iter().map(parse_link).collect::<Result<_, _>>().map(Links)
}

fn parse_link(link: &Link) -> Result<Link, Message> {
    let url = parse_url(&link.url)?;
    let mut label = one_line(&link.label)?;
    if label.chars().count() > LONGEST_LABEL {
        return Err(Message::from("account-link-label-long").with("most", LONGEST_LABEL));
    }
    if label.is_empty() {
        let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        label = host.unwrap_or_default().trim_start_matches("www.").chars().take(LONGEST_LABEL).collect();
    }
    Ok(Link { label, url })
}

/// An absolute address by http or https, without user and password.
fn parse_url(text: &str) -> Result<String, Message> {
    let wrong = || Message::from("account-url-wrong");
    let text = text.trim();
    // Browsers drop tabs and line ends inside an address: `java\nscript:`.
    if text.is_empty() || text.chars().any(is_hidden) {
        return Err(wrong());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_web =
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    if !is_web || !url.username().is_empty() || url.password().is_some() || url.as_str().len() > LONGEST_URL {
        return Err(wrong());
    }
    Ok(url.into())
}

/// The text on one line, its spaces single.
fn one_line(text: &str) -> Result<String, Message> {
    // Only typing at the ends is forgiven: a line end inside is no name.
    let text = text.trim();
    if text.chars().any(is_hidden) || has_piled_marks(text) {
        return Err("account-text-hidden".into());
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect())
}

/// Characters that show nothing or turn what stands beside them: controls, directional marks and
/// overrides, zero-width and filler characters, tags. Joiners stay: emoji and scripts need them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn has_piled_marks(text: &str) -> bool {
    let mut pile = 0;
    text.nfc().any(|c| {
        pile = if is_combining_mark(c) { pile + 1 } else { 0 };
        pile > MOST_MARKS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str) -> Vec<Link> {
        vec![Link { label: "我们".into(), url: url.into() }]
    }

    #[test]
    fn names_of_any_script_are_kept() {
        for name in ["华人周报", "僑報 Daily", "Việt Báo", "ข่าวจีน", "👩‍👩‍👧 亲子", "a"]
        {
            assert_eq!(parse_name(&format!("  {name} ")).unwrap(), name);
        }
        assert_eq!(parse_name("华人　 周报").unwrap(), "华人 周报");
    }

    #[test]
    fn names_that_hide_something_are_refused() {
        let long = "报".repeat(61);
        let pile = format!("a{}", "\u{301}\u{302}".repeat(9));
        for name in [
            "",
            "  ",
            "——",
            &long,
            "报\u{202e}nomda",
            "a\u{200b}b",
            "a\0b",
            "a\nb",
            "\u{2066}x",
            "\u{3164}",
            "\u{feff}x\u{e0041}",
            &pile,
        ] {
            assert!(parse_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn links_lead_to_the_web_only() {
        for url in ["https://example.org/a?b=c", "http://例子.中国/"] {
            assert!(parse_links(&link(url)).is_ok(), "{url}");
        }
        let long = format!("https://example.org/{}", "a".repeat(500));
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "//example.org",
            "/local",
            "example.org",
            "ftp://example.org",
            "file:///etc/passwd",
            "https://",
            "https://user:pw@example.org",
            "https://bank.example@evil.example",
            &long,
        ] {
            assert!(parse_links(&link(url)).is_err(), "{url}");
        }
        assert!(parse_links(&vec![link("https://example.org").remove(0); 9]).is_err());
        assert!(parse_links(&vec![link("https://example.org").remove(0); 8]).is_ok());
    }

    #[test]
    fn a_link_without_a_label_is_called_by_its_host() {
        let links = [
            Link { label: " ".into(), url: "https://www.example.org/x".into() },
            Link { label: String::new(), url: String::new() },
        ];
        assert_eq!(parse_links(&links).unwrap().0[0].label, "example.org");
    }

    #[test]
    fn an_avatar_is_an_address_or_a_picture_of_ours() {
        assert_eq!(parse_avatar("/media/1/ab12.jpg").unwrap().as_deref(), Some("/media/1/ab12.jpg"));
        assert_eq!(parse_avatar(" ").unwrap(), None);
        for url in ["/media/../etc", "/studio", "javascript:x", "data:image/svg+xml,x", "/media/a\"b"] {
            assert!(parse_avatar(url).is_err(), "{url}");
        }
    }

    #[test]
    fn languages_are_tags() {
        for tag in ["zh-Hans", "zh-Hant-HK", "en", "yue"] {
            assert_eq!(parse_lang(tag).unwrap(), tag);
        }
        for tag in ["", "z", "chinese", "zh_CN", "zh-", "zh-\"><script>", "中文"] {
            assert!(parse_lang(tag).is_err(), "{tag}");
        }
    }
}
