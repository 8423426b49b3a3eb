//! Handles: the name of an account in addresses.

use std::fmt;

use crate::error::Message;

pub const SHORTEST: usize = 2;
pub const LONGEST: usize = 30;

/// Words that would pass for the site itself, its pages or its staff.
const RESERVED: &str = "\
    about account accounts admin administrator api app article articles assets auth billing \
    contact demo docs editor email everyone favicon feed feeds ftp healthz help home host info \
    invite legal locale localhost login logout mail manage me media member members moderator new \
    news-sitemap no-reply noreply null official operator operators owner password ping \
    postmaster privacy push pushes readyz register robots root rss search security session \
    settings sign-in sign-out sign-up signin signout signup site sitemap sources staff static \
    status studio subscribe subscription subscriptions support system team terms timeline \
    undefined unsubscribe user users verified verify webmaster www xiangxun";

/// 2 to 30 ASCII letters, digits, hyphens and underscores in lower case, with a letter or digit at
/// both ends; no reserved word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handle(String);

impl Handle {
    /// Reads what a person typed; an `@` before it and capitals are forgiven.
    ///
    /// # Errors
    /// With the message to show beside the field.
    pub fn parse(text: &str) -> Result<Self, Message> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text);
        let wrong = || Message::from("account-handle-wrong").with("least", SHORTEST).with("most", LONGEST);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let has_firm_ends = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric());
        if !(SHORTEST..=LONGEST).contains(&text.len()) || !text.chars().all(is_plain) || !has_firm_ends {
            return Err(wrong());
        }
        let handle = text.to_ascii_lowercase();
        // `ad_min` and `ad-min` are no way around.
        let bare: String = handle.chars().filter(char::is_ascii_alphanumeric).collect();
        let is_reserved = |word: &str| word.chars().filter(char::is_ascii_alphanumeric).eq(bare.chars());
        if RESERVED.split_whitespace().any(is_reserved) {
            return Err("account-handle-reserved".into());
        }
        Ok(Self(handle))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_kept_in_lower_case_without_its_sign() {
        for (typed, kept) in [("lctt", "lctt"), (" @Daily-News ", "daily-news"), ("a1", "a1"), ("1_2", "1_2")]
        {
            assert_eq!(Handle::parse(typed).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_cannot_stand_in_an_address_is_refused() {
        let long = "a".repeat(31);
        for typed in [
            "",
            "a",
            "@",
            "@@ab",
            &long,
            "日报",
            "a b",
            "a.b",
            "a/b",
            "../..",
            "-ab",
            "ab-",
            "_ab",
            "a\0b",
            "ａｂ",
            "ab\u{202e}",
            "аdmin1",
            "a%2fb",
            "<b>",
            "ab\r\n",
            "é1",
        ] {
            // A line end around it is typing, within it an attack.
            let expected = typed.trim() == "ab";
            assert_eq!(Handle::parse(typed).is_ok(), expected, "{typed:?}");
        }
    }

    #[test]
    fn words_of_the_site_are_reserved_in_any_spelling() {
        for typed in ["studio", "Search", "API", "sign-in", "sign_in", "ad-min", "x-i-angxun", "me"] {
            assert_eq!(Handle::parse(typed).unwrap_err().key, "account-handle-reserved", "{typed}");
        }
    }
}
